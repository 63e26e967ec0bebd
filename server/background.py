"""Tasks that run beside the requests, each with an owner that sees it fail."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["keeping_up"]

_LOG = logging.getLogger("scantrail.server")

REST = 5.0
"""Seconds until a task that failed is begun again."""


@contextlib.asynccontextmanager
async def keeping_up(
    work: Callable[[], Awaitable[None]], name: str
) -> AsyncIterator[None]:
    """Run something for as long as the context holds, again where it fails."""
    task = asyncio.create_task(_again(work, name), name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _again(work: Callable[[], Awaitable[None]], name: str) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 # told to the log, and begun again
            _LOG.exception("%s failed; it is tried again in %d s", name, REST)
        await asyncio.sleep(REST)
