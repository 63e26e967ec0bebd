"""Placing the lines of a server's SQLite database anew in time.

What is known of items has to be made anew afterwards.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from server.store.archived import filling
from server.store.placing import Placing, Retimed, Row
from server.store.said import place_anew
from server.store.whereabouts import must_be_here, must_be_whole
from shared.errors import StartError

__all__ = ["retime", "retime_database"]


def retime_database(path: Path) -> Retimed:
    """Place the lines of a database anew; no server may run on it.

    Raises:
        StartError: It cannot be opened or written, or what was in it moved away;
            nothing was changed.
    """
    must_be_whole(path)
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None
        )
        with closing(connection):
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            must_be_here(path, dict(connection.execute("SELECT name, value FROM meta")))
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
    placing = Placing(
        connection.execute(
            "SELECT station, boot, clock, heard, received FROM anchor ORDER BY mono"
        )
    )
    changed = 0
    if placing.periods:
        logs = connection.execute("SELECT id, station FROM log").fetchall()
        changed = sum(
            _retime_log(connection, log, station, placing) for log, station in logs
        )
    if changed:
        place_anew(connection)
        connection.execute("DELETE FROM meta WHERE name = 'rules'")
    return Retimed(periods=placing.periods, changed=changed)


def _retime_log(
    connection: sqlite3.Connection, log: int, station: int, placing: Placing
) -> int:
    found = placing.changes(station, _deliveries(connection, log))
    changed = [change for some in found for change in some]
    connection.executemany(
        "UPDATE line SET occurred = ?, lo = ?, hi = ?, basis = ? WHERE position = ?",
        changed,
    )
    connection.execute(
        "UPDATE log SET occurred = coalesce((SELECT l.occurred FROM line AS l"
        " WHERE l.log = log.id AND l.seq = log.acked), occurred) WHERE id = ?",
        (log,),
    )
    return len(changed)


def _deliveries(
    connection: sqlite3.Connection, log: int
) -> Iterator[tuple[int, list[Row]]]:
    rows = connection.execute(
        "SELECT received, position, occurred, lo, hi, line, position FROM line"
        " WHERE log = ? ORDER BY seq",
        (log,),
    )
    for received, group in groupby(filling(connection, rows, 5), key=itemgetter(0)):
        yield received, [tuple(row[1:]) for row in group]
