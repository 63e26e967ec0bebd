"""The outbox: where a scan becomes durable, and from where it is sent.

One connection, and one thread that owns it, in WAL mode with ``synchronous=FULL``: a
line is *saved* once its commit has returned.

Everything from BEGIN to COMMIT is one call on the connection's thread, and the ledger
that numbers the lines lives there. So a cancelled caller can neither leave a
transaction open nor make the numbering forget what was committed.
"""

import asyncio
import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import aiosqlite

from edge import ledger, outbox_schema
from edge.ledger import Batch, Ledger, State
from shared import files
from shared.errors import ScantrailError, StartError
from shared.lines import Line

__all__ = ["Batch", "NotSavedError", "Outbox", "State", "latest", "peek"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_BUSY = 5.0  # seconds to wait for a foreign program that holds the file

_TROUBLE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space on it",
    sqlite3.SQLITE_READONLY: "it cannot be written; see who owns it, and whether its "
    "disk is mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; see who owns it and its folder",
    sqlite3.SQLITE_IOERR: "its disk reports an error; see the system's log, and "
    "replace the disk",
    sqlite3.SQLITE_BUSY: "another program holds it; close that program",
    sqlite3.SQLITE_CORRUPT: f"it is damaged; {outbox_schema.ASIDE}, and keep it",
    sqlite3.SQLITE_NOTADB: f"it is no outbox; {outbox_schema.ASIDE}",
}


class NotSavedError(ScantrailError):
    """Nothing was written; the text says why, and what to do. A later try may work."""


class Outbox:
    """A station's logs. Make one with ``open``, and close it."""

    def __init__(
        self,
        path: Path,
        lock: int,
        db: aiosqlite.Connection,
        kept: Ledger,
        new_log: Callable[[], str],
    ) -> None:
        self._path = path
        self._lock = lock
        self._db = db
        self._ledger = kept
        self._new_log = new_log
        self._loop = asyncio.get_running_loop()
        self._callbacks: list[Callable[[], None]] = []

    @classmethod
    async def open(
        cls, path: Path, *, new_log: Callable[[], str] = lambda: str(uuid4())
    ) -> "Outbox":
        """Open the outbox, or make one; take its lock; check the end of its chain.

        Args:
            path: The database file. Its folder is made where there is none.
            new_log: Names a new log: a random UUID in lower case.

        Raises:
            StartError: It cannot be used; one sentence that says why and what to do.
        """
        lock = _take(path)
        try:
            db, kept = await _connect(path, new_log())
        except BaseException:
            os.close(lock)
            raise
        return cls(path, lock, db, kept, new_log)

    @property
    def log(self) -> str:
        """The name of the present log."""
        return self._ledger.state.log

    @property
    def last(self) -> int:
        """The last line saved in the present log; 0 where there is none."""
        return self._ledger.state.last

    @property
    def acked(self) -> int:
        """The last line that the server has acknowledged."""
        return self._ledger.state.acked

    @property
    def backed_up(self) -> int:
        """The last line that is in a checked copy of the server's data."""
        return self._ledger.state.backed_up

    @property
    def waiting(self) -> int:
        """How many lines the server has not acknowledged."""
        state = self._ledger.state
        return state.last - state.acked

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
        return await self._save(lambda kept: kept.append(fixed))

    async def batch(self, after: int, *, max_lines: int, max_bytes: int) -> Batch:
        """Read what follows line ``after`` of the present log, within both limits.

        Args:
            after: From 0 to ``last``.
            max_lines: How many lines at most; 0 gives the heads alone.
            max_bytes: Bytes of the body at most; one line is read in any case.
        """
        return await self._run(lambda kept: kept.read(after, max_lines, max_bytes))

    async def head_at(self, seq: int) -> bytes | None:
        """Return the present log's head after line ``seq``; None if it has no such."""
        return await self._run(lambda kept: kept.head_at(seq))

    async def acknowledged(self, acked: int, backed_up: int) -> None:
        """Note how far the server is; ``acked`` never goes back by this."""
        await self._note(
            lambda kept: kept.note(max(acked, kept.state.acked), backed_up)
        )

    async def rewind(self, acked: int) -> None:
        """Note that the server has less than it said: contract 3.3, ``gap``."""
        await self._note(lambda kept: kept.note(acked, kept.state.backed_up))

    async def start_log(self, common: int) -> str:
        """Leave the present log and begin a new one: contract 3.3.

        Its lines behind ``common`` are recorded again in the new log, in order, with
        their new ``seq``; a ``void`` of one of them then names it by its new name, here
        and in later ``append``s. The old lines stay where they are.

        Args:
            common: The server has the present log's lines up to here.

        Returns:
            The new log's name.

        Raises:
            NotSavedError: The disk is full or failing; the present log goes on.
        """
        name = self._new_log()
        await self._save(lambda kept: kept.start_log(common, name))
        return name

    async def close(self) -> None:
        """Finish what was begun, close the file, and let go of the lock."""
        try:
            await self._db.close()
        finally:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    async def _run(self, work: Callable[[Ledger], _T]) -> _T:
        return await _on_thread(self._db, lambda _: work(self._ledger))

    async def _save(self, work: Callable[[Ledger], _T]) -> _T:
        """Run what saves lines; then tell, even if the caller has gone meanwhile."""

        def saved(kept: Ledger) -> _T:
            result = work(kept)
            with contextlib.suppress(RuntimeError):  # the loop has gone; so have they
                self._loop.call_soon_threadsafe(self._tell)
            return result

        try:
            return await self._run(saved)
        except sqlite3.Error as error:
            raise NotSavedError(_sentence(self._path, error)) from error

    async def _note(self, work: Callable[[Ledger], None]) -> None:
        try:
            await self._run(work)
        except sqlite3.Error as error:
            # It is known until the program ends; then some lines are sent again.
            _log.warning("not noted: %s", _sentence(self._path, error))

    def _tell(self) -> None:
        for callback in self._callbacks:
            callback()


