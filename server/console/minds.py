"""What changed our mind about an item since the view that a page shows."""

import asyncio

from aiohttp import web

from server.api.context import CONTEXT
from server.changes import Seen, changes
from server.console.learnt import Learnt, learnt
from server.store import Store, View

__all__ = ["Mind", "changed"]

MOST_EVENTS = 500
"""Events that are told step by step: each step tells all before it."""

Mind = tuple[Learnt, str]
"""What was learnt, and from which station it came."""


async def changed(request: web.Request, item: str, view: View) -> list[Mind] | None:
    """Return what came in since, and changed the answer for the moment of a view.

    ``None`` where too much bears on the item to tell it on a page.
    """
    context = request.app[CONTEXT]
    now = context.store.present()
    if view.known_at >= now:
        return []
    events = await context.store.bearing(item, View(at=view.at, known_at=now))
    if len(events) > MOST_EVENTS:
        return None
    before = Seen(at=view.at, known_at=view.known_at)
    after = Seen(at=view.at, known_at=now)
    found = await asyncio.to_thread(
        changes, events, item, before, after, site=context.site
    )
    named = {event.name: event for event in events}
    told = (learnt(one, named, item, context.site.actions) for one in found)
    return [
        (one, await _station(context.store, (one.back or one.scan).log))
        for one in told
        if one is not None
    ]


async def _station(store: Store, log: str) -> str:
    state = await store.log(log)
    return "" if state is None else state.station
