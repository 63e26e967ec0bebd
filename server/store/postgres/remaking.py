"""Which rules what is known follows from, and making it anew by those of this process.

Several processes may differ for a while, as when one after the other is upgraded. The
first one with new rules makes everything anew, once; then those with the former rules
say that they cannot write, until they are upgraded, too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from functools import partial

from server.problems import ProblemError
from server.site import Site
from server.store import Progress
from server.store.postgres import rebuild
from server.store.postgres.database import Worker
from server.store.postgres.turn import look
from server.store.rebuild import layout, rules
from shared.protocol import ProblemType

__all__ = ["Remaking"]

FEW, MANY = 2_000, 10_000
"""Lines taken in at once: while serving, and before."""
LOOK_AGAIN = 1.0
"""Seconds between two looks whether another process is done."""

_LOG = logging.getLogger("scantrail.server.store")


class Remaking:
    """Makes anew what is known of items where it follows from other rules.

    Args:
        worker: A connection of its own.
        site: The site's rules.
    """

    def __init__(self, worker: Worker, site: Site) -> None:
        self._worker, self._site = worker, site
        self._own = (rules(site), layout())
        self._borne = {self._own}
        self._task: asyncio.Task[None] | None = None
        self.progress: Progress | None = None

    def check(self, noted: tuple[str, str]) -> None:
        """Look whether what is known follows from rules by which this process writes.

        Args:
            noted: The rules that it follows from, and how it is written.

        Raises:
            ProblemError: 503, it follows from other ones.
        """
        if noted not in self._borne:
            reason = (
                "Answers follow from other rules than those of this process by now: "
                "another process has a newer version, or other settings of actions "
                "and deadlines. Give all processes the same, and restart this one."
            )
            raise ProblemError(503, ProblemType.STORAGE, reason, retry_after=30)

    async def begin(self, meta: Mapping[str, str]) -> None:
        """Make everything anew if that is needed; beside the serving if it can be."""
        noted = (meta["rules"], meta["layout"])
        if noted == self._own:
            return
        if noted[1] != self._own[1]:
            await self._make(MANY)  # what is there cannot be read
            return
        self._borne = {self._own, noted}
        self.progress = Progress(0, (await self._worker.transact(look)).position)
        self._task = asyncio.create_task(self._make(FEW), name="remaking")
        self._task.add_done_callback(_tell_failure)

    async def finished(self) -> None:
        """Return once everything is made anew."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Stop; the next process begins again."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ProblemError):
                await self._task
        await self._worker.close()

    async def _make(self, many: int) -> None:
        try:
            while (number := await self._begin()) is not None:
                await self._make_once(number, many)
                await asyncio.sleep(LOOK_AGAIN)
        finally:
            self.progress = None
        self._borne = {self._own}
        _LOG.info("answers are made anew")

    async def _make_once(self, number: int, many: int) -> None:
        try:
            if number:
                await self._take_in(rebuild.Rebuild(number, self._site, many))
        except rebuild.SupersededError:
            _LOG.info("another process makes answers anew")

    async def _begin(self) -> int | None:
        return await self._worker.transact(partial(rebuild.begin, site=self._site))

    async def _take_in(self, made: rebuild.Rebuild) -> None:
        while (progress := await self._worker.transact(made.step)) is not None:
            self.progress = made.progress = progress
        self.progress = None


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.error(
            "answers could not be made anew; those of the former rules stay",
            exc_info=task.exception(),
        )
