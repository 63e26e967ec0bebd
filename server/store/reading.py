"""Reading events and rows from the server's SQLite database."""

import json
import sqlite3
from collections.abc import Collection, Iterable

from server.answers import Horizon, Stored
from server.events import Event, Order, event_name
from server.exceptions import exceptions as told_exceptions
from server.history import Role, tell
from server.projections import Row
from server.store import Entry, ExceptionQuery, Found, ItemQuery, View
from shared.lines import decode
from shared.moments import SECOND
from shared.protocol import LogState

__all__ = [
    "SqlReader",
    "events",
    "exceptions",
    "horizon",
    "items",
    "last_position",
    "log",
    "stored",
]

_ABOUT = """
SELECT DISTINCT l.position, g.name, l.seq, l.occurred, l.lo, l.hi, l.received, l.line,
    (SELECT v.by FROM voided v
     WHERE v.log = g.name AND v.seq = l.seq AND v.received <= :known_at
     ORDER BY v.received, v.by LIMIT 1)
FROM json_each(:keys) AS k
CROSS JOIN json_each(:roles) AS r
CROSS JOIN mention AS m ON m.key = k.value AND m.role = r.value
CROSS JOIN line AS l ON l.position = m.position
CROSS JOIN log AS g ON g.id = l.log
WHERE l.occurred <= :at AND l.received <= :known_at
"""

_ROWS = """
SELECT i.key, i.status, i.location, i.custodian, i.container, i.gone, i.latest
FROM json_each(:keys) AS k CROSS JOIN item AS i ON i.key = k.value
"""

_INSIDE = """
SELECT i.key FROM json_each(:keys) AS k CROSS JOIN item AS i ON i.container = k.value
UNION
SELECT i.key
FROM json_each(:keys) AS k
CROSS JOIN mention AS c ON c.key = k.value AND c.role = 1
CROSS JOIN mention AS s ON s.position = c.position AND s.role = 0
CROSS JOIN item AS i ON i.key = s.key
WHERE i.latest >= :since
"""

_AROUND = """
SELECT DISTINCT c.key
FROM json_each(:keys) AS k
CROSS JOIN mention AS t ON t.key = k.value AND t.role = 3
CROSS JOIN mention AS s ON s.key = k.value AND s.role = 0
CROSS JOIN mention AS c ON c.position = s.position AND c.role = 1
"""

_PUT = """
INSERT INTO item (key, status, location, custodian, container, gone, latest)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    status = excluded.status, location = excluded.location,
    custodian = excluded.custodian, container = excluded.container,
    gone = excluded.gone, latest = excluded.latest
"""


class SqlReader:
    """Reads events as known at one moment and up to another; and the present rows."""

    def __init__(self, connection: sqlite3.Connection, view: View) -> None:
        self._connection = connection
        self._view = view

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        if not keys:
            return []
        found = self._connection.execute(
            _ABOUT,
            {
                "keys": json.dumps(list(keys)),
                "roles": json.dumps(list(roles)),
                "at": self._view.at,
                "known_at": self._view.known_at,
            },
        )
        return [_event(row) for row in found]

    def rows(self, keys: Collection[str]) -> list[Row]:
        """Return the rows of these items, of those that have one."""
        found = self._connection.execute(_ROWS, {"keys": json.dumps(list(keys))})
        return [
            Row(
                key=key,
                status=status,
                location=location,
                custodian=custodian,
                container=container,
                gone=bool(gone),
                latest=latest,
            )
            for key, status, location, custodian, container, gone, latest in found
        ]

    def inside(self, containers: Collection[str], since: int) -> list[str]:
        """Return what may have been in any of these at ``since`` or after."""
        parameters = {"keys": json.dumps(list(containers)), "since": since}
        return [key for (key,) in self._connection.execute(_INSIDE, parameters)]

    def around(self, items: Collection[str]) -> list[str]:
        """Return what any of these, taken out without its name, was ever put into."""
        parameters = {"keys": json.dumps(list(items))}
        return [key for (key,) in self._connection.execute(_AROUND, parameters)]

    def put(self, rows: Iterable[Row]) -> None:
        """Keep these rows."""
        self._connection.executemany(
            _PUT,
            (
                (
                    r.key,
                    r.status,
                    r.location,
                    r.custodian,
                    r.container,
                    r.gone,
                    r.latest,
                )
                for r in rows
            ),
        )


