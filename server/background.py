"""Tasks that run beside the requests, each with an owner that sees it fail."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from server.outage import Outage
from server.problems import ProblemError

__all__ = ["keeping_up"]

_LOG = logging.getLogger("scantrail.server")

REST = 5.0
"""Seconds until a task that failed is begun again."""
STEADY = 30.0
"""Seconds after which one that was begun again and goes on is well."""


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
    outage = Outage(_LOG, f"{name} waits", f"{name} goes on")
    while True:
        steady = asyncio.get_running_loop().call_later(STEADY, outage.over)
        try:
            await work()
        except ProblemError as problem:  # it says all that there is to know
            outage.met(problem)
        except Exception:  # noqa: BLE001 # told to the log, and begun again
            _LOG.exception("%s failed; it is tried again in %d s", name, REST)
        finally:
            steady.cancel()
        await asyncio.sleep(REST)
