"""Items: where each is, since when, and on what evidence."""

from hashlib import sha256
from typing import Annotated

import msgspec
from aiohttp import web

from server.answers import answer, history
from server.api import wire
from server.api.context import CONTEXT, Context
from server.problems import invalid
from server.store import ItemQuery, View
from server.titles import words
from shared.api.items import ItemAnswer, ItemPage

__all__ = ["at_location", "item", "item_events", "item_query", "items"]

_Row = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MOST_TITLED = 200
"""Items that are found by their title, at most."""


async def _answer(context: Context, key: str, view: View) -> ItemAnswer:
    return answer(
        await context.store.tell(key, view),
        key,
        at=view.at,
        known_at=view.known_at,
        horizon=await context.store.horizon(view),
        site=context.site,
    )


async def item(request: web.Request) -> web.Response:
    """``GET /v1/items/{item}``: where it is, also where it never was scanned."""
    context = request.app[CONTEXT]
    key = wire.key(request, "item")
    if "at" not in request.query and "known_at" not in request.query:
        found = await context.store.item(key)
    else:
        view = wire.view(request, context.store.present())
        found = await _answer(context, key, view)
    return wire.tagged(request, _tag(found), msgspec.json.encode(found))


def _tag(found: ItemAnswer) -> str:
    """Return what names an answer, at whatever moment it was asked for."""
    timeless = msgspec.structs.replace(found, at="", known_at="")
    return f'W/"{sha256(msgspec.json.encode(timeless)).hexdigest()[:32]}"'


async def item_events(request: web.Request) -> web.Response:
    """``GET /v1/items/{item}/events``: its history, its containers' included."""
    context = request.app[CONTEXT]
    view = wire.view(request, context.store.present())
    key = wire.key(request, "item")
    found = await context.store.history(key, view)
    horizon = await context.store.horizon(view)
    return wire.json(
        history(
            found.events, found.stored, key, known_at=view.known_at, horizon=horizon
        )
    )


async def _page(request: web.Request, query: ItemQuery) -> web.Response:
    found = await request.app[CONTEXT].store.items(query)
    return wire.json(
        ItemPage(
            items=found.answers,
            cursor=None if found.after is None else wire.cursor_to(found.after),
            complete_until=found.horizon.text(),
            behind=found.horizon.untold(),
        )
    )


def item_query(request: web.Request, location: str | None = None) -> ItemQuery:
    """Read which items are asked for; a location of the path wins."""
    asked = request.query
    limit = wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    q = asked.get("q")
    return ItemQuery(
        status=asked.get("status"),
        location=location or asked.get("location"),
        container=asked.get("container"),
        custodian=asked.get("custodian"),
        q=q.strip().upper() if q else None,
        after=wire.cursor(request, _Row) or 0,
        limit=max(1, limit),
    )


async def items(request: web.Request) -> web.Response:
    """``GET /v1/items``: items by their present answer, or by words of their title."""
    if "title" in request.query:
        return await _titled(request)
    return await _page(request, item_query(request))


async def _titled(request: web.Request) -> web.Response:
    context = request.app[CONTEXT]
    others = request.query.keys() - {"title", "limit"}
    if others:
        reason = f"title stands alone, or with limit; not with {', '.join(others)[:80]}"
        raise invalid(reason)
    limit = wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    limit = max(1, min(limit, MOST_TITLED))
    asked = words(request.query["title"])
    keys = await context.store.titled(asked, limit) if asked else []
    horizon = await wire.horizon(context)
    return wire.json(
        ItemPage(
            items=[await context.store.item(key) for key in keys],
            cursor=None,
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )


async def at_location(request: web.Request) -> web.Response:
    """``GET /v1/locations/{location}/items``: what is there now."""
    query = item_query(request, wire.key(request, "location"))
    return await _page(request, query)
