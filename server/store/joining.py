"""Stations and their one-time codes, in the server's SQLite database."""

import sqlite3

from server.store import Code, Displaced, Invitation, Joining, Station
from server.store.heads import head_at
from server.store.newcomers import (
    KEPT,
    Name,
    admitted,
    code,
    displaced,
    others_log,
    welcomed,
)
from server.store.station_rows import note_displaced
from server.store.tokens import station
from shared.chain import start

__all__ = ["codes", "enrol", "invite", "revoke"]


def invite(connection: sqlite3.Connection, asked: Invitation, now: int) -> None:
    """Let a station of this name join once.

    Raises:
        ProblemError: 409 where the name is in use, and the code is not for replacing.
    """
    row = connection.execute(
        "SELECT id, name, joined, revoked, host, heard FROM station WHERE name = ?",
        (asked.name,),
    ).fetchone()
    if row is None:
        number = connection.execute(
            "INSERT INTO station (name, kind, location, created) VALUES (?, ?, ?, ?)",
            (asked.name, asked.kind, asked.location, now),
        ).lastrowid
    else:
        name = Name(*row)
        name.see_that_it_is_free(replaces=asked.replaces)
        number = name.station
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
    kind, location, name = admitted(row)
    owner = name.station
    gone = _displaced(connection, name, joining.log)
    _begin_log(connection, joining, owner)
    _take_place(connection, joining, owner, name.host, now)
    connection.execute(
        "UPDATE station SET kind = ?, location = coalesce(?, location) WHERE id = ?",
        (kind, location, owner),
    )
    connection.execute(
        "UPDATE station_code SET used = ? WHERE code_hash = ?",
        (now, joining.code_hash),
    )
    found = welcomed(station(connection, joining.token_hash), gone)
    if gone is not None:
        note_displaced(connection, found, "", now)
    return found


def _displaced(
    connection: sqlite3.Connection, name: Name, log: str
) -> Displaced | None:
    newest = connection.execute(
        "SELECT name, acked FROM log WHERE station = ? ORDER BY id DESC LIMIT 1",
        (name.station,),
    ).fetchone()
    same = connection.execute(
        "SELECT 1 FROM log WHERE station = ? AND name = ?", (name.station, log)
    ).fetchone()
    return displaced(name, newest, same=same is not None)


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
