"""The versions of what is kept of items that the writer works on. Pure.

A batch changes versions of its own; they count once the lines that it took in are
durable. What was changed is written from time to time, and again counts only once that
is durable. Whatever fails, the versions before it are still here.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from server.exceptions import Case
from server.kept import Kept, Unwritten
from server.known import Known

__all__ = ["Owned", "Rows", "Versions"]

MOST = 50_000
"""Items that are held in memory, about."""


class Rows(Protocol):
    """Keeps what is written of items."""

    def load(self, keys: Collection[str]) -> Iterable[Kept]:
        """Return what is kept of these items, of those that have anything."""

    def save(self, kept: Collection[Kept], told: int) -> None:
        """Write what is kept of these items, and note in it what is written.

        ``told``: the position of the last line that is taken into what is written.
        """


class _Changed(dict[str, Kept]):
    """The versions of this batch: whatever is asked for counts as changed."""

    def __init__(self, change: Callable[[str], Kept]) -> None:
        self._change = change

    def __missing__(self, key: str) -> Kept:
        kept = self[key] = self._change(key)
        return kept


class Versions:
    """What is known of items, in the latest version.

    Some ``most`` items are held in memory, those that changed last, and in any case all
    that is not written.
    """

    def __init__(self, rows: Rows, unwritten: Unwritten, most: int = MOST) -> None:
        self._rows, self._most = rows, most
        self.unwritten = unwritten
        self._recent: dict[str, Kept] = {}
        self._older: dict[str, Kept] = {}
        self._writing: list[Kept] | None = None
        self._taken = self._durable = unwritten.told
        self.changed = self._nothing()

    def _nothing(self) -> _Changed:
        return _Changed(self._change)

    def _change(self, key: str) -> Kept:
        """Return what of an item may be changed for this batch."""
        return self._known(key).changing(self._taken, self.unwritten.told)

    def _as_written(self) -> list[Kept]:
        """Return what is to be written, for notes of that."""
        return [kept.as_written() for kept in self.unwritten]

    @property
    def behind(self) -> bool:
        """Whether anything is not written."""
        return self._durable > self.unwritten.told or bool(len(self.unwritten))

    @property
    def full(self) -> bool:
        """Whether what is not written should be."""
        return len(self.unwritten) > self._most // 2 or len(self._recent) > self._most

    @property
    def durable(self) -> int:
        """The position up to which lines are taken in for good."""
        return self._durable

    def begin(self, taken: int) -> None:
        """Begin a batch, whose last line has this position."""
        self._taken = taken
        self.changed = self._nothing()

    def get(self, key: str) -> Kept:
        """Return what is kept of an item, to look at."""
        kept = self.changed.get(key)
        return self._known(key) if kept is None else kept

    def _known(self, key: str) -> Kept:
        kept = self._recent.get(key)
        if kept is None:
            self.load((key,))
            kept = self._recent[key]
        return kept

    def load(self, keys: Iterable[str]) -> None:
        """Have these items at hand."""
        missing = []
        for key in keys:
            if key in self._recent:
                continue
            kept = self._older.get(key)
            if kept is None:
                missing.append(key)
            else:
                self._recent[key] = kept
        if missing:
            self._recent.update((kept.key, kept) for kept in self._rows.load(missing))
            for key in missing:
                if key not in self._recent:
                    self._recent[key] = Kept(key, Known(), Case())

    def publish(self) -> None:
        """Show this batch to those who will see its lines."""
        self.unwritten.publish(self.changed)

    def write(self) -> None:
        """Write what is not written."""
        self._writing = self._as_written()
        self._rows.save(self._writing, self._taken)

    def commit(self) -> bool:
        """Note that what was done last is durable; return whether all is written."""
        self._recent.update(self.changed)
        self._durable = self._taken
        self.changed = self._nothing()
        if self._writing is None:
            return False
        self._recent.update((kept.key, kept) for kept in self._writing)
        self._writing = None
        self.unwritten.written(self._taken)
        if len(self._recent) > self._most // 2:
            self._older, self._recent = self._recent, {}
        return True

    def forget(self) -> None:
        """Note that what was done last failed."""
        self.unwritten.withdraw(self.changed)
        self._taken = self._durable
        self.changed = self._nothing()
        self._writing = None


class Owned(Versions):
    """Versions at which nobody else looks, and which are made again where that fails.

    There is one of each item, which changes in place.
    """

    def _change(self, key: str) -> Kept:
        kept = self._known(key)
        kept.taken = self._taken
        return kept

    def _as_written(self) -> list[Kept]:
        return list(self.unwritten)
