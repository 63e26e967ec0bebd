"""What a connection's transactions know of items, for as long as nobody else writes it.

Every row says which transaction wrote it. Where that is the one known here, the row is
what is remembered, and need not be read again.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from server.kept import Kept
from server.store.postgres.database import Database

__all__ = ["NEVER", "Remembered", "Version"]

MOST = 25_000
"""Items that are remembered, about."""
MOST_MET = 1_000
"""Items that are held beside another one because that was met so, at most."""
NEVER = -1
"""No transaction's number."""


class Version(NamedTuple):
    """What is kept of an item, by the transaction of this number."""

    number: int
    kept: Kept


class Remembered:
    """The latest versions of items that were read or written, some of them.

    Numbers of transactions come again where a standby without the last ones takes
    over; then the connection is another one, and nothing is remembered of it.
    """

    def __init__(self, most: int = MOST) -> None:
        self._half = most // 2
        self._session: object = None
        self._met: dict[str, frozenset[str]] = {}
        self._recent: dict[str, Version] = {}
        self._older: dict[str, Version] = {}

    def begin(self, database: Database) -> None:
        """Forget everything if the connection is another one."""
        if self._session is not database.session:
            self._session = database.session
            self._recent, self._older = {}, {}

    def take(self, keys: Iterable[str]) -> list[Version | None]:
        """Return of each item what is remembered, for a transaction to change.

        It is not remembered any more, unless the transaction is committed.
        """
        recent, older = self._recent.pop, self._older.pop
        return [recent(key, None) or older(key, None) for key in keys]

    def note(self, versions: Mapping[str, Version]) -> None:
        """Remember what a transaction read or wrote, once that is committed."""
        self._recent.update(versions)
        if len(self._recent) > self._half:
            self._older, self._recent = self._recent, {}

    # --- what is worked on together ---------------------------------------------------

    def meet(self, items: Iterable[str], met: Iterable[str]) -> None:
        """Remember that work on these items asked for others, which somebody had."""
        found = frozenset(met)
        if len(self._met) > self._half:
            self._met = {}
        for key in items:
            known = self._met.get(key)
            both = found if known is None else known | found
            self._met[key] = both if len(both) <= MOST_MET else found

    def beside(self, items: Iterable[str]) -> set[str]:
        """Return what is better held with these items from the start."""
        if not self._met:
            return set()
        together = {id(m): m for key in items if (m := self._met.get(key))}
        return set().union(*together.values())
