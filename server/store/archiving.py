"""Taking lines out of a SQLite database, once a file has them."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from server.store import Entry
from server.store.archive_files import ArchiveFile, Ends, differs
from server.store.archived import files
from server.store.heads import head_at
from server.store.parquet import Row, Signed
from server.store.reading import events
from server.store.whereabouts import connected

__all__ = ["FileArchiving"]

T = TypeVar("T")

_ENDS = """
SELECT l.position, d.number, d.head, d.signature, d.public_key, d.clock, d.seal
FROM line AS l CROSS JOIN delivery AS d ON d.log = l.log AND d.last = l.seq
WHERE l.position BETWEEN ? AND ? ORDER BY l.position
"""
_SAME = "SELECT count(*) FROM line WHERE position = ? AND coalesce(line, ?) = ?"
_TAKE = """
UPDATE line SET line = NULL WHERE position = ? AND NOT EXISTS (
    SELECT 1 FROM said WHERE position = line.position)
"""
_TAKE_SIGNED = """
UPDATE delivery SET signature = NULL, public_key = NULL, clock = NULL
WHERE log = (SELECT id FROM log WHERE name = ?) AND last = ?
    AND signature = ? AND public_key = ? AND clock IS ?
"""


class FileArchiving:
    """A server's database in a file, which no server has open. Close it after use.

    Args:
        path: Where it is.

    Raises:
        StartError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connected(path, "rw")
        self._connection.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def files(self) -> list[ArchiveFile]:
        """Return the files that there are."""
        return files(self._connection)

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position; about so many."""
        return events(self._connection, after, limit)

    def ends(self, first: int, last: int) -> Ends:
        """Return what came with the deliveries between two positions."""
        found = self._connection.execute(_ENDS, (first, last))
        return {position: Signed(*signed) for position, *signed in found}

    def head(self, log: str, seq: int) -> bytes:
        """Return the head of a log at a line."""
        (number,) = self._connection.execute(
            "SELECT id FROM log WHERE name = ?", (log,)
        ).fetchone()
        return head_at(self._connection, number, log, seq)

    def note(self, file: ArchiveFile) -> None:
        """Note that a file has lines."""
        names = ArchiveFile.__struct_fields__
        self._within(
            lambda c: c.execute(
                f"INSERT INTO archive ({', '.join(names)})"  # noqa: S608 # of constants
                f" VALUES ({', '.join('?' * len(names))})",
                [getattr(file, name) for name in names],
            )
        )

    def take(self, file: ArchiveFile, rows: Sequence[Row]) -> None:
        """Take lines out, if they are as the file has them; once it is durable.

        Raises:
            StartError: They are not; nothing was changed.
        """

        def take(connection: sqlite3.Connection) -> None:
            for row in rows:
                given = (row.position, row.line, row.line)
                (same,) = connection.execute(_SAME, given).fetchone()
                if not same:
                    raise differs(file, row.log, row.seq)
            connection.executemany(_TAKE, [(row.position,) for row in rows])
            connection.executemany(
                _TAKE_SIGNED,
                [
                    (row.log, row.seq, *row.signed[2:5])
                    for row in rows
                    if row.signed is not None
                ],
            )
            connection.execute(
                "UPDATE archive SET taken = ? WHERE name = ?",
                (rows[-1].position, file.name),
            )

        self._within(take)

    def _within(self, function: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            found = function(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return found

    def finish(self) -> None:
        """Let what was taken out make room."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
