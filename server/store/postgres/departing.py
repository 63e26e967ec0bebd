"""By which scans loads left, in the server's PostgreSQL database."""

from server.store import Departed, DepartureQuery, Departures
from server.store.answering import (
    DEPARTED_LOOKED,
    LOAD_PREFIXES,
    NEWEST,
    went_on,
)
from server.store.postgres.archived import AT, filled
from server.store.postgres.database import Database
from server.store.postgres.reading import entry, line_at
from shared.hosts import Topic

__all__ = ["departures"]

_LOOKED = """
SELECT occurred, line, name, item FROM departed
WHERE occurred BETWEEN $1 AND $2 AND (occurred, line) < ($3, $4)
ORDER BY occurred DESC, line DESC
"""

# A load is what its label says is one, or of what somebody said so; its name in `said`
# is looked up by the digest that item has, too.
_DEPARTED = f"""
SELECT d.item, d.line, e.position - (e.last - l.seq), g.name, l.seq, s.name,
    l.occurred, l.lo, l.hi, e.received, l.quarantined, l.line,
    {AT}
FROM ({_LOOKED} LIMIT {DEPARTED_LOOKED}) d
CROSS JOIN LATERAL (SELECT * FROM line
    WHERE log = d.line >> 32 AND seq = d.line & 4294967295 OFFSET 0) l
JOIN delivery e ON e.log = l.log AND e.last = l.delivered
JOIN log g ON g.id = l.log
JOIN station s ON s.id = g.station
WHERE ($5::text IS NULL OR position($5::text IN upper(d.item COLLATE "C")) > 0)
    AND ({" OR ".join(f"starts_with(d.item, '{one}')" for one in LOAD_PREFIXES)}
        OR EXISTS (SELECT 1 FROM said x WHERE x.topic = $6 AND x.name = d.name))
    AND e.received <= $7
    AND NOT EXISTS (SELECT 1 FROM voided v
        {line_at("v", "by_log", "by_seq")} t
        JOIN delivery u ON u.log = t.log AND u.last = t.delivered
        WHERE v.log = g.name AND v.seq = l.seq AND u.received <= $7)
ORDER BY d.occurred DESC, d.line DESC LIMIT $8
"""  # noqa: S608 # of constants


def departures(database: Database, query: DepartureQuery) -> Departures:
    """Return by which scans loads left, newest first."""
    given = (query.since, query.until, *(query.after or NEWEST))
    rows = database.rows(
        _DEPARTED, *given, query.q, Topic.LOAD, query.known_at, query.limit
    )
    found = [
        Departed(load=load, scan=entry(row), place=(row[4], line))
        for load, line, *row in filled(database, rows, 11)
    ]
    last = database.row(f"{_LOOKED} LIMIT 1 OFFSET {DEPARTED_LOOKED - 1}", *given)
    return went_on(found, query.limit, None if last is None else (last[0], last[1]))
