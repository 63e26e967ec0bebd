"""What tells an open page that there is news: server-sent events.

The page then reads itself anew, at most once a second, whatever happens meanwhile. So a
busy server and a slow reader cost each other nothing.
"""

import asyncio
import contextlib

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.streams import STREAMS, streaming, taken
from server.console.rendering import CONSOLE
from server.feed import server_sent
from shared.api.feed import EVENT_STREAM
from shared.moments import to_text

__all__ = ["BEAT", "Beat", "live"]

BEAT = 3.0
"""Seconds between two signs of life, at most."""
REST = 1.0
"""Seconds between two, at least."""


class Beat(msgspec.Struct, kw_only=True):
    """A sign of life.

    ``position`` is of the line that came last, ``heard`` is when a station was heard
    last; ``clock`` and ``heard_clock`` are in the site's zone.
    """

    position: int
    at: str
    clock: str
    heard: str | None
    heard_clock: str


async def _beat(request: web.Request) -> Beat:
    context, clock = request.app[CONTEXT], request.app[CONSOLE].clock
    now = context.store.present()
    seen = await context.store.stations()
    heard = max((s.heard for s in seen if s.heard is not None), default=None)
    return Beat(
        position=context.store.position(),
        at=to_text(now),
        clock=clock.time(now),
        heard=None if heard is None else to_text(heard),
        heard_clock="" if heard is None else clock.time(heard),
    )


async def live(request: web.Request) -> web.StreamResponse:
    """``GET /live``: signs of life as a stream; one of them where none is accepted."""
    if EVENT_STREAM not in request.headers.get("Accept", ""):
        return wire.json(await _beat(request))
    ending = request.app[STREAMS].ending
    async with streaming(request) as response:
        while not ending.is_set():
            beat = await _beat(request)
            if not await taken(request, response, server_sent("beat", beat)):
                break
            await _news(request, beat.position)
    return response


async def _news(request: web.Request, after: int) -> None:
    """Wait for lines behind a position, for the next sign of life, or for the end."""
    ending = request.app[STREAMS].ending
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), REST)
        return
    waiting = [
        asyncio.ensure_future(request.app[CONTEXT].store.grown(after)),
        asyncio.ensure_future(ending.wait()),
    ]
    try:
        await asyncio.wait(
            waiting, timeout=BEAT - REST, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
