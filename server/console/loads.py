"""Loads that have not left: what should be on each, what is, and the manifest."""

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.console.rendering import page
from server.store import ItemQuery, Load
from shared.hosts import Topic

__all__ = ["Manifest", "load", "loads", "manifest"]

MOST, MOST_ITEMS = 200, 5000


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A load, compared. ``places`` says of what is missing where it is."""

    load: Load
    there: list[str]
    missing: list[str]
    extra: list[str]


def _compared(load: Load) -> Manifest:
    expected, on_board = set(load.expected), set(load.on_board)
    return Manifest(
        load=load,
        there=sorted(expected & on_board),
        missing=sorted(expected - on_board),
        extra=sorted(on_board - expected),
    )


async def _all(context: Context) -> list[Manifest]:
    return [_compared(one) for one in await context.store.loads(MOST, MOST_ITEMS)]


async def loads(request: web.Request) -> web.Response:
    """``GET /loads``: those that lack something first."""
    found = await _all(request.app[CONTEXT])
    found.sort(key=lambda one: not (one.missing or one.extra))
    return page(request, "loads.html", loads=found)


async def _one(request: web.Request) -> dict[str, object]:
    context, key = request.app[CONTEXT], wire.key(request, "load")
    found = next((one for one in await _all(context) if one.load.load == key), None)
    if found is None:  # it has left: what it held is in it still
        inside = await context.store.items(ItemQuery(container=key, limit=1000))
        keys = [one.item for one in inside.answers]
        empty = Load(load=key, name="", told=0, expected=[], on_board=keys)
        found = Manifest(load=empty, there=keys, missing=[], extra=[])
    answer = await context.store.item(key)
    titles = await context.store.said(
        Topic.TITLE, [*found.there, *found.missing, *found.extra]
    )
    where = {key: await context.store.item(key) for key in found.missing[:MOST]}
    return {
        "load": found,
        "answer": answer,
        "titles": {one.key: one.line.title for one in titles},
        "where": where,
        "gone": (answer.status or "") in context.site.gone,
    }


async def load(request: web.Request) -> web.Response:
    """``GET /loads/{load}``: expected, on board, missing, extra."""
    return page(request, "load.html", await _one(request))


async def manifest(request: web.Request) -> web.Response:
    """``GET /loads/{load}/manifest``: the same to print."""
    return page(request, "manifest.html", await _one(request))
