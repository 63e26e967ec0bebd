"""What is kept of each station, in the server's PostgreSQL database."""

from collections.abc import Iterable, Sequence

import msgspec

from server.delivery import Delivery
from server.problems import ProblemError
from server.station_exceptions import (
    COPIED,
    DISPLACED,
    FORK,
    REMEMBERED,
    ROLLBACK,
    Incident,
    Seen,
)
from server.store import Station
from server.store.answering import seen, whence
from server.store.exchanges import Clocks
from server.store.postgres.database import Database
from server.store.postgres.logs import Log
from shared.protocol import ProblemType

__all__ = [
    "keep_exchanges",
    "note_conflict",
    "note_copied",
    "note_displaced",
    "note_heard",
    "note_incident",
    "stations",
]

_INCIDENTS = {ProblemType.FORK: FORK, ProblemType.GAP: ROLLBACK}

_NOTE = """
INSERT INTO incident AS i (station, code, since, latest, times, log, seq, address)
VALUES ($1, $2, $3, $3, 1, $5, $6, $7)
ON CONFLICT (station, code) DO UPDATE SET
    since = CASE WHEN $3 - i.latest > $4 THEN $3 ELSE i.since END,
    times = CASE
        WHEN $3 - i.latest > $4 THEN 1
        WHEN i.log = $5 AND i.seq = $6 THEN i.times
        ELSE i.times + 1
    END,
    latest = $3, log = $5, seq = $6, address = $7
"""

_SEEN = """
SELECT s.id, s.name, s.kind, s.location, g.name, g.acked, s.joined, s.revoked, s.heard,
    s.horizon, s.clock_offset, s.version, s.host, s.health, s.reported, q.lines, q.first
FROM station s
LEFT JOIN LATERAL (
    SELECT name, acked FROM log WHERE station = s.id ORDER BY id DESC LIMIT 1
) g ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS lines, min(d.received) AS first
    FROM log o JOIN line n ON n.log = o.id AND n.quarantined IS NOT NULL
    JOIN delivery d ON d.log = n.log AND d.last = n.delivered
    WHERE o.station = s.id
) q ON true
ORDER BY s.name COLLATE "C"
"""
_FIELDS = tuple(name for name in Seen.__struct_fields__ if name != "incidents")

# A station may speak of several of its logs at once; what it says last holds.
_HEARD = """
UPDATE station s SET heard = $6,
    horizon = greatest(coalesce(s.horizon, 0), v.horizon),
    clock_offset = coalesce(v.clock_offset, s.clock_offset),
    health = coalesce(v.health, s.health),
    reported = CASE WHEN v.health IS NULL THEN s.reported ELSE $6 END
FROM (
    SELECT DISTINCT ON (station) station, max(horizon) OVER (PARTITION BY station)
        AS horizon, clock_offset, health
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
        u (place, station, horizon, clock_offset, health)
    ORDER BY station, place DESC
) v
WHERE s.id = v.station
"""


def note_heard(
    database: Database,
    told: Sequence[tuple[Station, Log, Delivery]],
    received: int,
    *,
    heard: int,
) -> None:
    """Note that stations spoke; an empty delivery says that there is no more."""
    rows: list[Sequence[object]] = []
    for place, (station, log, delivery) in enumerate(told):
        complete = not delivery.lines and delivery.after == log.acked
        offset = None if delivery.clock is None else delivery.clock.at - heard
        health = delivery.health
        data = None if health is None else msgspec.json.encode(health)
        horizon = received if complete else log.occurred
        rows.append((place, station.id, horizon, offset, data))
    if rows:
        database.columns(_HEARD, rows, 5, received)
    for station, log, delivery in told:
        if not delivery.lines and delivery.after < log.acked:
            _note_rollback(database, station, log, received)


def _note_rollback(
    database: Database, station: Station, log: Log, received: int
) -> None:
    """Remember that a station has less than it told, unless it looks for a fork."""
    forked = database.row(
        "SELECT 1 FROM incident WHERE station = $1 AND code = $2 AND log = $3",
        *(station.id, FORK, log.name),
    )
    if forked is None:
        note_incident(
            database, station, ROLLBACK, received, log=log.name, seq=log.acked
        )


def note_conflict(
    database: Database, station: Station, log: str, problem: ProblemError, now: int
) -> None:
    """Remember that a station's log and the server's did not agree, if so."""
    code = _INCIDENTS.get(problem.problem.type)
    if code is not None:
        note_incident(
            database, station, code, now, log=log, seq=problem.problem.acked or 0
        )


def note_copied(database: Database, station: Station, address: str, now: int) -> None:
    """Remember that a token that was replaced was shown, and whence."""
    note_incident(database, station, COPIED, now, address=address)


def note_displaced(
    database: Database, station: Station, address: str, now: int
) -> None:
    """Remember that a machine that lost its place came, and whence."""
    if station.displaced is not None:
        where = whence(station.displaced, address)
        note_incident(database, station, DISPLACED, now, address=where)


def note_incident(
    database: Database,
    station: Station,
    code: str,
    now: int,
    *,
    log: str = "",
    seq: int = 0,
    address: str = "",
) -> None:
    """Remember an incident; the same again at the same place counts once."""
    database.do(_NOTE, station.id, code, now, REMEMBERED, log, seq, address)


_KEEP = """
INSERT INTO anchor (station, boot, mono, clock, heard, received)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[],
    $6::bigint[])
ON CONFLICT DO NOTHING
"""
_REPLACED = """
DELETE FROM anchor a USING unnest($1::bigint[], $2::text[], $3::bigint[])
    v (station, boot, mono)
WHERE a.station = v.station AND a.boot = v.boot AND a.mono = v.mono
"""


def keep_exchanges(
    database: Database, told: Iterable[tuple[int, Clocks, bool]]
) -> None:
    """Keep the present exchanges of stations, instead of others where that is enough.

    Args:
        database: In a transaction that holds the stations.
        told: A station, its clocks, and whether the exchange brought lines.
    """
    new: list[Sequence[object]] = []
    old: list[Sequence[object]] = []
    for station, clocks, brought in told:
        found = clocks.to_keep(brought=brought)
        if found is None:
            continue
        now, replaced = found
        clock = now.clock
        moments = (now.heard, now.received)
        new.append((station, clock.boot, clock.mono, clock.header(), *moments))
        if replaced is not None:
            old.append((station, clock.boot, replaced.clock.mono))
    if old:
        database.columns(_REPLACED, old, 3)
    if new:
        database.columns(_KEEP, new, 6)


def stations(database: Database) -> list[Seen]:
    """Return what is kept of all stations, by name, each with its newest log."""
    incidents: dict[int, list[Incident]] = {}
    fields = Incident.__struct_fields__
    for station, *kept in database.rows(
        f"SELECT station, {', '.join(fields)} FROM incident"  # noqa: S608 # names of ours
    ):
        found = Incident(**dict(zip(fields, kept, strict=True)))
        incidents.setdefault(station, []).append(found)
    return [
        seen(dict(zip(_FIELDS, kept, strict=True)), incidents.get(number, ()))
        for number, *kept in database.rows(_SEEN)
    ]
