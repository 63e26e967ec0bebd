"""Places and people: what is there, or held, now; and what came and went."""

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.console.item_view import view_of
from server.console.moves import Move, moves
from server.console.rendering import page
from server.console.stood import place_then
from server.console.titles import titles
from server.store import ItemQuery, View
from shared.hosts import Topic

__all__ = ["person", "place"]

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
    return await _holding(request, key, Topic.LOCATION, query, lately)


async def person(request: web.Request) -> web.Response:
    """``GET /people/{operator}``: what somebody holds now."""
    key = wire.key(request, "operator")
    query = ItemQuery(custodian=key, limit=MOST)
    return await _holding(request, key, Topic.OPERATOR, query, [])


async def _holding(
    request: web.Request, key: str, topic: Topic, query: ItemQuery, lately: list[Move]
) -> web.Response:
    """Show what is at a place, or with a person, under the name that it has."""
    store = request.app[CONTEXT].store
    found = await store.items(query)
    said = await store.said(topic, [key])
    return page(
        request,
        "place.html",
        kind="place" if topic is Topic.LOCATION else "person",
        key=key,
        title=said[-1].line.title if said else None,
        items=found.answers,
        more=found.after is not None,
        moves=lately,
        titles=await titles(store, (one.item for one in lately)),
        behind=found.horizon.untold(),
    )
