"""When did it happen, from what the station recorded: contract, section 3.5. Pure.

A station's boot clock (CLOCK_BOOTTIME) counts on whatever becomes of its wall clock, so
that every exchange of a boot tells when all its lines happened: an exchange is an
`Anchor`, the anchors of a boot that agree are its `BootClock`. By it a line's wall
clock is judged: where it was right it stands, else the boot clock's word does.

1. The wall clock was right: ``at`` stands.
2. It was wrong: the time since, by the boot clock, counts back from the exchange.
3. The boot never reached this server: ``at`` if the station held it to be synchronised.
4. Else a guess between the neighbours in the log, marked as one.

Whatever that gives, a log's events never go back in time and none happened after it was
told. All moments are microseconds since 1970 in UTC by this server's clock. Nothing is
refused because of its time; the raw values stay in the line.
"""

from collections.abc import Callable, Iterable, Sequence

from server.timing.anchors import (
    SPACING,
    Anchor,
    BootClock,
    agreeing,
    boot_clock,
    stands_for,
    wrong_periods,
)
from server.timing.guesses import guessed
from server.timing.when import DELAY, TOLERANCE, Basis, Span, When, drift
from shared.lines import Line

__all__ = [
    "DELAY",
    "SPACING",
    "TOLERANCE",
    "Anchor",
    "Basis",
    "BootClock",
    "Span",
    "When",
    "agreeing",
    "boot_clock",
    "place_all",
    "stands_for",
    "wrong_periods",
]


_LATEST = 253_402_300_799_999_999
"""The last moment of the year 9999; later ones cannot be written."""


def _by_clocks(
    line: Line, clocks: Callable[[str], BootClock | None], request: Anchor | None
) -> When | None:
    """Say when a line's event happened by its clocks alone; ``None`` if they do not."""
    at = line.moment
    if not line.boot or line.mono is None:
        return _without_boot_clock(at, request)
    clock = clocks(line.boot)
    if clock is None:
        return _around(at, Basis.SYNCED) if line.synced else None
    truth = clock.truth(line.mono)
    anchor = clock.nearest(line.mono)
    if anchor.right and not _stepped(at, line.mono, anchor):
        return _wall(at, truth, synced=bool(line.synced and anchor.clock.synced))
    occurred = anchor.heard - (anchor.clock.mono - line.mono)
    return When(
        occurred=occurred,
        lo=min(truth.lo, occurred),
        hi=max(truth.hi, occurred),
        basis=Basis.BOOT,
    )


def _stepped(at: int, mono: int, anchor: Anchor) -> bool:
    """Say whether the wall clock was changed between a line and an exchange."""
    since = anchor.clock.mono - mono
    return abs(anchor.clock.at - since - at) > TOLERANCE + drift(since)


def _wall(at: int, truth: Span, *, synced: bool) -> When:
    lo, hi = truth
    if synced and at - TOLERANCE <= hi and lo <= at + TOLERANCE:
        lo, hi = max(lo, at - TOLERANCE), min(hi, at + TOLERANCE)
    return When(occurred=at, lo=min(lo, at), hi=max(hi, at), basis=Basis.CLOCK)


def _without_boot_clock(at: int, request: Anchor | None) -> When:
    """Take the wall clock's word, and say how far off it was when it was sent."""
    wrong = 0 if request is None or request.right else request.offset
    return When(
        occurred=at,
        lo=at - TOLERANCE - max(wrong, 0),
        hi=at + TOLERANCE + DELAY - min(wrong, 0) if wrong else at + TOLERANCE,
        basis=Basis.CLOCK,
    )


def _around(at: int, basis: Basis) -> When:
    return When(occurred=at, lo=at - TOLERANCE, hi=at + TOLERANCE, basis=basis)


def place_all(
    lines: Sequence[Line | None],
    *,
    clocks: Callable[[str], BootClock | None],
    request: Anchor | None,
    before: When | None,
    received: int,
) -> list[When]:
    """Say when the events of a delivery's lines happened.

    Args:
        lines: The lines, in order; ``None`` for one that cannot be read.
        clocks: Returns what tells the time of a boot, if something does.
        request: The exchange that brings the lines, if its clocks came with it.
        before: When the line before them in the log happened.
        received: When the lines reached this server.
    """
    sure = [
        None if line is None else _by_clocks(line, clocks, request) for line in lines
    ]
    if any(when is None or when.basis is Basis.SYNCED for when in sure):
        return _in_order(guessed(lines, sure, before, received), before, received)
    return _in_order((when for when in sure if when is not None), before, received)


def _in_order(whens: Iterable[When], before: When | None, received: int) -> list[When]:
    """Let no event happen before the one before it, or after it was told."""
    floor = before.occurred if before is not None else 0
    found: list[When] = []
    for when in whens:
        occurred = max(min(when.occurred, received), floor)
        if occurred != when.occurred or when.lo < 0 or when.hi > _LATEST:
            when = When(  # noqa: PLW2901 # the same, in its place
                occurred=occurred,
                lo=max(0, min(when.lo, occurred)),
                hi=min(max(when.hi, occurred), _LATEST),
                basis=when.basis,
            )
        found.append(when)
        floor = occurred
    return found
