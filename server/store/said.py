"""What was said, in the server's SQLite database: places, people, loads, wishes.

Only which lines say something is kept; what they say is read from the lines. Of each
topic and key the latest that was not taken back holds, in the order of section 5.1.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from server.events import event_name
from server.store import Load, Said, Station
from server.store.answering import TITLES_LOOKED, grouped, once, ordered
from server.store.answering import loads as put_together
from server.store.understanding import Understood, says
from server.titles import TABLES, looked_for, stands_alone
from shared.hosts import Topic, host_line

__all__ = ["gone", "held", "keep", "latest", "loads", "place_anew", "statuses"]
__all__ += ["KEEP_WORDS", "remarked", "titled"]

_KEEP = """
INSERT OR IGNORE INTO said (topic, key, occurred, log, seq, position)
VALUES (?, ?, ?, ?, ?, ?)
"""

# Steps from key to key, however many lines there are of each.
_ALL_KEYS = """
WITH RECURSIVE k (value) AS (
    SELECT min(key) FROM said WHERE topic = :topic
    UNION ALL
    SELECT (SELECT min(key) FROM said WHERE topic = :topic AND key > k.value)
    FROM k WHERE k.value IS NOT NULL
)
"""

_THESE_KEYS = "WITH k AS (SELECT value FROM json_each(:keys))"

_LATEST = """
SELECT k.value, l.line, l.occurred, g.name, l.seq
FROM k
CROSS JOIN line AS l ON l.position = (
    SELECT s.position FROM said AS s
    WHERE s.topic = :topic AND s.key = k.value AND NOT EXISTS (
        SELECT 1 FROM voided AS v WHERE v.log = s.log AND v.seq = s.seq)
    ORDER BY s.occurred DESC, s.log DESC, s.seq DESC LIMIT 1)
CROSS JOIN log AS g ON g.id = l.log
ORDER BY k.value
"""

_EXPECTED = """
SELECT DISTINCT x.key
FROM json_each(:loads) AS k
CROSS JOIN said AS s ON s.topic = :load AND s.key = k.value
CROSS JOIN said AS x ON x.position = s.position AND x.topic = :expected
"""

KEEP_WORDS = "INSERT INTO {} (rowid, words) VALUES (?, ?)"
"""Into one of `server.titles.TABLES`."""

_TITLED = """
SELECT s.key
FROM (SELECT rowid FROM title WHERE title MATCH ? ORDER BY rowid DESC LIMIT ?) AS t
CROSS JOIN said AS s ON s.position = t.rowid AND s.topic = ?
WHERE s.position = (
    SELECT o.position FROM said AS o
    WHERE o.topic = s.topic AND o.key = s.key AND NOT EXISTS (
        SELECT 1 FROM voided AS v WHERE v.log = o.log AND v.seq = o.seq)
    ORDER BY o.occurred DESC, o.log DESC, o.seq DESC LIMIT 1)
ORDER BY t.rowid DESC LIMIT ?
"""

_REMARKED = """
SELECT s.key, l.line, l.occurred, s.log, s.seq
FROM (SELECT rowid FROM remark WHERE remark MATCH ? ORDER BY rowid DESC LIMIT ?) AS t
CROSS JOIN said AS s ON s.position = t.rowid AND s.topic = ?
CROSS JOIN line AS l ON l.position = t.rowid
WHERE NOT EXISTS (SELECT 1 FROM voided AS v WHERE v.log = s.log AND v.seq = s.seq)
ORDER BY t.rowid DESC
"""

_PLACE = """
UPDATE said SET occurred = (SELECT occurred FROM line WHERE position = said.position)
WHERE occurred <> (SELECT occurred FROM line WHERE position = said.position)
"""

_GONE = """
SELECT key FROM item WHERE gone = 1 AND latest >= ? ORDER BY latest DESC, key LIMIT ?
"""

_HELD = """
SELECT container FROM (
    SELECT container, latest FROM item
    WHERE container IS NOT NULL AND gone = 0 ORDER BY latest DESC LIMIT ?)
