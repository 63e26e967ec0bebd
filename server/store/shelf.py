"""What is known of items, in the server's SQLite database."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

from server.events import BEGINNING, Event
from server.history import Role
from server.kept import Kept, Unwritten, position
from server.store import View
from server.store.keeping import (
    MOST_HEARD,
    columns,
    findings_of,
    kept_of,
    packed,
    written,
)
from server.store.reading import SqlReader, chunks
from shared.actions import named

__all__ = ["SqlShelf", "create"]

KEYS, EVENTS = 5_000, 1_000
"""Keys that are looked for at once, and events that are read at once."""

_EVER = View(at=2**63 - 1, known_at=2**63 - 1)
_COLUMNS = ("status", "location", "custodian", "container", "gone")
_INDEXED = range(len(_COLUMNS))


def create(connection: sqlite3.Connection, new: str) -> None:
    """Make the tables for what is known of items; their names end with ``new``."""
    schema = resources.files("server.store").joinpath("answers.sql").read_text("utf-8")
    for statement in schema.replace("{new}", new).split(";"):
        connection.execute(statement)


class SqlShelf(SqlReader):
    """A `server.projections.Shelf` on the connection that writes.

    Args:
        connection: The connection.
        unwritten: What is known of items beside what is written.
        new: What the names of its tables end with.
    """

    def __init__(
        self, connection: sqlite3.Connection, unwritten: Unwritten, new: str = ""
    ) -> None:
        super().__init__(connection, _EVER, unwritten, new)

    # --- reading ----------------------------------------------------------------------

    def load(self, keys: Collection[str]) -> Iterable[Kept]:
        """Return what is kept of these items, of those that have anything."""
        for marks, some in chunks(keys):
            found = self._connection.execute(
                f"SELECT id, key, state, heard FROM item{self._new}"  # noqa: S608 # of constants
                f" WHERE key IN ({marks})",
                some,
            )
            for number, key, state, heard in found.fetchall():
                yield kept_of(key, number, state, heard)

    def parts(
        self, keys: Collection[str], roles: Collection[Role]
    ) -> Iterator[list[Event]]:
        """Return the events that speak of any of the keys, some at a time."""
        rest = list(keys)
        while rest:
            some, rest = rest[:KEYS], rest[KEYS:]
            where = sorted(self.positions(some, roles))
            for first in range(0, len(where), EVENTS):
                yield self.events(where[first : first + EVENTS])

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container, by what is written."""
        return self._keys("WHERE container = ?", container)

    def at(self, location: str, since: int) -> list[str]:
        """Return what a count of a location may concern, by what is written."""
        return self._keys(
            "WHERE location = ? AND (container IS NULL AND gone = 0 OR latest >= ?)",
            location,
            since,
        )

    def _keys(self, where: str, *values: object) -> list[str]:
        found = self._connection.execute(
            f"SELECT key FROM item{self._new} {where}",  # noqa: S608 # of constants
            values,
        )
        return [key for (key,) in found]

    def moved(self, location: str, since: int) -> list[str]:
        """Return what left a location later than at a moment, by what is written."""
        found = self._connection.execute(
            f"SELECT item FROM moved{self._new} WHERE location = ? AND occurred > ?",  # noqa: S608 # of constants
            (location, since),
        )
        return [key for (key,) in found]

    def expecting(self, load: str) -> list[str]:
        """Return what was ever expected on a load."""
        found = self._connection.execute(
            f"SELECT item FROM expected{self._new} WHERE load = ?",  # noqa: S608 # of constants
            (load,),
        )
        return [key for (key,) in found]

    def counted(self, location: str) -> int:
        """Return when the location was last counted; before everything if never."""
        (last,) = self._connection.execute(
            f"SELECT max(occurred) FROM counted{self._new} WHERE location = ?",  # noqa: S608 # of constants
            (location,),
        ).fetchone()
        return BEGINNING.occurred if last is None else int(last)

    def find(self, event: str) -> Event | None:
        """Return an event by its name, if it is here and was understood."""
        target = named(event)
        if target is None:
            return None
        found = self._connection.execute(
            "SELECT l.position FROM log g JOIN line l ON l.log = g.id"
            " WHERE g.name = ? AND l.seq = ? AND l.quarantined IS NULL",
            target,
        ).fetchone()
        return next(iter(self.events(found)), None) if found else None

    # --- writing ----------------------------------------------------------------------

    def note(
        self,
        counted: Iterable[tuple[str, int, int]],
        expected: Iterable[tuple[str, str]],
        departed: Iterable[tuple[int, int, str]],
    ) -> None:
        """Write counts, expectations and departures."""
        self._connection.executemany(
            f"INSERT OR IGNORE INTO counted{self._new} VALUES (?, ?, ?)",  # noqa: S608 # of constants
            counted,
        )
        self._connection.executemany(
            f"INSERT OR IGNORE INTO expected{self._new} VALUES (?, ?)",  # noqa: S608 # of constants
            expected,
        )
        self._connection.executemany(
            f"INSERT OR IGNORE INTO departed{self._new} VALUES (?, ?, ?)",  # noqa: S608 # of constants
            departed,
        )

    def save(self, kept: Collection[Kept], told: int) -> None:
        """Write what is kept of these items, and note in it what is written."""
        new = [one for one in kept if one.row is None]
        self._number(new)
        self._put_apart([one for one in kept if len(one.heard) > MOST_HEARD])
        # what is written apart is left out of the rows, and so comes first
        self._write_findings(kept)
        self._write_moves(kept)
        self._update([one for one in kept if one.row is not None])
        self._insert(new)
        self._connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (f"told{self._new}", str(told)),
        )

    def rename(self, new: str) -> None:
        """Note that the tables have another name from here on."""
        self._new = new

    def _number(self, new: list[Kept]) -> None:
        (last,) = self._connection.execute(
            f"SELECT coalesce(max(id), 0) FROM item{self._new}"  # noqa: S608 # of constants
        ).fetchone()
        for number, one in enumerate(new, last + 1):
            one.id = number

    def _put_apart(self, full: list[Kept]) -> None:
        self._connection.executemany(
            f"INSERT INTO heard{self._new} VALUES (?, ?, ?)",  # noqa: S608 # of constants
            [(one.id, position(one.heard[0]), packed(one.heard)) for one in full],
        )
        for one in full:
            one.heard = []

    def _insert(self, new: list[Kept]) -> None:
        rows = []
        for one in new:
            one.row = columns(one.known)
            rows.append((one.id, one.key, *one.row, *written(one)))
        self._connection.executemany(
            f"INSERT INTO item{self._new} (id, key, status, location, custodian,"  # noqa: S608 # of constants
            " container, gone, latest, state, heard)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def _update(self, kept: Iterable[Kept]) -> None:
        """Write rows that are there, and of what is indexed only what changed."""
        changes: defaultdict[int, list[tuple[object, ...]]] = defaultdict(list)
        for one in kept:
            before, row = one.row, columns(one.known)
            if before is None or row[:-1] == before[:-1]:
                changes[0].append((row[-1], *written(one), one.id))
            else:
                mask = sum(
                    1 << index for index in _INDEXED if row[index] != before[index]
                )
                changes[mask].append(
                    (*_picked(row, mask), row[-1], *written(one), one.id)
                )
            one.row = row
        for mask, rows in changes.items():
            self._connection.executemany(_updating(self._new, mask), rows)

    def _write_moves(self, kept: Iterable[Kept]) -> None:
        moves: list[tuple[str, int, str]] = []
        for one in kept:
            if one.case.left:
                moves += [(place, moment, one.key) for place, moment in one.case.left]
                one.case.left = []
        self._connection.executemany(
            f"INSERT OR IGNORE INTO moved{self._new} VALUES (?, ?, ?)",  # noqa: S608 # of constants
            moves,
        )

    def _write_findings(self, kept: Iterable[Kept]) -> None:
        gone: list[tuple[str, str, int, str]] = []
        found: list[tuple[Any, ...]] = []
        for one in kept:
            case = one.case
            if not (case.open or case.due or one.found or case.closed or one.anew):
                continue
            current = findings_of(case)
            if one.anew:
                everything = f"DELETE FROM exception{self._new} WHERE item = ?"  # noqa: S608 # of constants
                self._connection.execute(everything, (one.key,))
                one.found, one.anew = frozenset(), False
            gone += [(one.key, *finding[:3]) for finding in one.found - current]
            found += [(one.key, *finding) for finding in current - one.found]
            found += [(one.key, *finding) for finding in case.closed]
            one.found, case.closed = current, []
        self._connection.executemany(
            f"DELETE FROM exception{self._new}"  # noqa: S608 # of constants
            " WHERE item = ? AND code = ? AND since = ? AND event = ?"
            " AND until IS NULL",
            gone,
        )
        self._connection.executemany(
            f"INSERT INTO exception{self._new}"  # noqa: S608 # of constants
            " (item, code, since, event, text, until, closed_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            found,
        )


def _picked(values: tuple[object, ...], mask: int) -> list[object]:
    return [values[index] for index in _INDEXED if mask & 1 << index]


@cache
def _updating(new: str, mask: int) -> str:
    names = (*_picked(_COLUMNS, mask), "latest", "state", "heard")
    assigned = ", ".join(f"{name} = ?" for name in names)
    return f"UPDATE item{new} SET {assigned} WHERE id = ?"  # noqa: S608 # of constants
