"""Reading events and rows from the server's PostgreSQL database."""

from collections.abc import Collection, Iterable, Iterator

from server.answers import Horizon, Stored
from server.events import Event, event_name
from server.history import Role
from server.kept import Unwritten, position
from server.store import Entry, View
from server.store.answering import horizon as all_told
from server.store.keeping import HEARD, event_of
from server.store.postgres.archived import AT, filled
from server.store.postgres.database import Database, Row, digest
from shared.actions import named
from shared.protocol import LogState

__all__ = [
    "DELIVERED",
    "PgReader",
    "entry",
    "event",
    "events",
    "horizon",
    "inside",
    "line_at",
    "log",
    "place",
    "stored",
    "voids",
]

_SEQ_BITS = 32


def place(log: int, seq: int) -> int:
    """Write in one number which line of which log it is."""
    return log << _SEQ_BITS | seq


def _placed(numbers: Collection[int]) -> tuple[list[int], list[int]]:
    return (
        [number >> _SEQ_BITS for number in numbers],
        [number & (1 << _SEQ_BITS) - 1 for number in numbers],
    )


def line_at(of: str, log: str = "log", seq: str = "seq") -> str:
    """Return what joins the line whose log and seq another row has.

    It is looked up by both: the planner, who takes a table to be as small as it was,
    would else go through whole logs.
    """
    return (
        "CROSS JOIN LATERAL (SELECT * FROM line"  # noqa: S608 # of constants
        f" WHERE log = {of}.{log} AND seq = {of}.{seq} OFFSET 0)"
    )


def inside(container: str) -> str:
    """Return what joins what is directly in a container, by the index on that.

    The planner would else go through all that is in anything, which was little once.
    """
    return (
        "CROSS JOIN LATERAL (SELECT * FROM listed"  # noqa: S608 # of constants
        f' WHERE "left"(container, 200) = "left"({container}, 200)'
        f" AND container = {container} OFFSET 0)"
    )


# What a transaction has written itself has no delivery yet.
_EVENT = f"""
SELECT g.name, l.seq, l.occurred, l.lo, l.hi, coalesce(d.received, 0), l.line,
    (SELECT b.name || ':' || v.by_seq FROM voided v
     {line_at("v", "by_log", "by_seq")} t
     JOIN log b ON b.id = v.by_log
     LEFT JOIN delivery e ON e.log = t.log AND e.last = t.delivered
     WHERE v.log = g.name AND v.seq = l.seq AND coalesce(e.received, 0) <= {{known}}
     ORDER BY e.received, b.name, v.by_seq LIMIT 1), {AT}
FROM {{source}}
JOIN log g ON g.id = l.log
LEFT JOIN delivery d ON d.log = l.log AND d.last = l.delivered
"""  # noqa: S608 # of constants
_AT = f"unnest($1::bigint[], $2::bigint[]) k (log, seq) {line_at('k')} l"
_EVENTS = (
    _EVENT.format(known="$4", source=_AT)
    + "WHERE l.occurred <= $3 AND coalesce(d.received, 0) <= $4"
)
_NAMED = _EVENT.format(
    known="$3",
    source="(SELECT * FROM line"
    " WHERE log = (SELECT id FROM log WHERE name = $1) AND seq = $2"
    " AND quarantined IS NULL) l",
)


_LINE_AT = 6
"""Where the line is in the rows of events."""


class PgReader:
    """Reads events as known at one moment and up to another.

    Args:
        database: In a transaction.
        view: The moments.
        unwritten: What is known of items beside what is written.
        new: What the names of the tables for items end with.
    """

    def __init__(
        self,
        database: Database,
        view: View,
        unwritten: Unwritten | None = None,
        new: str = "",
    ) -> None:
        self._database, self._view, self._new = database, view, new
        self._unwritten = Unwritten() if unwritten is None else unwritten

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        return self.events(self.places(keys, roles))

    def places(self, keys: Collection[str], roles: Collection[Role]) -> set[int]:
        """Return where the lines of these events are."""
        wanted = sum(1 << role for role in roles if role is not Role.PLACE)
        found: set[int] = set()
        if wanted and keys:
            found.update(position(told) for told in self._heard(keys) if told & wanted)
        if Role.PLACE in roles and keys:
            found.update(self._counts(keys))
        return found

    def _heard(self, keys: Collection[str]) -> Iterator[int]:
        for key in keys:
            yield from self._unwritten.heard(key)
        names = [digest(key) for key in keys]
        for table, column in (("item", "heard"), ("heard", "events")):
            for (heard,) in self._database.rows(
                f"SELECT i.{column} FROM unnest($1::bytea[]) k (name)"  # noqa: S608 # of constants
                f" JOIN {table}{self._new} i ON i.name = k.name",
                names,
            ):
                yield from HEARD.decode(heard)

    def _counts(self, places: Collection[str]) -> Iterator[int]:
        found = self._database.rows(
            "SELECT c.line FROM unnest($1::bytea[]) k (location)"  # noqa: S608 # of constants
            f" JOIN counted{self._new} c ON c.location = k.location",
            [digest(key) for key in places],
        )
        return (line for (line,) in found)

    def events(self, places: Collection[int]) -> list[Event]:
        """Return the events at these places."""
        if not places:
            return []
        found = self._database.rows(
            _EVENTS, *_placed(places), self._view.at, self._view.known_at
        )
        return [event_of(row) for row in filled(self._database, found, _LINE_AT)]

    def named(self, name: str) -> Event | None:
        """Return an event by its name, if it is here and was understood."""
        target = named(name)
        if target is None:
            return None
        rows = self._database.rows(_NAMED, *target, self._view.known_at)
        found = filled(self._database, rows, _LINE_AT)
        return next((event_of(row) for row in found), None)


