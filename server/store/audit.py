"""Reading everything that is kept, for those who check it: backup and verify.

On a read-only connection of its own, so that it works beside a running server.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from server.problems import ProblemError
from server.seals import Received
from server.store.archived import (
    AT,
    archive_of,
    files,
    filled,
    filling,
    pieces,
    signed,
)
from server.store.whereabouts import must_be_here, must_be_whole
from server.verify import (
    Finding,
    KeptLine,
    KeptLog,
    Sealed,
    Walk,
    check_log,
    check_seals,
)
from shared.errors import StartError

__all__ = ["Report", "opened", "report"]

_NOTED = "SELECT name, value FROM meta"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a database found. ``seal`` is that of the last delivery."""

    server: str
    epoch: str
    logs: int
    lines: int
    deliveries: int
    seal: str
    acked: dict[str, tuple[int, str]]
    findings: list[Finding]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a server's database for reading only.

    Raises:
        StartError: It cannot be read, or what was in it moved away; the text says
            what to do.
    """
    must_be_whole(path)
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        reason = (
            f"{path} cannot be read ({error}); is it a server's database? Where "
            "[store] url names one on PostgreSQL, docs/scaling.md says what to do"
        )
        raise StartError(reason) from error
    with contextlib.closing(connection):
        try:
            must_be_here(path, dict(connection.execute(_NOTED)))
            yield connection
        except sqlite3.DatabaseError as error:
            reason = (
                f"{path} cannot be read ({error}). It is damaged, or no server's "
                "database; nothing was changed."
            )
            raise StartError(reason) from error


def report(
    connection: sqlite3.Connection, marks: dict[int, str], most: int = 1000
) -> Report:
    """Check a whole database, as it is at one moment.

    Args:
        connection: From `opened`.
        marks: Seals written down elsewhere, by the number of their delivery.
        most: Findings, at most.
    """
    connection.execute("BEGIN")  # one moment for all that is read
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta"))
        logs = list(_logs(connection))
        findings = _first(most, _findings(connection, meta["server"], logs, marks))
        (lines,) = connection.execute("SELECT count(*) FROM line").fetchone()
        number, seal = connection.execute(
            "SELECT number, seal FROM delivery ORDER BY number DESC LIMIT 1"
        ).fetchone() or (0, b"")
    finally:
        connection.execute("ROLLBACK")
    return Report(
        server=meta["server"],
        epoch=meta["epoch"],
        logs=len(logs),
        lines=lines,
        deliveries=number,
        seal=seal.hex(),
        acked={log.name: (log.acked, log.head.hex()) for _, log in logs},
        findings=findings,
    )


def _first(most: int, findings: Iterator[Finding]) -> list[Finding]:
    return [finding for _, finding in zip(range(most), findings, strict=False)]


def _findings(
    connection: sqlite3.Connection,
    server: str,
    logs: list[tuple[int, KeptLog]],
    marks: dict[int, str],
) -> Iterator[Finding]:
    for (text,) in connection.execute("PRAGMA integrity_check(100)"):
        if text != "ok":
            yield Finding(text=f"the file is damaged: {text}")
    unread = archive_of(connection).findings(files(connection))
    yield from unread
    try:
        yield from _chains(connection, logs)
        yield from check_seals(server, _sealed(connection), marks)
    except ProblemError as problem:  # what is archived cannot be read
        if all(str(problem) != one.text for one in unread):
            yield Finding(text=str(problem))
    for seq, owner in connection.execute(
        "SELECT seq, log FROM line WHERE log NOT IN (SELECT id FROM log)"
    ):
        yield Finding(seq=seq, text=f"a line belongs to log {owner}, which is not here")


def _chains(
    connection: sqlite3.Connection, logs: list[tuple[int, KeptLog]]
) -> Iterator[Finding]:
    walks = {number: Walk(log.name) for number, log in logs}
    yield from _archived(connection, walks)
    for number, log in logs:
        walk = walks[number]
        deliveries = _deliveries(connection, number, walk.seq)
        lines = _lines(connection, number, walk.seq)
        yield from check_log(log, walk, deliveries, lines)


def _archived(
    connection: sqlite3.Connection, walks: dict[int, Walk]
) -> Iterator[Finding]:
    """Check what is archived, in the order in which it is there."""
    taken = max((file.taken for file in files(connection)), default=0)
    rows = _whole(connection, connection.execute(_BROUGHT, (taken,)))
    for (number, log), brought in groupby(rows, key=itemgetter(0, 1)):
        some = list(brought)
        lines = [KeptLine(*row[_OF_LINE:]) for row in some if row[_OF_LINE] is not None]
        if log in walks:
            received = _read((number, b"", *some[0][2:_OF_LINE])).received
            yield from walks[log].bring(received, lines)
    for log, walk in walks.items():
        (there,) = connection.execute(
            "SELECT count(*) FROM line WHERE log = ? AND seq <= ?", (log, walk.seq)
        ).fetchone()
        if there > walk.seq:
            yield walk.finding(walk.seq, "no delivery brought all lines up to here")


def _logs(connection: sqlite3.Connection) -> Iterator[tuple[int, KeptLog]]:
    for number, name, acked, head, occurred in connection.execute(_LOGS):
        yield number, KeptLog(name=name, acked=acked, head=head, occurred=occurred)


# What somebody changed may be of another type: a cast keeps the check going.
_LOGS = """
SELECT id, CAST(name AS TEXT), CAST(acked AS INTEGER), CAST(head AS BLOB),
    CAST(occurred AS INTEGER)
