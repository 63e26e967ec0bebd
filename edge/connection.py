"""One SQLite file, opened whatever was there, and its connection's thread.

What cannot be used is set aside, and a new file with a new log begun in its place. A
file of a newer version is left alone; a side file beside it is used until then. A file
that is opened again is held against what was confirmed while it was open before.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import aiosqlite

from edge import aside, mark, outbox_schema, storage
from edge.inspection import NotOursError, inspect
from edge.ledger import Ledger
from edge.logs import Log, State
from edge.outbox_schema import ForeignError, NewerError
from shared import files
from shared.errors import StartError

__all__ = [
    "Connection",
    "Expected",
    "Opened",
    "close",
    "moved",
    "on_thread",
    "opened",
    "place",
    "side",
    "take_lock",
    "write_back",
]

Connection = aiosqlite.Connection
_T = TypeVar("_T")

_BUSY = 2.0  # seconds to wait for a foreign program that holds the file
_LONGEST_WAL = 4000  # pages, if nobody takes care before: edge.care
_CACHE = 512  # KiB of pages; lines are written at the end, and read once in their order


class Expected(NamedTuple):
    """What was confirmed of a file that is opened again.

    ``state`` is what the file has to hold. ``owed`` are lines of its present log that
    were saved elsewhere while it could not be written, and are to be put into it.
    """

    state: State
    owed: tuple[bytes, ...] = ()


class Opened(NamedTuple):
    """An open outbox. ``notices`` say what had to be done to open it.

    ``anew``: there had been an outbox, and this one was begun in its place.
    """

    path: Path
    db: Connection
    ledger: Ledger
    notices: tuple[str, ...]
    anew: bool


def side(path: Path) -> Path:
    """Return the file that is used while ``path`` is a newer version's."""
    return path.with_name(f"{path.name}.side")


def take_lock(path: Path) -> tuple[int, bool]:
    """Make the folder, and take the lock; say whether there has been one before.

    Raises:
        StartError: Another station holds it, or the folder cannot be used.
    """
    lock = path.with_name(f"{path.name}.lock")
    before = lock.exists()
    try:
        files.make_folder(path.parent)
        return files.lock(lock), before
    except files.LockedError as error:
        holder = f" (process {error.holder})" if error.holder else ""
        reason = (
            f"another station{holder} is using {path.parent}; "
            "stop it, or give this one a data folder of its own"
        )
        raise StartError(reason) from error
    except OSError as error:
        raise StartError(storage.sentence(path, error)) from error


async def opened(
    path: Path,
    new_log: Callable[[], str],
    *,
    known: bool = False,
    expected: Expected | None = None,
    condemned: str = "",
) -> Opened:
    """Open an outbox, or begin one.

    Args:
        path: The file.
        new_log: Names a new log.
        known: There has been an outbox in this place before.
        expected: What the file has to hold, where it was open before.
        condemned: Why the file that is there must not be used, if it must not.

    Raises:
        sqlite3.Error, OSError: The disk is full or failing.
        ForeignError: The disk cannot be used for an outbox.
    """
    notices: list[str] = []
    anew = False
    for _ in range(4):
        old = mark.read(path)
        was_open = old is not None and old.is_open and expected is None
        reason = condemned or aside.torn(path, was_open=was_open)
        if not reason:
            lacking = not path.exists()  # noqa: ASYNC240 - as short as what follows
            try:
                db, kept = await _connect(path, new_log, expected, old, anew=anew)
            except NewerError as error:
                notices.append(f"{path}: {error}. Until then, scans are kept beside it")
                path, known = side(path), False
                continue
            except (sqlite3.Error, ForeignError, NotOursError) as error:
                if not storage.is_damage(error):
                    raise
                reason = str(error)
            else:
                if lacking and known and not anew:
                    anew = True
                    notices.append(_lost(path))
                _end_side(path)
                return Opened(path, db, kept, tuple(notices), anew)
        to = aside.set_aside(path)
        mark.forget(path)
        anew, condemned = True, ""
        notices.append(_set_aside(path, to, reason))
    reason = f"{path} cannot be used, and neither can a new file in its place"
    raise ForeignError(reason)


def _end_side(path: Path) -> None:
    """Set aside the file that was used while ``path`` was a newer version's."""
    beside = mark.read(side(path))
    if aside.set_aside(side(path), path) is None:
        return
    if beside and (own := mark.read(path)):
        mark.write(path, own.grown(beside.names))


def _lost(path: Path) -> str:
    return (
        f"the outbox {path} was gone; a new log begins. What the server had not "
        "acknowledged of the old one is lost, unless the file is found: put it "
        f"beside the new one as {path.name}.aside-999, and start this station again"
    )


