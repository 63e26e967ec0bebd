"""Tasks that somebody owns: kept running, waited for, ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

__all__ = ["cancelled", "first", "kept_up"]

_log = logging.getLogger(__name__)

_AGAIN = 5.0  # seconds before a part that failed is started again


async def kept_up(
    name: str, part: Callable[[], Awaitable[None]], failed: Callable[[str, str], None]
) -> None:
    """Run a part to its end; where it fails, tell of it and start it again.

    Args:
        name: What the part is called.
        part: Starts it.
        failed: Is told the name, and what was wrong.
    """
    while True:
        try:
            return await part()
        except Exception as error:  # noqa: BLE001 - contract, I6: capture goes on
            _log.exception("%s has failed", name)
            failed(name, str(error))
        await asyncio.sleep(_AGAIN)


async def first(*awaited: Coroutine[None, None, object]) -> None:
    """Wait for whichever is over first, and see it fail if it does; end the others."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        over, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(tasks)
    for task in over:
        task.result()


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
