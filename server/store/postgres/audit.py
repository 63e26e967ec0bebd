"""Checking everything that is kept in a PostgreSQL database, as of one moment."""

from collections.abc import Iterator, Mapping
from itertools import islice

from server.seals import Received
from server.store.audit import Report
from server.store.moving import MANY
from server.store.postgres.database import Database
from server.verify import Finding, KeptLine, KeptLog, Sealed, check_log, check_seals

__all__ = ["report"]

_LOGS = "SELECT id, name, acked, head, occurred FROM log ORDER BY id"
_SEALED = """
SELECT d.number, d.seal, coalesce(s.name, ''), coalesce(g.name, ''), d.last, d.head,
    d.signature, d.public_key, d.clock, d.received
FROM delivery d LEFT JOIN log g ON g.id = d.log LEFT JOIN station s ON s.id = g.station
"""
_OF_LOG = f"{_SEALED} WHERE d.log = $1 AND d.last > $2 ORDER BY d.last LIMIT $3"
_IN_ORDER = f"{_SEALED} WHERE d.number > $1 ORDER BY d.number LIMIT $2"
_FIELDS = (
    *("station", "log", "last", "head"),
    *("signature", "public_key", "clock", "received"),
)
_KEPT = """
SELECT l.seq, coalesce(d.position - (d.last - l.seq), 0), coalesce(d.received, 0),
    l.occurred, l.lo, l.hi, l.line, l.basis
FROM (SELECT * FROM line WHERE log = $1 AND seq > $2 ORDER BY seq LIMIT $3) l
LEFT JOIN delivery d ON d.log = l.log AND d.last = l.delivered
ORDER BY l.seq
"""
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
    for number, log in logs:
        yield from check_log(
            log, _deliveries(database, number), _kept(database, number)
        )
    yield from check_seals(server, _sealed(database), marks)
    for (owner,) in database.rows(_NOBODYS):
        yield Finding(text=f"lines belong to log {owner}, which is not here")


def _deliveries(database: Database, log: int) -> Iterator[Received]:
    after = 0
    while rows := database.rows(_OF_LOG, log, after, MANY):
        for _, _, *fields in rows:
            received = Received(**dict(zip(_FIELDS, fields, strict=True)))
            yield received
            after = received.last


def _sealed(database: Database) -> Iterator[Sealed]:
    after = 0
    while rows := database.rows(_IN_ORDER, after, MANY):
        for number, seal, *fields in rows:
            received = Received(**dict(zip(_FIELDS, fields, strict=True)))
            yield Sealed(number, received, seal)
            after = number


def _kept(database: Database, log: int) -> Iterator[KeptLine]:
    after = 0
    while rows := database.rows(_KEPT, log, after, MANY):
        yield from (KeptLine(*row) for row in rows)
        after = rows[-1][0]
