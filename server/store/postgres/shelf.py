"""What is known of items, in the server's PostgreSQL database."""

from collections.abc import Collection, Iterable, Sequence
from importlib import resources
from operator import itemgetter
from typing import Any

from server.anew import Late
from server.events import BEGINNING, Event
from server.history import Role
from server.kept import Kept, Unwritten, position
from server.known import Known
from server.projections import Arrived, Projection
from server.site import Site
from server.store import View
from server.store.keeping import MOST_HEARD, findings_of, packed, written
from server.store.postgres.database import Database, MeetingError, Row, digest
from server.store.postgres.holding import Guard, listed
from server.store.postgres.reading import PgReader
from server.versions import Owned

__all__ = ["PARTITIONS", "PgShelf", "create", "take_in"]

PARTITIONS = 4
KEYS, EVENTS = 5_000, 1_000
"""Keys that are looked for at once, and events that are read at once."""
NOTHING = listed(Known())
"""What an item is looked for by of which nothing was ever shown."""
_EVER = View(at=2**63 - 1, known_at=2**63 - 1)


def create(database: Database, new: str) -> None:
    """Make the tables for what is known of items; their names end with ``new``."""
    schema = resources.files("server.store.postgres").joinpath("answers.sql")
    database.do(schema.read_text("utf-8").replace("{new}", new))
    for table, full in (("item", 40), ("listed", 80), ("heard", 70)):
        part(database, f"{table}{new}", f"fillfactor = {full}")


def part(database: Database, table: str, options: str = "") -> None:
    """Part a table by hash."""
    ending = f" WITH ({options})" if options else ""
    for number in range(PARTITIONS):
        database.do(
            f"CREATE TABLE {table}_p{number} PARTITION OF {table} FOR VALUES"
            f" WITH (MODULUS {PARTITIONS}, REMAINDER {number}){ending}"
        )


