"""A second copy of every line, on another path, that needs no database to be read.

Files ``scantrail-000001.journal`` and so on. Each is a row of records: the length and
the CRC-32C (RFC 3720, B.4) of what follows, big-endian, 4 bytes each, then the bytes: a
line as it was written, or, where a log begins or goes on, a ``#`` and JSON that names
the log, the line before the next one, and the head after that. Nothing is ever changed
but by adding to the newest file; a file goes only when all of it is backed up.

Everything here is synchronous.
"""

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.logs import Batch, Log
from edge.salvage import Chunk
from shared import chain, files

__all__ = ["Begin", "Journal", "crc32c", "read_folder", "record", "records"]

LONGEST = 4 << 20
"""Bytes of a file, about; then another is begun."""
_HEADER = struct.Struct(">II")
_MOST = 1 << 20  # bytes of a record; more is damage
_CHUNK = 1000  # lines that are read at once
_NAME = re.compile(r"scantrail-(\d{6,9})\.journal", re.ASCII)
_POLYNOMIAL = 0x82F63B78


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of data."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """The record before lines: which log, behind which line, its head (hex) there."""

    log: str
    after: int
    head: str


def record(data: bytes) -> bytes:
    """Return a record that holds ``data``."""
    return _HEADER.pack(len(data), crc32c(data)) + data


def records(data: bytes) -> Iterator[bytes | None]:
    """Yield what the records hold; None where damage begins, and then no more."""
    at = 0
    while at < len(data):
        size, crc = _HEADER.unpack_from(data.ljust(at + _HEADER.size, b"\0"), at)
        at += _HEADER.size
        held = data[at : at + min(size, _MOST)]
        at += size
        if not size or len(held) != size or crc32c(held) != crc:
            yield None
            return
        yield held


class Journal:
    """The journal in a folder. Its calls block; one thread at a time makes them."""

    def __init__(self, folder: Path, longest: int = LONGEST) -> None:
        """Prepare it; the folder is made, and read, by ``open``."""
        self._folder = folder
        self._longest = longest
        self._file = -1
        self._size = 0
        self._held: dict[int, dict[str, int]] = {}
        self._number = 0
        self.place: tuple[str, int, bytes] | None = None

    def open(self) -> None:
        """Find out what is in it; what is written goes to a new file.

        Raises:
            OSError: The folder cannot be used.
        """
        files.make_folder(self._folder)
        for number, path in _files(self._folder):
            self._number = number
            self._held[number] = {}
            for part, _, lines in _chunks(path):
                self._held[number][part.name] = part.last + len(lines)

    def write(self, batch: Batch) -> None:
        """Add a batch's lines, and flush them.

        Raises:
            OSError: They are not, or not all, durable.
        """
        place = (batch.log, batch.after, batch.base)
        data = b"".join(map(record, batch.lines))
        try:
            if self._file < 0 or self._size > self._longest:
                self._begin()
            if self.place != place:
                begin = Begin(log=batch.log, after=batch.after, head=batch.base.hex())
                data = record(b"#" + msgspec.json.encode(begin)) + data
            self._write(data)
        except OSError:
            self.close()
            raise
        self.place = (batch.log, batch.last, batch.head)
        self._held[self._number][batch.log] = batch.last

    def _begin(self) -> None:
        """Begin another file: one that was not closed well may end in damage."""
        self.close()
        self._number += 1
        path = self._folder / f"scantrail-{self._number:06}.journal"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self._held[self._number] = {}
        files.sync_folder(self._folder)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._file, left) :]
        os.fdatasync(self._file)
        self._size += len(data)

    def drop(self, backed_up: dict[str, int]) -> int:
        """Take away the oldest files of which all is backed up; return how many.

        Args:
            backed_up: By log, up to which line; what is not in here is not.
        """
        dropped = 0
        for number in sorted(self._held)[:-1]:
            held = self._held[number]
            if any(backed_up.get(log, 0) < last for log, last in held.items()):
                break
            with contextlib.suppress(OSError):
                (self._folder / f"scantrail-{number:06}.journal").unlink()
            del self._held[number]
            dropped += 1
        return dropped

    def close(self) -> None:
        """Close the file that is written to."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size, self.place = -1, 0, None


def read_folder(folder: Path, newest: int = 0) -> Iterator[Chunk]:
    """Read all lines that are whole in a journal, in the order of writing.

    Args:
        folder: Where it is.
        newest: How many files, the newest; 0 for all.

    Raises:
        OSError: The folder cannot be read.
    """
    for _, path in _files(folder)[-newest:]:
        yield from _chunks(path)


def _chunks(path: Path) -> Iterator[Chunk]:
    part, first, head = Log(id=0, name=""), b"", b""
    lines: list[bytes] = []
    for held in records(path.read_bytes()):
        begin = _begun(held)
        if begin is None and held is not None and part.name:
            lines.append(held)
            head = chain.link(head, held)
        if lines and (held is None or begin is not None or len(lines) == _CHUNK):
            yield Chunk(part, first, tuple(lines))
            part = msgspec.structs.replace(part, last=part.last + len(lines))
            lines = []
        if begin is not None and (begin.log, begin.after) != (part.name, part.last):
            n = begin.after
            part = Log(id=0, name=begin.log, first=n, last=n, acked=n, backed_up=n)
            first = head = bytes.fromhex(begin.head)
    if lines:
        yield Chunk(part, first, tuple(lines))


def _begun(held: bytes | None) -> Begin | None:
    if held is None or not held.startswith(b"#"):
        return None
    with contextlib.suppress(ValueError):
        return msgspec.json.decode(held[1:], type=Begin)
    return None


def _files(folder: Path) -> list[tuple[int, Path]]:
    named = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in named if match)
