"""Stations and their one-time codes, in the server's SQLite database."""

import sqlite3

import msgspec

from server.problems import ProblemError
from server.store import Station
from server.store.tokens import station
from shared.chain import start
from shared.protocol import ProblemType

__all__ = ["Joining", "enrol", "invite", "revoke"]


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What a station shows and brings when it joins."""

    code_hash: bytes
    log: str
    token_hash: bytes
    public_key: bytes
    version: str
    host: str


def invite(
    connection: sqlite3.Connection,
    name: str,
    *,
    location: str | None,
    kind: str,
    code_hash: bytes,
    expires: int,
    now: int,
) -> None:
    """Let a station of this name join once; one that is known may join anew."""
    connection.execute(
        "INSERT INTO station (name, kind, location, created) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind,"
        " location = coalesce(excluded.location, location)",
        (name, kind, location, now),
    )
    connection.execute("DELETE FROM station_code WHERE expires < ?", (now,))
    connection.execute(
        "INSERT INTO station_code (code_hash, station, expires)"
        " SELECT ?, id, ? FROM station WHERE name = ?",
        (code_hash, expires, name),
    )


def enrol(connection: sqlite3.Connection, joining: Joining, now: int) -> Station:
    """Take a station in by its code.

    Raises:
        ProblemError: 403 for a code that is unknown, used or expired; 409 where the
            log is another station's.
    """
    row = connection.execute(
        "SELECT station FROM station_code"
        " WHERE code_hash = ? AND used IS NULL AND expires >= ?",
        (joining.code_hash, now),
    ).fetchone()
    if row is None:
        reason = (
            "The code is wrong, was used already, or has expired. "
            "Ask an administrator for a new one."
        )
        raise ProblemError(403, ProblemType.CODE, reason)
    (owner,) = row
    _begin_log(connection, joining.log, owner)
    connection.execute(
        "UPDATE station_code SET used = ? WHERE code_hash = ?",
        (now, joining.code_hash),
    )
    connection.execute(
        "UPDATE station SET joined = ?, token_hash = ?, token_since = ?,"
        " next_hash = NULL, public_key = ?, version = ?, host = ?, revoked = NULL"
        " WHERE id = ?",
        (
            now,
            joining.token_hash,
            now,
            joining.public_key,
            joining.version,
            joining.host,
            owner,
        ),
    )
    connection.execute("DELETE FROM old_token WHERE station = ?", (owner,))
    found = station(connection, joining.token_hash)
    if found is None:  # pragma: no cover # it was written just now
        reason = "The station was taken in, and is not there. Try again."
        raise ProblemError(500, ProblemType.INTERNAL, reason)
    return found


def _begin_log(connection: sqlite3.Connection, log: str, owner: int) -> None:
    row = connection.execute(
        "SELECT station FROM log WHERE name = ?", (log,)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO log (name, station, acked, head, occurred)"
            " VALUES (?, ?, 0, ?, 0)",
            (log, owner, start(log)),
        )
    elif row[0] != owner:
        reason = f"Log {log} belongs to another station; a station begins its own."
        raise ProblemError(409, ProblemType.LOG, reason)


def revoke(connection: sqlite3.Connection, name: str, now: int) -> bool:
    """Let a station do nothing more, nor anybody join with a code made for it."""
    connection.execute(
        "UPDATE station SET revoked = coalesce(revoked, ?)"
        " WHERE name = ? AND joined IS NOT NULL",
        (now, name),
    )
    found = connection.execute("SELECT 1 FROM station WHERE name = ?", (name,))
    connection.execute(
        "UPDATE station_code SET used = ? WHERE used IS NULL"
        " AND station = (SELECT id FROM station WHERE name = ?)",
        (now, name),
    )
    return found.fetchone() is not None