_VOIDS = f"""
SELECT g.name, l.seq, l.occurred, l.lo, l.hi, d.received, l.line, NULL, {AT}
FROM unnest($1::text[], $2::bigint[]) k (log, seq)
JOIN voided v ON v.log = k.log AND v.seq = k.seq
{line_at("v", "by_log", "by_seq")} l
JOIN log g ON g.id = l.log
JOIN delivery d ON d.log = l.log AND d.last = l.delivered
WHERE d.received <= $3
"""  # noqa: S608 # of constants


def voids(database: Database, events: Iterable[Event], known_at: int) -> list[Event]:
    """Return the voids of these events, as far as they were known."""
    orders = [event.order for event in events if event.voided_by is not None]
    if not orders:
        return []
    found = database.rows(
        _VOIDS, [one.log for one in orders], [one.seq for one in orders], known_at
    )
    told = map(event_of, filled(database, found, _LINE_AT))
    return list({event.name: event for event in told}.values())


_STORED = f"""
SELECT k.name, k.seq, s.name, l.line, l.basis, {AT}
FROM (
    SELECT g.id AS log, n.seq, g.name, g.station
    FROM unnest($1::text[], $2::bigint[]) n (log, seq) JOIN log g ON g.name = n.log
) k
{line_at("k")} l
JOIN station s ON s.id = k.station
"""  # noqa: S608 # of constants


def stored(database: Database, events: Iterable[Event]) -> dict[str, Stored]:
    """Return the bytes and the station of each event, by its name."""
    orders = [event.order for event in events]
    found = database.rows(
        _STORED, [one.log for one in orders], [one.seq for one in orders]
    )
    return {
        event_name(log, seq): Stored(station=station, line=line, basis=basis)
        for log, seq, station, line, basis in filled(database, found, 3)
    }


DELIVERED = """
(SELECT * FROM delivery WHERE position > $1 ORDER BY position LIMIT $2) d
CROSS JOIN LATERAL (
    SELECT * FROM line
    WHERE log = d.log AND seq > d.last - (d.position - $1) AND seq <= d.last
        AND delivered = d.last
    OFFSET 0
)"""
"""An expression: the deliveries behind a position, each with its lines behind it."""

_ENTRY = f"""
SELECT d.position - (d.last - l.seq) AS position, g.name, l.seq, s.name AS station,
    l.occurred, l.lo, l.hi, d.received, l.quarantined, l.line, {AT}
FROM {{source}}
JOIN log g ON g.id = l.log
JOIN station s ON s.id = g.station
{{ending}}
"""  # noqa: S608 # of constants
_FEED = _ENTRY.format(
    source=f"{DELIVERED} l",
    ending="ORDER BY d.position, l.seq LIMIT $2",
)
_ONE = _ENTRY.format(
    source="line l JOIN delivery d ON d.log = l.log AND d.last = l.delivered",
    ending="WHERE l.log = (SELECT id FROM log WHERE name = $1) AND l.seq = $2",
)


def events(database: Database, after: int, limit: int) -> list[Entry]:
    """Return the lines behind a position, in the server's own order.

    Positions are given in turn, each to what is committed before the next is given: so
    nothing ever appears before what a reader has had.
    """
    rows = database.rows(_FEED, after, limit)
    return [entry(row) for row in filled(database, rows, 9)]


def event(database: Database, name: str) -> Entry | None:
    """Return the line that is an event of this name."""
    target = named(name)
    if target is None:
        return None
    rows = database.rows(_ONE, *target)
    return next((entry(row) for row in filled(database, rows, 9)), None)


def entry(row: Row) -> Entry:
    """Return a line in the server's own order from its row."""
    position, log, seq, station, occurred, lo, hi, received, quarantined, line = row
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


def horizon(database: Database, view: View) -> Horizon:
    """Return up to when all active stations have told everything."""
    found = database.rows(
        "SELECT name, horizon FROM station"
        " WHERE kind = 'station' AND joined IS NOT NULL AND revoked IS NULL"
        ' ORDER BY horizon NULLS FIRST, name COLLATE "C"'
    )
    return all_told([(name, moment) for name, moment in found], view)


def log(database: Database, name: str) -> LogState | None:
    """Return how far a log is known."""
    row = database.row(
        "SELECT s.name, g.acked, g.head, g.backed_up FROM log g"
        " JOIN station s ON s.id = g.station WHERE g.name = $1",
        name,
    )
    if row is None:
        return None
    station, acked, head, backed_up = row
    return LogState(
        log=name, station=station, acked=acked, head=head.hex(), backed_up=backed_up
    )
