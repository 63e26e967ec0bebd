"""What is kept of each station, in the server's SQLite database."""

import sqlite3

import msgspec

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
from shared.health import StationHealth
from shared.protocol import ProblemType

__all__ = [
    "keep_health",
    "note_conflict",
    "note_copied",
    "note_displaced",
    "note_incident",
    "stations",
]

_INCIDENTS = {ProblemType.FORK: FORK, ProblemType.GAP: ROLLBACK}

_NOTE = """
INSERT INTO incident (station, code, since, latest, times, log, seq, address)
VALUES (:station, :code, :now, :now, 1, :log, :seq, :address)
ON CONFLICT (station, code) DO UPDATE SET
    since = iif(:now - latest > :remembered, :now, since),
    times = CASE
        WHEN :now - latest > :remembered THEN 1
        WHEN log = :log AND seq = :seq THEN times
        ELSE times + 1
    END,
    latest = :now, log = :log, seq = :seq, address = :address
"""

_SEEN = """
SELECT s.id, s.name, s.kind, s.location, g.name, g.acked, s.joined, s.revoked, s.heard,
    s.horizon, s.clock_offset, s.version, s.host, s.health, s.reported, q.lines, q.first
FROM station s
LEFT JOIN log g ON g.id = (SELECT max(id) FROM log WHERE station = s.id)
LEFT JOIN (
    SELECT l.station, count(*) AS lines, min(n.received) AS first
    FROM line n JOIN log l ON l.id = n.log
    WHERE n.quarantined IS NOT NULL GROUP BY l.station
) q ON q.station = s.id
ORDER BY s.name
"""


_FIELDS = tuple(name for name in Seen.__struct_fields__ if name != "incidents")


def keep_health(
    connection: sqlite3.Connection,
    station: Station,
    health: StationHealth | None,
    received: int,
) -> None:
    """Keep what a station said of itself, in place of what it said before."""
    if health is not None:
        connection.execute(
            "UPDATE station SET health = ?, reported = ? WHERE id = ?",
            (msgspec.json.encode(health), received, station.id),
        )


def note_conflict(
    connection: sqlite3.Connection,
    station: Station,
    log: str,
    problem: ProblemError,
    now: int,
) -> None:
    """Remember that a station's log and the server's did not agree, if so."""
    code = _INCIDENTS.get(problem.problem.type)
    if code is not None:
        seq = problem.problem.acked or 0
        note_incident(connection, station, code, log=log, seq=seq, now=now)


def note_incident(
    connection: sqlite3.Connection,
    station: Station,
    code: str,
    *,
    log: str = "",
    seq: int = 0,
    address: str = "",
    now: int,
) -> None:
    """Remember an incident: one row for each kind, with how often it happened.

    The same again at the same place, as a station that looks for the last common line
    causes it, counts once.
    """
    connection.execute(
        _NOTE,
        {
            "station": station.id,
            "code": code,
            "now": now,
            "remembered": REMEMBERED,
            "log": log,
            "seq": seq,
            "address": address,
        },
    )


def note_copied(
    connection: sqlite3.Connection, station: Station, address: str, now: int
) -> None:
    """Remember that a token that was replaced was shown, and whence."""
    note_incident(connection, station, COPIED, address=address, now=now)


def note_displaced(
    connection: sqlite3.Connection, station: Station, address: str, now: int
) -> None:
    """Remember that a machine that lost its place came, and whence."""
    if station.displaced is not None:
        where = whence(station.displaced, address)
        note_incident(connection, station, DISPLACED, address=where, now=now)


def stations(connection: sqlite3.Connection) -> list[Seen]:
    """Return what is kept of all stations, by name, each with its newest log."""
    incidents: dict[int, list[Incident]] = {}
    fields = Incident.__struct_fields__
    for station, *kept in connection.execute(
        f"SELECT station, {', '.join(fields)} FROM incident"  # noqa: S608 # names of ours
    ):
        found = Incident(**dict(zip(fields, kept, strict=True)))
        incidents.setdefault(station, []).append(found)
    return [
        seen(dict(zip(_FIELDS, kept, strict=True)), incidents.get(number, ()))
        for number, *kept in connection.execute(_SEEN)
    ]
