"""When did it happen, from what the station recorded: contract, section 3.5. Pure.

All moments are microseconds since 1970 in UTC by this server's clock. Nothing is
refused because of its time; the raw values stay in the line.
"""

from enum import Enum

import msgspec

from shared.lines import Line
from shared.moments import SECOND
from shared.protocol import ClockReading

__all__ = ["DELAY", "TOLERANCE", "Anchor", "Basis", "When", "place"]

TOLERANCE = 2 * SECOND
"""How far a station's wall clock may be off and still count as right."""

DELAY = 30 * SECOND
"""How long a request may have been under way, at most."""


class Basis(Enum):
    """What an event's time rests on."""

    CLOCK = "clock"
    """The station's wall clock, which was right."""
    BOOT = "boot"
    """The time since, by the station's boot clock, from an exchange of that boot."""
    SYNCED = "synced"
    """The wall clock, which the station held to be synchronised."""
    GUESS = "guess"
    """Nothing but its neighbours in the log."""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A station's clocks, and this server's when they reached it."""

    clock: ClockReading
    received: int

    @property
    def offset(self) -> int:
        """How far the station's wall clock was ahead; its way here counts against."""
        return self.clock.at - self.received


class When(msgspec.Struct, frozen=True, kw_only=True):
    """When an event happened, the interval that holds the truth, and why."""

    occurred: int
    lo: int
    hi: int
    basis: Basis


def place(line: Line, anchor: Anchor | None, floor: int, received: int) -> When:
    """Say when a line's event happened.

    Args:
        line: The line.
        anchor: The exchange of the line's boot nearest to it, if there was one. For a
            line that names no boot: that of the request which brought it.
        floor: When the line before it in the log happened.
        received: When the line reached this server.

    Returns:
        A time between ``floor`` and ``received``, so that a log keeps its order and
        nothing is known before it was told.
    """
    when = _unbounded(line, anchor, floor, received)
    ceiling = max(floor, received)
    occurred = min(max(when.occurred, floor), ceiling)
    return When(
        occurred=occurred,
        lo=max(0, min(when.lo, occurred)),
        hi=max(min(when.hi, ceiling), occurred),
        basis=when.basis,
    )


def _unbounded(line: Line, anchor: Anchor | None, floor: int, received: int) -> When:
    at = line.moment
    if line.boot is None or line.mono is None:
        return _around(at, TOLERANCE, Basis.CLOCK)
    if anchor is not None:
        since = anchor.clock.mono - line.mono
        stepped = abs(at - (anchor.clock.at - since)) > TOLERANCE
        if abs(anchor.offset) <= TOLERANCE and not stepped:
            return _around(at, TOLERANCE, Basis.CLOCK)
        occurred = anchor.received - since
        return When(
            occurred=occurred, lo=occurred - DELAY, hi=occurred, basis=Basis.BOOT
        )
    if line.synced:
        return _around(at, TOLERANCE, Basis.SYNCED)
    return When(occurred=at, lo=floor, hi=received, basis=Basis.GUESS)


def _around(at: int, width: int, basis: Basis) -> When:
    return When(occurred=at, lo=at - width, hi=at + width, basis=basis)
