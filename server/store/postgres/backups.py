"""What the PostgreSQL database knows of backups and restores."""

from collections.abc import Mapping

import msgspec

from server.store.backups import Restored
from server.store.postgres.database import Database

__all__ = ["mark_backed_up", "note_told", "restored"]

_MARK = """
UPDATE log SET backed_up = greatest(log.backed_up, v.last)
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) v (name, last, head)
WHERE log.name = v.name AND log.acked >= v.last AND EXISTS (
    SELECT 1 FROM delivery d
    WHERE d.log = log.id AND d.last = v.last AND d.head = v.head
)
"""
_TOLD = """
UPDATE restored_log SET told = greatest(coalesce(told, 0), $2)
WHERE log = (SELECT id FROM log WHERE name = $1)
  AND restored = (SELECT max(id) FROM restored)
"""


def mark_backed_up(database: Database, acked: Mapping[str, tuple[int, str]]) -> None:
    """Note up to where logs are in a checked backup, if they are those of here."""
    names = sorted(acked)
    held = "SELECT 1 FROM log WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE"
    database.do(held, names)
    rows = [(name, acked[name][0], bytes.fromhex(acked[name][1])) for name in names]
    if rows:
        database.columns(_MARK, rows, 3)


def note_told(database: Database, log: str, told: int) -> None:
    """Note that a station counted on more of a log than there is after a restore."""
    database.do(_TOLD, log, told)


_RESTORED = """
SELECT r.at, r.made_at, g.name, s.name, l.had, l.told, g.acked,
    coalesce(s.heard, 0) > r.at
FROM restored r
JOIN restored_log l ON l.restored = r.id
JOIN log g ON g.id = l.log
JOIN station s ON s.id = g.station
ORDER BY r.id, s.name COLLATE "C", g.name COLLATE "C"
"""


def restored(database: Database) -> list[Restored]:
    """Return what became of each log after each restore."""
    names = ("at", "made_at", "log", "station", "had", "told", "has", "heard")
    return [
        msgspec.convert(dict(zip(names, row, strict=True)), Restored)
        for row in database.rows(_RESTORED)
    ]
