"""How many streams are open, and when they have to end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from server.problems import ProblemError
from shared.api.feed import EVENT_STREAM
from shared.protocol import ProblemType

__all__ = ["STREAMS", "Streams", "streaming", "taken"]

MOST = 100
"""Streams at the same time."""

PATIENCE = 20.0
"""Seconds that a reader has to take what was written for him."""

_LOG = logging.getLogger("scantrail.server")


class Streams:
    """The streams of one server. ``slow`` counts the readers that were too slow."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.open = 0
        self.slow = 0
        self.ending = asyncio.Event()

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place for one stream.

        Raises:
            ProblemError: 503 where all are taken.
        """
        if self.open >= self._most:
            reason = f"{self._most} streams are open; no more are held. Try later."
            raise ProblemError(503, ProblemType.BUSY, reason, retry_after=30)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


@contextlib.asynccontextmanager
async def streaming(request: web.Request) -> AsyncIterator[web.StreamResponse]:
    """Hold a place, and open a stream of events; that its reader goes is no error.

    Raises:
        ProblemError: 503 where all places are taken.
    """
    with request.app[STREAMS].one():
        response = web.StreamResponse(
            headers={
                "Content-Type": EVENT_STREAM,
                "Cache-Control": "no-cache",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            yield response


async def taken(
    request: web.Request, response: web.StreamResponse, data: bytes
) -> bool:
    """Write, and return whether the reader took what was before it in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            await response.write(data)
    except TimeoutError:
        _LOG.warning("a reader of %s is too slow; it was cut off", request.path)
        request.app[STREAMS].slow += 1
        if request.transport is not None:
            request.transport.abort()
        return False
    return True


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
