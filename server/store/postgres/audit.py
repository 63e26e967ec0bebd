"""Checking everything that is kept in a PostgreSQL database, as of one moment."""

from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter

from server.problems import ProblemError
from server.seals import Received
from server.store.audit import Report
from server.store.moving import MANY
from server.store.postgres.archived import AT, SIGNED_AT, files, filled, signed
from server.store.postgres.database import Database
from server.verify import (
    Finding,
    KeptLine,
    KeptLog,
    Sealed,
    Walk,
    check_log,
    check_seals,
)

__all__ = ["report"]

_LOGS = "SELECT id, name, acked, head, occurred FROM log ORDER BY id"
_SEALED = f"""
SELECT d.number, d.seal, coalesce(s.name, ''), coalesce(g.name, ''), d.last, d.head,
    d.signature, d.public_key, d.clock, d.received, {SIGNED_AT}
FROM delivery d LEFT JOIN log g ON g.id = d.log LEFT JOIN station s ON s.id = g.station
"""  # noqa: S608 # of constants
_OF_LOG = f"{_SEALED} WHERE d.log = $1 AND d.last > $2 ORDER BY d.last LIMIT $3"
_IN_ORDER = f"{_SEALED} WHERE d.number > $1 ORDER BY d.number LIMIT $2"
_FIELDS = (
    *("station", "log", "last", "head"),
    *("signature", "public_key", "clock", "received"),
)
_KEPT = f"""
SELECT l.seq, coalesce(d.position - (d.last - l.seq), 0), coalesce(d.received, 0),
    l.occurred, l.lo, l.hi, l.line, l.basis, {AT}
FROM (SELECT * FROM line WHERE log = $1 AND seq > $2 ORDER BY seq LIMIT $3) l
LEFT JOIN delivery d ON d.log = l.log AND d.last = l.delivered
ORDER BY l.seq
"""  # noqa: S608 # of constants
_BROUGHT = f"""
SELECT d.number, d.log, coalesce(s.name, ''), coalesce(g.name, ''), d.last, d.head,
    d.signature, d.public_key, d.clock, d.received,
    l.seq, d.position - (d.last - l.seq), d.received, l.occurred, l.lo, l.hi, l.line,
    l.basis, {SIGNED_AT}, {AT}
FROM (
    SELECT * FROM delivery WHERE number > $1 AND position <= $2
    ORDER BY number LIMIT $3) d
LEFT JOIN log g ON g.id = d.log LEFT JOIN station s ON s.id = g.station
CROSS JOIN LATERAL (
    SELECT coalesce(max(last), 0) AS last FROM delivery
    WHERE log = d.log AND last < d.last) b
LEFT JOIN LATERAL (
    SELECT * FROM line
    WHERE log = d.log AND seq > b.last AND seq <= d.last OFFSET 0) l ON true
ORDER BY d.number, l.seq
"""  # noqa: S608 # of constants
_SIGNATURE_AT, _OF_LINE, _LINE_AT = 6, 10, 16
"""Where in these rows the signature is, the first column of the line, and its bytes."""
_TOGETHER = 200
"""Deliveries that are read at once: each may have thousands of lines."""
# Steps from log to log, however many lines there are of each.
_NOBODYS = """
WITH RECURSIVE k (log) AS (
    SELECT min(log) FROM line
    UNION ALL
    SELECT (SELECT min(l.log) FROM line l WHERE l.log > k.log) FROM k
    WHERE k.log IS NOT NULL
)
SELECT log FROM k
WHERE log IS NOT NULL AND NOT EXISTS (SELECT 1 FROM log g WHERE g.id = k.log)
"""


