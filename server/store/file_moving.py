"""Moving everything out of a SQLite database, or into one that was made for it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

from server.site import Site
from server.store import Identity, is_own
from server.store.archive_files import ArchiveFile
from server.store.archived import files
from server.store.audit import report
from server.store.backups import start_over
from server.store.moving import MANY, REST, Chunk, Delivered, Moved, Rest, worded
from server.store.said import KEEP_WORDS
from server.store.schemas import make
from server.store.whereabouts import MOVED, MOVING, must_be_here
from shared.errors import StartError

__all__ = ["MovingFile", "make_file"]

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


def make_file(path: Path, site: Site) -> None:
    """Make a database to move into; what is half moved there stays.

    Raises:
        StartError: It cannot be made.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            make(connection, path, site)
    except sqlite3.Error as error:
        reason = f"the database {path} cannot be made ({error})"
        raise StartError(reason) from error


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
        """Return which server's it is."""
        meta = self._meta()
        return Identity(server=meta["server"], epoch=meta["epoch"])

    def left(self) -> str:
        """Return when all moved away, and where to; empty where that is not so."""
        return self._meta().get(MOVED, "")

    def must_be_here(self) -> None:
        """See that all of it is in this file.

        Raises:
            StartError: It is only half of it, or all of it moved away.
        """
        must_be_here(self._path, self._meta())

    def is_whole(self, whose: Identity) -> bool:
        """Return whether all of a server's was moved into it."""
        return MOVING not in self._meta() and self.identity() == whose

    def is_empty(self) -> bool:
        """Return whether no station is known, nor any line."""
        stations = self._connection.execute("SELECT name FROM station")
        return not self.last()[0] and all(is_own(name) for (name,) in stations)

    def last(self) -> tuple[int, bytes]:
        """Return the number of the last delivery, and its seal."""
        return self._connection.execute(
            "SELECT number, seal FROM delivery ORDER BY number DESC LIMIT 1"
        ).fetchone() or (0, b"")

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

    def leave(self, moment: str, where: str) -> None:
        """Note that everything moved away: nobody writes here any more."""
        self._note(MOVED, f"{moment} {where}")

    def take_back(self, epoch: str, now: int) -> str:
        """Let it be served again, as a new life that begins where it was left.

        Raises:
            StartError: Nothing moved away.

        Returns:
            When that was.
        """
        left = self.left()
        if not left:
            reason = f"nothing moved away from {self._path}: it can be served as it is"
            raise StartError(reason)
        moment = left.partition(" ")[0]
        with self._transaction():
            start_over(self._connection, epoch=epoch, made_at=moment, now=now)
            self._connection.execute("DELETE FROM meta WHERE name = ?", (MOVED,))
        return moment

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
                f"{self._path} is half of another move: take it away, and run the same "
                "again"
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
        with self._transaction():
            # what is there if it was done once, and servers went on
            for table in reversed(tuple(REST)):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 # of constants
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

    def settle(self) -> None:
        """Leave nothing beside it that belongs to it, so that it can be renamed.

        Raises:
            StartError: Somebody has it open.
        """
        try:
            self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            reason = f"{self._path} is in use ({error}): end what has it open"
            raise StartError(reason) from error

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
