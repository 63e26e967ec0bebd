"""Checks that take their time, one at once, each in a process of its own."""

import asyncio
import contextlib
import shutil
import sys

import msgspec
from aiohttp import web

from server.problems import ProblemError
from shared.protocol import ProblemType

__all__ = ["CHORES", "Chore", "Chores"]

LONGEST = 20_000
"""Characters that are kept of what a check says: its end."""
PATIENCE = 6 * 3600
"""Seconds after which a check is given up."""


class Chore(msgspec.Struct, kw_only=True):
    """A check: when it began and ended, whether all is well, and what it said.

    Moments are microseconds since 1970; ``ended`` is ``None`` while it goes on.
    """

    started: int
    ended: int | None = None
    well: bool = False
    said: str = ""


class Chores:
    """What was checked since the server began, the last of each kind."""

    def __init__(self) -> None:
        self.last: dict[str, Chore] = {}
        self._task: asyncio.Task[None] | None = None

    def begin(self, name: str, command: list[str], now: int) -> None:
        """Start a check; ``command`` are the arguments of ``scantrail-server``.

        Raises:
            ProblemError: 503 where another goes on.
        """
        if self._task is not None and not self._task.done():
            reason = "A check goes on already; wait for its end."
            raise ProblemError(503, ProblemType.BUSY, reason, retry_after=60)
        chore = self.last[name] = Chore(started=now)
        self._task = asyncio.create_task(_run(chore, command))

    async def close(self) -> None:
        """End what goes on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


CHORES: web.AppKey[Chores] = web.AppKey("chores", Chores)


async def _run(chore: Chore, command: list[str]) -> None:
    polite = ["nice", "-n", "10"] if shutil.which("nice") else []
    process = await asyncio.create_subprocess_exec(
        *(*polite, sys.executable, "-m", "server.cli", *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
        chore.said = out.decode(errors="replace")[-LONGEST:].strip()
        chore.well = process.returncode == 0
    except TimeoutError:
        chore.said = f"It was given up after {PATIENCE // 3600} hours."
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        lasted = asyncio.get_running_loop().time() - began
        chore.ended = chore.started + round(lasted * 1_000_000)
