"""What can be proven whole in a damaged outbox, found row by row.

The rows are read page by page (``edge.carve``), those of the ``-wal`` included, and
those behind a damaged part of it. A line is proven by the chain: with its bytes, the
head before it leads to the head behind it. Lines between two holes make a part of their
log, which is sent under the log's own name where the server has what is missing, and
else recorded again. The damaged files stay as they were found.
"""

import contextlib
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, Self

from edge.carve import PAGE, Value, Wal, rows
from edge.logs import Log
from shared import chain

__all__ = ["Chunk", "Hole", "Row", "parts", "read"]

_CHUNK = 1000  # lines that are taken in at once
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_FAR = 1 << 40  # more lines than a log can have
_HEAD = 32  # bytes
_LINE_COLUMNS, _LOG_COLUMNS = 3, 10
_SCRATCH = """
CREATE TABLE log (id INTEGER, name TEXT, first INTEGER, head BLOB, last INTEGER,
    common INTEGER, moved_to TEXT, found INTEGER PRIMARY KEY);
CREATE TABLE line (position INTEGER, bytes BLOB, head BLOB,
    PRIMARY KEY (position, head)) WITHOUT ROWID;
"""
_ADD_LINE = "INSERT OR REPLACE INTO line VALUES (?, ?, ?)"
_ADD_LOG = (
    "INSERT INTO log (id, name, first, head, last, common, moved_to) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_LOGS = """
SELECT id, name, first, head, last, common FROM log
WHERE found IN (SELECT max(found) FROM log GROUP BY id, name) ORDER BY id
"""
_MOVED = "SELECT DISTINCT name, moved_to FROM log WHERE moved_to IS NOT NULL"
_IDS = "SELECT DISTINCT position >> 40 FROM line ORDER BY 1"
_ROWS = (
    "SELECT position, bytes, head FROM line WHERE position > ? AND position <= ? "
    "ORDER BY position"
)


class Row(NamedTuple):
    """A line as it was found, and the head that was found with it."""

    seq: int
    line: bytes
    head: bytes


class Chunk(NamedTuple):
    """Proven lines behind ``part.last``; ``head`` is the part's at ``part.first``."""

    part: Log
    head: bytes
    lines: tuple[bytes, ...]


class Hole(NamedTuple):
    """Lines that are not there, or not what they were."""

    log: str
    first: int
    last: int


def read(path: Path, names: Collection[str] = ()) -> Iterator[Chunk | Hole]:
    """Read a damaged outbox that was set aside.

    Args:
        path: Its main file, which need not be there; its ``-wal`` is read, too.
        names: The logs to look for; those of other stations' outboxes are passed over.
            Empty: all.

    Raises:
        OSError, sqlite3.Error: It cannot be opened now, or there is no room to sort
            what is found.
    """
    with contextlib.closing(sqlite3.connect("", check_same_thread=False)) as scratch:
        scratch.executescript(_SCRATCH)
        _gather(path, scratch)
        logs = [row for row in scratch.execute(_LOGS) if _NAME.fullmatch(row[1])]
        names = _with_moved(scratch, names)
        mixed = any(names and row[1] not in names for row in logs)
        logs += [] if mixed else _unnamed(scratch, {row[0] for row in logs}, names)
        for id_, name, first, head, last, common in logs:
            if names and name not in names:
                continue
            log = Log(id=id_, name=name, first=first)
            end = min(n for n in (last, common, _FAR - 1) if n is not None)
            found = scratch.execute(_ROWS, (log.base + first, log.base + end))
            candidates = (Row(place - log.base, *row) for place, *row in found)
            for part in parts(log, head, end, candidates):
                if not mixed or isinstance(part, Hole) or part.part.first == first:
                    yield part  # else it may be of the other station's log


def _with_moved(scratch: sqlite3.Connection, names: Collection[str]) -> Collection[str]:
    """Add the logs in which these went on: on a full disk nobody may have noted them.

    Empty stays empty: all.
    """
    known, moved = list(names), dict(scratch.execute(_MOVED).fetchall())
    for name in known:  # it grows
        then = moved.get(name)
        if then is not None and _NAME.fullmatch(then) and then not in known:
            known.append(then)
    return known


def _unnamed(
    scratch: sqlite3.Connection, known: Collection[int], names: Collection[str]
) -> list[tuple[int, str, int, bytes, None, None]]:
    """Return logs of which only lines were found, as far as their names are known.

    The first line tells by its head; without it, the latest name is likely, and no harm
    is done where it is wrong: the server's head is another one then.
    """
    found = []
    for (id_,) in scratch.execute(_IDS).fetchall():
        base = Log(id=id_, name="").base
        rows_ = [Row(*row) for row in scratch.execute(_ROWS, (base, base + 1))]
        first = [
            name
            for name in names
            for row in rows_
            if chain.link(chain.start(name), row.line) == row.head
        ]
        if id_ not in known and (first or names):
            name = (first or list(names))[-1]
            found.append((id_, name, 0, chain.start(name), None, None))
    return found


def _gather(path: Path, scratch: sqlite3.Connection) -> None:
    """Put every row that can be read into the scratch database, the latest last."""
    wal = Wal(_bytes(path.with_name(f"{path.name}-wal")))
    with _Pages(path) as main:

        def overflow(number: int) -> bytes:
            return wal.page(number) or main.page(number)

        for pages in (main.pages(), wal.pages()):
            for page in pages:
                for id_, row in rows(page, overflow):
                    _sort(scratch, id_, row)


def _sort(scratch: sqlite3.Connection, id_: int, row: list[Value]) -> None:
    if len(row) == _LINE_COLUMNS and _is_head(row[2]) and isinstance(row[1], bytes):
        if -_FAR * _FAR < id_ < _FAR << 23:
            scratch.execute(_ADD_LINE, (id_, row[1], row[2]))
    elif len(row) == _LOG_COLUMNS and isinstance(row[1], str) and _is_head(row[3]):
        numbers = (id_, row[2], row[4], row[8])
        if row[2] is not None and all(map(_is_count, numbers)):
            moved_to = row[9] if isinstance(row[9], str) else None
            scratch.execute(_ADD_LOG, (id_, *row[1:5], row[8], moved_to))


def _is_head(value: Value) -> bool:
    return isinstance(value, bytes) and len(value) == _HEAD


def _is_count(value: Value) -> bool:
    return value is None or (isinstance(value, int) and 0 <= value < _FAR)


_NO_FILE = (FileNotFoundError, IsADirectoryError)


def _bytes(path: Path) -> bytes:
    """Return what is in a file; nothing where there is none, or its disk is bad.

    Raises:
        OSError: It cannot be opened now; what is in it is not to be given up for that.
    """
    try:
        file = path.open("rb")
    except _NO_FILE:
        return b""
    with file, contextlib.suppress(OSError):
        return file.read()
    return b""


class _Pages:
    """A file by its pages; one that is not there is empty, as is a bad page."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._file = self._stack.enter_context(self._path.open("rb", buffering=0))
            self._count = -(-self._path.stat().st_size // PAGE)
        except _NO_FILE:
            self._count = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def pages(self) -> Iterator[bytes]:
        return map(self.page, range(1, self._count + 1))

    def page(self, number: int) -> bytes:
        if not 0 < number <= self._count:
            return b""
        try:
            self._file.seek((number - 1) * PAGE)
            return self._file.read(PAGE)
        except OSError:
            return b""


def parts(
    log: Log, head: bytes, end: int, found: Iterable[Row]
) -> Iterator[Chunk | Hole]:
    """Find what is proven of one log.

    Args:
        log: Its name, and ``first``: what is looked for begins behind it.
        head: The head after ``first``, as it was found.
        end: The last line that may be there; 2^40 - 1 where that is not known.
        found: What was found, in order; more than one for a place, where there is
            doubt.
    """
    if log.first == 0:
        head = chain.start(log.name)
    walk = _Walk(log, head)
    for _, same in groupby(found, key=lambda row: row.seq):
        yield from walk.step(list(same))
    yield from walk.over(end)


class _Walk:
    """Goes along the rows of a log. ``doubt`` is the row before, if it did not fit."""

    def __init__(self, log: Log, head: bytes) -> None:
        self._name = log.name
        self._first, self._first_head = log.first, head
        self._last, self._head = log.first, head
        self._lines: list[bytes] = []
        self._doubt: Row | None = None

    def step(self, found: list[Row]) -> Iterator[Chunk | Hole]:
        row = next((one for one in found if self._leads_to(one)), found[-1])
        before = self._doubt.seq if self._doubt else self._last
        if row.seq != before + 1:
            yield from self._hole(row)
        elif self._doubt is None:
            self._fit(self._head, row)
        else:
            yield from self._settle(self._doubt, row)
        if len(self._lines) >= _CHUNK:
            yield self._chunk()

    def _leads_to(self, row: Row) -> bool:
        head = self._doubt.head if self._doubt else self._head
        return chain.link(head, row.line) == row.head

    def over(self, end: int) -> Iterator[Chunk | Hole]:
        if self._lines:
            yield self._chunk()
        missing = self._doubt.seq if self._doubt else self._last
        missing = end if end < _FAR - 1 else missing
        if missing > self._last:
            yield Hole(self._name, self._last + 1, missing)

    def _fit(self, head: bytes, row: Row) -> None:
        """Take a row whose line leads to its head; else, doubt it."""
        if chain.link(head, row.line) == row.head:
            self._lines.append(row.line)
            self._last, self._head, self._doubt = row.seq, row.head, None
        else:
            self._doubt = row

    def _settle(self, doubt: Row, row: Row) -> Iterator[Chunk | Hole]:
        """Say by the next row whether a line was damaged, or only its head."""
        real = chain.link(self._head, doubt.line)
        if chain.link(real, row.line) == row.head:
            self._lines.append(doubt.line)
            self._last, self._head = doubt.seq, real
            self._fit(real, row)
            return
        yield from self._hole(doubt)
        self._fit(doubt.head, row)

    def _hole(self, row: Row) -> Iterator[Chunk | Hole]:
        """Begin a new part behind ``row``, which itself cannot be proven."""
        if self._lines:
            yield self._chunk()
        yield Hole(self._name, self._last + 1, row.seq)
        self._first, self._first_head = row.seq, row.head
        self._last, self._head, self._doubt = row.seq, row.head, None

    def _chunk(self) -> Chunk:
        lines, self._lines = tuple(self._lines), []
        part = Log(
            id=0,
            name=self._name,
            first=self._first,
            last=self._last - len(lines),
            acked=self._first,
            backed_up=self._first,
        )
        return Chunk(part, self._first_head, lines)
