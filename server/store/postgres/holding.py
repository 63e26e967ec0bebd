"""What a transaction that takes events in holds of items and places, and reads of them.

Whatever it reads of an item it holds until its end: what it tells follows from what is
there then, whichever process wrote it.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from server.kept import Kept
from server.known import Known
from server.store import keeping
from server.store.postgres.database import Database, MeetingError, Row, digest
from server.store.postgres.locks import Places
from server.store.postgres.reading import inside
from server.store.postgres.remembered import NEVER, Remembered, Version

__all__ = ["Guard", "Held", "Nobody", "listed"]

FEW = 100
"""What contains no more than this is read with its contents, in one go."""

# Names come sorted, and are waited for in that order. What is remembered is not read.
_HOLD = """
SELECT h.key, h.version, h.number, h.state, h.heard
FROM unnest($1::bytea[], $2::bigint[]) k (name, version)
CROSS JOIN LATERAL (
    SELECT i.* FROM item i WHERE i.name = k.name FOR NO KEY UPDATE
) h
WHERE h.version <> k.version
"""
# Who is missing here is held by another; who is remembered comes without what is kept.
_TRY = """
SELECT h.key, h.version, h.number,
    CASE WHEN h.version <> k.version THEN h.state END,
    CASE WHEN h.version <> k.version THEN h.heard END