class PgShelf(PgReader):
    """A `server.projections.Shelf` in a transaction.

    Args:
        database: In the transaction.
        guard: Holds what is read.
        unwritten: What is known of items beside what is written.
        version: The number of the transaction.
        new: What the names of its tables end with.
    """

    def __init__(
        self,
        database: Database,
        guard: Guard,
        unwritten: Unwritten,
        version: int,
        new: str = "",
    ) -> None:
        super().__init__(database, _EVER, unwritten, new)
        self._guard, self._version = guard, version
        self._counted: dict[str, int] = {}

    # --- reading ----------------------------------------------------------------------

    def places(self, keys: Collection[str], roles: Collection[Role]) -> set[int]:
        """Return where the events are that speak of any of the keys; hold these."""
        if set(roles) == {Role.PLACE}:
            for key in keys:
                self._guard.place(key)
        else:
            self._guard.items(keys)
        return super().places(keys, roles)

    def parts(
        self, keys: Collection[str], roles: Collection[Role]
    ) -> Iterable[list[Event]]:
        """Return the same as ``about``, some at a time."""
        rest = list(keys)
        while rest:
            some, rest = rest[:KEYS], rest[KEYS:]
            where = sorted(self.places(some, roles))
            for first in range(0, len(where), EVENTS):
                yield self.events(where[first : first + EVENTS])

    def load(self, keys: Collection[str]) -> Iterable[Kept]:
        """Return what is kept of these items, of those that have anything."""
        return self._guard.load(keys)

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container, by what is written."""
        found = self._guard.inside(container)
        if found is not None:
            return found
        return self._keys(f"{_LISTED} WHERE {_IN}", container)

    def at(self, location: str, since: int) -> list[str]:
        """Return what a count of a location may concern, by what is written."""
        self._guard.place(location, alone=True)
        return self._keys(f"{_LISTED} JOIN {_ITEM} WHERE {_AT}", location, since)

    def _keys(self, statement: str, *values: object) -> list[str]:
        found = self._database.rows(statement.format(new=self._new), *values)
        return [key for (key,) in found]

    def moved(self, location: str, since: int) -> list[str]:
        """Return what left a location later than at a moment, by what is written."""
        self._guard.place(location, alone=True)
        found = self._database.rows(
            f"SELECT item FROM moved{self._new} WHERE location = $1 AND occurred > $2",  # noqa: S608 # of constants
            digest(location),
            since,
        )
        return [key for (key,) in found]

    def expecting(self, load: str) -> list[str]:
        """Return what was ever expected on a load."""
        self._guard.items((load,))
        found = self._database.rows(
            f"SELECT item FROM expected{self._new} WHERE load = $1",  # noqa: S608 # of constants
            digest(load),
        )
        return [key for (key,) in found]

    def counted(self, location: str) -> int:
        """Return when the location was last counted; before everything if never."""
        if location not in self._counted:
            self._guard.place(location)
            self.look_at((location,))
        return self._counted[location]

    def look_at(self, places: Collection[str]) -> None:
        """Have at hand when these places, which are held, were counted."""
        by_name = {digest(place): place for place in places}
        self._counted.update(dict.fromkeys(places, BEGINNING.occurred))
        counted = self._database.rows(_COUNTED.format(new=self._new), list(by_name))
        self._counted.update((by_name[name], last) for name, last in counted)

    def find(self, event: str) -> Event | None:
        """Return an event by its name, if it is here and was understood."""
        return self.named(event)

    # --- writing ----------------------------------------------------------------------

    def note(
        self,
        counted: Iterable[tuple[str, int, int]],
        expected: Iterable[tuple[str, str]],
        departed: Iterable[tuple[int, int, str]],
    ) -> None:
        """Write counts, expectations and departures; places stand for positions."""
        self._database.many(
            f"INSERT INTO counted{self._new} VALUES ($1, $2, $3)"  # noqa: S608 # of constants
            " ON CONFLICT DO NOTHING",
            [(digest(location), *rest) for location, *rest in counted],
        )
        self._database.many(
            f"INSERT INTO expected{self._new} VALUES ($1, $2, $3)"  # noqa: S608 # of constants
            " ON CONFLICT DO NOTHING",
            [(digest(load), digest(item), item) for load, item in expected],
        )
        self._database.many(
            f"INSERT INTO departed{self._new} VALUES ($1, $2, $3, $4)"  # noqa: S608 # of constants
            " ON CONFLICT DO NOTHING",
            [(when, place, digest(item), item) for when, place, item in departed],
        )

    def save(self, kept: Collection[Kept], told: int) -> None:  # noqa: ARG002 # nothing is behind
        """Write what is kept of these items, and give new ones their ``id``."""
        self._number([one for one in kept if one.row is None])
        self._put_apart([one for one in kept if len(one.heard) > MOST_HEARD])
        # what is written apart is left out of the rows, and so comes first
        self._write_findings(kept)
        moves = _moves(kept)
        new, old = _rows(kept)
        listed_anew, newly_listed = _list(kept)
        ((put,),) = self._database.rows(
            _SAVE.format(new=self._new),
            *_columns(moves, 4),
            *_columns(new, 6),
            *_columns(old, 4),
            *_columns(listed_anew, 7),
            *_columns(newly_listed, 9),
            self._version,
        )
        if put < len(new):  # whoever wrote one that should be new is looked at then
            raise MeetingError
        self._guard.wrote(kept)

    def _number(self, new: list[Kept]) -> None:
        if new:
            numbers = self._database.rows(
                "SELECT nextval('item_number') FROM generate_series(1, $1)", len(new)
            )
            for one, number in zip(new, sorted(n for (n,) in numbers), strict=True):
                one.id = number

    def _put_apart(self, full: list[Kept]) -> None:
        self._database.many(
            f"INSERT INTO heard{self._new} VALUES ($1, $2, $3)",  # noqa: S608 # of constants
            [
                (digest(one.key), position(one.heard[0]), packed(one.heard))
                for one in full
            ],
        )
        for one in full:
            one.heard = []

    def _write_findings(self, kept: Iterable[Kept]) -> None:
        anew: list[bytes] = []
        gone: list[tuple[Any, ...]] = []
        found: list[tuple[Any, ...]] = []
        for one in kept:
            case = one.case
            if not (case.open or case.due or one.found or case.closed or one.anew):
                continue
            current, name = findings_of(case), digest(one.key)
            if one.anew:
                anew.append(name)
                one.found, one.anew = frozenset(), False
            gone += [(name, *finding[:3]) for finding in one.found - current]
            found += [(name, one.key, *finding) for finding in current - one.found]
            found += [(name, one.key, *finding) for finding in case.closed]
            one.found, case.closed = current, []
        if anew:
            self._database.do(
                f"DELETE FROM exception{self._new} WHERE name = ANY($1)",  # noqa: S608 # of constants
                anew,
            )
        if gone:
            self._database.columns(_DELETE_FOUND.format(new=self._new), gone, 4)
        if found:
            self._database.columns(_INSERT_FOUND.format(new=self._new), found, 8)


def _columns(rows: Sequence[Row], width: int) -> Iterable[list[Any]]:
    """Return the columns of rows, each as an array."""
    return map(list, zip(*rows, strict=True)) if rows else ([] for _ in range(width))


def _moves(kept: Iterable[Kept]) -> list[Row]:
    """Take out what places items left, and when."""
    moves: list[Row] = []
    for one in kept:
        if one.case.left:
            name = digest(one.key)
            moves += [(digest(at), when, name, one.key) for at, when in one.case.left]
            one.case.left = []
    return moves


def _rows(kept: Iterable[Kept]) -> tuple[list[Row], list[Row]]:
    """Return the rows of what is new, in the order of their names, and of the rest."""
    new: list[Row] = []
    old: list[Row] = []
    for one in kept:
        name, told = digest(one.key), one.known.told
        if one.row is None:
            new.append((name, one.key, one.id, told, *written(one)))
        else:
            old.append((name, told, *written(one)))
        one.taken = 0  # as if it were read
    new.sort(key=itemgetter(0))
    return new, old


def _list(kept: Iterable[Kept]) -> tuple[list[Row], list[Row]]:
    """Return what items are looked for by: where that has changed, where it is new."""
    new: list[Row] = []
    old: list[Row] = []
    for one in kept:
        before, one.row = one.row, listed(one.known)
        if one.row == before:
            continue
        if before is not None and before != NOTHING:
            old.append((digest(one.key), *one.row))
        elif one.row != NOTHING:
            new.append((digest(one.key), one.key, one.id, *one.row))
    return old, new


_LISTED = "SELECT l.key FROM listed{new} l"
_ITEM = "item{new} i ON i.name = l.name"
_IN = '"left"(l.container, 200) = "left"($1, 200) AND l.container = $1'
_AT = (
    '"left"(l.location, 200) = "left"($1, 200) AND l.location = $1'
    " AND (l.container IS NULL AND l.left_at IS NULL OR i.latest >= $2)"
)
_COUNTED = """
SELECT k.name, c.occurred
FROM unnest($1::bytea[]) k (name)
CROSS JOIN LATERAL (
    SELECT occurred FROM counted{new} WHERE location = k.name
    ORDER BY occurred DESC LIMIT 1
) c
"""
# All in one statement, because a scan alone waits for each. No two of its parts touch
# the same row.
_SAVE = """
WITH gone AS (
    INSERT INTO moved{new} (location, occurred, name, item)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::text[])
    ON CONFLICT DO NOTHING
), put AS (
    INSERT INTO item{new} (name, key, number, latest, state, heard, version)
    SELECT v.*, $31 FROM unnest($5::bytea[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bytea[], $10::bytea[]) v
    ON CONFLICT (name) DO NOTHING RETURNING number
), written AS (
    UPDATE item{new} i
    SET version = $31, latest = v.latest, state = v.state, heard = v.heard
    FROM unnest($11::bytea[], $12::bigint[], $13::bytea[], $14::bytea[])
        v (name, latest, state, heard)
    WHERE i.name = v.name
), listed_anew AS (
    UPDATE listed{new} i SET status = v.status, location = v.location,
        custodian = v.custodian, container = v.container, left_at = v.left_at,
        held_at = v.held_at
    FROM unnest($15::bytea[], $16::text[], $17::text[], $18::text[], $19::text[],
        $20::bigint[], $21::bigint[])
        v (name, status, location, custodian, container, left_at, held_at)
    WHERE i.name = v.name
), newly_listed AS (
    INSERT INTO listed{new} (name, key, number, status, location, custodian, container,
        left_at, held_at)
    SELECT * FROM unnest($22::bytea[], $23::text[], $24::bigint[], $25::text[],
        $26::text[], $27::text[], $28::text[], $29::bigint[], $30::bigint[])
    ON CONFLICT (name) DO UPDATE SET status = excluded.status,
        location = excluded.location, custodian = excluded.custodian,
        container = excluded.container, left_at = excluded.left_at,
        held_at = excluded.held_at
)
SELECT count(*) FROM put
"""
# Each is looked up by its name: while the table is small, the planner would rather go
# through all that is open for each.
_DELETE_FOUND = """
DELETE FROM exception{new} e
USING unnest($1::bytea[], $2::text[], $3::bigint[], $4::text[])
    v (name, code, since, event)
CROSS JOIN LATERAL (
    SELECT f.ctid FROM exception{new} f
    WHERE f.name = v.name AND f.code = v.code AND f.since + 0 = v.since
        AND f.event = v.event AND f.until IS NULL
    OFFSET 0
) f
WHERE e.ctid = f.ctid
"""
_INSERT_FOUND = """
INSERT INTO exception{new} (name, item, code, since, event, text, until, closed_by)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::text[],
    $6::text[], $7::bigint[], $8::text[])
"""


def take_in(
    shelf: PgShelf,
    site: Site,
    unwritten: Unwritten,
    arrived: Collection[Arrived],
    *,
    work: int = 2**63 - 1,
) -> Late:
    """Take events in by the rules, and write all that follows, in this transaction.

    Return what is left to be told anew; ``work`` says how much of that is not.
    """
    projection = Projection(shelf, site, Owned(shelf, unwritten), work=work)
    projection.take(arrived, unwritten.told + 1)
    projection.write()
    return projection.late
