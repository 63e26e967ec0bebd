"""The site's plan beneath the floor map: a file of the server, served as a picture."""

import logging
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import msgspec
from aiohttp import web

from server.api.context import CONTEXT
from server.console.plan import Box
from server.problems import not_found
from server.site_plan import PlanError, plan

__all__ = ["Beneath", "beneath", "drawn"]

_LOG = logging.getLogger("scantrail.server.console")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, max-age=31536000, immutable",
}


class Beneath(msgspec.Struct, frozen=True, kw_only=True):
    """The plan: its picture, what it shows, and which version of it that is."""

    svg: bytes
    frame: Box
    version: str


def beneath(path: Path | None) -> Beneath | None:
    """Return the site's plan, if it has one that can be used."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return _read(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, changed: int, size: int) -> Beneath | None:
    """Read it anew, whoever wrote it: nothing else of it reaches a browser."""
    del changed, size
    try:
        made = plan(path.read_bytes())
    except (OSError, PlanError) as error:
        _LOG.warning("the plan %s cannot be used: %s", path, error)
        return None
    version = sha256(made.svg).hexdigest()[:16]
    return Beneath(svg=made.svg, frame=Box(*made.frame), version=version)


async def drawn(request: web.Request) -> web.Response:
    """``GET /floor/plan/{version}``."""
    found = beneath(request.app[CONTEXT].plan)
    if found is None or request.match_info["version"] != found.version:
        reason = "There is no such plan; scantrail-server plan puts one there."
        raise not_found(reason)
    return web.Response(body=found.svg, content_type="image/svg+xml", headers=_HEADERS)
