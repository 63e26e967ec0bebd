"""Stations, their one-time codes and their tokens, in the PostgreSQL database."""

from server.problems import ProblemError
from server.store import Station, Token
from server.store.joining import Joining
from server.store.postgres.database import Database
from server.store.tokens import REMEMBERED, holder
from shared.chain import start
from shared.protocol import ProblemType

__all__ = ["enrol", "invite", "offer", "revoke", "station", "use"]

_HOLDER = """
SELECT s.id, s.name, s.kind, s.location, s.public_key, s.revoked, h.token, h.since
FROM (
    SELECT id AS station, 'present' AS token, coalesce(token_since, 0) AS since
    FROM station WHERE token_hash = $1
    UNION ALL
    SELECT id, 'next', coalesce(token_since, 0) FROM station WHERE next_hash = $1
    UNION ALL
    SELECT station, 'replaced', replaced FROM old_token WHERE token_hash = $1
) h JOIN station s ON s.id = h.station
"""


def station(database: Database, token_hash: bytes) -> Station | None:
    """Return the station whose token this is, or was."""
    row = database.row(_HOLDER, token_hash)
    return None if row is None else holder(row)


def invite(
    database: Database,
    name: str,
    *,
    location: str | None,
    kind: str,
    code_hash: bytes,
    expires: int,
    now: int,
) -> None:
    """Let a station of this name join once; one that is known may join anew."""
    number = database.one(
        "INSERT INTO station (name, kind, location, created) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind,"
        " location = coalesce(excluded.location, station.location) RETURNING id",
        *(name, kind, location, now),
    )
    database.do("DELETE FROM station_code WHERE expires < $1", now)
    database.do(
        "INSERT INTO station_code (code_hash, station, expires) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        *(code_hash, number[0], expires),
    )


def enrol(database: Database, joining: Joining, now: int) -> Station:
    """Take a station in by its code, or find that just this was done already.

    Raises:
        ProblemError: 403 for a code that is unknown, used or expired; 409 where the
            log is another station's.
    """
    done = station(database, joining.token_hash)
    if done is not None:
        return done
    row = database.row(
        "SELECT station FROM station_code"
        " WHERE code_hash = $1 AND used IS NULL AND expires >= $2 FOR UPDATE",
        *(joining.code_hash, now),
    )
    if row is None:
        reason = (
            "The code is wrong, was used already, or has expired. "
            "Ask an administrator for a new one."
        )
        raise ProblemError(403, ProblemType.CODE, reason)
    (owner,) = row
    database.do(
        "UPDATE station SET joined = $2, token_hash = $3, token_since = $2,"
        " next_hash = NULL, public_key = $4, version = $5, host = $6, revoked = NULL"
        " WHERE id = $1",
        *(owner, now, joining.token_hash, joining.public_key),
        *(joining.version, joining.host),
    )
    _begin_log(database, joining.log, owner)
    database.do(
        "UPDATE station_code SET used = $2 WHERE code_hash = $1", joining.code_hash, now
    )
    database.do("DELETE FROM old_token WHERE station = $1", owner)
    found = station(database, joining.token_hash)
    if found is None:  # pragma: no cover # it was written just now
        reason = "The station was taken in, and is not there. Try again."
        raise ProblemError(500, ProblemType.INTERNAL, reason)
    return found


def _begin_log(database: Database, log: str, owner: int) -> None:
    database.do(
        "INSERT INTO log (name, station, acked, head, occurred)"
        " VALUES ($1, $2, 0, $3, 0) ON CONFLICT (name) DO NOTHING",
        *(log, owner, start(log)),
    )
    (there,) = database.one("SELECT station FROM log WHERE name = $1", log)
    if there != owner:
        reason = f"Log {log} belongs to another station; a station begins its own."
        raise ProblemError(409, ProblemType.LOG, reason)


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
    known = station(database, token_hash)
    if known is not None and (known.id, known.token) != (who.id, Token.NEXT):
        reason = "This token is known here already; make another."
        raise ProblemError(409, ProblemType.INVALID, reason)
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
