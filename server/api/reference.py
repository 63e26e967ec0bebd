"""Reference data for stations."""

from aiohttp import web

from server.api.context import CONTEXT
from server.reference import reference as reference_of
from server.reference import reference_tag

__all__ = ["reference"]


async def reference(request: web.Request) -> web.Response:
    """``GET /v1/reference``: contract, section 3.4."""
    store = request.app[CONTEXT].store
    tag = await reference_tag(store)
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(
        body=await reference_of(store),
        content_type="application/json",
        headers={"ETag": tag},
    )
