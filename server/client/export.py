"""``scantrail export``: everything of one kind, into a file."""

import argparse
import importlib
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import msgspec

from server.client.api import Client
from shared.api.exceptions import FoundException
from shared.api.feed import FeedEvent
from shared.api.items import ItemAnswer
from shared.errors import StartError

__all__ = ["add_export", "export"]

_SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".parquet": "parquet"}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "items": ItemAnswer.__struct_fields__,
    "events": FeedEvent.__struct_fields__,
    "exceptions": FoundException.__struct_fields__,
}
_ROWS = 10_000
"""Rows of one group in a Parquet file: what is held in memory."""


async def export(options: argparse.Namespace) -> None:
    """Write everything to the file, or to standard output."""
    out: Path | None = options.output
    form = options.format or (_SUFFIXES.get(out.suffix.lower()) if out else None)
    if form == "parquet" and out is None:
        reason = "Parquet cannot be written to standard output; name a file with -o"
        raise StartError(reason)
    pyarrow = _pyarrow() if form == "parquet" else None
    query = {"format": form or "ndjson"} if pyarrow is None else {}
    async with Client(options.server, options.key) as client:
        data = client.stream(f"/v1/export/{options.what}", query)
        if out is None:
            await _copy(data, sys.stdout.buffer)
        else:
            await _into(out, data, options.what, pyarrow)


async def _into(
    out: Path, data: AsyncIterator[bytes], what: str, pyarrow: ModuleType | None
) -> None:
    """Write a file that is there whole or not at all."""
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            if pyarrow is None:
                await _copy(data, file)
            else:
                await _parquet(data, file, pyarrow, _COLUMNS[what])
        part.replace(out)
    except OSError as error:
        reason = f"{out} cannot be written: {error.strerror}"
        raise StartError(reason) from error
    finally:
        part.unlink(missing_ok=True)


async def _copy(data: AsyncIterator[bytes], file: BinaryIO) -> None:
    async for piece in data:
        file.write(piece)
    file.flush()


def _pyarrow() -> ModuleType:
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError as error:
        reason = "Parquet needs pyarrow: pip install 'scantrail[parquet]'"
        raise StartError(reason) from error


async def _parquet(
    data: AsyncIterator[bytes],
    file: BinaryIO,
    pyarrow: ModuleType,
    columns: Sequence[str],
) -> None:
    """Write rows of text: what is a list or an object is written as its JSON."""
    schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        rows = []
        async for line in _lines(data):
            rows.append(_texts(line))
            if len(rows) == _ROWS:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
                rows = []
        writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))


async def _lines(data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in data:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line


def _texts(line: bytes) -> dict[str, str | None]:
    values = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    return {name: _text(bytes(value)) for name, value in values.items()}


def _text(value: bytes) -> str | None:
    if value == b"null":
        return None
    if value.startswith(b'"'):
        return msgspec.json.decode(value, type=str)
    return value.decode()


def add_export(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``export``."""
    parser.add_argument("what", choices=list(_COLUMNS), help="what to write")
    parser.add_argument(
        *("-o", "--output"), type=Path, metavar="FILE", help="standard output if not"
    )
    parser.add_argument(
        "--format",
        choices=list(_SUFFIXES.values()),
        help="as the file's name ends, or NDJSON",
    )
    parser.set_defaults(run=export)
