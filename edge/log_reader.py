"""What a station's logs in a SQLite file hold, and whether it is whole: only read."""

import contextlib
import sqlite3
from collections.abc import Generator, Iterable

import msgspec

from edge.logs import Batch, Former, Log, State
from shared import chain

__all__ = [
    "DamageError",
    "head_at",
    "lines",
    "load",
    "newest",
    "read",
    "sound",
    "taken",
]

_TAIL = 1000  # lines whose chain is checked at every start
_BEHIND = (1 << 63) - 1  # the last position that there could be

_LINES = "SELECT bytes FROM line WHERE position > ? AND position <= ? ORDER BY position"
_TAIL_ROWS = (
    "SELECT bytes, head FROM line WHERE position > ? AND position <= ? "
    "ORDER BY position"
)
_NEWEST = "SELECT bytes FROM line ORDER BY position DESC LIMIT ?"
_HEAD = "SELECT head FROM line WHERE position = ?"
_FIRST_HEAD = "SELECT head FROM log WHERE id = ?"
_END = "SELECT coalesce(max(position), 0) FROM line WHERE position > ?"
_LOGS = (
    "SELECT id, name, first, last, acked, backed_up, epoch, common, moved_to FROM log "
    "ORDER BY id"
)
_STRAY = "SELECT 1 FROM line WHERE position > ? AND position <= ? LIMIT 1"
_TAKEN = "SELECT name FROM aside"


class DamageError(sqlite3.DatabaseError):
    """Lines that do not hash to their heads: the file was damaged or changed."""

    def __init__(self, log: Log, after: int) -> None:
        super().__init__(f"a line behind line {after} of log {log.name} has changed")


def load(db: sqlite3.Connection) -> State:
    """Read what the file holds.

    Raises:
        sqlite3.Error: It has not been made yet, or cannot be read.
    """
    logs, former = [], dict[str, tuple[Former, ...]]()
    for id_, name, first, last, acked, backed_up, epoch, common, then in db.execute(
        _LOGS
    ).fetchall():
        log = Log(id=id_, name=name, first=first, epoch=epoch)
        if last is None:
            (end,) = db.execute(_END, (log.base,)).fetchone()
            last = max(end - log.base, first)  # noqa: PLW2901 - said by its lines
        end = last if common is None else common
        told = {"acked": min(acked, last), "backed_up": min(backed_up, last)}
        logs.append(msgspec.structs.replace(log, last=last, end=end, **told))
        if common is not None:
            former[name] = (*former.get(name, ()), Former(common, last, then))
    if not logs:
        reason = "it holds no log yet"
        raise sqlite3.DatabaseError(reason)
    *left, present = logs
    query, key = (
        (_HEAD, present.base + present.last)
        if present.last > present.first
        else (_FIRST_HEAD, present.id)
    )
    row = db.execute(query, (key,)).fetchone()
    if row is None:
        reason = "the present log's last line is not there"
        raise sqlite3.DatabaseError(reason)
    return State(present=present, head=row[0], left=tuple(left), former=former)


def read(
    db: sqlite3.Connection, log: Log, after: int, max_lines: int, max_bytes: int
) -> Batch:
    """Read what follows a log's line ``after``, within both limits, but one at least.

    Raises:
        LookupError: The log has no line ``after``.
        DamageError: A line is not what it was.
    """
    base = head_at(db, log, after)
    if base is None:
        reason = f"line {after} of a log that ends at {log.last}"
        raise LookupError(reason)
    last = min(after + max_lines, log.end)
    with contextlib.closing(lines(db, log, after, last)) as behind:
        found = _within(behind, max_bytes)
    head = chain.walk(base, found)[-1]
    if found and head != head_at(db, log, after + len(found)):
        raise DamageError(log, after)
    return Batch(
        log=log.name, part=log.id, after=after, base=base, head=head, lines=found
    )


def _within(some: Iterable[bytes], room: int) -> tuple[bytes, ...]:
    """Take the first lines that have room, but one at least."""
    found: list[bytes] = []
    for line in some:
        room -= len(line) + 1
        if room < 0 and found:
            break
        found.append(line)
    return tuple(found)


def lines(
    db: sqlite3.Connection, log: Log, after: int, last: int
) -> Generator[bytes, None, None]:
    """Read a log's lines from behind ``after`` to ``last``, one after the other."""
    span = (log.base + after, log.base + last)
    with contextlib.closing(db.execute(_LINES, span)) as cursor:
        for (line,) in cursor:
            yield line


def head_at(db: sqlite3.Connection, log: Log, seq: int) -> bytes | None:
    """Return a log's head after line ``seq``; None if it has no such here."""
    if not log.first <= seq <= log.last:
        return None
    query, key = (_FIRST_HEAD, log.id) if seq == log.first else (_HEAD, log.base + seq)
    row = db.execute(query, (key,)).fetchone()
    return row[0] if row else None


def newest(db: sqlite3.Connection, count: int) -> list[bytes]:
    """Read the newest lines, newest first."""
    return [line for (line,) in db.execute(_NEWEST, (count,))]


def taken(db: sqlite3.Connection) -> frozenset[str]:
    """Return the names of the set-aside files that were taken in."""
    return frozenset(name for (name,) in db.execute(_TAKEN))


def sound(db: sqlite3.Connection, state: State) -> bool:
    """Whether the present log's last lines are all there and hash to their heads.

    And whether each line is of a log. A ``-wal`` of another file, or lines that
    another program changed, show here.
    """
    log = state.present
    if _has_strays(db, state):
        return False
    after = max(log.last - _TAIL, log.first)
    before = head_at(db, log, after)
    span = (log.base + after, log.base + log.last)
    tail = db.execute(_TAIL_ROWS, span).fetchall()
    if before is None or len(tail) != log.last - after:
        return False
    heads = chain.walk(before, [line for line, _ in tail])
    return heads[1:] == [head for _, head in tail]


def _has_strays(db: sqlite3.Connection, state: State) -> bool:
    """Whether there are lines before, between or behind those of the logs."""
    ends = [0, *(log.base + log.last for log in state.logs)]
    begins = [*(log.base for log in state.logs), _BEHIND]
    return any(
        db.execute(_STRAY, span).fetchone() for span in zip(ends, begins, strict=True)
    )
