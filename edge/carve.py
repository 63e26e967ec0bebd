"""Rows found in the pages of a SQLite file, whatever else of the file is damaged. Pure.

Each leaf page of a table tells its own rows, so that neither the tree above it nor the
file's first page is needed. Source: "Database File Format" and "WAL-mode File Format",
sqlite.org/fileformat2.html.
"""

import struct
from collections.abc import Callable, Iterator

__all__ = ["PAGE", "Value", "Wal", "rows"]

PAGE = 4096
"""Bytes of a page: SQLite's default, which outboxes are made with."""

Value = int | str | bytes | None
"""A value of a row; fractions do not occur."""

Overflow = Callable[[int], bytes]
"""Returns a page by its number; empty where there is none."""

_FIRST_LINE = 1 << 40  # positions of lines begin here: outbox_schema.sql
_LEAF = 0x0D
_FRAME = 24
_WAL_HEADER = 32
_LOCAL = PAGE - 35  # bytes of a row in its leaf, at most
_LEAST = (PAGE - 12) * 32 // 255 - 23
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_ZERO, _ONE, _BLOB = 8, 9, 12


class Wal:
    """The frames of a ``-wal``, those behind a damaged one included."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._salt = _salt(data)
        self.latest = {number: at for number, at, _ in self.frames()}

    def frames(self) -> Iterator[tuple[int, int, bool]]:
        """Yield each frame's page number, the place of its page, and if it commits."""
        for at in range(
            _WAL_HEADER, len(self._data) - _FRAME - PAGE + 1, _FRAME + PAGE
        ):
            number, size = struct.unpack_from(">II", self._data, at)
            if self._data[at + 8 : at + 16] == self._salt:
                yield number, at + _FRAME, size > 0

    def pages(self) -> Iterator[bytes]:
        """Yield the pages, the oldest first."""
        for _, at, _ in self.frames():
            yield self._data[at : at + PAGE]

    def page(self, number: int) -> bytes:
        """Return the latest state of a page; empty where it is not in here."""
        at = self.latest.get(number)
        return b"" if at is None else self._data[at : at + PAGE]

    def saves_behind(self, frames: int, last: int) -> int:
        """Return how many transactions behind the first ``frames`` frames add lines.

        Only what adds lines is flushed when it ends; how many others, which only note
        something, a power cut tears along with the latest, cannot be known.

        Args:
            frames: How many frames SQLite takes.
            last: The position of the last line that it finds.
        """
        end = _WAL_HEADER + frames * (_FRAME + PAGE)
        saves, newest = 0, last
        for _, at, commits in self.frames():
            if at > end:
                found = rows(self._data[at : at + PAGE], self.page)
                newest = max([newest, *(id_ for id_, _ in found if id_ >= _FIRST_LINE)])
            if at > end and commits:
                saves, last = saves + (newest > last), newest
        return saves


def _salt(wal: bytes) -> bytes:
    """Return the salt of the frames that count.

    Those of before the ``-wal`` was begun anew have another, and are still there. A
    header that does not hash to its checksum is damaged; then most of the first
    frames have the salt.
    """
    if _checksum(wal[:24]) == wal[24:_WAL_HEADER]:
        return wal[16:24]
    first = (_WAL_HEADER + n * (_FRAME + PAGE) + 8 for n in range(3))
    salts = [wal[at : at + 8] for at in (16, *first)]
    return max(salts, key=salts.count)


def _checksum(header: bytes) -> bytes:
    """Return SQLite's checksum of a ``-wal``'s header: fileformat2, section 4.2."""
    order = ">" if header[3:4] == b"\x83" else "<"
    words = struct.unpack(f"{order}{len(header) // 4}I", header[: len(header) // 4 * 4])
    one = two = 0
    for first, second in zip(words[::2], words[1::2], strict=False):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return struct.pack(">II", one, two)


def rows(page: bytes, overflow: Overflow) -> Iterator[tuple[int, list[Value]]]:
    """Yield a leaf page's rows, each with its id; nothing of another kind of page."""
    for start in (0, 100):  # the first page has the file's header before it
        if len(page) == PAGE and page[start] == _LEAF:
            (count,) = struct.unpack_from(">H", page, start + 3)
            end = min(start + 8 + 2 * count, PAGE - 1)
            for at in range(start + 8, end - 1, 2):
                try:
                    yield _row(page, struct.unpack_from(">H", page, at)[0], overflow)
                except (IndexError, struct.error, UnicodeDecodeError, ValueError):
                    continue


def _row(page: bytes, at: int, overflow: Overflow) -> tuple[int, list[Value]]:
    size, at = _varint(page, at)
    id_, at = _varint(page, at)
    payload = page[at : at + _kept(size)]
    if len(payload) < size:
        payload += _rest(page, at + len(payload), size - len(payload), overflow)
    return id_, _values(payload)


def _kept(size: int) -> int:
    """Return how much of a row is in its leaf."""
    if size <= _LOCAL:
        return size
    kept = _LEAST + (size - _LEAST) % (PAGE - 4)
    return kept if kept <= _LOCAL else _LEAST


def _rest(page: bytes, at: int, size: int, overflow: Overflow) -> bytes:
    parts = []
    (number,) = struct.unpack_from(">I", page, at)
    while size > 0:
        more = overflow(number)
        (number,) = struct.unpack_from(">I", more)
        parts.append(more[4 : 4 + size])
        size -= len(parts[-1])
    return b"".join(parts)


def _values(payload: bytes) -> list[Value]:
    length, at = _varint(payload, 0)
    types, data = [], length
    while at < length:
        kind, at = _varint(payload, at)
        types.append(kind)
    values: list[Value] = []
    for kind in types:
        value, data = _value(payload, kind, data)
        values.append(value)
    return values


def _value(payload: bytes, kind: int, at: int) -> tuple[Value, int]:
    if kind in {0, _ZERO, _ONE}:
        return (None if kind == 0 else kind - _ZERO), at
    size = _INTEGERS.get(kind) or (kind - _BLOB) // 2
    part = payload[at : at + size]
    if len(part) != size or (kind < _BLOB and kind not in _INTEGERS):
        reason = "not all of the row is here"
        raise ValueError(reason)
    if kind in _INTEGERS:
        return int.from_bytes(part, "big", signed=True), at + size
    return (part.decode() if kind % 2 else part), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(9):
        byte = data[at + n]
        if n == 8:  # noqa: PLR2004 - the ninth byte counts whole
            return (value << 8) | byte, at + 9
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:  # noqa: PLR2004
            return value, at + n + 1
    raise AssertionError
