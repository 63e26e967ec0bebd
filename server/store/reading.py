"""Reading events and rows from the server's SQLite database."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeVar

from server.answers import Horizon, Stored
from server.events import Event, event_name
from server.history import Role
from server.kept import Snapshot, Unwritten, position
from server.store import Entry, View
from server.store.answering import horizon as all_told
from server.store.archived import filled
from server.store.keeping import HEARD, event_of
from shared.actions import named
from shared.protocol import LogState

__all__ = [
    "SqlReader",
    "chunks",
    "entry",
    "event",
    "events",
    "horizon",
    "last_position",
    "log",
    "snapshot",
    "stored",
    "voids",
]

T = TypeVar("T")

MANY = 500
"""How many values are asked for in one statement, at most."""

_EVENTS = """
SELECT g.name, l.seq, l.occurred, l.lo, l.hi, l.received, l.line,
    (SELECT v.by FROM voided v
     WHERE v.log = g.name AND v.seq = l.seq AND v.received <= ?2
     ORDER BY v.received, v.by LIMIT 1), l.position
FROM json_each(?3) AS k
CROSS JOIN line AS l ON l.position = k.value
CROSS JOIN log AS g ON g.id = l.log
WHERE l.occurred <= ?1 AND l.received <= ?2
"""


def chunks(values: Collection[T]) -> Iterator[tuple[str, list[T]]]:
    """Cut values to what one statement can ask for, each with its question marks.

    There are few lengths, so that few statements have to be prepared.
    """
    rest = list(values)
    while rest:
        some, rest = rest[:MANY], rest[MANY:]
        length = 1 if len(some) == 1 else MANY
        yield ", ".join("?" * length), some + some[-1:] * (length - len(some))


_LINE_AT = 6
"""Where the line is in the rows of events."""


class SqlReader:
    """Reads events as known at one moment and up to another.

    Args:
        connection: A connection.
        view: The moments.
        unwritten: What may be known of items beside what is written.
        new: What the names of the tables for items end with.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        view: View,
        unwritten: Unwritten,
        new: str = "",
    ) -> None:
        self._connection = connection
        self._view = view
        self._unwritten = unwritten
        self._new = new

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        return self.events(self.positions(keys, roles))

    def positions(self, keys: Collection[str], roles: Collection[Role]) -> set[int]:
        """Return where the lines are that speak of any of the keys."""
        wanted = sum(1 << role for role in roles if role is not Role.PLACE)
        found: set[int] = set()
        if wanted:
            found.update(position(told) for told in self._heard(keys) if told & wanted)
        if Role.PLACE in roles:
            found.update(self._counts(keys))
        return found

    def _heard(self, keys: Collection[str]) -> Iterator[int]:
        for key in keys:  # before what is written: it may be written meanwhile
            yield from self._unwritten.heard(key)
        for marks, some in chunks(keys):
            found = self._connection.execute(
                f"SELECT id, heard FROM item{self._new} WHERE key IN ({marks})",  # noqa: S608 # of constants
                some,
            ).fetchall()
            for _, heard in found:
                yield from HEARD.decode(heard)
            for wanted, ids in chunks([number for number, _ in found]):
                apart = self._connection.execute(
                    f"SELECT events FROM heard{self._new} WHERE item IN ({wanted})",  # noqa: S608 # of constants
                    ids,
                )
                for (heard,) in apart:
                    yield from HEARD.decode(heard)

    def _counts(self, places: Collection[str]) -> Iterator[int]:
        for marks, some in chunks(places):
            found = self._connection.execute(
                f"SELECT position FROM counted{self._new} WHERE location IN ({marks})",  # noqa: S608 # of constants
                some,
            )
            yield from (where for (where,) in found)

    def events(self, positions: Collection[int]) -> list[Event]:
        """Return the events at these positions."""
        if not positions:
            return []
        found = self._connection.execute(
            _EVENTS,
            (self._view.at, self._view.known_at, json.dumps(list(positions))),
        )
        return [event_of(row) for row in filled(self._connection, found, _LINE_AT)]


_LINE = """
SELECT g.name, l.seq, l.occurred, l.lo, l.hi, l.received, l.line, NULL, l.position
FROM log AS g CROSS JOIN line AS l ON l.log = g.id WHERE g.name = ? AND l.seq = ?
"""


