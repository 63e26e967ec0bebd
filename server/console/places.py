"""Places: what is there now, and what came and went."""

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.console.item_view import view_of
from server.console.moves import moves
from server.console.rendering import page
from server.console.stood import place_then
from server.console.titles import titles
from server.store import ItemQuery, View
from shared.hosts import Topic

__all__ = ["place"]

MOST = 100
"""Items on one page."""
MOST_MOVES = 30
"""Moves to and from a place on its page."""


async def place(request: web.Request) -> web.Response:
    """``GET /places/{location}?at=&known_at=``: what is there, and came and went.

    Of a past moment: what was there then.
    """
    key, (view, moved) = wire.key(request, "location"), view_of(request)
    if moved:
        return await place_then(request, key, view)
    query = ItemQuery(location=key, present=True, limit=MOST)
    store = request.app[CONTEXT].store
    now = store.present()
    told = await store.tell_together(
        await store.visitors(key, MOST_MOVES), View(at=now, known_at=now)
    )
    lately = moves(told, key, MOST_MOVES)
    found = await store.items(query)
    said = await store.said(Topic.LOCATION, [key])
    return page(
        request,
        "place.html",
        key=key,
        title=said[-1].line.title if said else None,
        items=found.answers,
        more=found.after is not None,
        moves=lately,
        titles=await titles(store, (one.item for one in lately)),
        behind=found.horizon.untold(),
    )
