"""By which scans loads left, in the server's SQLite database."""

import sqlite3

from server.store import Departed, DepartureQuery, Departures
from server.store.answering import (
    DEPARTED_LOOKED,
    LOAD_PREFIXES,
    NEWEST,
    went_on,
)
from server.store.archived import filled
from server.store.reading import entry
from shared.hosts import Topic

__all__ = ["departures"]

_LOOKED = """
SELECT occurred, position, item FROM departed
WHERE occurred BETWEEN :since AND :until AND (occurred, position) < (:when, :where)
ORDER BY occurred DESC, position DESC
"""

# A load is what its label says is one, or of what somebody said so.
_DEPARTED = f"""
SELECT d.item, l.position, g.name, l.seq, s.name, l.occurred, l.lo, l.hi, l.received,
    l.quarantined, l.line, l.position
FROM ({_LOOKED} LIMIT :looked) AS d
CROSS JOIN line AS l ON l.position = d.position
CROSS JOIN log AS g ON g.id = l.log
CROSS JOIN station AS s ON s.id = g.station
WHERE (:q IS NULL OR instr(upper(d.item), :q) > 0)
    AND ({" OR ".join(f"d.item GLOB '{one}*'" for one in LOAD_PREFIXES)} OR EXISTS (
        SELECT 1 FROM said AS x WHERE x.topic = :load AND x.key = d.item))
    AND l.received <= :known_at
    AND NOT EXISTS (SELECT 1 FROM voided AS v
        WHERE v.log = g.name AND v.seq = l.seq AND v.received <= :known_at)
ORDER BY d.occurred DESC, d.position DESC LIMIT :limit
"""  # noqa: S608 # of constants


def departures(connection: sqlite3.Connection, query: DepartureQuery) -> Departures:
    """Return by which scans loads left, newest first."""
    when, where = query.after or NEWEST
    given = {
        "since": query.since,
        "until": query.until,
        "known_at": query.known_at,
        "when": when,
        "where": where,
        "q": query.q,
        "load": Topic.LOAD,
        "looked": DEPARTED_LOOKED,
        "limit": query.limit,
    }
    rows = connection.execute(_DEPARTED, given)
    found = [
        Departed(load=load, scan=entry(*row), place=(row[4], row[0]))
        for load, *row in filled(connection, rows, 10)
    ]
    last = connection.execute(
        f"{_LOOKED} LIMIT 1 OFFSET {DEPARTED_LOOKED - 1}", given
    ).fetchone()
    return went_on(found, query.limit, None if last is None else last[:2])
