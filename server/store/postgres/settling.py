"""Telling anew what came late, by one process at a time."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from typing import TypeVar

from server.outage import Outage
from server.problems import ProblemError
from server.site import Site
from server.store.postgres import locks
from server.store.postgres.database import Database, Worker, snapshot
from server.store.postgres.hearing import Hearing
from server.store.postgres.retelling import (
    Check,
    Found,
    Looking,
    Piece,
    StoppedError,
    SupersededError,
    beside_others,
    finish_apart,
    see,
)
from server.store.postgres.turn import Turn

__all__ = ["Settling"]

T = TypeVar("T")

PIECE = 300
"""Items that are written in a transaction: others wait for them so long."""
SEEN = 3_000
"""Items that are held at once to see whether others have changed them."""
LOOK_AGAIN = 0.5
"""Seconds between two looks whether the process that is at it is still there."""
REST = 1.0
"""Seconds until the next try where the database is lost."""
LONG_REST = 10.0
"""The same where something went wrong that should not."""

_LOG = logging.getLogger("scantrail.server.store")


class Settling:
    """Tells what came late, whichever process took it in, until it is closed.

    Args:
        worker: A connection of its own.
        site: The site's rules.
        check: Looks whether this process may write by the rules that it knows.
        hearing: Hears of what came late, and is told of what is told.
    """

    def __init__(
        self,
        worker: Worker,
        site: Site,
        check: Check,
        hearing: Hearing,
    ) -> None:
        self._worker, self._site, self._check = worker, site, check
        self._hearing = hearing
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Go on until `close`."""
        await self._worker.open()
        self._task = asyncio.create_task(self._run(), name="settling")

    async def close(self) -> None:
        """Stop; another process goes on, or the next one."""
        self._ending = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._worker.close()

    async def _run(self) -> None:
        outage = Outage(
            _LOG, "what came late is not told yet", "what came late is told again"
        )
        while True:
            await self._hearing.unsettled()
            try:
                rest = 0.0 if await self._go_on() else LOOK_AGAIN
                outage.over()
            except ProblemError as problem:  # the database is lost, or has other rules
                outage.met(problem)
                rest = REST
            except Exception:  # noqa: BLE001 # the others go on; lists say as of when
                _LOG.exception("what came late could not be told anew")
                rest = LONG_REST
            await asyncio.sleep(rest)

    async def _go_on(self) -> bool:
        """Tell what is noted; return whether nobody else is at it."""
        if not await self._worker.transact(locks.only_one):
            return False
        try:
            await self._round()
        finally:
            await self._worker.transact(locks.let_others)
        return True

    async def _round(self) -> None:
        looking = Looking(self._site, lambda: self._ending)
        with contextlib.suppress(StoppedError, SupersededError):
            found = await self._do(looking, snapshot)
            if found is not None:
                await self._hearing.note(await self._write(found))

    async def _write(self, found: Found) -> Turn:
        """Write what a round found; return the turn in which that was noted."""
        pieces = list(_cut(sorted(found.kept.keys() | found.later.keys()), PIECE))
        for keys in pieces:
            only = len(pieces) == 1
            piece = Piece(found, keys, self._site, self._check, only=only)
            done = await self._do(piece, piece.begin)
            found.versions.update(piece.written)
            found.changed |= piece.changed
            if done is not None:
                return done
        for keys in _cut(found.versions, SEEN):
            found.changed |= await self._do(
                partial(see, found=found, keys=keys, check=self._check), beside_others
            )
        finish = partial(finish_apart, found=found, check=self._check)
        return await self._do(finish, beside_others)

    async def _do(
        self, function: Callable[[Database], T], begin: Callable[[], str]
    ) -> T:
        """Do one transaction of a round."""
        return await self._worker.transact(function, begin)


def _cut(keys: Collection[str], many: int) -> Iterator[list[str]]:
    rest = iter(list(keys))
    while some := list(islice(rest, many)):
        yield some
