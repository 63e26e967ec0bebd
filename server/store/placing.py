"""Lines placed anew in time, where this server's clock was wrong for a while. Pure.

Lines, deliveries and anchors stay as they are: what follows from them is worked out
again, without what was heard in a wrong time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

import msgspec

from server.timing import (
    Anchor,
    BootClock,
    Span,
    When,
    boot_clock,
    place_all,
    wrong_periods,
)
from shared.errors import LineError
from shared.lines import Line, decode
from shared.protocol import ClockReading

__all__ = ["Change", "Placing", "Retimed", "Row"]

_NO_LIMIT = 2**62

Row = tuple[int, int, int, int, bytes]
"""Where a line is, when what it tells happened (at, from, to), and its bytes."""

Change = tuple[int, int, int, str, int]
"""When it happened (at, from, to), on what basis; and where the line is."""


class Retimed(msgspec.Struct, frozen=True, kw_only=True):
    """When this server's clock was wrong, and how many lines happened otherwise."""

    periods: list[Span]
    changed: int


class Placing:
    """Places lines by all exchanges but those of a wrong time.

    Args:
        exchanges: Station, boot, its clock as it was sent, heard and received, of each
            boot in the order of its own clock.

    ``periods``: when this server's clock was wrong.
    """

    def __init__(self, exchanges: Iterable[tuple[int, str, str, int, int]]) -> None:
        self._boots: dict[tuple[int, str], list[Anchor]] = defaultdict(list)
        for station, boot, clock, heard, received in exchanges:
            reading = ClockReading.from_header(clock)
            anchor = Anchor(clock=reading, heard=heard, received=received)
            self._boots[station, boot].append(anchor)
        self.periods = wrong_periods(self._boots.values())

    def changes(
        self, station: int, deliveries: Iterable[tuple[int, list[Row]]]
    ) -> Iterator[list[Change]]:
        """Return which lines of a log happened otherwise, for each delivery.

        Args:
            station: Whose log it is.
            deliveries: When each was received, and its lines.
        """

        @cache
        def clocks(boot: str) -> BootClock | None:
            return boot_clock(self._boots.get((station, boot), ()), self.periods)

        before: When | None = None
        for received, rows in deliveries:
            doubtful = any(lo <= received <= hi for lo, hi in self.periods)
            lines = [_read(data) for *_, data in rows]
            whens = place_all(
                lines,
                clocks=clocks,
                request=None,
                before=before,
                received=_NO_LIMIT if doubtful else received,
            )
            yield list(_changes(rows, lines, whens))
            before = whens[-1]


def _changes(
    rows: list[Row], lines: list[Line | None], whens: list[When]
) -> Iterator[Change]:
    """Return what is another now; without a boot clock nothing new is known."""
    for (where, *stored, _), line, when in zip(rows, lines, whens, strict=True):
        placed = (when.occurred, when.lo, when.hi)
        by_boot = line is not None and line.boot
        if placed[0] != stored[0] or (by_boot and placed != tuple(stored)):
            yield *placed, when.basis.value, where


def _read(data: bytes) -> Line | None:
    try:
        return decode(data)
    except LineError:
        return None
