"""What was learnt after a moment: the items that stood otherwise as we knew it then.

What is kept of items is what is known now. An item that was told of nothing since some
moment stood since then as it stands now, unless something was heard of it later that
had happened before, or was taken back later. Those are looked for in the lines that
came after the moment of what was known.
"""

from collections.abc import AsyncIterator, Iterable

import msgspec

from server.course import MISSED
from server.events import Event
from server.store import Entry, ExceptionQuery, ItemQuery, Store, View
from shared.hosts import HostLine, host_line

__all__ = ["fallen_due", "learnt_since", "missed_since"]

AT_ONCE = 5_000
_MISS = MISSED.encode()


async def learnt_since(store: Store, known_at: int, begin: int) -> set[str]:
    """Return the items of which lines that came later tell something from before.

    With all that was ever in them, however deep. Others may be among them.

    Args:
        store: Has the lines.
        known_at: Lines that came later are looked through.
        begin: Those of what happened from here on are left out, but for voids.
    """
    found: set[str] = set()
    async for entry in _later(store, known_at):
        line = None if entry.quarantined is not None else host_line(entry.line)
        if line is None:
            continue
        if line.voids is not None:
            line = await _voided(store, line.voids)
            found |= await _counted(store, line)
        elif entry.occurred >= begin:
            continue
        if line is not None:
            found.update(_named(line))
    return await _with_contents(store, found)


async def fallen_due(store: Store, begin: int) -> set[str]:
    """Return the items with which something has been wrong since a moment, or later.

    Something can fall due without a word: what was told of nothing since may be too
    long in one status by now.
    """
    found, query = set[str](), ExceptionQuery(open=None, limit=AT_ONCE)
    while some := await store.exceptions(query):
        found.update(one.item for one in some if one.since >= begin)
        if some[-1].since < begin:
            break
        query = msgspec.structs.replace(query, after=some[-1].place)
    return found


async def missed_since(store: Store, begin: int) -> set[str]:
    """Return the items that were looked for since a moment, and not found.

    Such a line tells nothing of where an item is: it is found among all lines only.
    """
    found = set[str]()
    async for entry in _later(store, begin - 1):
        if _MISS in entry.line and entry.quarantined is None:
            line = host_line(entry.line)
            if line is not None and line.action == MISSED and line.item is not None:
                found.add(line.item)
    return found


async def _later(store: Store, known_at: int) -> AsyncIterator[Entry]:
    after = await _last_known(store, known_at)
    while entries := await store.events(after, AT_ONCE):
        for entry in entries:
            if entry.received > known_at:
                yield entry
        after = entries[-1].position


async def _last_known(store: Store, known_at: int) -> int:
    """Return a position up to which every line was known; received never goes back."""
    low, high = 0, store.position()
    while low < high:
        middle = (low + high) // 2
        behind = await store.events(middle, 1)
        if behind and behind[0].received <= known_at:
            low = behind[0].position
        else:
            high = middle
    return low


async def _voided(store: Store, event: str) -> HostLine | None:
    entry = await store.event(event)
    return None if entry is None else host_line(entry.line)


async def _counted(store: Store, line: HostLine | None) -> set[str]:
    """Return what a count that was taken back may have missed: what stands there."""
    found = set[str]()
    if line is None or line.action != "count" or line.location is None:
        return found
    query = ItemQuery(location=line.location, limit=AT_ONCE)
    while True:
        standing = await store.items(query)
        found.update(one.item for one in standing.answers)
        if standing.after is None:
            return found
        query = msgspec.structs.replace(query, after=standing.after)


def _named(line: HostLine) -> Iterable[str]:
    return filter(None, (line.item, line.container, *(line.items or ())))


async def _with_contents(store: Store, keys: Iterable[str]) -> set[str]:
    now = store.present()
    found, todo = set[str](), set(keys)
    while todo:
        key = todo.pop()
        found.add(key)
        events = await store.bearing(key, View(at=now, known_at=now))
        todo |= _put_in(events, key) - found
    return found


def _put_in(events: Iterable[Event], container: str) -> set[str]:
    put_in = (e.line.item for e in events if e.line.container == container)
    return {item for item in put_in if item is not None}
