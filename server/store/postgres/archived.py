"""Lines that a PostgreSQL database has no more, and the files that have them.

As `server.store.archived`. Every process needs the same folder.
"""

from collections.abc import Sequence

from server.store.archive import with_lines, with_signed
from server.store.archive_files import ArchiveFile
from server.store.postgres.database import Database, Row

__all__ = ["AT", "SIGNED_AT", "files", "filled", "signed"]

AT = """
CASE WHEN l.line IS NULL THEN (
    SELECT a.position - (a.last - l.seq) FROM delivery a
    WHERE a.log = l.log AND a.last = l.delivered) END"""
"""An expression: the position of a line `l`, if it is archived."""


def filled(database: Database, rows: Sequence[Row], line: int) -> list[Row]:
    """Put lines into rows where they are archived.

    Args:
        database: Where the rows come from.
        rows: Each with `AT` behind everything else; it is left out of what is returned.
        line: In which column the line is, or ``None`` where it is archived.

    Raises:
        ProblemError: 503, a file of the archive cannot be read.
    """
    gone = [row[-1] for row in rows if row[line] is None and row[-1] is not None]
    found = database.archive.lines(files(database), gone) if gone else {}
    return with_lines(rows, line, found)


SIGNED_AT = "CASE WHEN d.signature IS NULL THEN d.position END"
"""An expression: the position of the last line of a delivery `d`, if it is archived."""


def signed(database: Database, rows: Sequence[Row], signature: int) -> list[Row]:
    """Put signatures, keys and clocks into rows where they are archived.

    Args:
        database: Where the rows come from.
        rows: Each with `SIGNED_AT` behind everything else; it is left out.
        signature: In which column the signature is, before the key and the clock.

    Raises:
        ProblemError: 503, a file of the archive cannot be read.
    """
    gone = [row[-1] for row in rows if row[-1] is not None]
    found = database.archive.signed(files(database), gone) if gone else {}
    return with_signed(rows, signature, found)


def files(database: Database) -> list[ArchiveFile]:
    """Return all files of the archive that the database knows of, in their order."""
    names = ArchiveFile.__struct_fields__
    found = database.rows(
        f"SELECT {', '.join(names)} FROM archive ORDER BY last"  # noqa: S608 # of constants
    )
    return [ArchiveFile(**dict(zip(names, row, strict=True))) for row in found]
