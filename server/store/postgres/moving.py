"""Moving everything out of a PostgreSQL database, or into an empty one."""

from collections.abc import Iterator, Mapping
from typing import Any

from server.seals import begin
from server.store import Identity, is_own
from server.store.moving import (
    MANY,
    NUMBERED,
    REST,
    Chunk,
    Delivered,
    Moved,
    Rest,
    worded,
)
from server.store.postgres import locks
from server.store.postgres.audit import report
from server.store.postgres.database import Database, digest
from server.store.postgres.reading import place
from server.store.postgres.said import keep_words
from shared.errors import StartError

__all__ = [
    "MOVED",
    "MOVING",
    "begin_moving",
    "chunk",
    "finish",
    "holds",
    "identity",
    "is_half",
    "leave",
    "rest",
    "seal",
    "write",
]

MOVING, MOVED = "moving", "moved"
"""What is noted of a database that is half moved here, and of one that moved away."""

_DELIVERY = (
    *("number", "log", "last", "head", "signature", "public_key", "clock"),
    *("received", "seal", "position"),
)
_LINE = (
    *("log", "seq", "delivered", "occurred", "lo", "hi", "basis"),
    *("quarantined", "line"),
)


def identity(database: Database) -> Identity:
    """Return which server's it is."""
    meta = _meta(database)
    return Identity(server=meta["server"], epoch=meta["epoch"])


def _meta(database: Database) -> dict[str, str]:
    return {name: value for name, value in database.rows("SELECT * FROM meta")}  # noqa: C416 # rows are no pairs


def _note(database: Database, notes: Mapping[str, str]) -> None:
    database.many(
        "INSERT INTO meta (name, value) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        notes.items(),
    )


# --- out of it ------------------------------------------------------------------------

_LINES = """
SELECT seq, occurred, lo, hi, basis, quarantined, line FROM line
WHERE log = $1 AND delivered = $2 AND seq <= $2 ORDER BY seq
"""
_VOIDED = """
SELECT v.log, v.seq, g.id, g.name, v.by_seq, $4::bigint
FROM voided v JOIN log g ON g.id = v.by_log
WHERE v.by_log = $1 AND v.by_seq > $2 AND v.by_seq <= $3
"""
_SAID = """
SELECT topic, key, occurred, log, seq, $3::bigint, $4::bigint - ($5::bigint - seq)
FROM said WHERE line >= $1 AND line <= $2
"""


def chunk(database: Database, after: int) -> Chunk | None:
    """Return the deliveries behind one, or nothing at the end."""
    deliveries: list[Delivered] = []
    voided: list[Any] = []
    said: list[Any] = []
    for one in _deliveries(database, after):
        deliveries.append(one)
        first = one.last - len(one.lines)
        voided += database.rows(_VOIDED, one.log, first, one.last, one.received)
        between = (place(one.log, first + 1), place(one.log, one.last))
        said += database.rows(_SAID, *between, one.log, one.position, one.last)
    if not deliveries:
        return None
    return Chunk(deliveries=deliveries, voided=voided, said=said)


def _deliveries(database: Database, after: int) -> Iterator[Delivered]:
    rows = database.rows(
        f"SELECT {', '.join(_DELIVERY)} FROM delivery WHERE number > $1"  # noqa: S608 # of constants
        " ORDER BY number LIMIT 500",
        after,
    )
    lines = 0
    for row in rows:
        if lines > MANY:
            return
        fields = dict(zip(_DELIVERY, row, strict=True))
        found = database.rows(_LINES, fields["log"], fields["last"])
        lines += len(found)
        yield Delivered(**fields, lines=found)