GROUP BY container ORDER BY max(latest) DESC, container
"""

_IN = """
SELECT i.container, i.key
FROM json_each(?) AS k CROSS JOIN item AS i ON i.container = k.value
WHERE i.gone = 0 ORDER BY k.key, i.key LIMIT ?
"""

_GONE_OF = """
SELECT i.key FROM json_each(?) AS k CROSS JOIN item AS i ON i.key = k.value
WHERE i.gone = 1
"""

_STATUSES = """
SELECT i.key, i.status FROM json_each(?) AS k CROSS JOIN item AS i ON i.key = k.value
WHERE i.status IS NOT NULL
"""

_ON_BOARD = """
WITH RECURSIVE inside (load, key) AS (
    SELECT k.value, i.key FROM json_each(?) AS k JOIN item AS i ON i.container = k.value
    UNION
    SELECT o.load, i.key FROM inside AS o JOIN item AS i ON i.container = o.key
)
SELECT load, key FROM inside ORDER BY load, key
"""


def keep(
    connection: sqlite3.Connection,
    station: Station,
    understood: Iterable[tuple[int, Understood]],
) -> bool:
    """Note which of these lines say something; return whether any does.

    Args:
        connection: The one that writes, inside the transaction that keeps the lines.
        station: Who wrote them.
        understood: The lines, each with its position.
    """
    understood = list(understood)
    rows = [
        (topic, key, *one.event.order, position)
        for position, one in understood
        if one.event is not None
        for topic, key in says(station, one)
    ]
    connection.executemany(_KEEP, rows)
    for position, one in understood:
        for topic, _ in says(station, one):
            if topic in TABLES and one.event is not None:
                table, found = TABLES[topic], looked_for(topic, one.event.line)
                connection.execute(KEEP_WORDS.format(table), (position, found))
    return bool(rows)


def titled(
    connection: sqlite3.Connection, asked: Sequence[str], most: int
) -> list[str]:
    """Return what has all these words in its title, what was named last first.

    A word may go on behind what is asked for.
    """
    given = (_query(asked), TITLES_LOOKED, Topic.TITLE, most)
    return [key for (key,) in connection.execute(_TITLED, given)]


def remarked(
    connection: sqlite3.Connection, asked: Sequence[str], most: int
) -> list[Said]:
    """Return remarks with all these words, one of each item, the newest first."""
    given = (_query(asked), TITLES_LOOKED, Topic.REMARK)
    rows = connection.execute(_REMARKED, given)
    return list(islice(once(rows), most))


def _query(asked: Sequence[str]) -> str:
    return " AND ".join(
        f'"{word}"' if stands_alone(word) else f'"{word}"*' for word in asked
    )


def place_anew(connection: sqlite3.Connection) -> None:
    """Follow the lines where they were placed anew in time."""
    connection.execute(_PLACE)


def latest(
    connection: sqlite3.Connection, topic: Topic, keys: Collection[str] | None = None
) -> list[Said]:
    """Return what holds of a topic: of these keys, or of all, by key."""
    source = _ALL_KEYS if keys is None else _THESE_KEYS
    parameters = {"topic": topic, "keys": json.dumps(list(keys or ()))}
    found = connection.execute(source + _LATEST, parameters)
    return [
        Said(key=key, line=line, occurred=occurred, event=event_name(log, seq))
        for key, data, occurred, log, seq in found
        if (line := host_line(data)) is not None
    ]


def statuses(connection: sqlite3.Connection, keys: Collection[str]) -> dict[str, str]:
    """Return the present statuses of those of the items that have one."""
    return dict(connection.execute(_STATUSES, (json.dumps(list(keys)),)))


def loads(connection: sqlite3.Connection, most: int, items: int) -> list[Load]:
    """Return the loads that have not left, those told of last first.

    Args:
        connection: One that reads.
        most: How many loads, at most.
        items: How many items on one load, at most.
    """
    told = latest(connection, Topic.LOAD)
    keys = json.dumps([said.key for said in told])
    left = {key for (key,) in connection.execute(_GONE_OF, (keys,))}
    wanted = ordered(told, left, most)
    keys_wanted = [said.key for said in wanted]
    return put_together(
        wanted,
        latest(connection, Topic.TITLE, keys_wanted),
        latest(connection, Topic.EXPECTED, _expected(connection, keys_wanted)),
        connection.execute(_ON_BOARD, (json.dumps(keys_wanted),)),
        items,
    )


def _expected(connection: sqlite3.Connection, loads: Collection[str]) -> list[str]:
    """Return what was ever expected on any of the loads."""
    parameters = {
        "loads": json.dumps(list(loads)),
        "load": Topic.LOAD,
        "expected": Topic.EXPECTED,
    }
    return [key for (key,) in connection.execute(_EXPECTED, parameters)]


def gone(connection: sqlite3.Connection, since: int, most: int) -> list[str]:
    """Return what left and was not scanned since, newest first."""
    return [key for (key,) in connection.execute(_GONE, (since, most))]


def held(connection: sqlite3.Connection, most: int) -> dict[str, list[str]]:
    """Return what containers hold that have not left, the one told of last first.

    Args:
        connection: One that reads.
        most: How many items, at most; a container is told of as a whole or not.
    """
    containers = [key for (key,) in connection.execute(_HELD, (most,))]
    rows = connection.execute(_IN, (json.dumps(containers), most + 1)).fetchall()
    return grouped(rows, most)