def voids(
    connection: sqlite3.Connection, events: Iterable[Event], known_at: int
) -> list[Event]:
    """Return the voids of these events, as far as they were known."""
    taken_back = [event.order for event in events if event.voided_by is not None]
    names = {
        name
        for order in taken_back
        for (name,) in connection.execute(
            "SELECT by FROM voided WHERE log = ? AND seq = ? AND received <= ?",
            (order.log, order.seq, known_at),
        )
    }
    found = (named(name) for name in sorted(names))
    rows = [row for name in found if name for row in connection.execute(_LINE, name)]
    return [event_of(row) for row in filled(connection, rows, _LINE_AT)]


_STORED = """
SELECT g.name, l.seq, s.name, l.line, l.basis, l.position
FROM log AS g JOIN line AS l ON l.log = g.id JOIN station AS s ON s.id = g.station
WHERE g.name = ? AND l.seq = ?
"""


def stored(
    connection: sqlite3.Connection, events: Iterable[Event]
) -> dict[str, Stored]:
    """Return the bytes and the station of each event, by its name."""
    rows: list[tuple[Any, ...]] = []
    for event in events:
        rows += connection.execute(_STORED, (event.order.log, event.order.seq))
    return {
        event_name(log, seq): Stored(station=station, line=line, basis=basis)
        for log, seq, station, line, basis in filled(connection, rows, 3)
    }


_ENTRIES = (
    "SELECT l.position, g.name, l.seq, s.name, l.occurred, l.lo, l.hi, l.received,"
    " l.quarantined, l.line, l.position FROM line l JOIN log g ON g.id = l.log"
    " JOIN station s ON s.id = g.station"
)


def events(connection: sqlite3.Connection, after: int, limit: int) -> list[Entry]:
    """Return the lines behind a position, in the server's own order."""
    found = connection.execute(
        f"{_ENTRIES} WHERE l.position > ? ORDER BY l.position LIMIT ?", (after, limit)
    )
    return [entry(*row) for row in filled(connection, found, 9)]


def event(connection: sqlite3.Connection, name: str) -> Entry | None:
    """Return the line that is an event of this name."""
    target = named(name)
    if target is None:
        return None
    found = connection.execute(f"{_ENTRIES} WHERE g.name = ? AND l.seq = ?", target)
    return next((entry(*row) for row in filled(connection, found, 9)), None)


def entry(  # noqa: PLR0917 # a row
    position: int,
    log: str,
    seq: int,
    station: str,
    occurred: int,
    lo: int,
    hi: int,
    received: int,
    quarantined: str | None,
    line: bytes,
) -> Entry:
    """Return a line in the server's own order from its row."""
    return Entry(
        position=position,
        event=event_name(log, seq),
        station=station,
        occurred=occurred,
        lo=lo,
        hi=hi,
        received=received,
        quarantined=quarantined,
        line=line,
    )


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Return up to which line is seen, and up to which states of items are written."""
    (told,) = connection.execute(
        "SELECT value FROM meta WHERE name = 'told'"
    ).fetchone() or (0,)
    return Snapshot(last_position(connection), int(told))


def last_position(connection: sqlite3.Connection) -> int:
    """Return the position of the line that came last; 0 where there is none."""
    (position,) = connection.execute(
        "SELECT coalesce(max(position), 0) FROM line"
    ).fetchone()
    return int(position)


def horizon(connection: sqlite3.Connection, view: View) -> Horizon:
    """Return up to when all active stations have told everything."""
    found = connection.execute(
        "SELECT name, horizon FROM station"
        " WHERE kind = 'station' AND joined IS NOT NULL AND revoked IS NULL"
        " ORDER BY horizon, name"
    ).fetchall()
    return all_told(found, view)


def log(connection: sqlite3.Connection, name: str) -> LogState | None:
    """Return how far a log is known."""
    row = connection.execute(
        "SELECT s.name, g.acked, g.head, g.backed_up FROM log g"
        " JOIN station s ON s.id = g.station WHERE g.name = ?",
        (name,),
    ).fetchone()
    if row is None:
        return None
    station, acked, head, backed_up = row
    return LogState(
        log=name, station=station, acked=acked, head=head.hex(), backed_up=backed_up
    )
