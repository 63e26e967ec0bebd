"""A station's logs in one SQLite file: what is written there, and known of it.

Contract, sections 2 and 3.3. A ledger belongs to the one thread that owns its
connection; ``edge.outbox`` puts it there. What it knows of the file changes only
after a commit, and as a whole, so that any thread may look at ``state``.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from edge import log_reader
from edge.logs import Batch, Former, Log, State, numbered, recorded_again, rows
from shared import chain
from shared.lines import Line, fit

__all__ = ["Ledger", "transaction"]

_ASIDE = 1024  # from one log's id to the next: room for what is taken in later

_ANY_LOG = "SELECT 1 FROM log LIMIT 1"
_INSERT_LINE = "INSERT INTO line (position, bytes, head) VALUES (?, ?, ?)"
_BEGIN_LOG = "INSERT INTO log (id, name, head) VALUES (?, ?, ?)"
_END_LOG = "UPDATE log SET last = ? WHERE id = ?"
_MOVE_LOG = "UPDATE log SET common = ?, moved_to = ? WHERE id = ?"
_ACKED = "UPDATE log SET acked = ?, backed_up = ?, epoch = ? WHERE id = ?"
_EPOCH = "UPDATE log SET epoch = ? WHERE id = ?"
_WITHDRAW = "DELETE FROM line WHERE position > ?"
_PART = "SELECT id, last FROM log WHERE name = ? AND first = ?"
_TAKE_PART = (
    "INSERT INTO log (id, name, first, head, last, acked, backed_up, epoch) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_FREE_ID = "SELECT coalesce(max(id), 0) + 1 FROM log WHERE id < ?"
_PRUNE = "DELETE FROM line WHERE position > ? AND position <= ?"
_PRUNED = "UPDATE log SET first = ?, head = ? WHERE id = ?"
_TAKE = "INSERT OR IGNORE INTO aside (name) VALUES (?)"


class Ledger:
    """The logs of one station. ``db`` is in autocommit mode and has the schema."""

    def __init__(self, db: sqlite3.Connection, first_log: str) -> None:
        """Take up what is there, or begin the first log.

        Args:
            db: The connection.
            first_log: The first log's name; empty where there has to be one.

        Raises:
            sqlite3.Error: The disk is full or failing.
        """
        self._db = db
        if first_log and db.execute(_ANY_LOG).fetchone() is None:
            with transaction(db):
                db.execute(_BEGIN_LOG, (_ASIDE, first_log, chain.start(first_log)))
        self.state = log_reader.load(db)

    def append(self, drafts: Sequence[Line]) -> list[str]:
        """Number, encode and save the drafts, all or none; return their names.

        Raises:
            LineError: A draft is too long even without its ``raw``.
            sqlite3.Error: The disk is full or failing; nothing was saved.
        """
        state, log = self.state, self.state.present
        new = list(rows(self._encoded(drafts), log.base + log.last, state.head))
        with transaction(self._db):
            self._db.executemany(_INSERT_LINE, new)
        self.state = _grown(state, log.last + len(new), new[-1][2])
        return [f"{log.name}:{n}" for n in range(log.last + 1, self.state.last + 1)]

    def _encoded(self, drafts: Sequence[Line]) -> list[bytes]:
        return [
            fit(numbered(draft, seq, self.state.former))
            for seq, draft in enumerate(drafts, self.state.last + 1)
        ]

    def ahead(self, drafts: Sequence[Line]) -> tuple[Batch, State]:
        """Return what ``append`` would save, and the state after; without the file.

        Raises:
            LineError: A draft is too long even without its ``raw``.
        """
        state, log = self.state, self.state.present
        lines = tuple(self._encoded(drafts))
        head = chain.walk(state.head, lines)[-1]
        grown = _grown(state, log.last + len(lines), head)
        new = Batch(
            log=log.name,
            part=log.id,
            after=log.last,
            base=state.head,
            head=head,
            lines=lines,
        )
        return new, grown

    def adopt(self, lines: Sequence[bytes]) -> None:
        """Save lines of the present log that were saved elsewhere, as they are.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing was saved.
        """
        state, log = self.state, self.state.present
        new = list(rows(list(lines), log.base + log.last, state.head))
        with transaction(self._db):
            self._db.executemany(_INSERT_LINE, new)
        self.state = _grown(state, log.last + len(new), new[-1][2])

    def withdraw(self, last: int) -> None:
        """Take back the present log's lines behind ``last``: nobody was told of them.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing has changed.
        """
        with transaction(self._db):
            self._db.execute(_WITHDRAW, (self.state.present.base + last,))
        self.state = log_reader.load(self._db)

    def read(
        self, after: int, max_lines: int, max_bytes: int, part: int | None = None
    ) -> Batch:
        """Read what follows line ``after``, within both limits, but one line at least.

        Raises:
            LookupError: There is no such log, or it has no line ``after``.
            DamageError: A line is not what it was.
        """
        log = self.state.part(part)
        return log_reader.read(self._db, log, after, max_lines, max_bytes)

    def head_at(self, seq: int, part: int | None = None) -> bytes | None:
        """Return a log's head after line ``seq``; None if it has no such here."""
        return log_reader.head_at(self._db, self.state.part(part), seq)

    def note(
        self, acked: int, backed_up: int, *, epoch: str = "", part: int | None = None
    ) -> None:
        """Note how far the server is, up or down, without a flush of its own.

        The next commit of lines flushes it too. A power cut may take it, which costs a
        request that is sent again, and never a line; and a slow card is spared half of
        its flushes.

        Raises:
            LookupError: There is no such log.
            sqlite3.Error: It could not be written. ``state`` has it all the same.
        """
        log = self.state.part(part)
        acked = min(acked, log.last)
        told = {"acked": acked, "backed_up": min(backed_up, acked)}
        new = msgspec.structs.replace(log, epoch=epoch or log.epoch, **told)
        present = self.state.part(None)
        if (new, new.epoch) == (log, present.epoch):
            return
        self.state = self.state.replaced(new)
        present = msgspec.structs.replace(self.state.present, epoch=new.epoch)
        self.state = self.state.replaced(present)
        with transaction(self._db, synchronous="NORMAL"):
            self._db.execute(_ACKED, (new.acked, new.backed_up, new.epoch, new.id))
            self._db.execute(_EPOCH, (present.epoch, present.id))

    def start_log(self, common: int, name: str, part: int | None = None) -> None:
        """Leave a log in a fork, whose lines up to ``common`` the server has.

        The lines behind are recorded again in the new log ``name``, which becomes the
        present one. Where it is not the present log that is left so, that one is left
        as it is, and sent to its end.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing has changed.
        """
        old, present = self.state.part(part), self.state.present
        moved = Former(common, old.end, name)
        former = {
            **self.state.former,
            old.name: (*self.state.former.get(old.name, ()), moved),
        }
        new = Log(id=present.id + _ASIDE, name=name)
        behind = log_reader.lines(self._db, old, common, old.end)
        with contextlib.closing(behind), transaction(self._db):
            self._db.execute(_END_LOG, (present.last, present.id))
            self._db.execute(_MOVE_LOG, (common, name, old.id))
            self._db.execute(
                _ACKED, (common, min(old.backed_up, common), present.epoch, old.id)
            )
            self._db.execute(_BEGIN_LOG, (new.id, name, chain.start(name)))
            self._db.execute(_EPOCH, (present.epoch, new.id))
            again = (
                recorded_again(line, seq, former) for seq, line in enumerate(behind, 1)
            )
            self._db.executemany(_INSERT_LINE, rows(again, new.base, chain.start(name)))
        self.state = log_reader.load(self._db)

    def take_in(self, part: Log, head: bytes, lines: Sequence[bytes]) -> None:
        """Add to a left log's part lines that were found elsewhere, in order.

        What is here already is passed over, so that an interrupted taking in can begin
        again, and so that what a journal has behind a hole is not told twice.

        Args:
            part: Its ``name`` and ``first``, and what the server is known to have of
                it; ``last`` is the last line before ``lines``.
            head: The part's head after ``first``.
            lines: What follows ``part.last``.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing has changed.
        """
        if self._has(part, lines):
            return
        part, head = self._behind_what_is_here(part, head)
        found = self._db.execute(_PART, (part.name, part.first)).fetchone()
        here = msgspec.structs.replace(part, id=found[0] if found else self._free_id())
        last = found[1] if found and found[1] is not None else part.first
        if found and found[0] == self.state.present.id:
            return
        if last < part.last:
            reason = f"lines {last + 1} to {part.last} of {part.name} come first"
            raise ValueError(reason)
        new = list(lines[last - part.last :])
        base = self.head_at(last, here.id) if found else head
        if base is None:
            return
        with transaction(self._db):
            if not found:
                told = (part.acked, part.backed_up, part.epoch)
                row = (here.id, part.name, part.first, head, part.first, *told)
                self._db.execute(_TAKE_PART, row)
            self._db.executemany(_INSERT_LINE, rows(new, here.base + last, base))
            self._db.execute(_END_LOG, (last + len(new), here.id))
        self.state = log_reader.load(self._db)

    def _has(self, part: Log, lines: Sequence[bytes]) -> bool:
        """Whether these lines are here, in another part of their log."""
        last = part.last + len(lines)
        return any(
            tuple(log_reader.lines(self._db, log, part.last, last)) == tuple(lines)
            for log in self.state.logs
            if log.name == part.name and log.first <= part.last and last <= log.last
        )

    def _behind_what_is_here(self, part: Log, head: bytes) -> tuple[Log, bytes]:
        """Let a part begin where its lines are not here, if those before it are."""
        last = part.last
        if self._db.execute(_PART, (part.name, part.first)).fetchone() is None:
            for log in self.state.logs:
                here = log.name == part.name and log.first <= last <= log.last
                if here and part.first < last and (now := self.head_at(last, log.id)):
                    told = {"first": last, "acked": last, "backed_up": last}
                    return msgspec.structs.replace(part, **told), now
        return part, head

    def _free_id(self) -> int:
        """Return an id before the present log's, behind those of the other logs."""
        (free,) = self._db.execute(_FREE_ID, (self.state.present.id,)).fetchone()
        if free >= self.state.present.id:
            reason = "there is no room for one more log before the present one"
            raise sqlite3.DataError(reason)
        return int(free)

    def prune(self, part: int, through: int) -> None:
        """Take away a log's lines up to ``through``; its chain goes on behind them.

        Args:
            part: The log.
            through: At most what is backed up.

        Raises:
            ValueError: Not all of them are backed up.
            sqlite3.Error: The disk is failing; nothing has changed.
        """
        log = self.state.part(part)
        head = self.head_at(through, part)
        if head is None or through > min(log.backed_up, log.acked):
            reason = f"lines up to {through} of {log} are not backed up, or not here"
            raise ValueError(reason)
        with transaction(self._db, synchronous="NORMAL"):
            self._db.execute(_PRUNE, (log.base, log.base + through))
            self._db.execute(_PRUNED, (through, head, part))
        self.state = self.state.replaced(msgspec.structs.replace(log, first=through))

    def taken(self) -> frozenset[str]:
        """Return the names of the set-aside files that were taken in."""
        return log_reader.taken(self._db)

    def take(self, name: str) -> None:
        """Note that a set-aside file was taken in.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing has changed.
        """
        with transaction(self._db):
            self._db.execute(_TAKE, (name,))


def _grown(state: State, last: int, head: bytes) -> State:
    log = msgspec.structs.replace(state.present, last=last, end=last)
    return msgspec.structs.replace(state, present=log, head=head)


@contextlib.contextmanager
def transaction(
    db: sqlite3.Connection, synchronous: Literal["FULL", "NORMAL"] = "FULL"
) -> Iterator[None]:
    """All or nothing, a COMMIT that fails included.

    FULL: the commit has reached the disk when it returns. NORMAL: it may be lost, but
    never what was committed before it. Said each time, so that none is left over.
    """
    if db.in_transaction:  # a ROLLBACK failed, too
        db.execute("ROLLBACK")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
