"""Stations and their one-time codes, in the server's SQLite database."""

import sqlite3

import msgspec

from server.problems import ProblemError, taken
from server.store import Code, Displaced, Station, is_own
from server.store.heads import head_at
from server.store.station_rows import note_displaced
from server.store.tokens import station
from shared.chain import start
from shared.moments import SECOND
from shared.protocol import ProblemType

__all__ = [
    "KEPT",
    "Invitation",
    "Joining",
    "code",
    "codes",
    "enrol",
    "invite",
    "others_log",
    "revoke",
    "wrong_code",
]


KEPT = 90 * 24 * 3600 * SECOND
"""How long it is kept, behind its end, that there was a code."""


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code, and what the station becomes that joins by it."""

    name: str
    location: str | None
    kind: str
    code_hash: bytes
    expires: int
    replaces: bool
    by: str = ""


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """What a station shows and brings when it joins."""

    code_hash: bytes
    log: str
    token_hash: bytes
    public_key: bytes
    version: str
    host: str
    have: int | None = None


def invite(connection: sqlite3.Connection, asked: Invitation, now: int) -> None:
    """Let a station of this name join once.

    Raises:
        ProblemError: 409 where the name is in use, and the code is not for replacing.
    """
    row = connection.execute(
        "SELECT id, joined, revoked, host, heard FROM station WHERE name = ?",
        (asked.name,),
    ).fetchone()
    if row is None:
        number = connection.execute(
            "INSERT INTO station (name, kind, location, created) VALUES (?, ?, ?, ?)",
            (asked.name, asked.kind, asked.location, now),
        ).lastrowid
    else:
        number, joined, revoked, host, heard = row
        if joined is not None and revoked is None and not asked.replaces:
            raise taken(asked.name, host, heard)
    connection.execute("DELETE FROM station_code WHERE expires < ?", (now - KEPT,))
    connection.execute(
        "INSERT INTO station_code"
        " (code_hash, station, expires, replaces, kind, location, made, by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            asked.code_hash,
            number,
            asked.expires,
            asked.replaces,
            asked.kind,
            asked.location,
            now,
            asked.by,
        ),
    )


def codes(connection: sqlite3.Connection, limit: int) -> list[Code]:
    """Return the codes that were made, the newest first, without the server's own."""
    rows = connection.execute(
        "SELECT s.name, c.kind, c.location, c.replaces, c.by, c.made, c.expires, c.used"
        " FROM station_code c JOIN station s ON s.id = c.station"
        " WHERE s.name NOT LIKE '(server%' ORDER BY c.made DESC, s.name LIMIT ?",
        (limit,),
    )
    return [code(*row) for row in rows]


def code(  # noqa: PLR0917 # a row
    station_: str,
    kind: str,
    location: str | None,
    replaces: int,
    by: str,
    made: int,
    expires: int,
    used: int | None,
) -> Code:
    """Return what a row says of a code."""
    return Code(
        station=station_,
        kind=kind,
        location=location,
        replaces=bool(replaces),
        by=by,
        made=made,
        expires=expires,
        used=used,
    )


def enrol(connection: sqlite3.Connection, joining: Joining, now: int) -> Station:
    """Take a station in by its code, in place of one that has the name, where meant.

    Raises:
        ProblemError: 403 for a code that is unknown, used or expired; 409 where the
            log is another station's, or another has the name since the code was made.
    """
    row = connection.execute(
        "SELECT c.replaces, c.kind, c.location,"
        " s.id, s.name, s.joined, s.revoked, s.host, s.heard"
        " FROM station_code c JOIN station s ON s.id = c.station"
        " WHERE c.code_hash = ? AND c.used IS NULL AND c.expires >= ?",
        (joining.code_hash, now),
    ).fetchone()
    if row is None:
        raise wrong_code()
    replaces, kind, location, owner, name, joined, revoked, host, heard = row
    in_use = joined is not None and revoked is None
    if in_use and not replaces:
        raise taken(name, host, heard)
    gone = _displaced(connection, owner, host, joining.log)
    _begin_log(connection, joining, owner)
    _take_place(connection, joining, owner, host, now)
    connection.execute(
        "UPDATE station SET kind = ?, location = coalesce(?, location) WHERE id = ?",
        (kind, location, owner),
    )
    connection.execute(
        "UPDATE station_code SET used = ? WHERE code_hash = ?",
        (now, joining.code_hash),
    )
    found = station(connection, joining.token_hash)
    if found is None:  # pragma: no cover # it was written just now
        reason = "The station was taken in, and is not there. Try again."
        raise ProblemError(500, ProblemType.INTERNAL, reason)
    if gone is None or not in_use or is_own(name):
        return found
    found = msgspec.structs.replace(found, displaced=gone)
    note_displaced(connection, found, "", now)
    return found


def wrong_code() -> ProblemError:
    """Say that a code cannot be used, and what to do."""
    reason = (
        "The code is wrong, was used already, or has expired. "
        "Ask an administrator for a new one."
    )
    return ProblemError(403, ProblemType.CODE, reason)


def _displaced(
    connection: sqlite3.Connection, owner: int, host: str, log: str
) -> Displaced | None:
    """Return the machine that loses its place, unless it is the one that joins."""
    newest = connection.execute(
        "SELECT name, acked FROM log WHERE station = ? ORDER BY id DESC LIMIT 1",
        (owner,),
    ).fetchone()
    same = connection.execute(
        "SELECT 1 FROM log WHERE station = ? AND name = ?", (owner, log)
    ).fetchone()
    if same is not None:
        return None
    name, acked = newest or ("", 0)
    return Displaced(host=host, log=name, acked=acked)


def _take_place(
    connection: sqlite3.Connection, joining: Joining, owner: int, host: str, now: int
) -> None:
    """Make the newcomer the station; tokens of the one before are known as such."""
    connection.execute(
        "UPDATE old_token SET host = ? WHERE station = ? AND host IS NULL",
        (host, owner),
    )
    connection.execute(
        "INSERT INTO old_token (token_hash, station, replaced, host)"
        " SELECT token_hash, id, :now, host FROM station"
        " WHERE id = :owner AND token_hash IS NOT NULL"
        " UNION ALL SELECT next_hash, id, :now, host FROM station"
        " WHERE id = :owner AND next_hash IS NOT NULL",
        {"now": now, "owner": owner},
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


def _begin_log(connection: sqlite3.Connection, joining: Joining, owner: int) -> None:
    row = connection.execute(
        "SELECT id, station, acked FROM log WHERE name = ?", (joining.log,)
    ).fetchone()
    if row is None:
        connection.execute(
            "INSERT INTO log (name, station, acked, head, occurred)"
            " VALUES (?, ?, 0, ?, 0)",
            (joining.log, owner, start(joining.log)),
        )
        return
    number, whose, acked = row
    if whose != owner:
        asked = acked if joining.have is None else min(joining.have, acked)
        head = head_at(connection, number, joining.log, asked)
        raise others_log(joining.log, asked, head)


def others_log(log: str, acked: int, head: bytes) -> ProblemError:
    """Say that a log is another station's, and its head where it was asked for."""
    reason = f"Log {log} belongs to another station; a station begins its own."
    return ProblemError(409, ProblemType.LOG, reason, acked=acked, head=head.hex())


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
