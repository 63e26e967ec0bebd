"""Stations' tokens, in the server's SQLite database: the present one, and those beside.

A station makes its next token by itself and offers it; both hold until the next one is
used first, so that an answer that is lost locks nobody out. The one before is then
kept as replaced.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from server.problems import ProblemError
from server.store import Displaced, Station, Token
from shared.moments import SECOND
from shared.protocol import ProblemType

__all__ = [
    "REMEMBERED",
    "holder",
    "offer",
    "see_that_it_is_new",
    "station",
    "use",
]

REMEMBERED = 400 * 24 * 3600 * SECOND
"""How long a replaced token is known as one."""

_HOLDER = """
SELECT s.id, s.name, s.kind, s.location, s.public_key, s.revoked, h.token, h.since,
    h.host
FROM (
    SELECT id AS station, 'present' AS token, coalesce(token_since, 0) AS since,
        NULL AS host
    FROM station WHERE token_hash = :hash
    UNION ALL
    SELECT id, 'next', coalesce(token_since, 0), NULL
    FROM station WHERE next_hash = :hash
    UNION ALL
    SELECT station, CASE WHEN host IS NULL THEN 'replaced' ELSE 'displaced' END,
        replaced, host
    FROM old_token WHERE token_hash = :hash
) h JOIN station s ON s.id = h.station
"""


def station(connection: sqlite3.Connection, token_hash: bytes) -> Station | None:
    """Return the station whose token this is, or was."""
    row = connection.execute(_HOLDER, {"hash": token_hash}).fetchone()
    return None if row is None else holder(row)


def holder(row: Sequence[Any]) -> Station:
    """Return the station of a row: it, which of its tokens was shown, since when."""
    number, name, kind, location, public_key, revoked, token, since, host = row
    return Station(
        id=number,
        name=name,
        kind=kind,
        location=location,
        public_key=public_key,
        revoked=revoked is not None,
        token=Token(token),
        token_since=since,
        displaced=None if host is None else Displaced(host=host),
    )


def see_that_it_is_new(known: Station | None, who: Station) -> None:
    """See that an offered token is nobody's, or this station's that it offered before.

    Args:
        known: Whose the token is, or was.
        who: The station that offers it.

    Raises:
        ProblemError: 409, it is known.
    """
    if known is not None and (known.id, known.token) != (who.id, Token.NEXT):
        reason = "This token is known here already; make another."
        raise ProblemError(409, ProblemType.INVALID, reason)


def offer(connection: sqlite3.Connection, who: Station, token_hash: bytes) -> None:
    """Keep a station's next token, in place of one that it never used.

    Raises:
        ProblemError: 409 where the token is, or was, in use.
    """
    see_that_it_is_new(station(connection, token_hash), who)
    connection.execute(
        "UPDATE station SET next_hash = ? WHERE id = ?", (token_hash, who.id)
    )


def use(
    connection: sqlite3.Connection, who: Station, token_hash: bytes, now: int
) -> None:
    """Replace the present token by the next one, unless that was done meanwhile."""
    connection.execute(
        "INSERT INTO old_token (token_hash, station, replaced)"
        " SELECT token_hash, id, ? FROM station WHERE id = ? AND next_hash = ?",
        (now, who.id, token_hash),
    )
    connection.execute(
        "UPDATE station SET token_hash = next_hash, token_since = ?, next_hash = NULL"
        " WHERE id = ? AND next_hash = ?",
        (now, who.id, token_hash),
    )
    connection.execute("DELETE FROM old_token WHERE replaced < ?", (now - REMEMBERED,))
