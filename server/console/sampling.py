"""Telling the stories of many items: a part first, evenly, and then all the others.

What a part shows is an estimate, and is named as one; what is kept is exact.
"""

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from server.console.workshop import Progress
from server.history import Telling
from server.store import Store, ToldQuery, View

__all__ = ["AT_ONCE", "FIRST", "others", "part_of", "sampled", "told"]

AT_ONCE = 20_000
"""So many items are told without an estimate before."""
FIRST = 10_000
"""About so many are told for one."""
TOGETHER = 200

Told = dict[str, Telling]


def part_of(number: int) -> int:
    """Return of how many items one is told for an estimate; 1: all at once."""
    return 1 if number <= AT_ONCE else -(-number // FIRST)


async def sampled(
    store: Store, since: int, every: int, view: View, progress: Progress
) -> AsyncIterator[Told]:
    """Tell one of so many of the items that were told of anything since a moment."""
    query = ToldQuery(since=since, every=every, limit=TOGETHER)
    while rows := await store.told(query):
        yield await store.tell_together([key for _, key in rows], view)
        query = msgspec.structs.replace(query, after=rows[-1][0])
        progress.done += len(rows)


async def others(
    store: Store, since: int, every: int, view: View, progress: Progress
) -> AsyncIterator[Told]:
    """Tell all others: with one of one, there are none."""
    query = ToldQuery(since=since, limit=TOGETHER)
    while every > 1 and (rows := await store.told(query)):
        keys = [key for number, key in rows if number % every]
        if keys:
            yield await store.tell_together(keys, view)
        query = msgspec.structs.replace(query, after=rows[-1][0])
        progress.done += len(keys)


async def told(
    store: Store, keys: Iterable[str], view: View, progress: Progress
) -> AsyncIterator[Told]:
    """Tell items that are named."""
    rest: Sequence[str] = sorted(keys)
    while rest:
        some, rest = rest[:TOGETHER], rest[TOGETHER:]
        yield await store.tell_together(some, view)
        progress.done += len(some)
