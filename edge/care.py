"""What an outbox needs while it is used: it is looked after once a second.

A file that failed is opened again, one that was deleted or replaced is noticed, the
``-wal`` is written back, room is kept aside, and what the server has in a checked copy,
and is old enough, is taken away. Each step is short: a scan never waits long for it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

from edge import aside, salvage
from edge.ballast import MEBIBYTE
from edge.clock import Clock, read_clock
from edge.connection import write_back
from edge.logs import Log
from edge.outbox import Outbox
from edge.salvage import Chunk, Hole
from edge.storage import NotSavedError
from shared.errors import LineError
from shared.lines import decode
from shared.moments import SECOND

__all__ = ["DAY", "Care", "take_in", "take_in_file"]

DAY = 24 * 3600 * SECOND
"""Microseconds in a day."""
_TICK = 1.0  # seconds between two looks
_LONG_WAL = 4 * MEBIBYTE  # is written back
_SHORT_WAL = MEBIBYTE // 4  # likewise, where the disk has no room for a longer one
_LONGEST_WAL = 64 * MEBIBYTE  # is an alarm: somebody reads and does not end
_PRUNE_LINES = 500  # in one step
_PRUNE_BYTES = 4 * MEBIBYTE
_VACUUM_PAGES = 256  # in one step
_PRUNE_EVERY = 60  # looks, where there was nothing to take away
_REMEMBER_EVERY = 30  # looks


class Care:
    """Looks after an outbox."""

    def __init__(
        self, outbox: Outbox, *, retention: int = 90 * DAY, clock: Clock = read_clock
    ) -> None:
        """Prepare it; ``run`` does it.

        Args:
            outbox: What to look after.
            retention: How old a line has to be before it is taken away, microseconds.
            clock: Tells how old a line is.
        """
        self._outbox = outbox
        self._file = outbox.file
        self._retention = retention
        self._clock = clock
        self._until_pruning = 0
        self._until_remembering = _REMEMBER_EVERY
        self._remembered = -1
        self.problem = ""

    async def run(self) -> None:
        """Look after it until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(_TICK)

    async def step(self) -> None:
        """Look once."""
        try:
            await self._file.reopen()
            await self._file.look()
            self.problem = await self._write_back()
            self._file.ballast.keep()
            self._remember_now_and_then()
            await self._prune_now_and_then()
        except NotSavedError as error:
            self.problem = str(error)

    def _remember_now_and_then(self) -> None:
        self._until_remembering -= 1
        if self._until_remembering <= 0 and self._outbox.last != self._remembered:
            self._until_remembering = _REMEMBER_EVERY
            self._remembered = self._outbox.last
            self._file.remember()

    async def _write_back(self) -> str:
        """Write a long ``-wal`` back into the file; say if somebody prevents it."""
        wal = self._file.at.with_name(f"{self._file.at.name}-wal")
        tight = self._file.ballast.released
        if _size(wal) < (_SHORT_WAL if tight else _LONG_WAL):
            return ""
        blocked = await self._file.execute(write_back)
        if blocked and _size(wal) > _LONGEST_WAL:
            return (
                f"{wal} has grown to {_size(wal) // MEBIBYTE} MiB, because another "
                "program reads the outbox and does not end; end that program"
            )
        return ""

    async def _prune_now_and_then(self) -> None:
        self._until_pruning -= 1
        if self._until_pruning > 0:
            return
        pruned = [await self._prune(log) for log in self._outbox.state.logs]
        if any(pruned):
            await self._file.execute(_vacuum)
        self._until_pruning = 0 if any(pruned) else _PRUNE_EVERY

    async def _prune(self, log: Log) -> bool:
        """Take away some of a log's oldest lines; return whether there were any."""
        most = min(log.acked, log.backed_up, self._outbox.confirmed(log)) - log.first
        if most <= 0:
            return False
        batch = await self._outbox.batch(
            log.first,
            max_lines=min(most, _PRUNE_LINES),
            max_bytes=_PRUNE_BYTES,
            part=log.id,
        )
        oldest = self._clock().at - self._retention
        old = next((n for n, x in enumerate(batch.lines) if _when(x) > oldest), None)
        through = batch.last if old is None else batch.after + old
        if through > log.first:
            await self._outbox.prune(log.id, through)
        return through > log.first


async def take_in_file(outbox: Outbox, path: Path) -> int:
    """Take in what is whole in one file; return how many lines that were.

    Raises:
        NotSavedError: The disk is full or failing.
        OSError: There is no such file, or no room to read it.
    """
    path.stat()  # noqa: ASYNC240 - only whether it is there
    lines, _ = await _taken_in(outbox, path, ())
    return lines


async def _taken_in(
    outbox: Outbox, path: Path, names: Collection[str]
) -> tuple[int, list[str]]:
    lines, holes = 0, list[str]()
    found = salvage.read(path, names)
    while (part := await asyncio.to_thread(next, found, None)) is not None:
        if isinstance(part, Chunk):
            await outbox.take_in(part)
            lines += len(part.lines)
        else:
            holes.append(_hole(part))
    return lines, holes


async def take_in(outbox: Outbox, say: Callable[[str], None]) -> None:
    """Take in what is whole in the files that were set aside; end when all are.

    Raises:
        NotSavedError: The disk is full or failing; what is left is for another time.
        OSError: There is no room to read a file; likewise.
    """
    for path in aside.found(outbox.file.path):
        if path.name in await outbox.taken():
            continue
        lines, holes = await _taken_in(outbox, path, outbox.file.names)
        await outbox.take(path.name)
        if lines or holes:
            say(_taken(path, lines, holes))


def _taken(path: Path, lines: int, holes: list[str]) -> str:
    text = f"{lines} lines were found whole in {path.name}, and are kept"
    lost = f"; NOT whole there: {', '.join(holes[:5])}" if holes else ""
    more = f" and {len(holes) - 5} more" if len(holes) > 5 else ""  # noqa: PLR2004
    return f"{text}{lost}{more}"


def _hole(hole: Hole) -> str:
    return f"lines {hole.first} to {hole.last} of log {hole.log}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _when(line: bytes) -> int:
    """Return when a line was recorded, by its own account; 0 where it gives none."""
    try:
        return decode(line).moment
    except LineError:
        return 0


def _vacuum(db: sqlite3.Connection) -> None:
    """Give some free pages back to the disk."""
    db.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
