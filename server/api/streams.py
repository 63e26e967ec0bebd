"""How many streams are open, and when they have to end."""

import asyncio
import contextlib
from collections.abc import Iterator

from aiohttp import web

from server.problems import ProblemError
from shared.protocol import ProblemType

__all__ = ["STREAMS", "Streams"]

MOST = 100
"""Streams at the same time."""


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


STREAMS: web.AppKey[Streams] = web.AppKey("streams", Streams)
