"""The exchanges of each boot of a station's machine, as kept in the database."""

import sqlite3

from server.store.exchanges import Clocks
from server.timing import Anchor
from shared.protocol import ClockReading

__all__ = ["keep", "latest"]


def latest(
    connection: sqlite3.Connection, station: int, boot: str, most: int
) -> list[Anchor]:
    """Return the latest exchanges of a boot, the last one first."""
    found = connection.execute(
        "SELECT clock, heard, received FROM anchor WHERE station = ? AND boot = ?"
        " ORDER BY mono DESC LIMIT ?",
        (station, boot, most),
    )
    return [
        Anchor(clock=ClockReading.from_header(clock), heard=heard, received=received)
        for clock, heard, received in found
    ]


def keep(
    connection: sqlite3.Connection, station: int, clocks: Clocks, *, brought: bool
) -> None:
    """Keep the present exchange, instead of the last one where that is enough."""
    found = clocks.to_keep(brought=brought)
    if found is None:
        return
    new, replaced = found
    if replaced is not None:
        connection.execute(
            "DELETE FROM anchor WHERE station = ? AND boot = ? AND mono = ?",
            (station, new.clock.boot, replaced.clock.mono),
        )
    connection.execute(
        "INSERT OR IGNORE INTO anchor"
        " (station, boot, mono, clock, heard, received) VALUES (?, ?, ?, ?, ?, ?)",
        (
            station,
            new.clock.boot,
            new.clock.mono,
            new.clock.header(),
            new.heard,
            new.received,
        ),
    )
