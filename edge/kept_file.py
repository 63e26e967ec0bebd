"""A station's file of logs, kept open through whatever becomes of it.

A connection that has failed is dropped, and the next call opens the file again and
holds it against what was confirmed. Whatever is on the disk, something is opened
(contract, I6): ``edge.connection``. A ``Mark`` beside the file remembers what it held.
"""

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from edge import connection, mark, outbox_schema, storage
from edge.ballast import Ballast
from edge.clock import boot_id
from edge.connection import Connection, Expected, on_thread
from edge.ledger import Ledger
from edge.logs import Batch, Log, State
from edge.mark import Mark
from edge.storage import NotSavedError
from shared.errors import StartError
from shared.lines import Line

__all__ = ["KeptFile", "Second"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_NOTHING = State(present=Log(id=0, name=""), head=b"")

Second = Callable[[Batch], Awaitable[None]]
"""Saves lines durably on another path; raises OSError."""


class KeptFile:
    """The file under an outbox. Make one with ``open``, and close it.

    ``notices`` say what had to be done to go on, for a person to look into; they stay.
    ``problem`` says why the file cannot be written now, and is empty while it can.
    ``at`` is the file in use: ``path``, or one beside it while that is of a newer
    version. ``anew``: it was begun in the place of another one.
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
        self.notices: list[str] = []
        self.problem = ""
        self.anew = False
        self.at = path
        self._lock = lock
        self.new_log = new_log
        self._known = known
        self._db: Connection | None = None
        self._ledger: Ledger | None = None
        self._solid: State | None = None
        self._owed: list[bytes] = []
        self._condemned = ""
        self._names: tuple[str, ...] = ()
        self._whole = True
        self._place: tuple[object, ...] = ()
        self._mending = asyncio.Lock()

    @classmethod
    async def open(
        cls, path: Path, *, new_log: Callable[[], str], ballast: int = 0
    ) -> "KeptFile":
        """Open the file, or make one; take its lock.

        Where the disk is full or failing it is open all the same, with a ``problem``.

        Args:
            path: The database file. Its folder is made where there is none.
            new_log: Names a new log.
            ballast: Bytes of the disk that are kept aside for when it is full.

        Raises:
            StartError: Another station uses it, or the folder cannot be used at all;
                one sentence that says why and what to do.
        """
        lock, known = connection.take_lock(path)
        file = cls(path, lock, new_log=new_log, ballast=ballast, known=known)
        try:
            await file.reopen()
        except BaseException:
            await file.close()
            raise
        return file

    @property
    def state(self) -> State:
        """What the file holds; a state without a log where it could not be opened."""
        return self._ledger.state if self._ledger else _NOTHING

    @property
    def owed(self) -> int:
        """How many lines are saved elsewhere only."""
        return len(self._owed)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all logs that were ever here; empty if not all are known."""
        return self._names if self._whole else ()

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
        _ = await self._connected()

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

    async def run(self, work: Callable[[Ledger], _T]) -> _T:
        """Run work on the ledger, on the connection's thread.

        Raises:
            NotSavedError: The disk is full or failing.
        """
        try:
            return await self._try(work)
        except sqlite3.Error as error:
            raise NotSavedError(self._sentence(error)) from error

    async def save(self, work: Callable[[Ledger], _T]) -> _T:
        """Run work that saves lines, as hard as it goes.

        Where the disk is full, the ``-wal`` is written back first, so that its room is
        used again, and then the ballast is released. Else the file is opened again.

        Raises:
            NotSavedError: The disk is full or failing; nothing was saved.
        """
        for again in (self._write_back, self._make_room):
            try:
                return await self._try(work)
            except sqlite3.Error as error:
                if not await again(error):
                    raise NotSavedError(self._sentence(error)) from error
            except NotSavedError as error:
                if not await again(error):
                    raise
        return await self.run(work)

    async def save_elsewhere(self, drafts: Sequence[Line], second: Second) -> Batch:
        """Save lines on the second path, and owe them to the file; return them.

        Raises:
            NotSavedError: The second path fails, too; or the file was never open.
        """
        kept = self._ledger
        async with self._mending:
            if kept is None or kept is not self._ledger:
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
        return batch

    async def _try(self, work: Callable[[Ledger], _T]) -> _T:
        """Run work on the ledger; drop a connection that cannot be trusted after it."""
        db = await self._connected()
        kept = self._ledger
        try:
            return await on_thread(db, lambda _: work(kept))  # type: ignore[arg-type]
        except sqlite3.Error as error:
            await self._failed(db, error)
            raise

    async def _write_back(self, error: Exception) -> bool:
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
            self.new_log,
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

    async def _failed(self, db: Connection, error: sqlite3.Error) -> None:
        if storage.survives(error) or self._db is not db:
            return
        _log.warning("opened again: %s", self._sentence(error))
        self._db = None
        if storage.is_damage(error):
            self._condemned = str(error)
        self.remember(is_open=False)
        await connection.close(db)

    def _sentence(self, error: Exception) -> str:
        return storage.sentence(self.at, error)