FROM log ORDER BY id
"""
_LINES = """
SELECT seq, position, CAST(received AS INTEGER), CAST(occurred AS INTEGER),
    CAST(lo AS INTEGER), CAST(hi AS INTEGER), CAST(line AS BLOB), CAST(basis AS TEXT),
    position
FROM line WHERE log = ? AND seq > ? ORDER BY seq
"""
_SEALED = f"""
SELECT d.number, CAST(d.seal AS BLOB), coalesce(s.name, ''), coalesce(g.name, ''),
    CAST(d.last AS INTEGER), CAST(d.head AS BLOB), CAST(d.signature AS BLOB),
    CAST(d.public_key AS BLOB), CAST(d.clock AS TEXT), CAST(d.received AS INTEGER),
    {AT}
FROM delivery d
LEFT JOIN log g ON g.id = d.log
LEFT JOIN station s ON s.id = g.station
"""  # noqa: S608 # of constants
_FIELDS = (
    *("station", "log", "last", "head"),
    *("signature", "public_key", "clock", "received"),
)


_BROUGHT = f"""
SELECT d.number, d.log, coalesce(s.name, ''), coalesce(g.name, ''),
    CAST(d.last AS INTEGER), CAST(d.head AS BLOB), CAST(d.signature AS BLOB),
    CAST(d.public_key AS BLOB), CAST(d.clock AS TEXT), CAST(d.received AS INTEGER),
    l.seq, l.position, CAST(l.received AS INTEGER), CAST(l.occurred AS INTEGER),
    CAST(l.lo AS INTEGER), CAST(l.hi AS INTEGER), CAST(l.line AS BLOB),
    CAST(l.basis AS TEXT), {AT}, l.position
FROM delivery d
LEFT JOIN log g ON g.id = d.log
LEFT JOIN station s ON s.id = g.station
LEFT JOIN line l ON l.log = d.log AND l.seq <= d.last AND l.seq > (
    SELECT coalesce(max(b.last), 0) FROM delivery b
    WHERE b.log = d.log AND b.last < d.last)
WHERE d.number <= (
    SELECT e.number FROM line t JOIN delivery e ON e.log = t.log AND e.last = t.seq
    WHERE t.position = ?)
ORDER BY d.number, l.seq
"""  # noqa: S608 # of constants
_SIGNATURE_AT, _OF_LINE, _LINE_AT = 6, 10, 16
"""Where in these rows the signature is, the first column of the line, and its bytes."""


def _whole(
    connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]
) -> Iterator[Sequence[Any]]:
    for some in pieces(rows):
        lines = filled(connection, some, _LINE_AT)
        yield from signed(connection, lines, _SIGNATURE_AT)


def _deliveries(
    connection: sqlite3.Connection, log: int, after: int
) -> Iterator[Received]:
    found = connection.execute(
        f"{_SEALED} WHERE d.log = ? AND d.last > ? ORDER BY d.last", (log, after)
    )
    return (sealed.received for sealed in _all_read(connection, found))


def _sealed(connection: sqlite3.Connection) -> Iterator[Sealed]:
    return _all_read(connection, connection.execute(f"{_SEALED} ORDER BY d.number"))


def _all_read(
    connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]
) -> Iterator[Sealed]:
    for some in pieces(rows):
        yield from map(_read, signed(connection, some, _SIGNATURE_AT))


def _read(row: Sequence[Any]) -> Sealed:
    number, seal, *fields = row
    return Sealed(number, Received(**dict(zip(_FIELDS, fields, strict=True))), seal)


def _lines(connection: sqlite3.Connection, log: int, after: int) -> Iterator[KeptLine]:
    for row in filling(connection, connection.execute(_LINES, (log, after)), 6):
        yield KeptLine(*row)
