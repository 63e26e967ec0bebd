"""What takes long to work out: once for all who ask, one after the other, and kept.

A page waits a moment for what it asks for. If that was not enough, it says how far the
work is and reads itself anew; what was found before is shown meanwhile.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web

__all__ = ["WORKSHOP", "Made", "Progress", "Workshop"]

T = TypeVar("T")

_LOG = logging.getLogger("scantrail.server.console")

PATIENCE = 0.4
"""Seconds that a page waits."""
SHARE = 20
"""What took a second is worked out again after so many, at the earliest."""
NEWS = 10
"""Per cent: so much more in the feed, and it is worked out again whatever it took."""
QUICK = 0.2
"""Seconds; what takes less is worked out again whenever there is news."""
FRESH = 30
"""Seconds after which something may have fallen due, though there was no news."""
KEPT = 12
"""Results in memory, those that were asked for last."""


class Progress(msgspec.Struct):
    """How far a piece of work is: items looked at, of how many.

    ``estimate``: what comes out so far, from a part of them.
    """

    done: int = 0
    of: int = 0
    estimate: Any = None


class Made(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What was worked out, as of which position of the feed; ``None``: not yet.

    ``progress`` is there while it is worked out anew, and ``estimate`` where there is
    nothing better yet.
    """

    value: T | None
    progress: Progress | None
    estimate: T | None = None

    @property
    def best(self) -> T | None:
        """The value, or what there is of it."""
        return self.estimate if self.value is None else self.value


class _Job(msgspec.Struct, kw_only=True):
    work: Callable[[Progress], Awaitable[Any]]
    value: Any = None
    position: int = -1
    made: float = 0.0
    took: float = 0.0
    failed: bool = False
    progress: Progress | None = None
    ready: asyncio.Event = msgspec.field(default_factory=asyncio.Event)


class Workshop:
    """Works out what pages ask for.

    Args:
        position: Says up to where there are lines; what was made as of the last holds.
    """

    def __init__(self, position: Callable[[], int]) -> None:
        self._position = position
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._asked: asyncio.Queue[_Job] = asyncio.Queue()

    async def ask(
        self, key: Hashable, work: Callable[[Progress], Awaitable[T]]
    ) -> Made[T]:
        """Return what is known under a key, new enough; begin the work where it is not.

        Raises:
            RuntimeError: It cannot be worked out; the log says why.
        """
        job = self._jobs.setdefault(key, _Job(work=work))
        self._jobs.move_to_end(key)
        if job.progress is None and not self._holds(job):
            self._forget()
            job.work, job.progress = work, Progress()
            job.ready.clear()
            self._asked.put_nowait(job)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(job.ready.wait(), PATIENCE)
        if job.failed:
            reason = "it could not be worked out"
            raise RuntimeError(reason)
        estimate = None if job.progress is None else job.progress.estimate
        return Made(value=job.value, progress=job.progress, estimate=estimate)

    def _holds(self, job: _Job) -> bool:
        """Whether what is there is as of now, or costs too much to be made so soon."""
        if job.value is None:
            return False
        age, news = monotonic() - job.made, self._position() - job.position
        dear = job.took > QUICK and age < job.took * SHARE
        if dear and news * 100 <= job.position * NEWS:
            return True
        return age < FRESH and not news

    def _forget(self) -> None:
        idle = [key for key, job in self._jobs.items() if job.progress is None]
        for key in idle[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key]

    async def run(self) -> None:
        """Work, for ever."""
        while True:
            job = await self._asked.get()
            began, position = monotonic(), self._position()
            try:
                job.value = await job.work(job.progress or Progress())
                job.failed = False
            except Exception:  # noqa: BLE001 # told to the log; who asks next begins it anew
                job.failed = True
                _LOG.exception("figures could not be worked out")
            job.position, job.made = position, monotonic()
            job.took, job.progress = job.made - began, None
            job.ready.set()


WORKSHOP: web.AppKey[Workshop] = web.AppKey("workshop", Workshop)
