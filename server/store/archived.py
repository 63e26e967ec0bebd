"""Lines that a SQLite database has no more, and the files beside it that have them.

The row of a line stays when the line goes into a file: what follows from rules and
clocks is worked out anew at times. Only its bytes leave, and are ``NULL`` then.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from server.store.archive import Archive, archive_at, with_lines, with_signed
from server.store.archive_files import ArchiveFile
from shared.data_folders import ARCHIVE

__all__ = ["AT", "archive_of", "files", "filled", "filling", "signed"]

_AT_ONCE = 10_000

_Row = Sequence[Any]


def filled(
    connection: sqlite3.Connection, rows: Iterable[_Row], line: int
) -> list[_Row]:
    """Put lines into rows where they are archived.

    Args:
        connection: Where the rows come from.
        rows: Each with its line's position behind everything else; it is left out of
            what is returned.
        line: In which column the line is, or ``None`` where it is archived.

    Raises:
        ProblemError: 503, a file of the archive cannot be read.
    """
    rows = list(rows)
    gone = [row[-1] for row in rows if row[line] is None and row[-1] is not None]
    found = archive_of(connection).lines(files(connection), gone) if gone else {}
    return with_lines(rows, line, found)


AT = """
CASE WHEN d.signature IS NULL THEN (
    SELECT position FROM line WHERE log = d.log AND seq = d.last) END"""
"""An expression: the position of the last line of a delivery `d`, if it is archived."""


def signed(
    connection: sqlite3.Connection, rows: Iterable[_Row], signature: int
) -> list[_Row]:
    """Put signatures, keys and clocks into rows where they are archived.

    Args:
        connection: Where the rows come from.
        rows: Each with `AT` behind everything else; it is left out of what is returned.
        signature: In which column the signature is, before the key and the clock.

    Raises:
        ProblemError: 503, a file of the archive cannot be read.
    """
    rows = list(rows)
    gone = [row[-1] for row in rows if row[-1] is not None]
    found = archive_of(connection).signed(files(connection), gone) if gone else {}
    return with_signed(rows, signature, found)


def filling(
    connection: sqlite3.Connection, rows: Iterable[_Row], line: int
) -> Iterator[_Row]:
    """Put lines into rows as `filled`, of very many rows some at a time."""
    for some in pieces(rows):
        yield from filled(connection, some, line)


def pieces(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    """Cut very many rows into pieces."""
    coming = iter(rows)
    while some := list(islice(coming, _AT_ONCE)):
        yield some


def files(connection: sqlite3.Connection) -> list[ArchiveFile]:
    """Return all files of the archive that the database knows of, in their order."""
    names = ArchiveFile.__struct_fields__
    found = connection.execute(
        f"SELECT {', '.join(names)} FROM archive ORDER BY last"  # noqa: S608 # of constants
    )
    return [ArchiveFile(**dict(zip(names, row, strict=True))) for row in found]


def archive_of(connection: sqlite3.Connection) -> Archive:
    """Return what reads the files beside a database."""
    (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
    return archive_at(Path(path).parent / ARCHIVE)
