"""One load: what is on it, or was when it left; to print, and as a table."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.manifests import told
from server.console.item_view import view_of
from server.console.rendering import page
from server.csv_rows import csv_rows
from server.store import View
from shared.api.loads import LoadManifest, NotOnLoad, OnLoad
from shared.moments import to_moment

__all__ = ["load", "manifest", "table"]

MOST_ROWS = 500
"""Items in a list on the page; the manifest has all."""
MANY = 20
"""Of more items that are on board as expected the list is folded."""
MOST_NOW = 200
"""Missing items of which it is said where they are now."""

_HEAD = (
    *("load", "item", "title", "state", "inside", "action", "scanned_at", "operator"),
    *("location", "station", "event"),
)


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """How much was known to be on a load, and missing, when its departure was heard.

    ``same``: that is what is known now.
    """

    there: int
    missing: int
    same: bool


async def _told(request: web.Request) -> tuple[LoadManifest, dict[str, object]]:
    context, (view, moved) = request.app[CONTEXT], view_of(request)
    departure = request.query.get("departure")
    found = await told(context, wire.key(request, "load"), view, departure)
    given = {"departure": departure, "at": found.at, "known_at": found.known_at}
    kept = {n: text for n, text in given.items() if text and n in request.query}
    missing = [] if moved else found.missing[:MOST_NOW]
    there = [one for one in found.on_board if one.expected]
    expected = len(found.missing) + len(there)
    now = {one.item: await context.store.item(one.item) for one in missing}
    return found, {
        "load": found,
        "groups": _groups(found, expected),
        "expected": expected,
        "extra": sum(not one.expected for one in found.on_board) if expected else 0,
        "holding": {outer for one in there for outer in one.inside},
        "now_at": now,
        "before": [one for one in found.departures[::-1] if one is not found.departed],
        "query": f"?{urlencode(kept)}" if kept else "",
        "most": MOST_ROWS,
        "many": MANY,
        "view": view,
        "moved": moved,
        "past": view if moved else None,
        "held_at": found.at,
        "held_known": found.known_at,
    }


def _groups(found: LoadManifest, expected: int) -> dict[str, list[OnLoad]]:
    """Return what is on board by whether it should be; nothing said: all together."""
    if not expected:
        return {"aboard": found.on_board}
    return {
        "extra": [one for one in found.on_board if not one.expected],
        "there": [one for one in found.on_board if one.expected],
    }


async def load(request: web.Request) -> web.Response:
    """``GET /loads/{load}?at=&known_at=``: expected, on board, missing, extra."""
    found, values = await _told(request)
    former = None if values["moved"] else await _former(request, found)
    return page(request, "load.html", values, former=former)


async def _former(request: web.Request, found: LoadManifest) -> Former | None:
    """Return what was known when the departure was heard, of a load that has left."""
    if found.departed is None:
        return None
    store, heard = request.app[CONTEXT].store, to_moment(found.departed.received_at)
    view = View(at=store.present(), known_at=heard)
    was = await store.manifest(found.load, view, found.departed.event)
    aboard = {(one.item, one.expected) for one in was.aboard}
    missing = {one.item for one in was.lacking}
    same_aboard = aboard == {(one.item, one.expected) for one in found.on_board}
    return Former(
        there=len(aboard),
        missing=len(missing),
        same=same_aboard and missing == {one.item for one in found.missing},
    )


async def manifest(request: web.Request) -> web.Response:
    """``GET /loads/{load}/manifest?at=&known_at=``: the same to print."""
    _, values = await _told(request)
    return page(request, "manifest.html", values)


async def table(request: web.Request) -> web.Response:
    """``GET /loads/{load}/manifest.csv?at=&known_at=``: the same as a table."""
    found, _ = await _told(request)
    name = quote(f"manifest-{found.load[:60]}.csv", safe="")
    return web.Response(
        body=csv_rows([_HEAD, *_rows(found)]),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _rows(found: LoadManifest) -> Iterator[tuple[str | None, ...]]:
    if found.departed is not None:
        left = found.departed
        yield (
            *(found.load, found.load, found.name, "departed", "", ""),
            *(left.departed_at, left.operator, left.location, left.station, left.event),
        )
    yield from (_missing(found.load, one) for one in found.missing)
    yield from (_aboard(found.load, one) for one in found.on_board)


def _missing(load: str, one: NotOnLoad) -> tuple[str | None, ...]:
    return (
        *(load, one.item, one.title, "missing", "", "", one.location_since, ""),
        *(one.location, "", one.location_event),
    )


def _aboard(load: str, one: OnLoad) -> tuple[str | None, ...]:
    state = "on board" if one.expected else "not expected"
    return (
        *(load, one.item, one.title, state, " < ".join(one.inside), one.action),
        *(one.scanned_at, one.operator, one.location, one.station, one.event),
    )
