"""What the database knows of backups and restores."""

import sqlite3
from collections.abc import Mapping

import msgspec

__all__ = ["Restored", "mark_backed_up", "note_told", "restored", "start_over"]

_MARK = """
UPDATE log SET backed_up = max(backed_up, :last)
WHERE name = :name AND acked >= :last AND EXISTS (
    SELECT 1 FROM delivery d
    WHERE d.log = log.id AND d.last = :last AND d.head = :head
)
"""

_TOLD = """
UPDATE restored_log SET told = max(coalesce(told, 0), :told)
WHERE log = (SELECT id FROM log WHERE name = :name)
  AND restored = (SELECT max(id) FROM restored)
"""

_RESTORED = """
SELECT r.at, r.made_at, g.name, s.name, l.had, l.told, g.acked,
    coalesce(s.heard, 0) > r.at
FROM restored r
JOIN restored_log l ON l.restored = r.id
JOIN log g ON g.id = l.log
JOIN station s ON s.id = g.station
ORDER BY r.id, s.name, g.name
"""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one log after a restore.

    ``had`` are the lines that the backup held, ``has`` those that are there now, and
    ``told`` those that the station counted on when it came back: ``None`` where that
    was no more than ``had``, or where it was not ``heard`` from yet. ``at`` is when the
    restore was, in microseconds since 1970; ``made_at`` when the backup was made.
    """

    at: int
    made_at: str
    log: str
    station: str
    had: int
    told: int | None
    has: int
    heard: bool

    @property
    def missing(self) -> int:
        """How many lines that the station was told of are not back yet."""
        return max(0, (self.told or 0) - self.has)


def mark_backed_up(
    connection: sqlite3.Connection, acked: Mapping[str, tuple[int, str]]
) -> None:
    """Note up to where logs are in a checked backup, if they are those of here."""
    connection.executemany(
        _MARK,
        [
            {"name": name, "last": last, "head": bytes.fromhex(head)}
            for name, (last, head) in acked.items()
        ],
    )


def start_over(
    connection: sqlite3.Connection, *, epoch: str, made_at: str, now: int
) -> None:
    """Note in a restored database that a new life of the server begins."""
    connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (epoch,))
    found = connection.execute(
        "INSERT INTO restored (at, made_at) VALUES (?, ?)", (now, made_at)
    )
    connection.execute(
        "INSERT INTO restored_log (restored, log, had) SELECT ?, id, acked FROM log",
        (found.lastrowid,),
    )


def note_told(connection: sqlite3.Connection, log: str, told: int) -> None:
    """Note that a station counted on more of a log than there is after a restore."""
    connection.execute(_TOLD, {"name": log, "told": told})


def restored(connection: sqlite3.Connection) -> list[Restored]:
    """Return what became of each log after each restore."""
    names = ("at", "made_at", "log", "station", "had", "told", "has", "heard")
    return [
        msgspec.convert(dict(zip(names, row, strict=True)), Restored, strict=False)
        for row in connection.execute(_RESTORED)
    ]
