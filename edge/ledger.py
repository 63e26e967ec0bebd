"""A station's logs in one SQLite file: all of the station's SQL. Synchronous.

Contract, sections 2 and 3.3. A ledger belongs to the one thread that owns its
connection; ``edge.outbox`` puts it there. What it knows of the file changes only
after a commit, and as a whole, so that any thread may look at ``state``.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import msgspec

from shared import chain
from shared.lines import Line, fit

__all__ = ["Batch", "Former", "Ledger", "State", "load", "newest"]

_TAIL = 1000  # lines whose chain is checked at every start

_INSERT_LINE = "INSERT INTO line (position, bytes, head) VALUES (?, ?, ?)"
_LINES = "SELECT bytes FROM line WHERE position > ? AND position <= ? ORDER BY position"
_TAIL_ROWS = "SELECT bytes, head FROM line WHERE position > ? ORDER BY position"
_NEWEST = "SELECT bytes FROM line ORDER BY position DESC LIMIT ?"
_HEAD = "SELECT head FROM line WHERE position = ?"
_END = "SELECT coalesce(max(position), 0) FROM line"
_BEGIN_LOG = "INSERT INTO log (name, base) VALUES (?, ?)"
_LEAVE_LOG = "UPDATE log SET common = ? WHERE name = ?"
_PRESENT = "SELECT name, base, acked, backed_up FROM log ORDER BY id DESC LIMIT 1"
_LOGS = "SELECT name, common FROM log ORDER BY id"
_ACKED = "UPDATE log SET acked = ?, backed_up = ? WHERE name = ?"


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Lines ``after + 1`` to ``last`` of a log, and the heads before and after them."""

    log: str
    after: int
    base: bytes
    head: bytes
    lines: tuple[bytes, ...]

    @property
    def last(self) -> int:
        """The last line's ``seq``; ``after`` where there are no lines."""
        return self.after + len(self.lines)

    @property
    def body(self) -> bytes:
        """The lines as they are sent: each ended by a newline."""
        return b"".join([line + b"\n" for line in self.lines])


class Former(msgspec.Struct, frozen=True):
    """A log that was left: its lines behind ``common`` went on in the log ``then``."""

    common: int
    then: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds.

    Line n of the present log ``log`` has the position ``base + n``; ``head`` is its
    head after its ``last`` line. The server has acknowledged its lines up to ``acked``,
    and has those up to ``backed_up`` in a checked copy of its data.
    """

    log: str
    base: int
    last: int
    head: bytes
    acked: int
    backed_up: int
    former: Mapping[str, Former]


class Ledger:
    """The logs of one station. ``db`` is in autocommit mode and has the schema."""

    def __init__(self, db: sqlite3.Connection, first_log: str) -> None:
        """Take up what is there, or begin the first log.

        Raises:
            sqlite3.Error: The disk is full or failing.
        """
        self._db = db
        if db.execute(_PRESENT).fetchone() is None:
            with _transaction(db):
                db.execute(_BEGIN_LOG, (first_log, 0))
        self.state = load(db)

    def append(self, drafts: Sequence[Line]) -> list[str]:
        """Number, encode and save the drafts, all or none; return their names.

        Raises:
            LineError: A draft is too long even without its ``raw``.
            sqlite3.Error: The disk is full or failing; nothing was saved.
        """
        state = self.state
        lines = [
            fit(_numbered(draft, seq, state.former))
            for seq, draft in enumerate(drafts, state.last + 1)
        ]
        rows = list(_rows(lines, state.base + state.last, state.head))
        with _transaction(self._db):
            self._db.executemany(_INSERT_LINE, rows)
        last = state.last + len(rows)
        self.state = msgspec.structs.replace(state, last=last, head=rows[-1][2])
        return [f"{state.log}:{seq}" for seq in range(state.last + 1, last + 1)]

    def read(self, after: int, max_lines: int, max_bytes: int) -> Batch:
        """Read what follows line ``after``, within both limits, but one line at least.

        Raises:
            ValueError: The log has no line ``after``.
        """
        state = self.state
        base = self.head_at(after)
        if base is None:
            reason = f"line {after} of a log that ends at {state.last}"
            raise ValueError(reason)
        through = min(after + max_lines, state.last)
        lines = self._lines(state.base + after, state.base + through, max_bytes)
        head = self.head_at(after + len(lines)) or base
        return Batch(log=state.log, after=after, base=base, head=head, lines=lines)

    def _lines(self, after: int, through: int, room: int) -> tuple[bytes, ...]:
        lines: list[bytes] = []
        with contextlib.closing(self._db.execute(_LINES, (after, through))) as cursor:
            for (line,) in cursor:
                room -= len(line) + 1
                if room < 0 and lines:
                    break
                lines.append(line)
        return tuple(lines)

    def head_at(self, seq: int) -> bytes | None:
        """Return the present log's head after line ``seq``; None if it has no such."""
        if seq == 0:
            return chain.start(self.state.log)
        if not 0 < seq <= self.state.last:
            return None
        row = self._db.execute(_HEAD, (self.state.base + seq,)).fetchone()
        return row[0] if row else None

    def note(self, acked: int, backed_up: int) -> None:
        """Note how far the server is, up or down, without a flush of its own.

        The next commit of lines flushes it too. A power cut may take it, which costs a
        request that is sent again, and never a line; and a slow card is spared half of
        its flushes.

        Raises:
            sqlite3.Error: It could not be written. ``state`` has it all the same.
        """
        acked = min(acked, self.state.last)
        backed_up = min(backed_up, acked)
        if (acked, backed_up) == (self.state.acked, self.state.backed_up):
            return
        self.state = msgspec.structs.replace(
            self.state, acked=acked, backed_up=backed_up
        )
        with _transaction(self._db, synchronous="NORMAL"):
            self._db.execute(_ACKED, (acked, backed_up, self.state.log))

    def start_log(self, common: int, name: str) -> None:
        """Leave the present log, whose lines up to ``common`` the server has.

        The lines behind are recorded again in the new log ``name``.

        Raises:
            sqlite3.Error: The disk is full or failing; nothing has changed.
        """
        old = self.state
        (end,) = self._db.execute(_END).fetchone()
        former = {**old.former, old.log: Former(common, name)}
        span = (old.base + common, old.base + old.last)
        lines = (
            _recorded_again(line, seq, former)
            for seq, (line,) in enumerate(self._db.execute(_LINES, span), 1)
        )
        with _transaction(self._db):
            self._db.execute(_LEAVE_LOG, (common, old.log))
            self._db.execute(_BEGIN_LOG, (name, end))
            self._db.executemany(_INSERT_LINE, _rows(lines, end, chain.start(name)))
        self.state = load(self._db)

    def sound(self) -> bool:
        """Whether the last lines are all there and hash to their heads.

        A ``-wal`` of another file, or lines that another program changed, show here.
        """
        state = self.state
        after = max(state.last - _TAIL, 0)
        before = self.head_at(after)
        rows = self._db.execute(_TAIL_ROWS, (state.base + after,)).fetchall()
        if before is None or len(rows) != state.last - after:
            return False
        heads = chain.walk(before, [line for line, _ in rows])
        return heads[1:] == [head for _, head in rows]


