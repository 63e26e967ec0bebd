"""Whether the server lives, and can work."""

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT

__all__ = ["healthz", "readyz"]


async def healthz(request: web.Request) -> web.Response:
    """``GET /healthz``: it answers, so it lives."""
    identity = request.app[CONTEXT].store.identity
    return wire.json({"status": "alive", "server": identity.server})


async def readyz(request: web.Request) -> web.Response:
    """``GET /readyz``: the database takes writes."""
    await request.app[CONTEXT].store.ready()
    return wire.json({"status": "ready"})