_EventRow = tuple[int, str, int, int, int, int, int, bytes, str | None]


def _event(row: _EventRow) -> Event:
    _, log, seq, occurred, lo, hi, received, data, voided_by = row
    line = decode(data)
    return Event(
        order=Order(occurred, log, seq),
        lo=lo,
        hi=hi,
        received=received,
        line=line,
        # a void of a void has no effect
        voided_by=None if line.action == "void" and not line.refused else voided_by,
    )


def stored(
    connection: sqlite3.Connection, events: Iterable[Event]
) -> dict[str, Stored]:
    """Return the bytes and the station of each event, by its name."""
    found = {}
    for event in events:
        station, line = connection.execute(
            "SELECT s.name, l.line FROM log g JOIN line l ON l.log = g.id"
            " JOIN station s ON s.id = g.station WHERE g.name = ? AND l.seq = ?",
            (event.order.log, event.order.seq),
        ).fetchone()
        found[event.name] = Stored(station=station, line=line)
    return found


_FILTERS = {
    "status": "status = :status",
    "location": "location = :location",
    "container": "container = :container",
    "custodian": "custodian = :custodian",
    "q": "instr(key, :q) > 0",
}


def items(connection: sqlite3.Connection, query: ItemQuery) -> list[str]:
    """Return the keys of items by their present answer, in order."""
    filters = [
        sql for name, sql in _FILTERS.items() if getattr(query, name) is not None
    ]
    if query.present:
        filters.append("gone = 0")
    where = " AND ".join(["key > :after", "latest > 0", *filters])
    found = connection.execute(
        f"SELECT key FROM item WHERE {where} ORDER BY key LIMIT :limit",  # noqa: S608 # of constants
        {name: getattr(query, name) for name in query.__struct_fields__},
    )
    return [key for (key,) in found]


def exceptions(
    connection: sqlite3.Connection, query: ExceptionQuery, view: View
) -> list[Found]:
    """Return exceptions of items, newest first."""
    if query.open is False:
        return []
    reader = SqlReader(connection, view)
    found = [
        Found(item=key, until=None, **finding._asdict())
        for (key,) in connection.execute("SELECT key FROM item")
        for telling in (tell(reader, key),)
        for finding in told_exceptions(telling.world, key, telling.said, view.at)
        if query.code in (None, finding.code)
    ]
    found.sort(key=lambda one: one.place, reverse=True)
    after = query.after
    return [one for one in found if after is None or one.place < after][: query.limit]


def events(connection: sqlite3.Connection, after: int, limit: int) -> list[Entry]:
    """Return the lines behind a position, in the server's own order."""
    found = connection.execute(
        "SELECT l.position, g.name, l.seq, s.name, l.occurred, l.lo, l.hi, l.received,"
        " l.quarantined, l.line FROM line l JOIN log g ON g.id = l.log"
        " JOIN station s ON s.id = g.station"
        " WHERE l.position > ? ORDER BY l.position LIMIT ?",
        (after, limit),
    )
    return [
        Entry(
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
        for (
            position,
            log,
            seq,
            station,
            occurred,
            lo,
            hi,
            received,
            quarantined,
            line,
        ) in found
    ]


def last_position(connection: sqlite3.Connection) -> int:
    """Return the position of the line that came last; 0 where there is none."""
    (position,) = connection.execute(
        "SELECT coalesce(max(position), 0) FROM line"
    ).fetchone()
    return int(position)


BEHIND = 60 * SECOND
"""How long a station may be silent before it counts as behind, in microseconds."""


def horizon(connection: sqlite3.Connection, view: View) -> Horizon:
    """Return up to when all active stations have told everything."""
    found = connection.execute(
        "SELECT name, horizon FROM station"
        " WHERE kind = 'station' AND joined IS NOT NULL AND revoked IS NULL"
        " ORDER BY horizon, name"
    ).fetchall()
    until = [moment for _, moment in found]
    asked = min(view.at, view.known_at)
    return Horizon(
        complete_until=None if not until or None in until else min(until),
        behind=tuple(
            (name, moment)
            for name, moment in found
            if moment is None or moment < asked - BEHIND
        ),
    )


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