def load(db: sqlite3.Connection) -> State:
    """Read what the file holds.

    Raises:
        sqlite3.Error: It has not been made yet, or cannot be read.
    """
    present = db.execute(_PRESENT).fetchone()
    if present is None:
        reason = "it holds no log yet"
        raise sqlite3.DatabaseError(reason)
    log, base, acked, backed_up = present
    (end,) = db.execute(_END).fetchone()
    last = max(end - base, 0)
    head = db.execute(_HEAD, (base + last,)).fetchone() if last else None
    logs = db.execute(_LOGS).fetchall()
    return State(
        log=log,
        base=base,
        last=last,
        head=head[0] if head else chain.start(log),
        acked=min(acked, last),
        backed_up=min(backed_up, last),
        former={
            name: Former(common, then) for (name, common), (then, _) in pairwise(logs)
        },
    )


def newest(db: sqlite3.Connection, count: int) -> list[bytes]:
    """Read the newest lines, newest first."""
    return [line for (line,) in db.execute(_NEWEST, (count,))]


def _rows(
    lines: Iterable[bytes], position: int, head: bytes
) -> Iterator[tuple[int, bytes, bytes]]:
    """Give each line the position and the head that follow."""
    for line in lines:
        position += 1
        head = chain.link(head, line)
        yield position, line, head


def _numbered(draft: Line, seq: int, former: Mapping[str, Former]) -> Line:
    voids = draft.voids and _present_name(draft.voids, former)
    return msgspec.structs.replace(draft, seq=seq, voids=voids)


def _recorded_again(line: bytes, seq: int, former: Mapping[str, Former]) -> bytes:
    """Write a line for its place in a new log; fields not known here are kept."""
    fields: dict[str, Any] = msgspec.json.decode(line)
    fields["seq"] = seq
    if "voids" in fields:
        fields["voids"] = _present_name(fields["voids"], former)
    return msgspec.json.encode(fields)


def _present_name(event: str, former: Mapping[str, Former]) -> str:
    """Return the name under which an event of a log that was left goes on."""
    log, _, seq = event.rpartition(":")
    while log in former and seq.isdecimal() and int(seq) > former[log].common:
        seq = str(int(seq) - former[log].common)
        log = former[log].then
    return f"{log}:{seq}" if log else event


@contextlib.contextmanager
def _transaction(
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
