"""Old lines in files beside the database, whichever that is: found, checked, read.

The database says which lines each file has, by their positions, and the SHA-256 of all
of it. A file that is missing, or not as it was written, is said: nothing is ever
answered as if its lines had not been.
"""

import re
import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from server.problems import ProblemError
from server.store.archive_files import ArchiveFile, hashed
from server.store.parquet import (
    LinesFile,
    MissingError,
    Row,
    Signed,
    damaged,
    reader_missing,
)
from server.verify import Finding, Kind
from shared.protocol import ProblemType

__all__ = ["Archive", "archive_at", "with_lines", "with_signed"]

T = TypeVar("T")

GROUPS = 32
"""Row groups that are kept in memory, some half a megabyte each."""
FILES = 32
"""Files that are held open."""

_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{15}\.parquet")


class _State(NamedTuple):
    """What tells whether a file is another than it was, or should be."""

    sha256: str
    device: int
    inode: int
    size: int
    changed: int


class Archive:
    """Reads archived lines; several threads may ask at once.

    Args:
        folder: Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._sound: dict[str, _State] = {}
        self._open: OrderedDict[str, LinesFile] = OrderedDict()
        self._groups: OrderedDict[tuple[str, int, str], dict[int, Any]] = OrderedDict()

    def lines(
        self, files: Sequence[ArchiveFile], positions: Collection[int]
    ) -> dict[int, bytes]:
        """Return the lines at these positions.

        Args:
            files: All that the database knows of, in their order.
            positions: Which lines.

        Raises:
            ProblemError: 503, a file cannot be read; the text says which, and what to
                do.
        """
        return self._look(files, positions, LinesFile.lines)

    def signed(
        self, files: Sequence[ArchiveFile], positions: Collection[int]
    ) -> dict[int, Signed]:
        """Return what came with the deliveries whose last lines are there.

        Args:
            files: All that the database knows of, in their order.
            positions: Those of the last lines.

        Raises:
            ProblemError: As `lines`.
        """
        return self._look(files, positions, LinesFile.signed)

    def _look(
        self,
        files: Sequence[ArchiveFile],
        positions: Collection[int],
        read: Callable[[LinesFile, int], dict[int, T]],
    ) -> dict[int, T]:
        lasts = [file.last for file in files]
        asked: dict[ArchiveFile, list[int]] = defaultdict(list)
        for position in sorted(positions):
            place = bisect_left(lasts, position)
            if place == len(files) or position < files[place].first:
                raise _nowhere(position)
            asked[files[place]].append(position)
        found: dict[int, T] = {}
        with self._lock:
            for file, some in asked.items():
                found.update(self._of(file, some, read))
        return found

    def _of(
        self,
        file: ArchiveFile,
        positions: list[int],
        read: Callable[[LinesFile, int], dict[int, T]],
    ) -> dict[int, T]:
        try:
            opened = self._opened(file)
            found = {}
            for position in positions:
                group = bisect_right(opened.firsts, position) - 1
                key = (file.name, group, read.__name__)
                if key not in self._groups:
                    self._keep(key, read(opened, group))
                self._groups.move_to_end(key)
                found[position] = self._groups[key][position]
        except MissingError as error:
            raise _problem(str(error)) from error
        except damaged() as error:
            self._forget(file.name)
            raise self._unreadable(file, error) from error
        return found

    def _keep(self, key: tuple[str, int, str], group: dict[int, Any]) -> None:
        self._groups[key] = group
        if len(self._groups) > GROUPS:
            self._groups.popitem(last=False)

    def _opened(self, file: ArchiveFile) -> LinesFile:
        """Return a file that is as it was written."""
        self._must_be_sound(file)
        if file.name not in self._open:
            self._open[file.name] = LinesFile(self.folder / file.name)
            if len(self._open) > FILES:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(file.name)
        return self._open[file.name]

    def _must_be_sound(self, file: ArchiveFile) -> None:
        """See that a file is as it was written: all of it is read for that, once."""
        there = (self.folder / file.name).stat()
        whole = (there.st_dev, there.st_ino, there.st_size, there.st_ctime_ns)
        state = _State(file.sha256, *whole)
        if self._sound.get(file.name) != state:
            self._forget(file.name)
            self._check(file)
            self._sound[file.name] = state

    def _check(self, file: ArchiveFile) -> None:
        if not _NAME.fullmatch(file.name):
            reason = "its name is none of an archived file"
            raise ValueError(reason)
        if hashed(self.folder / file.name) != file.sha256:
            reason = "its SHA-256 is another than was noted"
            raise ValueError(reason)

    def _forget(self, name: str) -> None:
        self._sound.pop(name, None)
        if (opened := self._open.pop(name, None)) is not None:
            opened.close()
        for key in [key for key in self._groups if key[0] == name]:
            del self._groups[key]

    def rows(self, file: ArchiveFile) -> Iterator[list[Row]]:
        """Return everything in a file, piece by piece, read from the disk itself.

        Raises:
            ProblemError: As `lines`.
        """
        try:
            self._check(file)
            opened = LinesFile(self.folder / file.name)
            try:
                yield from opened.rows()
            finally:
                opened.close()
        except MissingError as error:
            raise _problem(str(error)) from error
        except damaged() as error:
            raise self._unreadable(file, error) from error

    def missing(self, files: Sequence[ArchiveFile]) -> list[str]:
        """Say of each file that is not there, or not as long as it was, what to do.

        Where nothing reads what is in them, that is said as well.
        """
        found = []
        for file in files:
            try:
                size = (self.folder / file.name).stat().st_size
            except OSError as error:
                found.append(self._told(file, error))
            else:
                if size != file.size:
                    other = ValueError(f"it has {size} bytes, and had {file.size}")
                    found.append(self._told(file, other))
        if files and (why := reader_missing()):
            found.append(why)
        return found

    def findings(self, files: Sequence[ArchiveFile]) -> list[Finding]:
        """Say of each file that is not as it was written; all are read for that.

        Where nothing reads what is in them, that is said as well.
        """
        found = []
        for file in files:
            try:
                with self._lock:
                    self._must_be_sound(file)
            except OSError as error:
                told = self._told(file, error)
                found.append(Finding(text=told, kind=Kind.UNREAD))
            except ValueError as error:
                told = self._told(file, error)
                found.append(Finding(text=told, kind=Kind.FILE))
        if files and (why := reader_missing()):
            found.append(Finding(text=why, kind=Kind.UNREAD))
        return found

    def _unreadable(self, file: ArchiveFile, error: Exception) -> ProblemError:
        return _problem(self._told(file, error))

    def _told(self, file: ArchiveFile, error: Exception) -> str:
        what = f"it is damaged or was changed ({str(error)[:200]})"
        if isinstance(error, FileNotFoundError):
            what = "it is not there"
        elif isinstance(error, OSError) and error.strerror:
            what = f"it cannot be read ({error.strerror})"
        return (
            f"{file.lines} archived lines are in archive/{file.name} of the server's "
            f"data folder, and {what}. Mount its disk, or copy the file of this name "
            "from a backup; until then nothing is answered that needs one of its lines"
        )


def with_lines(
    rows: Sequence[Sequence[Any]], line: int, found: Mapping[int, bytes]
) -> list[Sequence[Any]]:
    """Put lines into rows where they are archived.

    Args:
        rows: Each has at its end where its line is archived, which is left out.
        line: In which column the line is, or ``None`` where it is archived.
        found: The archived lines.
    """
    if not found:
        return [row[:-1] for row in rows]
    return [
        row[:-1]
        if row[line] is not None
        else (*row[:line], found.get(row[-1]), *row[line + 1 : -1])
        for row in rows
    ]


def with_signed(
    rows: Sequence[Sequence[Any]], signature: int, found: Mapping[int, Signed]
) -> list[Sequence[Any]]:
    """Put signatures, keys and clocks into rows where they are archived.

    Args:
        rows: Each has at its end where its delivery is archived, which is left out.
        signature: In which column the signature is, before the key and the clock.
        found: What is archived.
    """
    return [
        row[:-1]
        if row[signature] is not None
        else (
            *row[:signature],
            *(found[row[-1]][2:5] if row[-1] in found else (b"", b"", None)),
            *row[signature + 3 : -1],
        )
        for row in rows
    ]


def _problem(reason: str) -> ProblemError:
    return ProblemError(503, ProblemType.ARCHIVE, reason, retry_after=60)


def _nowhere(position: int) -> ProblemError:
    reason = (
        f"the line at position {position} is not in the database, and in no file of "
        "the archive that it knows of. See: scantrail-server verify"
    )
    return _problem(reason)


@lru_cache(4)
def archive_at(folder: Path) -> Archive:
    """Return what reads a folder, the same for all who ask."""
    return Archive(folder)
