"""Placing the lines of a server's PostgreSQL database anew in time.

Nobody appends meanwhile. What is known of items has to be made anew afterwards: every
server says so until it is started again.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from server.store.placing import Change, Placing, Retimed, Row
from server.store.postgres import locks
from server.store.postgres.archived import AT, filled
from server.store.postgres.database import Database
from server.store.postgres.reading import place

__all__ = ["begin", "retime"]

_FEW = 20
"""Deliveries that are read at once; each has 10,000 lines at most."""

_EXCHANGES = "SELECT station, boot, clock, heard, received FROM anchor ORDER BY mono"
_DELIVERIES = f"""
SELECT d.received, l.seq, l.occurred, l.lo, l.hi, l.line, {AT}
FROM (
    SELECT last, received, lag(last, 1, $2) OVER (ORDER BY last) AS before
    FROM delivery WHERE log = $1 AND last > $2 ORDER BY last LIMIT $3
) d
CROSS JOIN LATERAL (
    SELECT * FROM line WHERE log = $1 AND seq > d.before AND seq <= d.last OFFSET 0
) l
ORDER BY l.seq
"""  # noqa: S608 # of constants
_PLACE = """
UPDATE line l SET occurred = v.occurred, lo = v.lo, hi = v.hi, basis = v.basis
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[])
    v (occurred, lo, hi, basis, seq)
WHERE l.log = $6 AND l.seq = v.seq
"""
_SAID = """
UPDATE said s SET occurred = v.occurred
FROM unnest($1::bigint[], $2::bigint[]) v (line, occurred) WHERE s.line = v.line
"""
_LAST = """
UPDATE log SET occurred = l.occurred, lo = l.lo, hi = l.hi, basis = l.basis
FROM line l WHERE log.id = $1 AND l.log = $1 AND l.seq = log.acked
"""


def begin() -> str:
    """Begin a transaction in which nobody else appends, however long it takes."""
    return f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; {locks.ALONE}"


def retime(database: Database) -> Retimed:
    """Place every line anew without what was heard in a wrong time.

    To be called in a transaction begun by `begin`. Where the clock never was wrong
    nothing changes.
    """
    placing, changed = Placing(map(tuple, database.rows(_EXCHANGES))), 0
    if placing.periods:
        logs = database.rows("SELECT id, station FROM log ORDER BY id")
        changed = sum(
            _retime_log(database, log, station, placing) for log, station in logs
        )
    if changed:
        database.do("UPDATE meta SET value = '' WHERE name = 'rules'")
    return Retimed(periods=placing.periods, changed=changed)


def _retime_log(database: Database, log: int, station: int, placing: Placing) -> int:
    changed = 0
    for some in placing.changes(station, _deliveries(database, log)):
        changed += len(some)
        if some:
            _place(database, log, some)
    database.do(_LAST, log)
    return changed


def _place(database: Database, log: int, changes: list[Change]) -> None:
    database.columns(_PLACE, changes, 5, log)
    said = [(place(log, seq), occurred) for occurred, *_, seq in changes]
    database.columns(_SAID, said, 2)


def _deliveries(database: Database, log: int) -> Iterator[tuple[int, list[Row]]]:
    after = 0
    while rows := database.rows(_DELIVERIES, log, after, _FEW):
        whole = filled(database, rows, 5)
        for received, group in groupby(whole, key=itemgetter(0)):
            yield received, [tuple(row)[1:] for row in group]
        after = rows[-1][1]
