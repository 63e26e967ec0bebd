"""Bring a server's database to the present schema, or say why it cannot be used.

A schema is one numbered file of SQL; ``user_version`` says how many were applied. They
only lead forward, each in one transaction together with its number: where that is
interrupted, the database is as it was. What is known of items is no part of them: it is
made anew from the lines where it is written in another way.
"""

import sqlite3
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from uuid import uuid4

from server.site import Site
from server.store import rebuild
from server.store.shelf import create
from server.store.whereabouts import must_be_here
from shared.errors import StartError

__all__ = ["make", "prepare", "schemas"]

_SCHEMAS = ("schema.sql",)


def schemas() -> tuple[str, ...]:
    """Return the SQL of each version, the first version's first."""
    folder = resources.files("server.store")
    return tuple(folder.joinpath(name).read_text(encoding="utf-8") for name in _SCHEMAS)


def prepare(connection: sqlite3.Connection, path: Path, site: Site) -> None:
    """Check whose database it is, set it up, and apply the schemas that are missing.

    Raises:
        StartError: It is a newer version's, or another program's, or what was in it
            moved away; nothing was changed.
        sqlite3.Error: It is no database, or the disk is full or failing.
    """
    if _refuse_foreign(connection, path, len(schemas())):
        must_be_here(path, dict(connection.execute("SELECT name, value FROM meta")))
    make(connection, path, site)


def make(connection: sqlite3.Connection, path: Path, site: Site) -> None:
    """Set up a database, whatever is half moved there.

    Raises:
        StartError: It is a newer version's, or another program's; nothing was changed.
        sqlite3.Error: It is no database, or the disk is full or failing.
    """
    steps = schemas()
    version = _refuse_foreign(connection, path, len(steps))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -131072")  # KiB
    # rarer than by default: pages that change with every batch are copied less often
    connection.execute("PRAGMA wal_autocheckpoint = 16000")  # pages
    try:
        if version == 0:
            _create(connection, steps, site)
        else:
            for number, sql in enumerate(steps[version:], version + 1):
                _apply(connection, number, sql)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _refuse_foreign(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version > newest:
        reason = (
            f"{path} was written by a newer Scantrail (version {version} of its "
            f"schema, this program knows {newest}). Install that version, "
            "or start with another --data folder. Nothing was changed."
        )
        raise StartError(reason)
    if version == 0 and tables:
        reason = (
            f"{path} is another program's database. Start with another --data folder. "
            "Nothing was changed."
        )
        raise StartError(reason)
    return int(version)


def _create(connection: sqlite3.Connection, steps: Sequence[str], site: Site) -> None:
    """Make a new database, of all versions at once."""
    names = [("server", str(uuid4())), ("epoch", str(uuid4())), ("told", "0")]
    connection.executescript("BEGIN IMMEDIATE;\n" + "\n".join(steps))
    create(connection, "")
    rebuild.note(connection, site)
    connection.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", names)
    connection.execute(f"PRAGMA user_version = {len(steps)}")
    connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, number: int, sql: str) -> None:
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
    )
