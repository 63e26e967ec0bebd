"""What a transaction that takes events in holds of items and places, and reads of them.

Whatever it reads of an item it holds until its end: what it tells follows from what is
there then, whichever process wrote it.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from server.known import Known
from server.store.keeping import STATE
from server.store.postgres.database import Database, MeetingError, Row, digest
from server.store.postgres.locks import Places

__all__ = ["Guard", "Held", "Nobody"]

FEW = 100
"""What contains no more than this is read with its contents, in one go."""

_ITEM = "SELECT i.container, i.key, i.number, i.state, i.heard FROM"
_HELD = """
    unnest($1::bytea[]) k (name) JOIN item i ON i.name = k.name
    ORDER BY i.name FOR NO KEY UPDATE OF i
"""
_INSIDE = """
SELECT i.container, i.key FROM unnest($1::text[]) k (container)
JOIN item i ON "left"(i.container, 200) = "left"(k.container, 200)
    AND i.container = k.container
"""


class Guard(Protocol):
    """Sees to it that nobody else works on what is read here."""

    def items(self, keys: Collection[str]) -> None:
        """Hold items, from now on."""

    def place(self, location: str, *, alone: bool = False) -> None:
        """Hold a place, from now on."""

    def load(self, keys: Collection[str]) -> list[Row]:
        """Return the rows of items, of those that have one."""

    def inside(self, container: str) -> list[str] | None:
        """Return what is written to be in a container; ``None``: it is to be read."""


class Held:
    """The items and places of one transaction, and what is read of its items.

    Args:
        database: In a transaction.
        places: Those that it holds.
        items: Those to hold; they are waited for, in one order.

    Raises:
        MeetingError: Another transaction has what they are in, or what is in them.
    """

    def __init__(
        self, database: Database, places: Places, items: Collection[str]
    ) -> None:
        self._database, self._places = database, places
        self._held = set(items)
        self._rows: dict[str, Row] = {}
        self._there: set[str] = set()
        self._inside: dict[str, list[str]] = {}
        self.met: set[str] = set()
        self.met_places: set[str] = set()
        self._upfront = sorted(map(digest, items))

    def begin(self) -> None:
        """Wait for the items; hold what they are in, and what little is in them."""
        rows = self._database.rows(_ITEM + _HELD, self._upfront)
        self._note(rows)
        self._outward(rows)
        self._inward(rows)

    def items(self, keys: Collection[str]) -> None:
        """Hold more items.

        Raises:
            MeetingError: Another transaction has one of them.
        """
        self._outward(self._more(keys))

    def place(self, location: str, *, alone: bool = False) -> None:
        """Hold another place, shared unless ``alone``."""
        try:
            self._places.hold(location, alone=alone)
        except MeetingError:
            self.met_places.add(location)
            raise

    def load(self, keys: Collection[str]) -> list[Row]:
        """Return the rows of items as they were when they were held first."""
        self.items(keys)
        return [self._rows.pop(key) for key in keys if key in self._rows]

    def inside(self, container: str) -> list[str] | None:
        """Return what is written to be in a container; ``None``: it is to be read."""
        self.items((container,))
        if container not in self._there:  # it was never named: nothing is in it
            return []
        return self._inside.get(container)

    def _more(self, keys: Iterable[str]) -> list[Row]:
        more = [key for key in keys if key not in self._held]
        if not more:
            return []
        names = sorted(map(digest, more))
        found = self._database.rows(f"{_ITEM}{_HELD} SKIP LOCKED", names)
        if len(found) < len(more):
            there = self._database.rows(
                "SELECT i.key FROM unnest($1::bytea[]) k (name)"
                " JOIN item i ON i.name = k.name",
                names,
            )
            self.met |= {key for (key,) in there} - {row[1] for row in found}
        if self.met:
            raise MeetingError
        self._held.update(more)
        self._note(found)
        return found

    def _note(self, rows: list[Row]) -> None:
        self._rows.update((row[1], row) for row in rows)
        self._there.update(row[1] for row in rows)

    def _outward(self, rows: list[Row]) -> None:
        """Hold what items are in, all the way out."""
        while rows:
            rows = self._more({row[0] for row in rows if row[0] is not None})

    def _inward(self, rows: list[Row]) -> None:
        """Hold what is in items, where it is little, all the way in."""
        while rows:
            some = [row[1] for row in rows if 0 < _contents(row) <= FEW]
            if not some:
                return
            self._inside.update((key, []) for key in some)
            for container, key in self._database.rows(_INSIDE, some):
                self._inside[container].append(key)
            rows = self._more({key for one in some for key in self._inside[one]})


def _contents(row: Row) -> int:
    known: Known = STATE.decode(row[3])[0]
    return known.contents


class Nobody:
    """A guard where nobody else works: on tables that are being made."""

    def __init__(self, database: Database, new: str) -> None:
        self._database, self._new = database, new

    def items(self, keys: Collection[str]) -> None:
        """Do nothing."""

    def place(self, location: str, *, alone: bool = False) -> None:
        """Do nothing."""

    def load(self, keys: Collection[str]) -> list[Row]:
        """Return the rows of items, of those that have one."""
        return self._database.rows(
            f"{_ITEM} unnest($1::bytea[]) k (name)"
            f" JOIN item{self._new} i ON i.name = k.name",
            [digest(key) for key in keys],
        )

    def inside(self, container: str) -> list[str] | None:  # noqa: ARG002 # not here
        """Return that it is to be read."""
        return None
