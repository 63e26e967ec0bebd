"""The exchanges of each boot of a station's machine, as kept in the database."""

import sqlite3

from server.timing import Anchor, BootClock, boot_clock, stands_for
from shared.protocol import ClockReading

__all__ = ["Clocks"]

_MOST = 200
"""Exchanges of a boot that are looked at: those of a week and more."""


class Clocks:
    """What tells the time of a station's boots, the present exchange included.

    ``heard`` is what this server's clock showed when the request came, ``received`` the
    moment that it was given. ``fresh``: no later moment of its boot has been heard of,
    as it has where somebody sends again what was sent before.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        station: int,
        clock: ClockReading | None,
        *,
        heard: int,
        received: int,
    ) -> None:
        self._connection = connection
        self._station = station
        self.request = (
            None
            if clock is None
            else Anchor(clock=clock, heard=heard, received=received)
        )
        self._known: dict[str, BootClock | None] = {}
        self.fresh = clock is None or not self._is_past(clock)

    def _is_past(self, clock: ClockReading) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM anchor WHERE station = ? AND boot = ? AND mono >= ? LIMIT 1",
            (self._station, clock.boot, clock.mono),
        )
        return found.fetchone() is not None

    def of(self, boot: str) -> BootClock | None:
        """Return what tells a boot's time, if the boot ever reached this server."""
        if boot not in self._known:
            anchors = self._latest(boot, _MOST)
            if self.request is not None and self.request.clock.boot == boot:
                anchors.append(self.request)
            self._known[boot] = boot_clock(anchors)
        return self._known[boot]

    def _latest(self, boot: str, most: int) -> list[Anchor]:
        found = self._connection.execute(
            "SELECT clock, heard, received FROM anchor WHERE station = ? AND boot = ?"
            " ORDER BY mono DESC LIMIT ?",
            (self._station, boot, most),
        )
        return [
            Anchor(
                clock=ClockReading.from_header(clock), heard=heard, received=received
            )
            for clock, heard, received in found
        ]

    def keep(self, *, brought: bool) -> None:
        """Keep the present exchange, instead of the last one where that is enough.

        One that is not fresh is kept only if it ``brought`` lines: else it was sent
        again, and says nothing of the time at which it came.
        """
        new = self.request
        if new is None or not new.clock.boot or not (self.fresh or brought):
            return
        last, before = (*self._latest(new.clock.boot, 2), None, None)[:2]
        if self.fresh and last is not None and stands_for(before, last, new):
            self._connection.execute(
                "DELETE FROM anchor WHERE station = ? AND boot = ? AND mono = ?",
                (self._station, new.clock.boot, last.clock.mono),
            )
        self._connection.execute(
            "INSERT OR IGNORE INTO anchor "
            " (station, boot, mono, clock, heard, received) VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._station,
                new.clock.boot,
                new.clock.mono,
                new.clock.header(),
                new.heard,
                new.received,
            ),
        )
