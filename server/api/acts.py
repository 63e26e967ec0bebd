"""What people do at the server: each act is a line of the server's own log."""

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.guard import actor
from server.problems import invalid, too_large
from server.store import Said
from shared.errors import LineError
from shared.hosts import HostLine, Topic
from shared.moments import to_text
from shared.protocol import Remark, Settle, Want, Wanted, WantedPage, Written

__all__ = ["note", "settle", "unwant", "want", "wanted"]


async def write(request: web.Request, **fields: object) -> Written:
    """Write one line of what somebody did, and answer with its event."""
    line = msgspec.convert(
        {"seq": 1, "at": "", "by": actor(request), **fields}, HostLine
    )
    try:
        (event,) = await request.app[CONTEXT].own.write([line])
    except LineError as error:
        raise too_large(str(error)) from error
    return Written(event=event)


async def settle(request: web.Request) -> web.Response:
    """``POST /v1/items/{item}/resolve``: a person settles an exception."""
    asked = await wire.struct(request, Settle)
    done = await write(
        request,
        action="resolve",
        item=wire.key(request, "item"),
        exception=asked.exception,
        reason=asked.reason or None,
    )
    return wire.json(done, status=201)


async def note(request: web.Request) -> web.Response:
    """``POST /v1/items/{item}/note``: a title, or a remark."""
    asked = await wire.struct(request, Remark)
    said = msgspec.to_builtins(asked)
    if not said:
        reason = "a note needs a title or a text"
        raise invalid(reason)
    done = await write(
        request,
        action="note",
        item=wire.key(request, "item"),
        **said,
    )
    return wire.json(done, status=201)


async def want(request: web.Request) -> web.Response:
    """``PUT /v1/wanted/{item}``: every station looks out for it."""
    asked = await wire.struct(request, Want, empty=Want())
    item = wire.key(request, "item")
    found = await _wanted(request, item)
    if found is not None and found.reason == asked.reason:
        return wire.json(found)
    await write(
        request, action="note", item=item, wanted=True, reason=asked.reason or None
    )
    return wire.json(await _wanted(request, item))


async def unwant(request: web.Request) -> web.Response:
    """``DELETE /v1/wanted/{item}``: nobody has to look for it any more."""
    item = wire.key(request, "item")
    if await _wanted(request, item) is not None:
        await write(request, action="note", item=item, wanted=False)
    return web.Response(status=204)


async def wanted(request: web.Request) -> web.Response:
    """``GET /v1/wanted``: what every station looks out for."""
    found = await request.app[CONTEXT].store.said(Topic.WANTED, None)
    return wire.json(WantedPage(wanted=[_mark(s) for s in found if s.line.wanted]))


async def _wanted(request: web.Request, item: str) -> Wanted | None:
    found = await request.app[CONTEXT].store.said(Topic.WANTED, [item])
    return next((_mark(said) for said in found if said.line.wanted), None)


def _mark(said: Said) -> Wanted:
    return Wanted(
        item=said.key,
        reason=said.line.reason or "",
        by=said.line.by or "",
        since=to_text(said.occurred),
        event=said.event,
    )
