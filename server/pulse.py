"""The server's watchdog: systemd is told that the server works, while it does.

It is fed only where the writer's thread has answered just now: that it writes, or why
it cannot. A disk that is full is no reason to be killed: readers are still answered,
stations keep what they have, and a restart makes no room. Killed is what hangs.
"""

import asyncio
from collections.abc import Awaitable, Callable

from server.problems import ProblemError
from shared.sd_notify import WATCHDOG, notify, status, watchdog

__all__ = ["feed"]


async def feed(
    ready: Callable[[], Awaitable[None]],
    words: str,
    *,
    tell: Callable[..., object] = notify,
) -> None:
    """Feed the watchdog until cancelled; where there is none, write nothing.

    Args:
        ready: Writes, and raises ProblemError where it cannot: ``Store.ready``.
        words: What to show while it can.
        tell: Sends assignments to systemd.
    """
    every = watchdog()
    if every is None:
        await asyncio.get_running_loop().create_future()
    while every is not None:
        shown = words
        try:
            await ready()
        except ProblemError as error:
            shown = f"cannot write: {error.problem.detail}"
        tell(WATCHDOG, status(shown))
        await asyncio.sleep(every)
