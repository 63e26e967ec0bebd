"""What was said, in the server's PostgreSQL database: places, people, loads, wishes.

Only which lines say something is kept; what they say is read from the lines. Of each
topic and key the latest that was not taken back holds, in the order of section 5.1.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from server.events import event_name
from server.store import Load, Said, Station
from server.store.answering import TITLES_LOOKED, grouped, once, ordered
from server.store.answering import loads as put_together
from server.store.postgres.database import Database, digest
from server.store.postgres.logs import Log
from server.store.postgres.reading import inside, place
from server.store.understanding import Understood, says
from server.titles import TABLES, looked_for, stands_alone
from shared.hosts import Topic, host_line

__all__ = ["gone", "held", "keep", "latest", "loads", "statuses"]
__all__ += ["keep_words", "remarked", "titled"]

_KEEP = """
INSERT INTO said (topic, name, key, occurred, log, seq, line)
SELECT * FROM unnest($1::integer[], $2::bytea[], $3::text[], $4::bigint[], $5::text[],
    $6::bigint[], $7::bigint[])
ON CONFLICT DO NOTHING
"""

# Steps from key to key, however many lines there are of each.
_ALL_KEYS = """
WITH RECURSIVE k (name) AS (
    (SELECT name FROM said WHERE topic = $1 ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT s.name FROM said s WHERE s.topic = $1 AND s.name > k.name
        ORDER BY s.name LIMIT 1)
    FROM k WHERE k.name IS NOT NULL
)
"""
_THESE_KEYS = "WITH k AS (SELECT name FROM unnest($2::bytea[]) n (name))"
_LATEST = """
SELECT m.key, l.line, l.occurred, m.log, m.seq
FROM k
CROSS JOIN LATERAL (
    SELECT s.key, s.log, s.seq, s.line FROM said s
    WHERE s.topic = $1 AND s.name = k.name AND NOT EXISTS (
        SELECT 1 FROM voided v WHERE v.log = s.log AND v.seq = s.seq)
    ORDER BY s.occurred DESC, s.log DESC, s.seq DESC LIMIT 1
) m
CROSS JOIN LATERAL (SELECT * FROM line
    WHERE log = m.line >> 32 AND seq = m.line & 4294967295 OFFSET 0) l
"""
_KEEP_WORDS = """
INSERT INTO {} (line, words)
SELECT n.line, array_to_tsvector(string_to_array(n.words, ' '))
FROM unnest($1::bigint[], $2::text[]) n (line, words)
ON CONFLICT DO NOTHING
"""
_TITLED = """
SELECT s.key
FROM (SELECT line FROM title WHERE words @@ $1::text::tsquery LIMIT 10 * $2) t
JOIN said s ON s.line = t.line AND s.topic = $3
JOIN line l ON l.log = t.line >> 32 AND l.seq = t.line & 4294967295
JOIN delivery d ON d.log = l.log AND d.last = l.delivered
WHERE s.line = (
    SELECT o.line FROM said o
    WHERE o.topic = s.topic AND o.name = s.name AND NOT EXISTS (
        SELECT 1 FROM voided v WHERE v.log = o.log AND v.seq = o.seq)
    ORDER BY o.occurred DESC, o.log DESC, o.seq DESC LIMIT 1)
ORDER BY d.position - (d.last - l.seq) DESC LIMIT $4
"""
_REMARKED = """
SELECT s.key, l.line, l.occurred, s.log, s.seq
FROM (SELECT line FROM remark WHERE words @@ $1::text::tsquery LIMIT 10 * $2) t
JOIN said s ON s.line = t.line AND s.topic = $3
JOIN line l ON l.log = t.line >> 32 AND l.seq = t.line & 4294967295
JOIN delivery d ON d.log = l.log AND d.last = l.delivered
WHERE NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = s.log AND v.seq = s.seq)
ORDER BY d.position - (d.last - l.seq) DESC LIMIT $2
"""
_EXPECTED = """
SELECT DISTINCT x.key
FROM unnest($1::bytea[]) k (name)
JOIN said s ON s.topic = $2 AND s.name = k.name
JOIN said x ON x.line = s.line AND x.topic = $3
"""
_GONE = """
SELECT key FROM listed WHERE left_at >= $1
ORDER BY left_at DESC, key COLLATE "C" LIMIT $2
"""
_HELD = """
SELECT container FROM (
    SELECT container, held_at FROM listed
    WHERE held_at IS NOT NULL ORDER BY held_at DESC LIMIT $1) i
