"""The outbox: where a scan becomes durable, and from where it is sent.

One connection, and one thread that owns it, in WAL mode with ``synchronous=FULL``: a
line is *saved* once its commit has returned.

Everything from BEGIN to COMMIT is one call on the connection's thread, and the ledger
that numbers the lines lives there. So a cancelled caller can neither leave a
transaction open nor make the numbering forget what was committed.

It starts whatever is on the disk (contract, I6): ``edge.connection``. A connection that
has failed is dropped; the next call opens the file again. What a full disk cannot take
goes where the ballast was, and then to the second path, if there is one.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from edge import connection, mark, outbox_schema, storage
from edge.ballast import Ballast
from edge.clock import boot_id
from edge.connection import Connection, Expected, on_thread
from edge.ledger import Ledger
from edge.logs import Batch, Log, State
from edge.mark import Mark
from edge.salvage import Chunk
from shared.errors import ScantrailError, StartError
from shared.lines import Line

__all__ = [
    "Batch",
    "Log",
    "NotSavedError",
    "Outbox",
    "Second",
    "State",
]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_NOTHING = State(present=Log(id=0, name=""), head=b"")

Second = Callable[[Batch], Awaitable[None]]
"""Saves lines durably on another path; raises OSError."""


class NotSavedError(ScantrailError):
    """Nothing was written; the text says why, and what to do. A later try may work."""


class Outbox:
    """A station's logs. Make one with ``open``, and close it.

    ``notices`` say what had to be done to go on, for a person to look into; they stay.
    ``problem`` says why the file cannot be written now, and is empty while it can.
    ``at`` is the file in use: ``path``, or one beside it while that is of a newer
    version.
    """

    def __init__(
        self,
        path: Path,
        lock: int,
        *,
        new_log: Callable[[], str],
        ballast: int = 0,
        known: bool = False,
    ) -> None:
        self.path = path
        self.ballast = Ballast(path.with_name(f"{path.name}.ballast"), ballast)
        self.second: Second | None = None
        self.notices: list[str] = []
        self.problem = ""
        self.anew = False
        self.at = path
        self._lock = lock
        self._new_log = new_log
        self._known = known
        self._db: Connection | None = None
        self._ledger: Ledger | None = None
        self._solid: State | None = None
        self._owed: list[bytes] = []
        self._condemned = ""
        self._names: tuple[str, ...] = ()
        self._whole = True
        self._confirmed: dict[int, int] = {}
        self._place: tuple[object, ...] = ()
        self._mending = asyncio.Lock()
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
        all the same, with a ``problem``; the calls that need the disk say so, too.

        Args:
            path: The database file. Its folder is made where there is none.
            new_log: Names a new log: a random UUID in lower case.
            ballast: Bytes of the disk that are kept aside for when it is full.

        Raises:
            StartError: Another station uses it, or the folder cannot be used at all;
                one sentence that says why and what to do.
        """
        lock, known = connection.take_lock(path)
        box = cls(path, lock, new_log=new_log, ballast=ballast, known=known)
        try:
            await box.reopen()
        except BaseException:
            await box.close()
            raise
        return box

    @property
    def state(self) -> State:
        """What the outbox holds; a state without a log where it could not be opened."""
        return self._ledger.state if self._ledger else _NOTHING

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
        return len(self._owed)

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
            if self.second is None or self._ledger is None:
                raise
            return await self._save_elsewhere(self._ledger, self.second, fixed)

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
        return await self._read(
            lambda kept: kept.read(after, max_lines, max_bytes, part)
        )

    async def head_at(self, seq: int, part: int | None = None) -> bytes | None:
        """Return a log's head after line ``seq``; None if it has no such here."""
        return await self._read(lambda kept: kept.head_at(seq, part))

    async def acknowledged(
        self, acked: int, backed_up: int, *, epoch: str = "", part: int | None = None
    ) -> None:
        """Note how far the server is; ``acked`` never goes back by this."""
        self._confirmed[self.state.part(part).id] = backed_up

        def note(kept: Ledger) -> None:
            most = max(acked, kept.state.part(part).acked)
            kept.note(most, backed_up, epoch=epoch, part=part)

        await self._note(note)

    def confirmed(self, part: int) -> int:
        """Return what the server said to have backed up, since the program started."""
        return self._confirmed.get(part, 0)

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
        name, left = self._new_log(), self.state.part(part).name

        def leave(kept: Ledger) -> None:
            if kept.state.part(part).name != left:
                reason = f"log {left} is no longer here: its outbox was set aside"
                raise LookupError(reason)
            kept.start_log(common, name, part)

        await self._save(leave)
        self.remember()
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
        return await self._read(lambda kept: kept.taken())

    async def take(self, name: str) -> None:
        """Note that a set-aside file was taken in."""
        await self._save(lambda kept: kept.take(name))

    async def prune(self, part: int, through: int) -> None:
        """Take away a log's lines up to ``through``, all of them backed up."""
        await self._note(lambda kept: kept.prune(part, through))

    async def execute(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run what cares for the file itself, on the connection's thread.

        Raises:
            NotSavedError: The disk is full or failing.
        """
        db = await self._connected()
        try:
            return await on_thread(db, work)
        except sqlite3.Error as error:
            await self._failed(db, error)
            raise NotSavedError(self._sentence(error)) from error

    async def reopen(self) -> None:
        """Open the file if it is not; ``problem`` says why not, where it cannot be.

        Raises:
            StartError: The folder cannot be used at all.
        """
        try:
            _ = await self._connected()
        except NotSavedError as error:
            cause = error.__cause__
            passing = isinstance(cause, Exception) and storage.is_passing(cause)
            if self._ledger is None and not passing:
                raise StartError(str(error)) from error

    async def look(self) -> None:
        """See whether the files are still there; if not, go on in a new one.

        Raises:
            NotSavedError: They are not, and there is no room for a copy: what is here
                would be lost with the program's end.
        """
        db = self._db
        if db is None or self._place == connection.place(self.at):
            return
        async with self._mending:
            if self._db is not db:
                return
            try:
                to = await connection.moved(db, self.at)
            except (sqlite3.Error, OSError) as error:
                self.ballast.release()
                raise NotSavedError(self._sentence(error)) from error
            self._db = None
            await connection.close(db)
            self._known = False
            lost = f"the outbox {self.at} was deleted or replaced while it was open"
            mark.forget(self.at)
            self.notices.append(f"{lost}; a copy is kept as {to.name}")
            self.anew, self._solid, self._ledger = True, None, None
            self._confirmed = {}
        _ = await self._connected()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all logs that were ever here; empty if not all are known."""
        return self._names if self._whole else ()

    def remember(self, *, is_open: bool = True) -> None:
        """Write down beside the file what it holds, so that another one would show."""
        state = self._solid or self.state
        new = Mark(
            is_open=is_open,
            log=state.log,
            last=state.last,
            head=state.head.hex(),
            boot=boot_id(),
            names=self._names,
            whole=self._whole,
        )
        new = new.grown(tuple(log.name for log in state.logs))
        self._names, self._whole = new.names, new.whole
        mark.write(self.at, new)

    async def close(self) -> None:
        """Finish what was begun, close the file, and let go of the lock."""
        db, self._db = self._db, None
        try:
            if db is not None:
                self.remember(is_open=False)
                await connection.close(db)
        finally:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    async def _connected(self) -> Connection:
        """Return the connection, opened again if it was dropped.

        Raises:
            NotSavedError: It cannot be opened now.
        """
        if self._db is not None:
            return self._db
        async with self._mending:
            if self._db is None:
                try:
                    self._db = await self._open()
                except (sqlite3.Error, OSError, outbox_schema.ForeignError) as error:
                    self.problem = self._sentence(error)
                    raise NotSavedError(self.problem) from error
            self.problem = ""
            return self._db

    async def _open(self) -> Connection:
        if self._lock < 0:
            reason = "the outbox is closed"
            raise OSError(reason)
        found = await connection.opened(
            self.path,
            self._new_log,
            known=self._known,
            expected=self._expected(),
            condemned=self._condemned,
        )
        self.at, self._ledger = found.path, found.ledger
        self._place = connection.place(found.path)
        self._solid, self._owed, self._condemned = None, [], ""
        old = mark.read(self.at)
        self._names = old.names if old else ()
        self._whole = old.whole if old else not self._known
        self.remember()
        self._known, self.anew = True, self.anew or found.anew
        self.notices += [text for text in found.notices if text not in self.notices]
        self.ballast.keep()
        return found.db

    def _expected(self) -> Expected | None:
        if self._ledger is None:
            return None
        return Expected(self._solid or self._ledger.state, tuple(self._owed))

    async def _run(self, work: Callable[[Ledger], _T]) -> _T:
        """Run work on the ledger; drop a connection that cannot be trusted after it."""
        db = await self._connected()
        kept = self._ledger
        try:
            return await on_thread(db, lambda _: work(kept))  # type: ignore[arg-type]
        except sqlite3.Error as error:
            await self._failed(db, error)
            raise

    async def _failed(self, db: Connection, error: sqlite3.Error) -> None:
        if storage.survives(error) or self._db is not db:
            return
        _log.warning("opened again: %s", self._sentence(error))
        self._db = None
        if storage.is_damage(error):
            self._condemned = str(error)
        self.remember(is_open=False)
        await connection.close(db)

    async def _read(self, work: Callable[[Ledger], _T]) -> _T:
        try:
            return await self._run(work)
        except sqlite3.Error as error:
            raise NotSavedError(self._sentence(error)) from error

    async def _save(self, work: Callable[[Ledger], _T]) -> _T:
        """Run what saves lines; then tell, even if the caller has gone meanwhile.

        Where the disk is full, the ``-wal`` is written back first, so that its room is
        used again, and then the ballast is released. Else the file is opened again.
        """

        def saved(kept: Ledger) -> _T:
            result = work(kept)
            with contextlib.suppress(RuntimeError):  # the loop has gone; so have they
                self._loop.call_soon_threadsafe(self._tell)
            return result

        for again in (self._written_back, self._make_room):
            try:
                return await self._run(saved)
            except sqlite3.Error as error:
                if not await again(error):
                    raise NotSavedError(self._sentence(error)) from error
            except NotSavedError as error:
                if not await again(error):
                    raise
        return await self._read(saved)

    async def _written_back(self, error: Exception) -> bool:
        if isinstance(error, sqlite3.Error) and storage.survives(error):
            with contextlib.suppress(sqlite3.Error, NotSavedError):
                db = await self._connected()
                await on_thread(db, connection.write_back)
        return True

    async def _make_room(self, error: Exception) -> bool:
        if not self.ballast.release():
            return False
        text = (
            f"the disk of {self.path.parent} is full or failing; room that was kept "
            "aside is used now, for some thousand scans: free some space on it"
        )
        _log.warning("%s (%s)", text, error)
        if text not in self.notices:
            self.notices.append(text)
        return True

    async def _save_elsewhere(
        self, kept: Ledger, second: Second, drafts: Sequence[Line]
    ) -> list[str]:
        """Save lines on the second path, and owe them to the outbox.

        Raises:
            NotSavedError: The second path fails, too.
        """
        async with self._mending:
            if kept is not self._ledger:
                raise NotSavedError(self.problem)
            db, self._db = self._db, None
            if db is not None:
                self.remember(is_open=False)
                await connection.close(db)
            batch, grown = kept.ahead(drafts)
            try:
                await second(batch)
            except OSError as error:
                raise NotSavedError(self._sentence(error)) from error
            self._solid = self._solid or kept.state
            self._owed += batch.lines
            kept.state = grown
            self.problem = (
                f"{self.path} cannot be written; scans are saved on the second path"
            )
        self._tell()
        return [f"{batch.log}:{seq}" for seq in range(batch.after + 1, batch.last + 1)]

    async def _note(self, work: Callable[[Ledger], None]) -> None:
        try:
            await self._run(work)
        except (sqlite3.Error, NotSavedError) as error:
            # It is known until the program ends; then some lines are sent again.
            _log.warning("not noted: %s", error)

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()

    def _sentence(self, error: Exception) -> str:
        return storage.sentence(self.at, error)