def peek(path: Path) -> State | None:
    """Read how far the present log has come, also while a station is running.

    Returns:
        None where there is no outbox yet.

    Raises:
        StartError: It cannot be read.
    """
    return _look(path, ledger.load) if path.exists() else None


def latest(path: Path, count: int) -> list[bytes]:
    """Read the newest lines, of whatever log, newest first; as ``peek`` does.

    Raises:
        StartError: It cannot be read.
    """
    if not path.exists():
        return []
    return _look(path, lambda db: ledger.newest(db, count))


def _look(path: Path, work: Callable[[sqlite3.Connection], _T]) -> _T:
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(
            sqlite3.connect(address, uri=True, timeout=_BUSY, isolation_level=None)
        ) as db:
            outbox_schema.refuse_foreign(db, path)
            return work(db)
    except sqlite3.Error as error:
        raise StartError(_sentence(path, error)) from error


def _take(path: Path) -> int:
    """Make the folder and the file, and take the lock."""
    lock = -1
    try:
        files.make_folder(path.parent)
        lock = files.lock(path.with_name(f"{path.name}.lock"))
        files.touch(path)
    except files.LockedError as error:
        holder = f" (process {error.holder})" if error.holder else ""
        reason = (
            f"another station{holder} is using {path.parent}; "
            "stop it, or give this one a data folder of its own"
        )
        raise StartError(reason) from error
    except OSError as error:
        if lock >= 0:
            os.close(lock)
        raise StartError(_os_sentence(path, error)) from error
    return lock


async def _connect(path: Path, first_log: str) -> tuple[aiosqlite.Connection, Ledger]:
    """Connect, bring the file to the present schema, and check it."""

    def prepare(raw: sqlite3.Connection) -> Ledger:
        outbox_schema.prepare(raw, path)
        kept = Ledger(raw, first_log)
        if not kept.sound():
            reason = f"{path}: {_TROUBLE[sqlite3.SQLITE_CORRUPT]}"
            raise StartError(reason)
        return kept

    try:
        db = await aiosqlite.connect(path, isolation_level=None, timeout=_BUSY)
        try:
            return db, await _on_thread(db, prepare)
        except BaseException:
            await db.close()
            raise
    except sqlite3.Error as error:
        raise StartError(_sentence(path, error)) from error


async def _on_thread(
    db: aiosqlite.Connection, work: Callable[[sqlite3.Connection], _T]
) -> _T:
    """Run ``work`` as one call on the connection's own thread.

    aiosqlite has no public way to run a whole transaction so; with its public calls
    there would be an ``await``, and with it a cancellation, between BEGIN and COMMIT.
    """
    raw = db._conn  # noqa: SLF001
    result: _T = await db._execute(work, raw)  # type: ignore[no-untyped-call] # noqa: SLF001
    return result


def _sentence(path: Path, error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return f"{path}: {_TROUBLE.get(code, f'it cannot be used: {error}')}"


def _os_sentence(path: Path, error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"{path}: {_TROUBLE[sqlite3.SQLITE_FULL]}"
    return f"{path}: {error.strerror}; see who owns it and its folder"
