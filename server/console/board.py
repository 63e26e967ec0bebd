"""The live board: at most seven tiles, grey where nothing needs a look."""

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.api.wanted import looked_for
from server.console.inbox import station_cases
from server.console.loads import lacks
from server.console.rendering import page
from server.console.station_kinds import told_once
from server.findings import MANIFEST
from server.station_exceptions import Seen
from server.store import ExceptionQuery, Store, View
from shared.moments import SECOND

__all__ = ["Tile", "board", "tiles"]

MOST = 1000
"""Exceptions that are counted; more are told as this many and a plus.

What waits at stations that are not heard has a plus likewise: nobody knows.
"""
MOST_LOADS, MOST_ITEMS = 200, 2000
LATELY = 24 * 3600 * SECOND
"""For so long a load that left without something is counted."""
LATE = 120
"""Seconds that the oldest untold moment may be ago, before that is abnormal."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile: a figure or a moment, what it is of, and whether it is abnormal.

    ``parts`` are what the figure is made of, for the tile's words for that.
    """

    name: str
    figure: str = ""
    moment: int | None = None
    of: str = ""
    tone: str = ""
    parts: dict[str, object] = {}
    to: str


async def tiles(context: Context) -> list[Tile]:
    """Return the tiles as of now."""
    store, now = context.store, context.store.present()
    found = await store.exceptions(ExceptionQuery(limit=MOST))
    seen = [s for s in await store.stations() if s.active and s.kind == "station"]
    cases = told_once(await station_cases(context))
    silent = {one.station for one in cases if one.code == "silent"}
    wanted = await looked_for(context)
    horizon = await store.horizon(View(at=now, known_at=now))
    loads = await store.loads(MOST_LOADS, MOST_ITEMS)
    lacking = sum(lacks(load) for load in loads)
    left = await _left_lacking(store, now)
    waiting = sum(s.health.waiting for s in seen if s.health)
    unheard = silent or any(s.health is None for s in seen)
    ago = None if horizon.complete_until is None else now - horizon.complete_until
    return [
        Tile(
            name="exceptions",
            figure=f"{len(found)}{'+' if len(found) == MOST else ''}",
            tone="error" if found else "",
            to="/exceptions",
        ),
        Tile(
            name="stations",
            figure=str(len(cases)),
            tone="attention" if cases else "",
            to="/stations",
        ),
        Tile(
            name="silent",
            figure=str(len(silent)),
            of=str(len(seen)),
            tone="error" if silent else "",
            to="/stations",
        ),
        Tile(
            name="waiting",
            figure=f"{waiting}{'+' if unheard else ''}",
            tone="attention" if unheard or (waiting and _old(seen)) else "",
            to="/stations",
        ),
        Tile(
            name="loads",
            figure=str(left),
            tone="attention" if left else "",
            parts={"here": f"{lacking}{'+' if len(loads) == MOST_LOADS else ''}"},
            to="/loads",
        ),
        Tile(
            name="wanted",
            figure=str(len(wanted)),
            tone="attention" if wanted else "",
            parts={"found": sum(o.found is not None for o in wanted)} if wanted else {},
            to="/exceptions#wanted",
        ),
        Tile(
            name="complete",
            moment=horizon.complete_until,
            tone="attention" if seen and (ago is None or ago > LATE * SECOND) else "",
            to="/stations",
        ),
    ]


async def _left_lacking(store: Store, now: int) -> int:
    """Count the loads that left without something within `LATELY`."""
    query = ExceptionQuery(code=MANIFEST, open=None, limit=MOST)
    found = await store.exceptions(query)
    return len({one.event for one in found if one.since > now - LATELY})


def _old(seen: list[Seen]) -> bool:
    return any(s.health and (s.health.oldest or 0) > LATE for s in seen)


async def board(request: web.Request) -> web.Response:
    """``GET /board``."""
    return page(request, "board.html", tiles=await tiles(request.app[CONTEXT]))
