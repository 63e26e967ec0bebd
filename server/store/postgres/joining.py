"""Stations, their one-time codes and their tokens, in the PostgreSQL database."""

from server.store import Code, Displaced, Invitation, Joining, Station
from server.store.newcomers import (
    KEPT,
    Name,
    admitted,
    code,
    displaced,
    others_log,
    welcomed,
)
from server.store.postgres.database import Database
from server.store.postgres.logs import head_at
from server.store.postgres.station_rows import note_displaced
from server.store.tokens import REMEMBERED, holder, see_that_it_is_new
from shared.chain import start

__all__ = ["codes", "enrol", "invite", "offer", "revoke", "station", "use"]

_HOLDER = """
SELECT s.id, s.name, s.kind, s.location, s.public_key, s.revoked, h.token, h.since,
    h.host
FROM (
    SELECT id AS station, 'present' AS token, coalesce(token_since, 0) AS since,
        NULL AS host
    FROM station WHERE token_hash = $1
    UNION ALL
    SELECT id, 'next', coalesce(token_since, 0), NULL
    FROM station WHERE next_hash = $1
    UNION ALL
    SELECT station, CASE WHEN host IS NULL THEN 'replaced' ELSE 'displaced' END,
        replaced, host
    FROM old_token WHERE token_hash = $1
) h JOIN station s ON s.id = h.station
"""

_CODE = """
SELECT c.replaces, c.kind, c.location,
    s.id, s.name, s.joined, s.revoked, s.host, s.heard
FROM station_code c JOIN station s ON s.id = c.station
WHERE c.code_hash = $1 AND c.used IS NULL AND c.expires >= $2
FOR NO KEY UPDATE
"""


def station(database: Database, token_hash: bytes) -> Station | None:
    """Return the station whose token this is, or was."""
    row = database.row(_HOLDER, token_hash)
    return None if row is None else holder(row)


def invite(database: Database, asked: Invitation, now: int) -> None:
    """Let a station of this name join once.

    Raises:
        ProblemError: 409 where the name is in use, and the code is not for replacing.
    """
    database.do(
        "INSERT INTO station (name, kind, location, created) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO NOTHING",
        *(asked.name, asked.kind, asked.location, now),
    )
    *row, known = database.one(
        "SELECT id, name, joined, revoked, host, heard, EXISTS ("
        " SELECT 1 FROM station_code WHERE code_hash = $2)"
        " FROM station WHERE name = $1 FOR NO KEY UPDATE",
        *(asked.name, asked.code_hash),
    )
    if known:  # this was done already
        return
    name = Name(*row)
    name.see_that_it_is_free(replaces=asked.replaces)
    database.do("DELETE FROM station_code WHERE expires < $1", now - KEPT)
    database.do(
        "INSERT INTO station_code"
        " (code_hash, station, expires, replaces, kind, location, made, by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(asked.code_hash, name.station, asked.expires),
        *(int(asked.replaces), asked.kind, asked.location, now, asked.by),
    )


def codes(database: Database, limit: int) -> list[Code]:
    """Return the codes that were made, the newest first, without the server's own."""
    rows = database.rows(
        "SELECT s.name, c.kind, c.location, c.replaces, c.by, c.made, c.expires, c.used"
        " FROM station_code c JOIN station s ON s.id = c.station"
        " WHERE s.name NOT LIKE '(server%' ORDER BY c.made DESC, s.name LIMIT $1",
        limit,
    )
    return [code(*row) for row in rows]


def enrol(database: Database, joining: Joining, now: int) -> Station:
    """Take a station in by its code, or find that just this was done already.

    In place of one that has the name, where the code is meant for that.

    Raises:
        ProblemError: 403 for a code that is unknown, used or expired; 409 where the
            log is another station's, or another has the name since the code was made.
    """
    done = station(database, joining.token_hash)
    if done is not None:
        return done
    row = database.row(_CODE, joining.code_hash, now)
    kind, location, name = admitted(row)
    owner = name.station
    gone = _displaced(database, name, joining.log)
    _take_place(database, joining, owner, name.host, now)
    _begin_log(database, joining, owner)
    database.do(
        "UPDATE station SET kind = $2, location = coalesce($3, location) WHERE id = $1",
        *(owner, kind, location),
    )
    database.do(
        "UPDATE station_code SET used = $2 WHERE code_hash = $1", joining.code_hash, now
    )
    found = welcomed(station(database, joining.token_hash), gone)
    if gone is not None:
        note_displaced(database, found, "", now)
    return found


