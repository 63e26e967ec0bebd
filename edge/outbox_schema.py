"""Bring an outbox's file to the present schema, or say why it cannot be used.

A schema is one numbered file of SQL; ``user_version`` says how many were applied. They
only lead forward, each in one transaction together with its number.
"""

import sqlite3
from importlib import resources
from pathlib import Path

from shared.errors import StartError

__all__ = ["ASIDE", "prepare", "refuse_foreign"]

_SCHEMAS = ("outbox_schema.sql",)
_APPLICATION = 0x53434E54  # "SCNT", in the file's header

ASIDE = "move it, and the files whose names begin like its own, to another folder"
"""What to do with a file that cannot be used."""


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Check what the file is, turn on WAL, and apply the schemas that are missing.

    Args:
        db: A connection in autocommit mode (``isolation_level=None``).
        path: The file's name, for the texts of errors.

    Raises:
        StartError: It is another program's, or a newer version's.
        sqlite3.Error: It is no database, or the disk is full or failing.
    """
    refuse_foreign(db, path)
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        reason = f"{path} is on a file system without shared memory; use a local disk"
        raise StartError(reason)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, name in enumerate(_SCHEMAS[version:], version + 1):
        _apply(db, number, name)


def refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    """Raise StartError for a database that this version cannot read."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != _APPLICATION:
        reason = f"{path} is another program's database; {ASIDE}"
        raise StartError(reason)
    if version > len(_SCHEMAS):
        reason = (
            f"{path} was written by a newer Scantrail (schema {version}; this one "
            f"knows {len(_SCHEMAS)}); install that version again"
        )
        raise StartError(reason)


def _apply(db: sqlite3.Connection, number: int, name: str) -> None:
    schema = resources.files("edge").joinpath(name).read_text(encoding="utf-8")
    try:
        db.executescript(
            f"BEGIN IMMEDIATE;\n{schema}\nPRAGMA application_id = {_APPLICATION};\n"
            f"PRAGMA user_version = {number};\nCOMMIT;"
        )
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
