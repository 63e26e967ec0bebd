"""The head of a log at any of its lines, in the server's SQLite database."""

import sqlite3

from server.store.archived import filled
from shared.chain import start, walk

__all__ = ["head_at"]


def head_at(connection: sqlite3.Connection, log: int, name: str, seq: int) -> bytes:
    """Return H(seq), from the last delivery before it and the lines since."""
    last, head = connection.execute(
        "SELECT last, head FROM delivery WHERE log = ? AND last <= ?"
        " ORDER BY last DESC LIMIT 1",
        (log, seq),
    ).fetchone() or (0, start(name))
    lines = connection.execute(
        "SELECT line, position FROM line WHERE log = ? AND seq > ? AND seq <= ?"
        " ORDER BY seq",
        (log, last, seq),
    )
    return walk(head, (line for (line,) in filled(connection, lines, 0)))[-1]
