"""Group commit: what is waiting goes into one transaction, what is short first."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from server.problems import ProblemError
from shared.protocol import ProblemType

__all__ = ["LINES", "SHORT", "Group"]

LINES = 5_000
"""Lines that go into one transaction, about: so long others wait at most."""

SHORT = 20
"""What is no longer than this does not wait behind what is."""

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger("scantrail.server.store")


class _Waiting(NamedTuple, Generic[T, R]):
    what: T
    result: "asyncio.Future[R]"


class Group(Generic[T, R]):
    """Collects what is asked for while a transaction runs into the next one.

    What is short does not wait behind what is long, so that a scan is not held up by
    the backlogs of others; of what is long the oldest is in every transaction.

    Args:
        transact: Does several things in one transaction, and returns for each its
            result or its problem once they are durable. If it raises, nothing was.
        most: How many go into one transaction, at most.
        size: Says how much one is.
        room: How much goes into one transaction, about.

    ``asked`` is how much is not done yet.
    """

    def __init__(
        self,
        transact: Callable[[list[T]], Awaitable[list[R | ProblemError]]],
        most: int,
        *,
        size: Callable[[T], int],
        room: int,
    ) -> None:
        self._transact = transact
        self._most, self._size, self._room = most, size, room
        self._short: deque[_Waiting[T, R]] = deque()
        self._long: deque[_Waiting[T, R]] = deque()
        self._waiting: asyncio.Queue[_Waiting[T, R]] = asyncio.Queue()
        self.asked = 0
        self._task = asyncio.create_task(self._run(), name="group commit")

    async def do(self, what: T) -> R:
        """Have something done; return when it is durable.

        Raises:
            ProblemError: It was not done, and why.
        """
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(_Waiting(what, result))
        self.asked += 1
        try:
            return await result
        finally:
            self.asked -= 1

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._waiting.join()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            if not (self._short or self._long):
                self._sort(await self._waiting.get())
            while not self._waiting.empty():
                self._sort(self._waiting.get_nowait())
            batch = self._next()
            found = await self._try([waiting.what for waiting in batch])
            for waiting, outcome in zip(batch, found, strict=True):
                _settle(waiting.result, outcome)
                self._waiting.task_done()

    def _sort(self, waiting: _Waiting[T, R]) -> None:
        short = self._size(waiting.what) <= SHORT
        (self._short if short else self._long).append(waiting)

    def _next(self) -> list[_Waiting[T, R]]:
        """Take what goes into the next transaction."""
        batch = [self._long.popleft()] if self._long else []
        while self._short and len(batch) < self._most:
            batch.append(self._short.popleft())
        room = self._room - sum(self._size(waiting.what) for waiting in batch)
        while self._long and len(batch) < self._most:
            room -= self._size(self._long[0].what)
            if room < 0:
                break
            batch.append(self._long.popleft())
        return batch

    async def _try(self, batch: list[T]) -> list[R | ProblemError]:
        """Do them together; if that fails, each alone, so that none harms another."""
        try:
            return await self._transact(batch)
        except ProblemError as problem:
            return [problem] * len(batch)
        except Exception:  # noqa: BLE001 # told to the log, and to whoever waits
            # the writer must live on for the others, whatever one of them does to it
            _LOG.exception("a transaction of %d failed", len(batch))
        if len(batch) == 1:
            reason = "It could not be stored; the server's log says why."
            return [ProblemError(500, ProblemType.INTERNAL, reason)]
        return [outcome for one in batch for outcome in await self._try([one])]


def _settle(result: "asyncio.Future[R]", outcome: R | ProblemError) -> None:
    if result.done():  # whoever asked has gone; what was done stays done
        return
    if isinstance(outcome, ProblemError):
        result.set_exception(outcome)
    else:
        result.set_result(outcome)
