"""What people do at the server: each act is a line of the server's own log."""

from collections.abc import Iterable, Mapping

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.guard import actor
from server.problems import invalid, too_large
from shared.api.acts import Remark, Settle, Written
from shared.errors import LineError
from shared.hosts import HostLine

__all__ = ["note", "settle", "write", "write_all"]


async def write(request: web.Request, **fields: object) -> Written:
    """Write one line of what somebody did, and answer with its event."""
    (act,) = await write_all(request, [fields])
    return act


async def write_all(
    request: web.Request, acts: Iterable[Mapping[str, object]]
) -> list[Written]:
    """Write a line for each of several acts, all or none, one behind the other."""
    of_all = {"seq": 1, "at": "", "by": actor(request)}
    lines = [msgspec.convert({**of_all, **fields}, HostLine) for fields in acts]
    try:
        events = await request.app[CONTEXT].own.write(lines)
    except LineError as error:
        raise too_large(str(error)) from error
    return [Written(event=event) for event in events]


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
