"""What stood at a place at a past moment: of the floor of that day, one place."""

import msgspec
from aiohttp import web

from server.answers import answer
from server.api.context import CONTEXT, Context
from server.console.floor import EARLIEST, floor_of
from server.console.rendering import page
from server.floor import Floor
from server.store import ItemQuery, View
from shared.api.items import ItemAnswer
from shared.hosts import Topic

__all__ = ["place_then"]

MOST = 100
"""Items of a place on one page."""


async def place_then(request: web.Request, place: str, view: View) -> web.Response:
    """Show what stood at a place as of a view."""
    context = request.app[CONTEXT]
    at = max(EARLIEST, min(view.at, context.store.present()))
    view = View(at=at, known_at=view.known_at)
    made = await floor_of(request, view, moved=True)
    found, items, count = made.value, list[ItemAnswer](), 0
    if found is not None:
        keys = await _there(context, found, place, at)
        items = await _answers(context, keys[:MOST], view)
        count = len(keys) if len(keys) <= MOST else found.count(place, at)
    said = await context.store.said(Topic.LOCATION, [place])
    horizon = await context.store.horizon(view)
    return page(
        request,
        "place_then.html",
        key=place,
        title=said[-1].line.title if said else None,
        view=view,
        past=view,
        ready=found is not None,
        progress=made.progress,
        items=items,
        count=count,
        behind=horizon.untold(),
    )


async def _there(context: Context, floor: Floor, place: str, at: int) -> list[str]:
    """Return what stood there: what moved since, and some of what stands there still.

    One more than a page has, where there are more.
    """
    found = floor.names(place, at)
    query = ItemQuery(location=place, present=True, limit=MOST)
    while len(found) <= MOST:
        standing = await context.store.items(query)
        found += [one.item for one in standing.answers if not floor.moved(one.item)]
        if standing.after is None:
            break
        query = msgspec.structs.replace(query, after=standing.after)
    return found


async def _answers(context: Context, keys: list[str], view: View) -> list[ItemAnswer]:
    horizon = await context.store.horizon(view)
    tellings = await context.store.tell_together(keys, view)
    return [
        answer(
            tellings[key],
            key,
            at=view.at,
            known_at=view.known_at,
            horizon=horizon,
            site=context.site,
        )
        for key in keys
    ]