FROM unnest($1::bytea[], $2::bigint[]) k (name, version)
CROSS JOIN LATERAL (
    SELECT i.* FROM item i WHERE i.name = k.name FOR NO KEY UPDATE SKIP LOCKED
) h
"""
_INSIDE = f"""
SELECT k.container, i.key FROM unnest($1::text[]) k (container)
{inside("k.container")} i
"""  # noqa: S608 # of constants


def listed(known: Known) -> tuple[object, ...]:
    """Return what an item is looked for by."""
    status, location, holder = known.status, known.location, known.custodian
    container = known.container
    return (
        None if status is None else status.value,
        None if location is None else location.value,
        None if holder is None else holder.value,
        container,
        known.told if known.gone else None,
        None if known.gone or container is None else known.told,
    )


def kept_of(key: str, number: int, state: bytes, heard: bytes) -> Kept:
    """Return what is kept of an item, as its row has it."""
    kept = keeping.kept_of(key, number, state, heard)
    kept.row = listed(kept.known)
    return kept


class Guard(Protocol):
    """Sees to it that nobody else works on what is read here."""

    def items(self, keys: Collection[str]) -> None:
        """Hold items, from now on."""

    def place(self, location: str, *, alone: bool = False) -> None:
        """Hold a place, from now on."""

    def load(self, keys: Collection[str]) -> list[Kept]:
        """Return what is kept of items, of those of which something is."""

    def inside(self, container: str) -> list[str] | None:
        """Return what is written to be in a container; ``None``: it is to be read."""

    def wrote(self, kept: Collection[Kept]) -> None:
        """Note what was written of items."""


class Held:
    """The items and places of one transaction, and what is read of its items.

    Args:
        database: In a transaction.
        places: Those that it holds.
        items: Those to hold; they are waited for, in one order.
        remembered: What earlier transactions of this connection knew.
        version: The number of this transaction.

    Raises:
        MeetingError: Another transaction has what they are in, or what is in them.

    ``versions`` is what is known of the items now, or will be once this is committed.
    """

    def __init__(
        self,
        database: Database,
        places: Places,
        items: Collection[str],
        remembered: Remembered,
        version: int,
    ) -> None:
        self._database, self._places = database, places
        self._remembered, self._version = remembered, version
        self._upfront = items
        self._held = set(items)
        self._inside: dict[str, list[str]] = {}
        self.versions: dict[str, Version] = {}
        self.met: set[str] = set()
        self.met_places: set[str] = set()

    def begin(self) -> None:
        """Wait for the items; hold what they are in, and what little is in them."""
        found = self.begin_outward()
        self._inward(found)

    def begin_outward(self) -> list[Kept]:
        """Wait for the items; hold what they are in. Return what is kept of them."""
        found = self._wait(self._upfront)
        self._outward(found)
        return found

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

    def load(self, keys: Collection[str]) -> list[Kept]:
        """Return what was kept of items when they were held first."""
        self.items(keys)
        return [self.versions[key].kept for key in keys if key in self.versions]

    def inside(self, container: str) -> list[str] | None:
        """Return what is written to be in a container; ``None``: it is to be read."""
        self.items((container,))
        if container not in self.versions:  # it was never named: nothing is in it
            return []
        return self._inside.get(container)

    def wrote(self, kept: Collection[Kept]) -> None:
        """Note what was written of items."""
        self.versions.update((one.key, Version(self._version, one)) for one in kept)

    def _wait(self, keys: Iterable[str]) -> list[Kept]:
        """Wait for items, and return what is kept of those that have a row."""
        named = sorted((digest(key), key) for key in keys)
        versions = self._remembered.take([key for _, key in named])
        found = self._database.rows(
            _HOLD,
            [name for name, _ in named],
            [NEVER if one is None else one.number for one in versions],
        )
        for (_, key), one in zip(named, versions, strict=True):
            if one is not None:
                self.versions[key] = one
        self._read(found)
        return [one.kept for one in self.versions.values()]

    def _read(self, rows: Iterable[Row]) -> list[Kept]:
        found = []
        for key, version, number, state, heard in rows:
            kept = kept_of(key, number, state, heard)
            self.versions[key] = Version(version, kept)
            found.append(kept)
        return found

    def _more(self, keys: Iterable[str]) -> list[Kept]:
        more = [key for key in keys if key not in self._held]
        if not more:
            return []
        names = list(map(digest, more))
        known = dict(zip(more, self._remembered.take(more), strict=True))
        numbers = [NEVER if one is None else one.number for one in known.values()]
        rows = self._database.rows(_TRY, names, numbers)
        if len(rows) < len(more):
            there = self._database.rows(
                "SELECT i.key FROM unnest($1::bytea[]) k (name)"
                " JOIN item i ON i.name = k.name",
                names,
            )
            self.met |= {key for (key,) in there} - {row[0] for row in rows}
        if self.met:
            raise MeetingError
        self._held.update(more)
        same = {
            row[0]: one for row in rows if row[3] is None and (one := known[row[0]])
        }
        self.versions.update(same)
        read = self._read(row for row in rows if row[3] is not None)
        return [*read, *(one.kept for one in same.values())]

    def _outward(self, found: list[Kept]) -> None:
        """Hold what items are in, all the way out."""
        while found:
            into = {one.known.container for one in found}
            found = self._more(key for key in into if key is not None)

    def _inward(self, found: list[Kept]) -> None:
        """Hold what is in items, where it is little, all the way in."""
        while found:
            some = [one.key for one in found if 0 < one.known.contents <= FEW]
            if not some:
                return
            self._inside.update((key, []) for key in some)
            for container, key in self._database.rows(_INSIDE, some):
                self._inside[container].append(key)
            found = self._more({key for one in some for key in self._inside[one]})


class Nobody:
    """A guard where nobody else works: on tables that are being made."""

    def __init__(self, database: Database, new: str) -> None:
        self._database, self._new = database, new

    def items(self, keys: Collection[str]) -> None:
        """Do nothing."""

    def place(self, location: str, *, alone: bool = False) -> None:
        """Do nothing."""

    def load(self, keys: Collection[str]) -> list[Kept]:
        """Return what is kept of items, of those of which something is."""
        found = self._database.rows(
            "SELECT i.key, i.number, i.state, i.heard"  # noqa: S608 # of constants
            f" FROM unnest($1::bytea[]) k (name) JOIN item{self._new} i"
            " ON i.name = k.name",
            [digest(key) for key in keys],
        )
        return [kept_of(*row) for row in found]

    def inside(self, container: str) -> list[str] | None:  # noqa: ARG002 # not here
        """Return that it is to be read."""
        return None

    def wrote(self, kept: Collection[Kept]) -> None:
        """Do nothing."""
