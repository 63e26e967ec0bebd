"""Old lines go from the database into files, a month or a part of one to a file.

A file is written, flushed, and read back from the disk; its lines must lead to every
head that their stations signed. Then the database notes it, and only then, and only
where it has the same bytes, lines are taken out of it, some at a time. So what is
interrupted anywhere has lost nothing, and goes on when it is run again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Protocol

from server.store import Entry
from server.store.archive import Archive
from server.store.archive_files import ArchiveFile, Ends, hashed
from server.store.parquet import MissingError, Row, Signed, Writer
from shared import files
from shared.chain import link
from shared.errors import ScantrailError, StartError
from shared.moments import SECOND

__all__ = ["MOST", "Kept", "archive"]

MOST = 1_000_000
"""Lines of a file; a month that has more has several."""
_AT_ONCE = 5_000
"""Lines that are read from the database at once, about."""


class Kept(Protocol):
    """A database that lines are taken out of."""

    def files(self) -> list[ArchiveFile]:
        """Return the files that there are."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position; about so many."""

    def ends(self, first: int, last: int) -> Ends:
        """Return what came with the deliveries between two positions."""

    def head(self, log: str, seq: int) -> bytes:
        """Return the head of a log at a line."""

    def note(self, file: ArchiveFile) -> None:
        """Note that a file has lines."""

    def take(self, file: ArchiveFile, rows: Sequence[Row]) -> None:
        """Take lines out, if they are as the file has them; once it is durable.

        Raises:
            StartError: They are not; nothing was changed.
        """

    def finish(self) -> None:
        """Let what was taken out make room."""


def archive(
    kept: Kept, folder: Path, before: int, tell: Callable[[ArchiveFile], None]
) -> None:
    """Move the lines that were received before a moment into files.

    Args:
        kept: The database.
        folder: Where the files go.
        before: The moment.
        tell: Told of each file whose lines were taken out.

    Raises:
        StartError: It cannot be done, or not to the end; nothing is lost.
        ProblemError: A file cannot be read, or the database be reached.
    """
    reader = Archive(folder)
    try:
        files.make_folder(folder)
        held = files.lock(folder / "lock")
    except files.LockedError as error:
        reason = f"lines are archived into {folder} already ({error})"
        raise StartError(reason) from error
    except OSError as error:
        raise _unwritten(folder, error) from error
    try:
        for file in kept.files():
            if file.taken < file.last:
                _take(kept, reader, file)
                tell(file)
        while (made := _made(kept, reader, before)) is not None:
            kept.note(made)
            _take(kept, reader, made)
            tell(made)
        kept.finish()
    except OSError as error:
        raise _unwritten(folder, error) from error
    finally:
        os.close(held)


def _unwritten(folder: Path, error: OSError) -> StartError:
    reason = (
        f"{folder} cannot be written: {error.strerror or error}. Nothing is lost; run "
        "the same again when that is mended"
    )
    return StartError(reason)


# --- a file ---------------------------------------------------------------------------


def _made(kept: Kept, reader: Archive, before: int) -> ArchiveFile | None:
    """Write the next file, and check it; ``None`` if there is nothing for one."""
    there = kept.files()
    coming = _for_one(_behind(kept, there[-1].last if there else 0), before)
    begin = next(coming, None)
    if begin is None:
        return None
    first, _ = begin
    name = f"{_month(first.received):%Y-%m}-{first.position:015}.parquet"
    path = reader.folder / name
    last, lines = _write(path, begin, coming)
    file = ArchiveFile(
        name=name,
        first=first.position,
        last=last,
        lines=lines,
        size=path.stat().st_size,
        sha256=hashed(path),
        taken=first.position - 1,
    )
    try:
        _check(kept, reader, file)
    except ScantrailError:
        path.unlink(missing_ok=True)
        raise
    return file


_One = tuple[Entry, Signed | None]
"""A line, and what came with its delivery if that ends with it."""


def _behind(kept: Kept, after: int) -> Iterator[_One]:
    while some := kept.entries(after, _AT_ONCE):
        ends = kept.ends(some[0].position, some[-1].position)
        yield from ((entry, ends.get(entry.position)) for entry in some)
        after = some[-1].position


def _month(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC)


def _for_one(coming: Iterator[_One], before: int) -> Iterator[_One]:
    """Return what goes into one file: of a month, and whole deliveries."""
    month, received = "", 0
    for count, (entry, signed) in enumerate(coming):
        if entry.received != received:  # what came together stays together
            its_month = f"{_month(entry.received):%Y-%m}"
            full = count >= MOST or (count and its_month != month)
            if full or entry.received >= before:
                return
            month, received = its_month, entry.received
        yield entry, signed


def _write(path: Path, first: _One, coming: Iterator[_One]) -> tuple[int, int]:
    """Write a file; return the position of its last line, and how many there are."""
    beside, lines = path.with_name(f"{path.name}.new"), 0
    last, _ = first
    try:
        with (
            beside.open("wb") as handle,
            closing(Writer(handle, {"format": "scantrail lines 1"})) as writer,
        ):
            for last, signed in chain((first,), coming):
                writer.add(last, signed)
                lines += 1
        files.settle(beside, path)
    except MissingError as error:
        raise StartError(str(error)) from error
    finally:
        beside.unlink(missing_ok=True)
    return last.position, lines


def _check(kept: Kept, reader: Archive, file: ArchiveFile) -> None:
    """See that what was written leads to the heads that stations signed.

    Raises:
        StartError: It does not.
    """
    heads: dict[str, bytes] = {}
    loose: set[str] = set()
    lines = 0
    for rows in reader.rows(file):
        ends = kept.ends(rows[0].position, rows[-1].position)
        for row in rows:
            before = heads.get(row.log) or kept.head(row.log, row.seq - 1)
            heads[row.log] = link(before, row.line)
            loose.add(row.log)
            signed = ends.pop(row.position, None)
            if row.signed != signed or (signed and signed.head != heads[row.log]):
                raise _unsound(file, f"line {row.seq} of log {row.log}")
            if signed is not None:
                loose.discard(row.log)
        lines += len(rows)
        if ends:
            raise _unsound(file, "a line that is not in it")
    if loose or lines != file.lines:
        raise _unsound(file, "lines that are not in it")


def _unsound(file: ArchiveFile, what: str) -> StartError:
    reason = (
        f"archive/{file.name} does not lead to what was signed ({what}): what is in "
        "the database was changed, or the disk is bad. Nothing was taken out of the "
        "database. See: scantrail-server verify"
    )
    return StartError(reason)


# --- out of the database --------------------------------------------------------------


def _take(kept: Kept, reader: Archive, file: ArchiveFile) -> None:
    """Take a file's lines out of the database, as far as they are in it."""
    for rows in reader.rows(file):
        if rows[-1].position > file.taken:
            kept.take(file, rows)
