"""Placing lines anew in time, where this server's clock was wrong for a while.

Lines, deliveries and anchors stay as they are: what follows from them is worked out
again, without what was heard in a wrong time. What is known of items has to be made
anew afterwards.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from server.store.archived import filling
from server.store.said import place_anew
from server.timing import (
    Anchor,
    BootClock,
    Span,
    When,
    boot_clock,
    place_all,
    wrong_periods,
)
from shared.errors import LineError, StartError
from shared.lines import Line, decode
from shared.protocol import ClockReading

__all__ = ["Retimed", "retime", "retime_database"]

_NO_LIMIT = 2**62
_Boots = dict[tuple[int, str], list[Anchor]]


class Retimed(msgspec.Struct, frozen=True, kw_only=True):
    """When this server's clock was wrong, and how many lines happened otherwise."""

    periods: list[Span]
    changed: int


def retime_database(path: Path) -> Retimed:
    """Place the lines of a database anew; no server may run on it.

    Raises:
        StartError: It cannot be opened or written; nothing was changed.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None
        )
        with closing(connection):
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            found = retime(connection)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        reason = f"the database {path} cannot be used ({error}); nothing was changed"
        raise StartError(reason) from error
    return found


def retime(connection: sqlite3.Connection) -> Retimed:
    """Place every line anew without what was heard in a wrong time.

    To be called in a transaction. Where the clock never was wrong nothing changes.
    """
    boots = _anchors(connection)
    periods = wrong_periods(boots.values())
    changed = 0
    if periods:
        logs = connection.execute("SELECT id, station FROM log").fetchall()
        changed = sum(
            _retime_log(connection, log, station, boots, periods)
            for log, station in logs
        )
    if changed:
        place_anew(connection)
        connection.execute("DELETE FROM meta WHERE name = 'rules'")
    return Retimed(periods=periods, changed=changed)


def _anchors(connection: sqlite3.Connection) -> _Boots:
    boots: _Boots = defaultdict(list)
    for station, boot, clock, heard, received in connection.execute(
        "SELECT station, boot, clock, heard, received FROM anchor ORDER BY mono"
    ):
        reading = ClockReading.from_header(clock)
        anchor = Anchor(clock=reading, heard=heard, received=received)
        boots[station, boot].append(anchor)
    return boots


def _retime_log(
    connection: sqlite3.Connection,
    log: int,
    station: int,
    boots: _Boots,
    periods: list[Span],
) -> int:
    @cache
    def clocks(boot: str) -> BootClock | None:
        return boot_clock(boots.get((station, boot), ()), periods)

    before: When | None = None
    changed: list[_Change] = []
    for received, rows in _deliveries(connection, log):
        doubtful = any(lo <= received <= hi for lo, hi in periods)
        lines = [_read(data) for *_, data in rows]
        whens = place_all(
            lines,
            clocks=clocks,
            request=None,
            before=before,
            received=_NO_LIMIT if doubtful else received,
        )
        changed += _changes(rows, lines, whens)
        before = whens[-1]
    connection.executemany(
        "UPDATE line SET occurred = ?, lo = ?, hi = ?, basis = ? WHERE position = ?",
        changed,
    )
    if before is not None:
        connection.execute(
            "UPDATE log SET occurred = ? WHERE id = ?", (before.occurred, log)
        )
    return len(changed)


_Row = Sequence[Any]
"""position, received, occurred, lo, hi, line."""

_Change = tuple[int, int, int, str, int]
"""occurred, lo, hi, basis, position."""


def _changes(
    rows: list[_Row], lines: list[Line | None], whens: list[When]
) -> Iterator[_Change]:
    """Return what is another now; without a boot clock nothing new is known."""
    for (position, _, *stored, _), line, when in zip(rows, lines, whens, strict=True):
        placed = (when.occurred, when.lo, when.hi)
        by_boot = line is not None and line.boot
        if placed[0] != stored[0] or (by_boot and placed != tuple(stored)):
            yield *placed, when.basis.value, position


def _deliveries(
    connection: sqlite3.Connection, log: int
) -> Iterator[tuple[int, list[_Row]]]:
    rows = connection.execute(
        "SELECT position, received, occurred, lo, hi, line, position FROM line"
        " WHERE log = ? ORDER BY seq",
        (log,),
    )
    for received, group in groupby(filling(connection, rows, 5), key=itemgetter(1)):
        yield received, list(group)


def _read(data: bytes) -> Line | None:
    try:
        return decode(data)
    except LineError:
        return None