def _set_aside(path: Path, to: Path | None, reason: str) -> str:
    where = f"kept as {to.name}" if to else "gone"
    return (
        f"the outbox {path} cannot be used ({reason}); it is {where}, a new log "
        "begins, and what is whole in the old one is being taken over"
    )


async def _connect(
    path: Path,
    new_log: Callable[[], str],
    expected: Expected | None,
    old: mark.Mark | None,
    *,
    anew: bool,
) -> tuple[Connection, Ledger]:
    """Connect, bring the file to the present schema, after a look at it."""

    def prepare(raw: sqlite3.Connection) -> Ledger:
        _begin_and_end(raw, path)
        outbox_schema.prepare(raw)
        raw.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_WAL}")
        raw.execute(f"PRAGMA cache_size = -{_CACHE}")
        kept = Ledger(raw, new_log())
        if expected and not anew:
            _hold_against(kept, expected)
        elif expected and expected.owed:
            _take_in_owed(kept, expected)
        return kept

    files.touch(path)
    was = None if anew or expected is None else expected.state
    await asyncio.to_thread(inspect, path, old, was)
    db = await aiosqlite.connect(path, isolation_level=None, timeout=_BUSY)
    try:
        return db, await on_thread(db, prepare)
    except BaseException:
        await close(db)
        raise


def _begin_and_end(raw: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that can be written, and that SQLite will not: it is damaged."""
    try:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("ROLLBACK")
    except sqlite3.Error as error:
        refused = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY
        if refused and os.access(path, os.W_OK):
            reason = "it is damaged: its header says that it must not be written"
            raise NotOursError(reason) from error
        raise


def _hold_against(kept: Ledger, expected: Expected) -> None:
    """Bring the file to what was confirmed; take back what nobody was told of."""
    was = expected.state
    if kept.state.last > was.last:
        kept.withdraw(was.last)
    for log in (*was.left, was.present):
        kept.note(log.acked, log.backed_up, epoch=log.epoch, part=log.id)
    if expected.owed:
        kept.adopt(expected.owed)


def _take_in_owed(kept: Ledger, expected: Expected) -> None:
    """Save what was owed to a file that is lost, as a part of its log."""
    was = expected.state
    n = was.last
    part = Log(id=0, name=was.log, first=n, last=n, acked=n, backed_up=n)
    kept.take_in(part, was.head, expected.owed)


def place(path: Path) -> tuple[object, ...]:
    """Return which files are there under the names of an open outbox."""
    found: list[object] = []
    for part in ("", "-wal"):
        try:
            there = path.with_name(path.name + part).stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((there.st_dev, there.st_ino))
    return tuple(found)


async def on_thread(db: Connection, work: Callable[[sqlite3.Connection], _T]) -> _T:
    """Run ``work`` as one call on the connection's own thread.

    aiosqlite has no public way to run a whole transaction so; with its public calls
    there would be an ``await``, and with it a cancellation, between BEGIN and COMMIT.
    """

    def run(raw: sqlite3.Connection) -> _T:
        try:
            return work(raw)
        except UnicodeDecodeError as error:  # in what SQLite quotes of a damaged file
            reason = f"it is damaged: {error}"
            raise sqlite3.DatabaseError(reason) from error

    raw = db._conn  # noqa: SLF001
    result: _T = await db._execute(run, raw)  # type: ignore[no-untyped-call] # noqa: SLF001
    return result


def write_back(raw: sqlite3.Connection) -> bool:
    """Write the ``-wal`` back; return whether a reader kept some of it from that."""
    raw.execute("PRAGMA synchronous = FULL")
    _, pages, written = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(written < pages)


async def close(db: Connection) -> None:
    """Close a connection, also where the disk no longer lets it."""
    closing = asyncio.ensure_future(db.close())
    with contextlib.suppress(sqlite3.Error, ValueError):
        await asyncio.shield(closing)


async def moved(db: Connection, path: Path) -> Path:
    """Copy an open outbox, whose files were taken from under it, to a set-aside file.

    Whatever has its names now is set aside, too.

    Raises:
        sqlite3.Error, OSError: There is no room; the connection is still good.
    """
    aside.set_aside(path)
    to = aside.next_name(path)

    def copy(raw: sqlite3.Connection) -> None:
        with contextlib.closing(sqlite3.connect(to)) as target:
            raw.backup(target)

    try:
        await on_thread(db, copy)
    except BaseException:
        to.unlink(missing_ok=True)
        raise
    to.chmod(0o600)
    return to
