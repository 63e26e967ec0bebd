"""How far each webhook is, in the server's SQLite database."""

import sqlite3

__all__ = ["begin", "keep"]


def begin(connection: sqlite3.Connection, name: str) -> int:
    """Return the position of a webhook; a new one begins behind what is there."""
    connection.execute(
        "INSERT OR IGNORE INTO hook (name, position)"
        " SELECT ?, coalesce(max(position), 0) FROM line",
        (name,),
    )
    found = connection.execute("SELECT position FROM hook WHERE name = ?", (name,))
    (position,) = found.fetchone()
    return int(position)


def keep(connection: sqlite3.Connection, name: str, position: int) -> None:
    """Note that everything up to a position was taken."""
    connection.execute("UPDATE hook SET position = ? WHERE name = ?", (position, name))
