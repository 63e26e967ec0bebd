"""A look at an outbox before it is opened: is it ours, whole, and what it was?

It is only read. SQLite would write a ``-wal`` that is there into the file, and take the
``-wal`` away, as soon as the last connection closes: what was found would be changed.
"""

import contextlib
import sqlite3
import struct
from pathlib import Path

from edge import log_reader, outbox_schema
from edge.carve import Wal
from edge.clock import boot_id
from edge.logs import State
from edge.mark import Mark

__all__ = ["NotOursError", "inspect"]

_BUSY = 2.0  # seconds to wait for a foreign program that holds the file
_INDEX = struct.Struct("=12xB3xI")  # of a header of the -shm: is it set, frames
_INDEX_SIZE = 48
_FRAME = 4096 + 24  # bytes of the -wal


class NotOursError(sqlite3.DatabaseError):
    """The file is damaged, is not the one that was here, or not as it was left."""


def inspect(path: Path, mark: Mark | None, was: State | None) -> None:
    """Raise where an outbox must not be used as it is.

    Args:
        path: The file; an empty one is as good as none.
        mark: What is remembered of it, if anything.
        was: What it has to hold, where it was open before.

    Raises:
        NotOursError: It is damaged, another one, or an older one.
        ForeignError, NewerError: As ``outbox_schema.refuse_foreign``.
        sqlite3.Error: It cannot be read.
    """
    if not path.stat().st_size:
        return
    _roll_back(path)
    before = _frames(path) if mark and mark.boot == boot_id() else None
    try:
        with outbox_schema.read_only(path, _BUSY) as db:
            if db.execute("PRAGMA user_version").fetchone()[0]:
                state = log_reader.load(db)
                present = state.present
                _look_behind(path, before, present.base + present.last)
                _look_into(db, state, mark, was)
            else:
                _look_behind(path, before, 0)
    except (TypeError, ValueError, OverflowError) as error:
        reason = f"it is damaged: {error}"
        raise NotOursError(reason) from error


def _roll_back(path: Path) -> None:
    """Let SQLite undo what was cut off while the file was made, before it had a -wal.

    What is only read could not do that, and would be refused.
    """
    with contextlib.suppress(OSError):
        if path.with_name(f"{path.name}-journal").stat().st_size:
            with contextlib.closing(sqlite3.connect(path, timeout=_BUSY)) as db:
                db.execute("PRAGMA schema_version").fetchone()


def _look_into(
    db: sqlite3.Connection, state: State, mark: Mark | None, was: State | None
) -> None:
    if not log_reader.sound(db, state):
        reason = "it is damaged: its last lines do not hash to their heads"
        raise NotOursError(reason)
    if mark and mark.log:
        _hold_against(db, state, mark)
    if was and (
        state.log != was.log
        or log_reader.head_at(db, state.present, was.last) != was.head
    ):
        reason = "it is not the file that was here, or lines are gone from it"
        raise NotOursError(reason)


def _frames(path: Path) -> int | None:
    """Return how many frames of the ``-wal`` count, by the ``-shm``."""
    try:
        data = path.with_name(f"{path.name}-shm").read_bytes()
        is_set, frames = _INDEX.unpack_from(data)
    except (OSError, struct.error):
        return None
    twice = data[:_INDEX_SIZE] == data[_INDEX_SIZE : 2 * _INDEX_SIZE]
    return int(frames) if twice and is_set else None


def _look_behind(path: Path, before: int | None, last: int) -> None:
    """Refuse a ``-wal`` with more in it than SQLite takes from it.

    SQLite ends at the first frame that is damaged. Behind it, one transaction with
    lines may be torn, as after a power cut; of two, one was durable, and is lost if
    nobody looks. Where only the program was killed, the ``-shm`` still told how many
    frames there have to be. ``last`` is the position of the last line.
    """
    frames = _frames(path) or 0
    try:
        wal = path.with_name(f"{path.name}-wal").read_bytes()
    except OSError:
        wal = b""
    if before is not None and (before > frames or len(wal) < before * _FRAME):
        reason = "it is damaged: its -wal is shorter than it was"
        raise NotOursError(reason)
    if Wal(wal).saves_behind(frames, last) > 1:
        reason = "it is damaged: its -wal goes on behind a part that cannot be read"
        raise NotOursError(reason)


def _hold_against(db: sqlite3.Connection, state: State, mark: Mark) -> None:
    """Refuse another station's file, or an older one than was here."""
    named = [log for log in state.logs if log.name == mark.log]
    if not named:
        reason = "it is another outbox than was here"
        raise NotOursError(reason)
    log = next((n for n in named if n.first <= mark.last <= n.last), None)
    if log is None and mark.last > named[-1].last:
        reason = f"it is older than what was here: line {mark.last} is gone"
        raise NotOursError(reason)
    if log and log_reader.head_at(db, log, mark.last) != bytes.fromhex(mark.head):
        reason = "it is not what was here: its lines are others"
        raise NotOursError(reason)
