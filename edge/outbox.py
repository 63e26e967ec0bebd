"""The outbox: where a scan becomes durable, and from where it is sent.

One connection, and one thread that owns it, in WAL mode with ``synchronous=FULL``: a
line is *saved* once its commit has returned.

Everything from BEGIN to COMMIT is one call on the connection's thread, and the ledger
that numbers the lines lives there. So a cancelled caller can neither leave a
transaction open nor make the numbering forget what was committed.

It starts whatever is on the disk: ``edge.kept_file``. What a full disk cannot take goes
where the ballast was, and then to the second path, if there is one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from edge.kept_file import KeptFile, Second
from edge.ledger import Ledger
from edge.logs import Batch, Log, State
from edge.salvage import Chunk
from edge.storage import NotSavedError
from shared.lines import Line

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Outbox:
    """A station's logs. Make one with ``open``, and close it.

    ``file`` is where they are kept, and says how that goes.
    """

    def __init__(self, file: KeptFile) -> None:
        self.file = file
        self.second: Second | None = None
        self._confirmed: dict[tuple[str, int], int] = {}
        self._loop = asyncio.get_running_loop()
        self._callbacks: list[Callable[[], None]] = []

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        new_log: Callable[[], str] = lambda: str(uuid4()),
        ballast: int = 0,
    ) -> "Outbox":
        """Open the outbox, or make one; take its lock; check the end of its chain.

        What cannot be used is set aside. Where the disk is full or failing it is open
        all the same, with a ``file.problem``; the calls that need the disk say so, too.

        Args:
            path: The database file. Its folder is made where there is none.
            new_log: Names a new log: a random UUID in lower case.
            ballast: Bytes of the disk that are kept aside for when it is full.

        Raises:
            StartError: Another station uses it, or the folder cannot be used at all;
                one sentence that says why and what to do.
        """
        return cls(await KeptFile.open(path, new_log=new_log, ballast=ballast))

    async def close(self) -> None:
        """Finish what was begun, close the file, and let go of the lock."""
        await self.file.close()

    @property
    def state(self) -> State:
        """What the outbox holds; a state without a log where it could not be opened."""
        return self.file.state

    @property
    def log(self) -> str:
        """The name of the present log; empty while there is none."""
        return self.state.log

    @property
    def last(self) -> int:
        """The last line saved in the present log; 0 where there is none."""
        return self.state.last

    @property
    def acked(self) -> int:
        """The present log's last line that the server has acknowledged."""
        return self.state.acked

    @property
    def backed_up(self) -> int:
        """The present log's last line in a checked copy of the server's data."""
        return self.state.backed_up

    @property
    def waiting(self) -> int:
        """How many lines, of all logs, the server has not acknowledged."""
        return self.state.waiting

    @property
    def owed(self) -> int:
        """How many lines are saved on the second path only."""
        return self.file.owed

    def on_saved(self, callback: Callable[[], None]) -> None:
        """Call ``callback``, on the event loop, after every commit of lines."""
        self._callbacks.append(callback)

    async def append(self, drafts: Sequence[Line]) -> list[str]:
        """Number the drafts, encode each once, and save all of them or none.

        Args:
            drafts: Lines whose ``seq`` does not count; it is given here.

        Returns:
            The events' names, ``<log>:<seq>``. They are durable.

        Raises:
            NotSavedError: The disk is full or failing; nothing was saved.
            LineError: A draft is too long even without its ``raw``.
        """
        if not drafts:
            return []
        fixed = tuple(drafts)
        try:
            return await self._save(lambda kept: kept.append(fixed))
        except NotSavedError:
            if self.second is None or not self.log:
                raise
            return await self._save_elsewhere(self.second, fixed)

    async def _save_elsewhere(
        self, second: Second, drafts: Sequence[Line]
    ) -> list[str]:
        batch = await self.file.save_elsewhere(drafts, second)
        self._tell()
        return [f"{batch.log}:{seq}" for seq in range(batch.after + 1, batch.last + 1)]

    async def batch(
        self, after: int, *, max_lines: int, max_bytes: int, part: int | None = None
    ) -> Batch:
        """Read what follows line ``after`` of a log, within both limits.

        Args:
            after: From the log's ``first`` to its ``last``.
            max_lines: How many lines at most; 0 gives the heads alone.
            max_bytes: Bytes of the body at most; one line is read in any case.
            part: The log's id; the present one by default.

        Raises:
            NotSavedError: The file cannot be read now.
            LookupError: There is no such log or line.
        """
        return await self.file.run(
            lambda kept: kept.read(after, max_lines, max_bytes, part)
        )

    async def head_at(self, seq: int, part: int | None = None) -> bytes | None:
        """Return a log's head after line ``seq``; None if it has no such here."""
        return await self.file.run(lambda kept: kept.head_at(seq, part))

    async def acknowledged(
        self, acked: int, backed_up: int, *, epoch: str = "", part: int | None = None
    ) -> None:
        """Note how far the server is; ``acked`` never goes back by this."""
        log = self.state.part(part)
        self._confirmed[log.name, log.id] = backed_up

        def note(kept: Ledger) -> None:
            most = max(acked, kept.state.part(part).acked)
            kept.note(most, backed_up, epoch=epoch, part=part)

        await self._note(note)

    def confirmed(self, log: Log) -> int:
        """Return what the server said to have backed up, since the program started."""
        return self._confirmed.get((log.name, log.id), 0)

    async def rewind(self, acked: int, part: int | None = None) -> None:
        """Note that the server has less than it said: contract 3.3, ``gap``."""
        await self._note(
            lambda kept: kept.note(acked, kept.state.part(part).backed_up, part=part)
        )

    async def start_log(self, common: int, part: int | None = None) -> str:
        """Leave a log in a fork and begin a new one: contract 3.3.

        Its lines behind ``common`` are recorded again in the new log, in order, with
        their new ``seq``; a ``void`` of one of them then names it by its new name, here
        and in later ``append``s. The old lines stay where they are.

        Args:
            common: The server has the log's lines up to here.
            part: The log's id; the present one by default.

        Returns:
            The new log's name.

        Raises:
            NotSavedError: The disk is full or failing; the present log goes on.
            LookupError: The log is not here, or not any more.
        """
        name, left = self.file.new_log(), self.state.part(part).name

        def leave(kept: Ledger) -> None:
            if kept.state.part(part).name != left:
                reason = f"log {left} is no longer here: its outbox was set aside"
                raise LookupError(reason)
            kept.start_log(common, name, part)

        await self._save(leave)
        self.file.remember()
        return name

    async def adopt(self, lines: Sequence[bytes]) -> None:
        """Save lines of the present log that were saved elsewhere, as they are.

        Raises:
            NotSavedError: The disk is full or failing; nothing was saved.
        """
        fixed = tuple(lines)
        await self._save(lambda kept: kept.adopt(fixed))

    async def take_in(self, chunk: Chunk) -> None:
        """Save lines of a log that was left, which were found elsewhere.

        Raises:
            NotSavedError: The disk is full or failing; nothing was saved.
        """
        await self._save(lambda kept: kept.take_in(*chunk))

    async def taken(self) -> frozenset[str]:
        """Return the names of the set-aside files that were taken in."""
        return await self.file.run(lambda kept: kept.taken())

    async def take(self, name: str) -> None:
        """Note that a set-aside file was taken in."""
        await self._save(lambda kept: kept.take(name))

    async def prune(self, part: int, through: int) -> None:
        """Take away a log's lines up to ``through``, all of them backed up."""
        await self._note(lambda kept: kept.prune(part, through))

    async def _save(self, work: Callable[[Ledger], _T]) -> _T:
        """Run what saves lines; then tell, even if the caller has gone meanwhile."""

        def saved(kept: Ledger) -> _T:
            result = work(kept)
            with contextlib.suppress(RuntimeError):  # the loop has gone; so have they
                self._loop.call_soon_threadsafe(self._tell)
            return result

        return await self.file.save(saved)

    async def _note(self, work: Callable[[Ledger], None]) -> None:
        try:
            await self.file.run(work)
        except NotSavedError as error:
            # It is known until the program ends; then some lines are sent again.
            _log.warning("not noted: %s", error)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()