def _displaced(database: Database, name: Name, log: str) -> Displaced | None:
    newest = database.row(
        "SELECT name, acked FROM log WHERE station = $1 ORDER BY id DESC LIMIT 1",
        name.station,
    )
    same = database.row(
        "SELECT 1 FROM log WHERE station = $1 AND name = $2", name.station, log
    )
    return displaced(name, newest, same=same is not None)


def _take_place(
    database: Database, joining: Joining, owner: int, host: str, now: int
) -> None:
    """Make the newcomer the station; tokens of the one before are known as such."""
    database.do(
        "UPDATE old_token SET host = $2 WHERE station = $1 AND host IS NULL",
        *(owner, host),
    )
    database.do(
        "INSERT INTO old_token (token_hash, station, replaced, host)"
        " SELECT t.hash, s.id, $2, s.host FROM station s"
        " CROSS JOIN LATERAL (VALUES (s.token_hash), (s.next_hash)) t (hash)"
        " WHERE s.id = $1 AND t.hash IS NOT NULL ON CONFLICT DO NOTHING",
        *(owner, now),
    )
    database.do(
        "UPDATE station SET joined = $2, token_hash = $3, token_since = $2,"
        " next_hash = NULL, public_key = $4, version = $5, host = $6, revoked = NULL"
        " WHERE id = $1",
        *(owner, now, joining.token_hash, joining.public_key),
        *(joining.version, joining.host),
    )


def _begin_log(database: Database, joining: Joining, owner: int) -> None:
    database.do(
        "INSERT INTO log (name, station, acked, head, occurred)"
        " VALUES ($1, $2, 0, $3, 0) ON CONFLICT (name) DO NOTHING",
        *(joining.log, owner, start(joining.log)),
    )
    number, whose, acked = database.one(
        "SELECT id, station, acked FROM log WHERE name = $1", joining.log
    )
    if whose != owner:
        asked = acked if joining.have is None else min(joining.have, acked)
        head = head_at(database, number, joining.log, asked)
        raise others_log(joining.log, asked, head)


def revoke(database: Database, name: str, now: int) -> bool:
    """Let a station do nothing more, nor anybody join with a code made for it."""
    database.do(
        "UPDATE station SET revoked = coalesce(revoked, $2)"
        " WHERE name = $1 AND joined IS NOT NULL",
        *(name, now),
    )
    database.do(
        "UPDATE station_code SET used = $2 WHERE used IS NULL"
        " AND station = (SELECT id FROM station WHERE name = $1)",
        *(name, now),
    )
    return database.row("SELECT 1 FROM station WHERE name = $1", name) is not None


def offer(database: Database, who: Station, token_hash: bytes) -> None:
    """Keep a station's next token, in place of one that it never used.

    Raises:
        ProblemError: 409 where the token is, or was, in use.
    """
    see_that_it_is_new(station(database, token_hash), who)
    database.do("UPDATE station SET next_hash = $2 WHERE id = $1", who.id, token_hash)


def use(database: Database, who: Station, token_hash: bytes, now: int) -> None:
    """Replace the present token by the next one, unless that was done meanwhile."""
    database.do(
        "WITH before AS ("
        " SELECT id, token_hash FROM station WHERE id = $2 AND next_hash = $3"
        " FOR NO KEY UPDATE)"
        " INSERT INTO old_token (token_hash, station, replaced)"
        " SELECT token_hash, id, $1 FROM before WHERE token_hash IS NOT NULL"
        " ON CONFLICT DO NOTHING",
        *(now, who.id, token_hash),
    )
    database.do(
        "UPDATE station SET token_hash = next_hash, token_since = $1, next_hash = NULL"
        " WHERE id = $2 AND next_hash = $3",
        *(now, who.id, token_hash),
    )
    database.do("DELETE FROM old_token WHERE replaced < $1", now - REMEMBERED)
