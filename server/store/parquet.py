"""Files of archived lines, in Parquet: how one is laid out, written and read.

One row for each line, in the server's own order, `ROWS` to a row group: whoever knows a
line's position reads one group, and whoever wants all in order reads on. ``line`` has
the bytes as the station wrote them; the other columns are for programs that read such
files themselves, with times as they were when the file was written.
"""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, NamedTuple

from server.store import Entry
from shared.errors import LineError, ScantrailError
from shared.lines import Line, decode

__all__ = ["ROWS", "LinesFile", "MissingError", "Row", "Signed", "Writer", "damaged"]
__all__ += ["reader_missing"]

ROWS = 2_000
"""Lines of a row group: what is unpacked to read one of them."""

_LEVEL = 3
_TEXTS = (
    *("action", "item", "location", "container", "operator", "giver", "voids"),
    *("status", "exception", "title", "text", "reason", "refused"),
    *("raw", "symbology", "device"),
)
"""Fields of a line that have a column of the same name; so has ``items``."""
_FEW = (
    *("log", "station", "action", "location", "operator", "giver"),
    *("status", "exception", "reason", "refused", "symbology", "device"),
    *("quarantined", "public_key"),
)
"""Columns with few values, which are written as a list of these and numbers."""
_SOUGHT = (
    *("position", "received", "occurred", "action", "item", "location", "container"),
    *("voids", "delivery"),
)
"""Columns of which a row group says from what to what they go."""


class MissingError(ScantrailError):
    """What reads and writes Parquet is not installed."""


class Signed(NamedTuple):
    """What came with a delivery, and stands beside its last line.

    ``delivery`` is its number, ``clock`` the header that came with it.
    """

    delivery: int
    head: bytes
    signature: bytes
    public_key: bytes
    clock: str | None
    seal: bytes


class Row(NamedTuple):
    """A line as the file has it, with its place in the server's own order.

    ``signed`` is that of the delivery of which it is the last line.
    """

    position: int
    log: str
    seq: int
    line: bytes
    signed: Signed | None


def _pyarrow() -> ModuleType:
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        reason = (
            "archived lines are in Parquet files, and what reads them is not "
            "installed: python -m pip install 'scantrail[parquet]'"
        )
        raise MissingError(reason) from error


def damaged() -> tuple[type[Exception], ...]:
    """Return what reading a file raises that is none, or not whole."""
    kinds = (OSError, LookupError, ValueError)
    try:
        return (*kinds, _pyarrow().ArrowException)
    except MissingError:
        return kinds


def reader_missing() -> str:
    """Say how to get what reads files, where it is not installed; else nothing."""
    try:
        _pyarrow()
    except MissingError as error:
        return str(error)
    return ""


_One = tuple[Entry, Signed | None]


def _columns(some: Sequence[_One]) -> dict[str, list[Any]]:
    entries = [entry for entry, _ in some]
    lines = [_said(entry.line) for entry in entries]
    names = [entry.event.rpartition(":") for entry in entries]
    found: dict[str, list[Any]] = {
        "position": [entry.position for entry in entries],
        "log": [log for log, _, _ in names],
        "seq": [int(seq) for _, _, seq in names],
        "station": [entry.station for entry in entries],
        "received": [entry.received for entry in entries],
        "occurred": [entry.occurred for entry in entries],
        "occurred_lo": [entry.lo for entry in entries],
        "occurred_hi": [entry.hi for entry in entries],
        "quarantined": [entry.quarantined for entry in entries],
        "line": [entry.line for entry in entries],
    }
    for name in _TEXTS:
        found[name] = [line and getattr(line, name) for line in lines]
    found["items"] = [line and line.items for line in lines]
    for name in Signed._fields:
        found[name] = [signed and getattr(signed, name) for _, signed in some]
    return found


def _said(data: bytes) -> Line | None:
    try:
        return decode(data)
    except LineError:
        return None


def _schema(pyarrow: ModuleType, notes: dict[str, str]) -> Any:  # noqa: ANN401 # pyarrow has no types
    number, text, data = pyarrow.int64(), pyarrow.string(), pyarrow.binary()
    moment = pyarrow.timestamp("us", tz="UTC")
    return pyarrow.schema(
        [
            *(("position", number), ("log", text), ("seq", number), ("station", text)),
            *(("received", moment), ("occurred", moment)),
            *(("occurred_lo", moment), ("occurred_hi", moment)),
            *((name, text) for name in _TEXTS),
            ("items", pyarrow.list_(text)),
            *(("quarantined", text), ("line", data), ("delivery", number)),
            *(("head", data), ("signature", data), ("public_key", data)),
            *(("clock", text), ("seal", data)),
        ],
        metadata=notes,
    )


class Writer:
    """Writes a file. Close it after use: only then is it one.

    Args:
        file: Where it goes.
        notes: What is noted in the file about all of it.

    Raises:
        MissingError: What writes Parquet is not installed.
    """

    def __init__(self, file: BinaryIO, notes: dict[str, str]) -> None:
        self._pyarrow = _pyarrow()
        self._schema = _schema(self._pyarrow, notes)
        self._some: list[_One] = []
        self._writer = self._pyarrow.parquet.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=list(_FEW),
            write_statistics=list(_SOUGHT),
            write_page_checksum=True,
        )

    def add(self, entry: Entry, signed: Signed | None) -> None:
        """Write a line behind those before.

        Args:
            entry: The line.
            signed: What came with its delivery, if that ends with it.
        """
        self._some.append((entry, signed))
        if len(self._some) == ROWS:
            self._group()

    def _group(self) -> None:
        table = self._pyarrow.table(_columns(self._some), schema=self._schema)
        self._writer.write_table(table, row_group_size=ROWS)
        self._some = []

    def close(self) -> None:
        """Write what is left."""
        if self._some:
            self._group()
        self._writer.close()


class LinesFile:
    """A file that is read; `damaged` are what its methods raise.

    Args:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self._parquet = _pyarrow().parquet.ParquetFile(
            path, page_checksum_verification=True
        )
        groups = range(self._parquet.metadata.num_row_groups)
        self.firsts = [self._first(group) for group in groups]
        """Of each row group the position of its first line."""

    def _first(self, group: int) -> int:
        column = self._parquet.metadata.row_group(group).column(0)
        return int(column.statistics.min)

    def lines(self, group: int) -> dict[int, bytes]:
        """Return the lines of a row group, by position."""
        positions, lines = self._group(group, ["position", "line"])
        return dict(zip(positions, lines, strict=True))

    def signed(self, group: int) -> dict[int, Signed]:
        """Return what came with the deliveries that end in a row group, by position."""
        columns = self._group(group, ["position", *Signed._fields])
        return {
            position: Signed(number, *rest)
            for position, number, *rest in zip(*columns, strict=True)
            if number is not None
        }

    def rows(self) -> Iterator[list[Row]]:
        """Return everything, a row group at a time."""
        for group in range(len(self.firsts)):
            columns = self._group(group, ["position", "log", "seq", "line"])
            signed = self.signed(group)
            yield [
                Row._make((*row, signed.get(row[0])))
                for row in zip(*columns, strict=True)
            ]

    def _group(self, group: int, columns: list[str]) -> list[list[Any]]:
        table = self._parquet.read_row_group(group, columns=columns, use_threads=False)
        return [table.column(name).to_pylist() for name in columns]

    def close(self) -> None:
        """Let go of the file."""
        self._parquet.close()
