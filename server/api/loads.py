"""Loads that have not left: what should be on each, and what is."""

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from shared.api.loads import LoadPage, LoadState
from shared.moments import to_text

__all__ = ["loads"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
MOST_ITEMS = 5_000


async def loads(request: web.Request) -> web.Response:
    """``GET /v1/loads``: those told of last first."""
    limit = wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    context = request.app[CONTEXT]
    found = await context.store.loads(max(1, limit), MOST_ITEMS)
    horizon = await wire.horizon(context)
    return wire.json(
        LoadPage(
            loads=[
                LoadState(
                    load=one.load,
                    name=one.name,
                    told_at=to_text(one.told),
                    expected=one.expected,
                    on_board=one.on_board,
                    missing=sorted(set(one.expected) - set(one.on_board)),
                    extra=sorted(set(one.on_board) - set(one.expected)),
                )
                for one in found
            ],
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )
