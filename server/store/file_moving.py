"""Moving everything out of a SQLite database, or into one that was made for it."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from server.store import Identity
from server.store.archive_files import ArchiveFile
from server.store.archived import files
from server.store.audit import report
from server.store.moving import MANY, REST, Chunk, Delivered, Moved, Rest, worded
from server.store.said import KEEP_WORDS
from shared.errors import StartError

__all__ = ["MOVING", "MovingFile", "half_moved"]

_DELIVERIES = """
SELECT d.number, d.log, d.last, d.head, d.signature, d.public_key, d.clock, d.received,
    d.seal, l.position
FROM delivery d JOIN line l ON l.log = d.log AND l.seq = d.last
WHERE d.number > ? ORDER BY d.number
"""
# What somebody changed may be of another type; it is found at the end.
_LINES = """
SELECT seq, occurred, lo, hi, basis, quarantined, CAST(line AS BLOB) FROM line
WHERE position > ? AND position <= ? ORDER BY position
"""
_VOIDED = """
SELECT v.log, v.seq, g.id, g.name, l.seq, l.received
FROM line l JOIN log g ON g.id = l.log
JOIN voided v ON v.by = g.name || ':' || l.seq
WHERE l.position > ? AND l.position <= ?
"""
_SAID = """
SELECT s.topic, s.key, s.occurred, s.log, s.seq, l.log, s.position
FROM said s JOIN line l ON l.position = s.position
WHERE s.position > ? AND s.position <= ?
"""
MOVING = "moving"
"""What is noted of a database that is half moved."""


def half_moved(path: Path) -> StartError:
    """Return what is wrong with a database that was not moved to its end."""
    reason = f"{path} was not moved to its end; run the same migrate-store again first"
    return StartError(reason)


class MovingFile:
    """A server's database in a file, which nobody else has open.

    Raises:
        StartError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,  # one thread after the other
            )
            self._connection.execute("PRAGMA synchronous = FULL")
            self._meta()
        except sqlite3.Error as error:
            reason = f"the database {path} cannot be used ({error})"
            raise StartError(reason) from error

    def _meta(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT name, value FROM meta"))

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def identity(self) -> Identity:
        """Return which server's it is.

        Raises:
            StartError: It is only half of one.
        """
        meta = self._meta()
        if MOVING in meta:
            raise half_moved(self._path)
        return Identity(server=meta["server"], epoch=meta["epoch"])

    def holds(self) -> Moved:
        """Check everything, and return what it is."""
        found = report(self._connection, {})
        if found.findings:
            reason = f"{self._path} is not sound: {found.findings[0].text}"
            raise StartError(reason)
        return Moved(
            identity=Identity(server=found.server, epoch=found.epoch),
            deliveries=found.deliveries,
            lines=found.lines,
            seal=found.seal,
            heads=found.acked,
        )

    # --- out of it --------------------------------------------------------------------

    def archived(self) -> list[ArchiveFile]:
        """Return the files of the archive that it knows of."""
        return files(self._connection)

    def chunk(self, after: int) -> Chunk | None:
        """Return the deliveries behind one, or nothing at the end."""
        rows = list(self._some(after))
        if not rows:
            return None
        (first,) = self._connection.execute(
            "SELECT coalesce(max(l.position), 0) FROM delivery d"
            " JOIN line l ON l.log = d.log AND l.seq = d.last WHERE d.number = ?",
            (after,),
        ).fetchone()
        places = [first, *(row[-1] for row in rows)]
        deliveries = [
            Delivered(
                **dict(zip(Delivered.__struct_fields__, row, strict=False)),
                lines=self._connection.execute(_LINES, between).fetchall(),
            )
            for row, between in zip(rows, pairwise(places), strict=True)
        ]
        whole = (places[0], places[-1])
        return Chunk(
            deliveries=deliveries,
            voided=self._connection.execute(_VOIDED, whole).fetchall(),
            said=self._connection.execute(_SAID, whole).fetchall(),
        )

    def _some(self, after: int) -> Iterator[Sequence[Any]]:
        begun = None
        for row in self._connection.execute(_DELIVERIES, (after,)):
            position = row[-1]
            if begun is not None and position - begun > MANY:
                return
            begun = position if begun is None else begun
            yield row

    def rest(self) -> Rest:
        """Return the rows of the small tables."""
        return {
            table: self._connection.execute(
                f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 # of constants
            ).fetchall()
            for table, columns in REST.items()
        }

    # --- into it ----------------------------------------------------------------------

    def begin(self, identity: Identity) -> int:
        """Return up to which delivery it was moved already.

        Raises:
            StartError: It holds something else.
        """
        meta = self._meta()
        moving = meta.get(MOVING)
        (there,) = self._connection.execute("SELECT count(*) FROM station").fetchone()
        if moving is None and not there:
            moving = f"{identity.server} {identity.epoch} 0"
            self._note(MOVING, moving)
        if moving is None:  # perhaps it was done, and nobody heard of it
            (last,) = self._connection.execute(
                "SELECT coalesce(max(number), 0) FROM delivery"
            ).fetchone()
            moving = f"{meta['server']} {meta['epoch']} {last}"
        server, epoch, done = moving.split()
        if (server, epoch) != (identity.server, identity.epoch):
            reason = (
                f"{self._path} holds other events already, and nothing of it is "
                "overwritten. Move it away, or choose another --data folder"
            )
            raise StartError(reason)
        return int(done)

    def write(self, chunk: Chunk, identity: Identity) -> None:
        """Write deliveries, and note that they are there."""
        with self._transaction():
            for one in chunk.deliveries:
                self._deliver(one)
            self._many("voided", 4, (self._void(row) for row in chunk.voided))
            self._many("said", 6, ((*row[:5], row[6]) for row in chunk.said))
            for table, _, _, position, words in worded(chunk):
                self._connection.execute(KEEP_WORDS.format(table), (position, words))
            self._note(MOVING, f"{identity.server} {identity.epoch} {chunk.done}")

    def _deliver(self, one: Delivered) -> None:
        first = one.position - len(one.lines) + 1
        self._many(
            "line",
            10,
            (
                (place, one.log, seq, one.received, occurred, lo, hi, basis, why, line)
                for place, (seq, occurred, lo, hi, basis, why, line) in enumerate(
                    one.lines, first
                )
            ),
        )
        whole = (one.number, one.log, one.last, one.head, one.signature)
        kept = (one.public_key, one.clock, one.received, one.seal)
        self._many("delivery", 9, [(*whole, *kept)])

    def _void(self, row: Sequence[Any]) -> Sequence[Any]:
        log, seq, _, by, by_seq, received = row
        return log, seq, received, f"{by}:{by_seq}"

    def finish(self, rest: Rest, identity: Identity) -> None:
        """Write the small tables; from then on it is a server's database."""
        if MOVING not in self._meta():
            return  # it was done already
        with self._transaction():
            for table, columns in REST.items():
                marks = ", ".join("?" * len(columns))
                self._connection.executemany(
                    f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 # of constants
                    [tuple(row) for row in rest[table]],
                )
            self._note("server", identity.server)
            self._note("epoch", identity.epoch)
            # answers are made anew at the first start
            self._connection.execute(
                "DELETE FROM meta WHERE name IN ('layout', 'rules', ?)", (MOVING,)
            )

    def _many(self, table: str, width: int, rows: Any) -> None:  # noqa: ANN401 # rows
        marks = ", ".join("?" * width)
        self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 # of constants

    def _note(self, name: str, value: str) -> None:
        self._connection.execute(
            "INSERT INTO meta (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def _transaction(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection
