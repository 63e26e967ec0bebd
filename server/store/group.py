"""Group commit: all that is waiting goes into one transaction."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from server.problems import ProblemError
from shared.protocol import ProblemType

__all__ = ["Group"]

T = TypeVar("T")
R = TypeVar("R")

_LOG = logging.getLogger("scantrail.server.store")


class _Waiting(NamedTuple, Generic[T, R]):
    what: T
    result: "asyncio.Future[R]"


class Group(Generic[T, R]):
    """Collects what is asked for while a transaction runs into the next one.

    Args:
        transact: Does several things in one transaction, and returns for each its
            result or its problem once they are durable. If it raises, nothing was.
        most: How many go into one transaction, at most.

    ``asked`` is how much is not done yet.
    """

    def __init__(
        self,
        transact: Callable[[list[T]], Awaitable[list[R | ProblemError]]],
        most: int,
    ) -> None:
        self._transact = transact
        self._most = most
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
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and len(batch) < self._most:
                batch.append(self._waiting.get_nowait())
            found = await self._try([waiting.what for waiting in batch])
            for waiting, outcome in zip(batch, found, strict=True):
                _settle(waiting.result, outcome)
                self._waiting.task_done()

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
