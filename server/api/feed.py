"""The feed of events, as pages and as a stream."""

import asyncio
import time

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.api.streams import STREAMS, Streams, streaming, taken
from server.feed import feed_event, server_sent
from shared.api.feed import EVENT_STREAM, FeedHorizon, FeedPage

__all__ = ["events"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
BATCH = 200
"""Lines that are read for one stream at a time: what it holds in memory."""

HEARTBEAT = 15.0
"""Seconds of silence, at most, on a stream."""
_MOST = 2**63 - 1


async def events(request: web.Request) -> web.StreamResponse:
    """``GET /v1/events``: lines behind a position; a stream where that is accepted."""
    if EVENT_STREAM in request.headers.get("Accept", ""):
        return await _stream(request)
    context = request.app[CONTEXT]
    after = wire.number(request, "after", 0, _MOST)
    limit = max(1, wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT))
    found = await context.store.events(after, limit + 1)
    page = [feed_event(entry) for entry in found[:limit]]
    horizon = await wire.horizon(context)
    return wire.json(
        FeedPage(
            events=page,
            position=page[-1].position if page else after,
            more=len(found) > limit,
            epoch=context.store.identity.epoch,
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )


async def _stream(request: web.Request) -> web.StreamResponse:
    """Send lines as they come, from where the reader was."""
    after = _from(request)
    async with streaming(request) as response:
        await _write_all(request, response, after)
    return response


def _from(request: web.Request) -> int:
    """Return where to go on: a browser that comes again says what it had last."""
    last = request.headers.get("Last-Event-ID", "")
    if last.isascii() and last.isdigit() and int(last) <= _MOST:
        return int(last)
    return wire.number(request, "after", 0, _MOST)


async def _write_all(
    request: web.Request, response: web.StreamResponse, after: int
) -> None:
    context, streams = request.app[CONTEXT], request.app[STREAMS]
    beat = 0.0
    while not streams.ending.is_set():
        found = await context.store.events(after, BATCH)
        data = b"".join(
            server_sent("event", feed_event(entry), entry.position) for entry in found
        )
        if not found and time.monotonic() >= beat:
            data = server_sent("horizon", await _horizon(context))
        if data:
            beat = time.monotonic() + HEARTBEAT
            if not await taken(request, response, data):
                return
        if found:
            after = found[-1].position
        else:
            await _news(context, streams, after, beat - time.monotonic())


async def _news(context: Context, streams: Streams, after: int, wait: float) -> None:
    """Wait for lines behind a position, for the end, or for the next heartbeat."""
    waiting = [
        asyncio.ensure_future(context.store.grown(after)),
        asyncio.ensure_future(streams.ending.wait()),
    ]
    try:
        await asyncio.wait(
            waiting, timeout=max(0.0, wait), return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _horizon(context: Context) -> FeedHorizon:
    horizon = await wire.horizon(context)
    return FeedHorizon(
        epoch=context.store.identity.epoch,
        complete_until=horizon.text(),
        behind=horizon.untold(),
    )
