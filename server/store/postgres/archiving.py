"""Taking lines out of a PostgreSQL database, once a file has them; servers go on."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from server.store import Entry
from server.store.archive_files import ArchiveFile, Ends, differs
from server.store.parquet import Row, Signed
from server.store.postgres.archived import AT, files, filled
from server.store.postgres.database import Database, Worker, in_words
from server.store.postgres.logs import head_at
from server.store.postgres.opening import must_be_here
from server.store.postgres.reading import entry

__all__ = ["PostgresArchiving"]

T = TypeVar("T")

# The deliveries of the next positions, the first one in any case, each with its lines.
_ENTRIES = f"""
SELECT d.position - (d.last - l.seq), g.name, l.seq, s.name, l.occurred, l.lo, l.hi,
    d.received, l.quarantined, l.line, {AT}
FROM (
    SELECT * FROM delivery WHERE position > $1 AND position <= greatest($1 + $2,
        (SELECT position FROM delivery WHERE position > $1 ORDER BY position LIMIT 1))
    ORDER BY position) d
CROSS JOIN LATERAL (
    SELECT coalesce(max(last), 0) AS last FROM delivery
    WHERE log = d.log AND last < d.last) b
CROSS JOIN LATERAL (
    SELECT * FROM line
    WHERE log = d.log AND seq > b.last AND seq <= d.last OFFSET 0) l
JOIN log g ON g.id = d.log
JOIN station s ON s.id = g.station
ORDER BY d.position, l.seq
"""  # noqa: S608 # of constants
_ENDS = """
SELECT position, number, head, signature, public_key, clock, seal FROM delivery
WHERE position BETWEEN $1 AND $2 ORDER BY position
"""
_GIVEN = """
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) k (log, seq, line)
JOIN log g ON g.name = k.log
"""
_OTHER = f"""
SELECT k.log, k.seq {_GIVEN}
LEFT JOIN LATERAL (
    SELECT line, seq FROM line WHERE log = g.id AND seq = k.seq OFFSET 0) l ON true
WHERE l.seq IS NULL OR coalesce(l.line, k.line) <> k.line LIMIT 1
"""  # noqa: S608 # of constants
_TAKE = f"""
WITH n AS MATERIALIZED (SELECT g.id AS log, k.seq, k.line {_GIVEN})
UPDATE line SET line = NULL FROM n
WHERE line.log = n.log AND line.seq = n.seq AND line.line = n.line AND NOT EXISTS (
    SELECT 1 FROM said s WHERE s.line = n.log << 32 | n.seq)
"""  # noqa: S608 # of constants
_TAKE_SIGNED = """
UPDATE delivery d SET signature = NULL, public_key = NULL, clock = NULL
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[])
    k (position, signature, public_key, clock)
WHERE d.position = k.position AND d.signature = k.signature
    AND d.public_key = k.public_key AND d.clock IS NOT DISTINCT FROM k.clock
"""


class PostgresArchiving:
    """A server's database on PostgreSQL, while servers go on. Close it after use.

    Args:
        url: Where it is.
        archive: The folder with the files of archived lines.

    Raises:
        StartError: It cannot be reached, or is none that lines are taken out of.
    """

    def __init__(self, url: str, archive: Path) -> None:
        self._runner = asyncio.Runner()
        self._worker = Worker(url, archive)
        try:
            self._runner.run(self._worker.open())
            with in_words():
                self._transact(must_be_here)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._worker.close())
        self._runner.close()

    def _transact(self, function: Callable[[Database], T]) -> T:
        return self._runner.run(self._worker.transact(function))

    def files(self) -> list[ArchiveFile]:
        """Return the files that there are."""
        return self._transact(files)

    def entries(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position; about so many."""

        def read(database: Database) -> list[Entry]:
            rows = database.rows(_ENTRIES, after, limit)
            return [entry(row) for row in filled(database, rows, 9)]

        return self._transact(read)

    def ends(self, first: int, last: int) -> Ends:
        """Return what came with the deliveries between two positions."""
        found = self._transact(lambda d: d.rows(_ENDS, first, last))
        return {position: Signed(*signed) for position, *signed in found}

    def head(self, log: str, seq: int) -> bytes:
        """Return the head of a log at a line."""

        def read(database: Database) -> bytes:
            (number,) = database.one("SELECT id FROM log WHERE name = $1", log)
            return head_at(database, number, log, seq)

        return self._transact(read)

    def note(self, file: ArchiveFile) -> None:
        """Note that a file has lines."""
        names = ArchiveFile.__struct_fields__
        marks = ", ".join(f"${number}" for number in range(1, len(names) + 1))
        # after a connection that was lost in COMMIT it is there already
        statement = (
            f"INSERT INTO archive ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 # of constants
            " ON CONFLICT (name) DO NOTHING"
        )
        self._transact(
            lambda d: d.do(statement, *(getattr(file, name) for name in names))
        )

    def take(self, file: ArchiveFile, rows: Sequence[Row]) -> None:
        """Take lines out, if they are as the file has them; once it is durable.

        Raises:
            StartError: They are not; nothing was changed.
        """
        given = [(row.log, row.seq, row.line) for row in rows]
        signed = [
            (row.position, *row.signed[2:5]) for row in rows if row.signed is not None
        ]

        def take(database: Database) -> None:
            for log, seq in database.columns(_OTHER, given, 3):
                raise differs(file, log, seq)
            database.columns(_TAKE, given, 3)
            database.columns(_TAKE_SIGNED, signed, 4)
            database.do(
                "UPDATE archive SET taken = $2 WHERE name = $1",
                file.name,
                rows[-1].position,
            )

        self._transact(take)

    def finish(self) -> None:
        """Let what was taken out make room for new lines."""
        self._runner.run(self._worker.apart("VACUUM line, delivery"))
