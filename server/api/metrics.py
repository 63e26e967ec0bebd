"""The server's figures, for Prometheus."""

import asyncio
import contextlib
import time

from aiohttp import web

from server.api.context import CONTEXT
from server.api.guard import Handler
from server.api.streams import STREAMS
from server.connections import CONNECTIONS
from server.metrics import CONTENT_TYPE, Metrics
from server.problems import ProblemError
from server.station_exceptions import Seen, station_state
from server.store import Store

__all__ = ["METRICS", "counted", "metrics"]

PATIENCE = 3.0
"""Seconds to wait for the database: who asks for figures waits ten, as a rule."""

METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})


async def metrics(request: web.Request) -> web.Response:
    """``GET /metrics``: the server's figures, in the text format of Prometheus.

    They are told without those of stations where the database does not answer.
    """
    context, figures = request.app[CONTEXT], request.app[METRICS]
    store = context.store
    now, limit = store.present(), context.silent_limit
    stations = await _stations(store)
    found = [station_state(seen, now, limit) for seen in stations or ()]
    figures.stored(
        answers=stations is not None, remaking=store.remaking(), late=store.late()
    )
    figures.streams.set(request.app[STREAMS].open)
    figures.slow.set(request.app[STREAMS].slow)
    figures.connections.set(request.app[CONNECTIONS].open)
    figures.were_cut(request.app[CONNECTIONS].cut)
    return web.Response(
        body=figures.text(found, now), headers={"Content-Type": CONTENT_TYPE}
    )


async def _stations(store: Store) -> list[Seen] | None:
    """Return what is kept of all stations; nothing where that cannot be read now."""
    with contextlib.suppress(ProblemError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            return await store.stations()
    return None


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count every request by its route, and how long it took."""
    began = time.monotonic()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = "none" if resource is None else resource.canonical
    method = request.method if request.method in _METHODS else "other"
    seconds = time.monotonic() - began
    request.app[METRICS].answered(method, route, response.status, seconds)
    return response
