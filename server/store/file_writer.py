"""The one writer of a database in a file, and what it keeps of items meanwhile.

Whatever is written goes through ``transact``. So what was taken in of the lines is
known to be durable, or is forgotten, together with them; it is written when no lines
come for a while, or when it has become much.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from server.kept import Unwritten
from server.problems import ProblemError
from server.projections import Arrived, Projection
from server.site import Site
from server.store import Progress, partly, rebuild
from server.store.growth import Growth
from server.store.shelf import SqlShelf
from server.store.worker import Worker
from server.versions import Versions
from shared.moments import SECOND
from shared.protocol import ProblemType

__all__ = ["FileWriter"]

T = TypeVar("T")
Now = Callable[[], int]

FEW, MANY = 2_000, 20_000
"""Lines taken in at once when answers are made anew: while serving, and before."""

REST = 0.2
"""Seconds without new lines after which what is known of items is written."""

WORK = 3_000
"""How many events are told anew at once: others wait 0.1 s for it."""

PATIENCE = 2.0
"""Seconds for which a list waits until what came late is told."""

_TELL = 500_000
_LOG = logging.getLogger("scantrail.server.store")


class FileWriter:
    """Writes, and keeps what is known of items up with the lines.

    Args:
        worker: The thread of the connection that writes.
        now: This machine's clock.
        site: The site's rules.
        growth: The position of the line that came last.
        failed: Called where a transaction was rolled back.
        busy: Whether somebody waits to write lines.
    """

    def __init__(
        self,
        worker: Worker,
        now: Now,
        site: Site,
        growth: Growth,
        *,
        failed: Callable[[], None],
        busy: Callable[[], bool],
    ) -> None:
        self._worker, self._now, self._site = worker, now, site
        self._growth, self._failed, self._busy = growth, failed, busy
        self._progress: Progress | None = None
        self._remaking: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._behind = False
        self._unsettled = asyncio.Event()
        self._noted_unsettled = False

    async def begin(self, meta: Mapping[str, str]) -> None:
        """Go on from what the database says of itself.

        Make answers anew where they follow from other rules.
        """
        await self._worker.run(partial(self._recall, meta=meta))
        readable = "told" in meta and meta.get("layout") == rebuild.layout()
        if not readable:
            await self._remake(MANY)
        self._behind = True
        catching_up = asyncio.create_task(self._catch_up(), name="catching up")
        catching_up.add_done_callback(_tell_failure)
        self._tasks = [
            catching_up,
            asyncio.create_task(self._write_at_rest(), name="writing"),
            asyncio.create_task(self._settle(), name="settling"),
        ]
        if readable and meta.get("rules") != rebuild.rules(self._site):
            self._progress = Progress(0, self._growth.position)
            self._remaking = asyncio.create_task(self._remake(FEW), name="remaking")
            self._remaking.add_done_callback(_tell_failure)

    def _recall(self, connection: sqlite3.Connection, meta: Mapping[str, str]) -> None:
        unwritten = Unwritten(int(meta.get("told", "0")))
        shelf = SqlShelf(connection, unwritten)
        versions = Versions(shelf, unwritten)
        self._projection = Projection(shelf, self._site, versions, work=WORK)

    @property
    def unwritten(self) -> Unwritten:
        """What is known of items and not written yet."""
        return self._projection.unwritten

    @property
    def settled(self) -> bool:
        """Whether all that came late is told."""
        return self._projection.settled

    @property
    def remaking(self) -> Progress | None:
        """How far answers are made anew; ``None``: they are whole."""
        if self._progress is None and self._behind:
            return Progress(self._projection.taken, self._growth.position)
        return self._progress

    async def transact(
        self,
        function: Callable[[sqlite3.Connection], T],
        *,
        then: Callable[[T], None] | None = None,
    ) -> T:
        """Run a function in a transaction, and ``then`` another once it is durable."""

        def whole(connection: sqlite3.Connection) -> T:
            try:
                connection.execute("BEGIN IMMEDIATE")
                found = function(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._projection.forget()
                self._failed()
                if isinstance(error, sqlite3.OperationalError):
                    raise _storage(error) from error
                raise
            self._projection.commit()
            if then is not None:
                then(found)
            return found

        return await self._worker.run(whole)

    def take(self, arrived: Sequence[Arrived], last: int) -> None:
        """Take in lines up to a position, inside the transaction that writes them."""
        if not self._behind:  # else they are taken in behind those before
            self._projection.take(arrived, last)

    async def after_taking(self) -> None:
        """See to what was taken in, once it is durable."""
        if not self._projection.settled:
            self._unsettled.set()
        if self._projection.full:
            await self._write_answers()

    async def _write_answers(self) -> None:
        """Write what is known of items, as far as it is not."""
        if self._projection.behind:
            await self.transact(self._write)

    def _write(self, connection: sqlite3.Connection) -> None:
        self._projection.write()
        if self._progress is None:  # else it is noted once all is made anew
            settled = self._projection.settled
            if not settled or self._noted_unsettled:
                rebuild.note(connection, self._site if settled else None)
            self._noted_unsettled = not settled

    async def _settle(self) -> None:
        """Tell anew what came late and was left, between the batches of stations."""
        while True:
            await self._unsettled.wait()
            try:
                await self.transact(lambda _: self._projection.settle(WORK))
                done = self._projection.settled and self._noted_unsettled
                if self._projection.full or done:
                    await self._write_answers()
            except ProblemError:  # the disk is full: later
                await asyncio.sleep(1)
            except Exception:  # noqa: BLE001 # the others go on; lists say as of when
                _LOG.exception("what came late could not be told anew")
                await asyncio.sleep(10)
            if self._projection.settled:
                self._unsettled.clear()

    async def caught_up(self) -> None:
        """Wait until all lines that are here are taken in, for a while.

        Raises:
            ProblemError: 503, they are not; it is soon after a start.
        """
        if self._behind:
            await self._come_to_rest()
        if self._behind:
            reason = (
                "The server has started again, and takes in what came last before that;"
                " it takes scans already, and answers in a moment."
            )
            raise ProblemError(503, ProblemType.BUSY, reason, retry_after=2)

    async def _come_to_rest(self) -> None:
        """Wait until what came late is told, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._behind or not self._projection.settled:  # noqa: ASYNC110 # told in pieces
                    await asyncio.sleep(0.01)

    async def _write_at_rest(self) -> None:
        """Write what is known of items whenever no lines have come for a while."""
        written = 0
        while True:
            await self._growth.beyond(written)
            last = self._growth.position
            await asyncio.sleep(REST)
            if last == self._growth.position and not self._busy():
                await self._come_to_rest()
                with contextlib.suppress(ProblemError):  # the disk is full: later
                    await self._write_answers()
                    written = last

    async def all_written(self) -> None:
        """See that what is known of items is written, as far as that is possible."""
        await self._come_to_rest()
        self._note_if_old()
        with contextlib.suppress(ProblemError):  # the disk is full: as of before that
            await self._write_answers()

    async def page_written(self, after: int) -> None:
        """See to the same for a page of a list; before those behind, it was done."""
        if after:
            self._note_if_old()
        else:
            await self.all_written()

    def _note_if_old(self) -> None:
        if self._behind or not self._projection.settled:
            partly.note()

    async def rest(self) -> None:
        """Write what is known, and end."""
        await self._come_to_rest()
        for task in self._tasks:
            task.cancel()
            await asyncio.wait([task])
        with contextlib.suppress(ProblemError):  # then it is taken in again
            await self._write_answers()

    async def stop_remaking(self) -> None:
        """Leave to the next start what is not made anew yet."""
        if self._remaking is not None:
            self._remaking.cancel()
            await asyncio.wait([self._remaking])

    async def _remake(self, many: int) -> None:
        """Make anew what is known of items, between the batches of stations."""
        began = self._now()
        made = await self.transact(partial(rebuild.Rebuild, site=self._site, many=many))

        def replace(ready: bool) -> None:  # noqa: FBT001 # what the step returned
            if ready:
                self._projection = made.projection

        told = 0
        self._progress = made.progress
        try:
            while not await self.transact(made.step, then=replace):
                self._progress = made.progress
                if self._progress.done - told >= _TELL:
                    told = self._progress.done
                    _LOG.info(
                        "answers made anew: %d of %d lines", told, made.progress.last
                    )
        finally:
            self._progress = None
        _LOG.info("answers made anew in %.1f s", (self._now() - began) / SECOND)
        await self.transact(rebuild.clear)

    async def _catch_up(self) -> None:
        """Take in the lines that are not in what is written, while serving.

        There are some where the program before this one did not end by itself.
        """

        def note(last: bool) -> None:  # noqa: FBT001 # what the step returned
            self._behind = not last

        while self._behind:
            await self.transact(self._take_in_some, then=note)
            await self.after_taking()

    def _take_in_some(self, connection: sqlite3.Connection) -> bool:
        """Take in lines behind those that are; return whether there were none."""
        taken = self._projection.taken
        arrived, last = rebuild.following(connection, self._site, taken, FEW)
        if last > taken:
            self._projection.take(arrived, last)
        return last == taken


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.error(
            "answers could not be made anew; those of the former rules stay",
            exc_info=task.exception(),
        )


def _storage(error: sqlite3.OperationalError) -> ProblemError:
    reason = (
        f"The database refuses to write ({error}). Nothing of the request was stored. "
        "Look at the server's disk."
    )
    return ProblemError(503, ProblemType.STORAGE, reason, retry_after=10)
