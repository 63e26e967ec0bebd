"""How much was on the loads that left, counted once and kept for a while.

What was on a load changes afterwards only where something about it is heard late or
taken back. So a count is shown for a minute before it is made again, and a page makes
as many as there is time for: a list of great loads must not keep anybody waiting.
"""

from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple

from aiohttp import web

from server.store import Departed, Store, View

__all__ = ["TALLIES", "Tallies", "Tally"]

FRESH = 60.0
"""Seconds for which a count is shown."""
PATIENCE = 0.3
"""Seconds that a page takes for counting."""
KEPT = 5_000
"""Counts in memory, those that were asked for last."""


class Tally(NamedTuple):
    """What was on a load when it left; ``again``: it had left before, by another scan.

    ``whole``: all of it was looked at.
    """

    expected: int
    aboard: int
    missing: int
    extra: int
    whole: bool
    again: bool


class Tallies:
    """Counts what was on loads, and remembers it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int | None], tuple[float, Tally]] = (
            OrderedDict()
        )

    async def of(
        self, store: Store, found: Sequence[Departed], known_at: int | None
    ) -> list[Tally | None]:
        """Return the counts of departures; ``None`` for those there was no time for.

        Args:
            store: Where the scans are.
            found: The departures.
            known_at: From what was received by then; ``None``: by now.
        """
        until = monotonic() + PATIENCE
        tallies: list[Tally | None] = []
        for one in found:
            key, now = (one.scan.event, known_at), monotonic()
            made, tally = self._kept.get(key, (-FRESH, None))
            if now < until and (tally is None or now - made > FRESH):
                tally = await _count(store, one, known_at)
                self._keep(key, now, tally)
            tallies.append(tally)
        return tallies

    def _keep(self, key: tuple[str, int | None], made: float, tally: Tally) -> None:
        self._kept[key] = (made, tally)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


async def _count(store: Store, one: Departed, known_at: int | None) -> Tally:
    known = store.present() if known_at is None else known_at
    view = View(at=one.scan.occurred, known_at=known)
    found = await store.manifest(one.load, view)
    return Tally(
        expected=len(found.there) + len(found.lacking),
        aboard=len(found.aboard),
        missing=len(found.lacking),
        extra=len(found.extra),
        whole=found.whole,
        again=found.left is not None and found.left.name != one.scan.event,
    )


TALLIES: web.AppKey[Tallies] = web.AppKey("tallies", Tallies)
