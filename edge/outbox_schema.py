"""Bring an outbox's file to the present schema, or say why it cannot be used.

A schema is one numbered file of SQL; ``user_version`` says how many were applied. They
only lead forward, each in one transaction together with its number: where that is
interrupted, the file is as it was.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from shared.errors import ScantrailError

__all__ = [
    "ForeignError",
    "NewerError",
    "prepare",
    "read_only",
    "refuse_foreign",
    "schemas",
]

_SCHEMAS = ("outbox_schema.sql",)
_APPLICATION = 0x53434E54  # "SCNT", in the file's header


class ForeignError(ScantrailError):
    """The file is another program's database, or on a disk that cannot be used so."""


class NewerError(ScantrailError):
    """The file was written by a newer version: it has to be left alone."""


def schemas() -> tuple[str, ...]:
    """Return the SQL of each version, the first version's first."""
    folder = resources.files("edge")
    return tuple(folder.joinpath(name).read_text(encoding="utf-8") for name in _SCHEMAS)


def prepare(db: sqlite3.Connection, steps: Sequence[str] | None = None) -> None:
    """Check what the file is, turn on WAL, and apply the schemas that are missing.

    Args:
        db: A connection in autocommit mode (``isolation_level=None``).
        steps: The SQL of each version; by default ``schemas()``.

    Raises:
        ForeignError: It is another program's.
        NewerError: It is a newer version's.
        sqlite3.Error: It is no database, or the disk is full or failing.
    """
    steps = schemas() if steps is None else steps
    refuse_foreign(db, len(steps))
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version == 0:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only before the first table
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        reason = "it is on a file system without shared memory; use a local disk"
        raise ForeignError(reason)
    for number, sql in enumerate(steps[version:], version + 1):
        _apply(db, number, sql)


def refuse_foreign(db: sqlite3.Connection, newest: int = len(_SCHEMAS)) -> None:
    """Raise ForeignError or NewerError for what this version cannot read."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != _APPLICATION:
        reason = "it is another program's database"
        raise ForeignError(reason)
    if version > newest:
        reason = (
            f"it was written by a newer Scantrail (schema {version}; this one knows "
            f"{newest}); install that version again"
        )
        raise NewerError(reason)


@contextlib.contextmanager
def read_only(path: Path, patience: float) -> Iterator[sqlite3.Connection]:
    """Open an outbox to look at it, also while a station is running.

    Args:
        path: The file.
        patience: Seconds to wait for a program that holds it.

    Raises:
        ForeignError, NewerError: As ``refuse_foreign``.
        sqlite3.Error: It cannot be read.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(
        sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
    ) as db:
        refuse_foreign(db)
        yield db


def _apply(db: sqlite3.Connection, number: int, sql: str) -> None:
    try:
        db.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA application_id = {_APPLICATION};\n"
            f"PRAGMA user_version = {number};\nCOMMIT;"
        )
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