GROUP BY container ORDER BY max(held_at) DESC, container COLLATE "C"
"""
_IN = f"""
SELECT i.container, i.key
FROM unnest($1::text[]) WITH ORDINALITY k (container, number)
{inside("k.container")} i
WHERE i.left_at IS NULL ORDER BY k.number, i.key COLLATE "C" LIMIT $2
"""  # noqa: S608 # of constants
_GONE_OF = """
SELECT i.key FROM unnest($1::bytea[]) k (name) JOIN listed i ON i.name = k.name
WHERE i.left_at IS NOT NULL
"""
_STATUSES = """
SELECT i.key, i.status FROM unnest($1::bytea[]) k (name)
JOIN listed i ON i.name = k.name WHERE i.status IS NOT NULL
"""
_ON_BOARD = f"""
WITH RECURSIVE inside (load, key) AS (
    SELECT k.load, i.key FROM unnest($1::text[]) k (load)
    {inside("k.load")} i
    UNION
    SELECT o.load, i.key FROM inside o
    {inside("o.key")} i
)
SELECT load, key FROM inside ORDER BY load COLLATE "C", key COLLATE "C"
"""  # noqa: S608 # of constants


def keep(
    database: Database, told: Iterable[tuple[Station, Log, list[Understood]]]
) -> bool:
    """Note which of these lines say something; return whether any does."""
    told = list(told)
    rows = [
        (topic, digest(key), key, *one.event.order, place(log.id, one.seq))
        for station, log, understood in told
        for one in understood
        if one.event is not None
        for topic, key in says(station, one)
    ]
    if rows:
        database.columns(_KEEP, rows, 7)
    keep_words(
        database,
        (
            (TABLES[topic], place(log.id, one.seq), looked_for(topic, one.event.line))
            for station, log, understood in told
            for one in understood
            if one.event is not None
            for topic, _ in says(station, one)
            if topic in TABLES
        ),
    )
    return bool(rows)


def keep_words(database: Database, given: Iterable[tuple[str, int, str]]) -> None:
    """Keep what lines are found by: table, place of the line, words."""
    tables: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for table, line, found in given:
        if found:
            tables[table].append((line, found))
    for table, rows in tables.items():
        database.columns(_KEEP_WORDS.format(table), rows, 2)


def titled(database: Database, asked: Sequence[str], most: int) -> list[str]:
    """Return what has all these words in its title, what was named last first.

    A word may go on behind what is asked for. Of very many that fit, some are returned.
    """
    given = (_query(asked), TITLES_LOOKED, Topic.TITLE, most)
    return [key for (key,) in database.rows(_TITLED, *given)]


def remarked(database: Database, asked: Sequence[str], most: int) -> list[Said]:
    """Return remarks with all these words, one of each item, the newest first.

    Of very many that fit, some are returned.
    """
    rows = database.rows(_REMARKED, _query(asked), TITLES_LOOKED, Topic.REMARK)
    return list(islice(once(rows), most))


def _query(asked: Sequence[str]) -> str:
    return " & ".join(
        f"'{word}'" if stands_alone(word) else f"'{word}':*" for word in asked
    )


def latest(
    database: Database, topic: Topic, keys: Collection[str] | None = None
) -> list[Said]:
    """Return what holds of a topic: of these keys, or of all, by key."""
    if keys is None:
        found = database.rows(_ALL_KEYS + _LATEST, topic)
    else:
        names = list({digest(key) for key in keys})
        found = database.rows(_THESE_KEYS + _LATEST, topic, names)
    told = [
        Said(key=key, line=line, occurred=occurred, event=event_name(log, seq))
        for key, data, occurred, log, seq in found
        if (line := host_line(data)) is not None
    ]
    return sorted(told, key=lambda said: said.key)


def statuses(database: Database, keys: Collection[str]) -> dict[str, str]:
    """Return the present statuses of those of the items that have one."""
    found = database.rows(_STATUSES, [digest(key) for key in keys])
    return {key: status for key, status in found}  # noqa: C416 # rows are no pairs


def loads(database: Database, most: int, items: int) -> list[Load]:
    """Return the loads that have not left, those told of last first.

    Args:
        database: One that reads.
        most: How many loads, at most.
        items: How many items on one load, at most.
    """
    told = latest(database, Topic.LOAD)
    left = database.rows(_GONE_OF, [digest(said.key) for said in told])
    wanted = ordered(told, {key for (key,) in left}, most)
    keys = [said.key for said in wanted]
    expected = database.rows(
        _EXPECTED, [digest(key) for key in keys], Topic.LOAD, Topic.EXPECTED
    )
    return put_together(
        wanted,
        latest(database, Topic.TITLE, keys),
        latest(database, Topic.EXPECTED, [key for (key,) in expected]),
        [(load, key) for load, key in database.rows(_ON_BOARD, keys)],
        items,
    )


def gone(database: Database, since: int, most: int) -> list[str]:
    """Return what left and was not scanned since, newest first."""
    return [key for (key,) in database.rows(_GONE, since, most)]


def held(database: Database, most: int) -> dict[str, list[str]]:
    """Return what containers hold that have not left, the one told of last first.

    Args:
        database: One that reads.
        most: How many items, at most; a container is told of as a whole or not.
    """
    containers = [key for (key,) in database.rows(_HELD, most)]
    rows = database.rows(_IN, containers, most + 1)
    return grouped(rows, most)
