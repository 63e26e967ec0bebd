"""What a disk could look like after a power cut, from a log of every write to it.

The log is that of QEMU's blklogwrites, in the format of the kernel's dm-log-writes
(Documentation/admin-guide/device-mapper/log-writes.rst). At a position in it, all
that was written before the latest flush is on the disk; of what was written since,
any part may be, in any order, and a part of any write. Only ext4's superblock, which is
in two sectors under one checksum, is never half written: ext4 mounts no such disk.
"""

import os
import struct
from enum import Enum
from pathlib import Path
from random import Random
from typing import NamedTuple

__all__ = ["BlockLog", "Disk", "Entry", "Kept", "length"]

_MAGIC, _VERSION = 0x6A736677736872, 1
_HEAD = struct.Struct("<QQQL")
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD = 1, 2, 4
_SECTOR = 512
_SUPERBLOCK = 4096  # bytes from the beginning: the block that it is in


class Kept(Enum):
    """What is on the disk of what was written since the latest flush."""

    NOTHING = "nothing"
    ALL = "all"
    WRITES = "any of the writes"
    SECTORS = "any of the sectors"


class Entry(NamedTuple):
    """A request to the disk: bytes, and where in the log its data are."""

    offset: int
    size: int
    flags: int
    place: int


def length(path: Path) -> int:
    """Return how many entries a log has, also while it grows."""
    with path.open("rb") as file:
        return int(_HEAD.unpack(file.read(_HEAD.size))[2])


class BlockLog:
    """A log that has ended."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        magic, version, count, sector = _HEAD.unpack(self._file.read(_HEAD.size))
        assert (magic, version) == (_MAGIC, _VERSION)
        self.entries: list[Entry] = []
        place = sector
        while len(self.entries) < count:
            self._file.seek(place)
            head = self._file.read(_ENTRY.size)
            first, sectors, flags, _ = _ENTRY.unpack(head)
            place += sector
            size = sectors * sector
            self.entries.append(Entry(first * sector, size, flags, place))
            place += 0 if flags & _DISCARD else size

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def data(self, entry: Entry) -> bytes:
        """Return what was written."""
        if entry.flags & _DISCARD:
            return b""
        return os.pread(self._file.fileno(), entry.size, entry.place)


class Disk:
    """A disk as of positions in a log, which only go forward.

    Args:
        log: The log.
        before: The disk's bytes before its first entry.
    """

    def __init__(self, log: BlockLog, before: bytes | bytearray) -> None:
        self._log = log
        self._flushed = bytearray(before)
        self._position = 0

    def after_cut(self, position: int, kept: Kept, luck: Random) -> bytearray:
        """Return the disk after a cut behind so many entries."""
        since = self._flush_up_to(position)
        disk = bytearray(self._flushed)
        for entry in self._log.entries[since:position]:
            data = self._log.data(entry)
            for start, end in _parts(entry, kept, luck):
                at = entry.offset + start
                disk[at : at + min(end, len(data)) - start] = data[start:end]
        return disk

    def _flush_up_to(self, position: int) -> int:
        """Apply all that is safe at a position; return where the rest begins."""
        assert position >= self._position
        entries = self._log.entries
        flushes = [
            n for n in range(self._position, position) if entries[n].flags & _FLUSH
        ]
        if flushes:
            for entry in entries[self._position : flushes[-1] + 1]:
                data = self._log.data(entry)
                self._flushed[entry.offset : entry.offset + len(data)] = data
            self._position = flushes[-1] + 1
        return self._position


def _parts(entry: Entry, kept: Kept, luck: Random) -> list[tuple[int, int]]:
    """Return which bytes of a write reached the disk."""
    if kept is Kept.ALL or entry.flags & _FUA:
        return [(0, entry.size)]
    if kept is Kept.WRITES:
        return [(0, entry.size)] if luck.random() < 0.5 else []
    if kept is Kept.SECTORS:
        whole = _SUPERBLOCK if entry.offset == 0 else 0
        units = [(0, whole)] if whole else []
        units += [(at, at + _SECTOR) for at in range(whole, entry.size, _SECTOR)]
        return [unit for unit in units if luck.random() < 0.5]
    return []