def rest(database: Database) -> Rest:
    """Return the rows of the small tables."""
    return {
        table: database.rows(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608 # of constants
        for table, columns in REST.items()
    }


def seal(database: Database, number: int) -> bytes:
    """Return the seal of a delivery; empty where there is none."""
    found = database.row("SELECT seal FROM delivery WHERE number = $1", number)
    return bytes(found[0]) if found else b""


def leave(database: Database, moment: str) -> None:
    """Note that everything moved away: no server writes here any more."""
    moved = _meta(database).get(MOVED, moment)  # it may be done, and not named yet
    _note(database, {MOVED: moved, "rules": MOVED})


# --- into it --------------------------------------------------------------------------


def is_half(database: Database, whose: Identity) -> bool:
    """Return whether a part of this server's events is moved here."""
    (there,) = database.one("SELECT to_regclass('meta') IS NOT NULL")
    moving = _meta(database).get(MOVING, "") if there else ""
    return moving.startswith(f"{whose.server} {whose.epoch} ")


def _is_empty(database: Database) -> bool:
    """Return whether no station is known, nor any line."""
    (delivered,) = database.one("SELECT EXISTS (SELECT 1 FROM delivery)")
    names = database.rows("SELECT name FROM station")
    return not delivered and all(is_own(name) for (name,) in names)


def begin_moving(database: Database, whose: Identity) -> int:
    """Return up to which delivery it was moved here already.

    Raises:
        StartError: It holds something else.
    """
    locks.alone(database)
    meta = _meta(database)
    moving = meta.get(MOVING)
    if moving is None and MOVED not in meta and _is_empty(database):
        for table in reversed(tuple(REST)):  # of servers that were started on it
            database.do(f"DELETE FROM {table}")  # noqa: S608 # of constants
        moving = f"{whose.server} {whose.epoch} 0"
        _note(database, {MOVING: moving, "rules": MOVING})
    server, epoch, done = (moving or "- - 0").split()
    if (server, epoch) != (whose.server, whose.epoch):
        reason = (
            "the database of [store] url holds other events already, and nothing of it "
            "is overwritten. Name an empty one: createdb makes it"
        )
        raise StartError(reason)
    return int(done)


def write(database: Database, some: Chunk, whose: Identity) -> None:
    """Write deliveries, and note that they are there; again where they are already."""
    meta = _meta(database)
    if int(meta[MOVING].split()[2]) >= some.done:
        return
    database.copy(
        "line",
        _LINE,
        [
            (one.log, line[0], one.last, *line[1:])
            for one in some.deliveries
            for line in one.lines
        ],
    )
    database.copy(
        "delivery",
        _DELIVERY,
        [tuple(getattr(one, name) for name in _DELIVERY) for one in some.deliveries],
    )
    database.many(
        "INSERT INTO voided (log, seq, by_log, by_seq) VALUES ($1, $2, $3, $4)",
        [(log, seq, by, by_seq) for log, seq, by, _, by_seq, _ in some.voided],
    )
    database.many(
        "INSERT INTO said (topic, name, key, occurred, log, seq, line)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            (topic, digest(key), key, occurred, log, seq, place(number, seq))
            for topic, key, occurred, log, seq, number, _ in some.said
        ],
    )
    keep_words(
        database,
        ((table, place(log, seq), found) for table, log, seq, _, found in worded(some)),
    )
    _note(database, {MOVING: f"{whose.server} {whose.epoch} {some.done}"})


_LAST = """
UPDATE log SET lo = l.lo, hi = l.hi, basis = l.basis
FROM line l WHERE l.log = log.id AND l.seq = log.acked
"""
_TURN = """
UPDATE turn SET position = d.position, number = d.number, received = d.received,
    seal = d.seal
FROM (SELECT * FROM delivery ORDER BY number DESC LIMIT 1) d
"""


def finish(database: Database, small: Rest, whose: Identity) -> None:
    """Write the small tables; from then on it is a server's database."""
    if MOVING not in _meta(database):
        return  # it was done, and nobody heard of it
    for table, columns in REST.items():
        marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        database.many(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 # of constants
            small[table],
        )
    for table in NUMBERED:
        database.do(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"  # noqa: S608 # of constants
            f" greatest((SELECT max(id) FROM {table}), 1))"
        )
    database.do(_LAST)
    database.do("UPDATE turn SET seal = $1", begin(whose.server))
    database.do(_TURN)
    # answers are made anew at the first start
    _note(
        database,
        {"server": whose.server, "epoch": whose.epoch, "rules": "", "layout": ""},
    )
    database.do("DELETE FROM meta WHERE name = $1", MOVING)


# --- what is it? ----------------------------------------------------------------------


def holds(database: Database) -> Moved:
    """Check everything: chains, signatures, seals; and return what it is.

    Raises:
        StartError: Something is not as it was received.
    """
    found = report(database, {}, 1)
    for first in found.findings:
        reason = f"log {first.log} line {first.seq}: {first.text}"
        raise StartError(reason)
    return Moved(
        identity=Identity(server=found.server, epoch=found.epoch),
        deliveries=found.deliveries,
        lines=found.lines,
        seal=found.seal,
        heads=found.acked,
    )