def report(database: Database, marks: Mapping[int, str], most: int = 1000) -> Report:
    """Check a whole database: chains, signatures, seals.

    Args:
        database: In a transaction that reads as of one moment.
        marks: Seals written down elsewhere, by the number of their delivery.
        most: Findings, at most.
    """
    meta = {name: value for name, value in database.rows("SELECT * FROM meta")}  # noqa: C416 # rows are no pairs
    logs = [
        (number, KeptLog(name=name, acked=acked, head=head, occurred=occurred))
        for number, name, acked, head, occurred in database.rows(_LOGS)
    ]
    findings = _findings(database, meta["server"], logs, marks)
    found = list(islice(findings, most))
    number, seal = database.row(
        "SELECT number, seal FROM delivery ORDER BY number DESC LIMIT 1"
    ) or (0, b"")
    return Report(
        server=meta["server"],
        epoch=meta["epoch"],
        logs=len(logs),
        lines=sum(log.acked for _, log in logs),
        deliveries=number,
        seal=seal.hex(),
        acked={log.name: (log.acked, log.head.hex()) for _, log in logs},
        findings=found,
    )


def _findings(
    database: Database,
    server: str,
    logs: list[tuple[int, KeptLog]],
    marks: Mapping[int, str],
) -> Iterator[Finding]:
    unread = database.archive.findings(files(database))
    yield from unread
    try:
        yield from _chains(database, logs)
        yield from check_seals(server, _sealed(database), marks)
    except ProblemError as problem:  # what is archived cannot be read
        if all(str(problem) != one.text for one in unread):
            yield Finding(text=str(problem))
    for (owner,) in database.rows(_NOBODYS):
        yield Finding(text=f"lines belong to log {owner}, which is not here")


def _chains(database: Database, logs: list[tuple[int, KeptLog]]) -> Iterator[Finding]:
    walks = {number: Walk(log.name) for number, log in logs}
    yield from _archived(database, walks)
    for number, log in logs:
        walk = walks[number]
        deliveries = _deliveries(database, number, walk.seq)
        lines = _kept(database, number, walk.seq)
        yield from check_log(log, walk, deliveries, lines)


def _archived(database: Database, walks: Mapping[int, Walk]) -> Iterator[Finding]:
    """Check what is archived, in the order in which it is there."""
    taken, after = max((file.taken for file in files(database)), default=0), 0
    while rows := database.rows(_BROUGHT, after, taken, _TOGETHER):
        found = signed(database, filled(database, rows, _LINE_AT), _SIGNATURE_AT)
        for (number, log), brought in groupby(found, key=itemgetter(0, 1)):
            some = list(brought)
            lines = [
                KeptLine(*one[_OF_LINE:]) for one in some if one[_OF_LINE] is not None
            ]
            received = Received(**dict(zip(_FIELDS, some[0][2:_OF_LINE], strict=True)))
            after = number
            if log in walks:
                yield from walks[log].bring(received, lines)
    for log, walk in walks.items():
        (there,) = database.one(
            "SELECT count(*) FROM line WHERE log = $1 AND seq <= $2", log, walk.seq
        )
        if there > walk.seq:
            yield walk.finding(walk.seq, "no delivery brought all lines up to here")


def _deliveries(database: Database, log: int, after: int) -> Iterator[Received]:
    while rows := database.rows(_OF_LOG, log, after, MANY):
        for _, _, *fields in signed(database, rows, _SIGNATURE_AT):
            received = Received(**dict(zip(_FIELDS, fields, strict=True)))
            yield received
            after = received.last


def _sealed(database: Database) -> Iterator[Sealed]:
    after = 0
    while rows := database.rows(_IN_ORDER, after, MANY):
        for number, seal, *fields in signed(database, rows, _SIGNATURE_AT):
            received = Received(**dict(zip(_FIELDS, fields, strict=True)))
            yield Sealed(number, received, seal)
            after = number


def _kept(database: Database, log: int, after: int) -> Iterator[KeptLine]:
    while rows := database.rows(_KEPT, log, after, MANY):
        yield from (KeptLine(*row) for row in filled(database, rows, 6))
        after = rows[-1][0]
