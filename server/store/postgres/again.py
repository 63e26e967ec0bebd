"""Are answers that are kept those that follow from the lines? It is tried beside them.

Everything that can be made from the lines is made anew, in tables that nobody else sees
and that are gone afterwards, in one transaction that sees everything as of one moment.
Servers go on. Then both are walked through side by side, some rows at a time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any, NamedTuple

import msgspec

from server.answers import Horizon, heading
from server.events import Event, Order
from server.kept import Unwritten
from server.site import Site
from server.store import Station
from server.store.answering import State, answers
from server.store.keeping import HEARD, STATE
from server.store.postgres import turn
from server.store.postgres.database import Database, Row, digest, snapshot_to_write
from server.store.postgres.holding import Nobody
from server.store.postgres.reading import place
from server.store.postgres.rebuild import TABLES, arrived, following
from server.store.postgres.shelf import PgShelf, create, take_in
from server.store.rebuild import layout, rules
from server.store.understanding import OPAQUE, Understood, read, says, voids
from server.timing import Basis, When
from server.verify import Finding
from shared.errors import StartError

__all__ = ["begin", "differences"]

begin = snapshot_to_write

_AGAIN = "_again"
_LINES, _PAGE, _MOST = 2_000, 1_000, 20
"""Lines taken in at once, rows looked at together, findings in a table at most."""


class _Table(NamedTuple):
    """What is compared of a table: its rows, by a key of numbers and digests."""

    name: str
    key: tuple[str, ...]
    rest: tuple[str, ...]


_ITEMS = _Table("item", ("name",), ("key", "latest", "state", "heard"))
_COMPARED = (
    _Table(
        "listed",
        ("name",),
        ("key", "status", "location", "custodian", "container", "left_at", "held_at"),
    ),
    _Table(
        "exception",
        ("name",),
        ("item", "code", "since", "event", "text", "until", "closed_by"),
    ),
    _Table("counted", ("location", "occurred", "line"), ()),
    _Table("expected", ("load", "name"), ("item",)),
    _Table("departed", ("occurred", "line"), ("item",)),
    _Table("voided", ("by_log", "by_seq"), ("log", "seq")),
    _Table("said", ("line",), ("topic", "key", "occurred", "log", "seq")),
)
_FROM_LINES = ("voided", "said")


def differences(database: Database, site: Site, now: int) -> list[Finding]:
    """Compare what is kept of items and of what was said with what the lines tell.

    Args:
        database: In a transaction begun by `begin`.
        site: The site's rules.
        now: The present.

    Raises:
        StartError: What is kept is being made otherwise; the text says what to do.
    """
    _must_follow(database, site)
    create(database, _AGAIN)
    for name in _FROM_LINES:
        database.do(f"CREATE TABLE {name}{_AGAIN} (LIKE {name} INCLUDING INDEXES)")
    found = list(islice(_make(database, site), _MOST))
    found += _items(database, site, now)
    for table in _COMPARED:
        found += islice(_compared(database, table), _MOST)
    for name in (*TABLES, *_FROM_LINES):
        database.do(f"DROP TABLE {name}{_AGAIN}")
    return found


def _must_follow(database: Database, site: Site) -> None:
    begun = turn.begin(database, None)
    if begun.follows != (rules(site), layout()):
        reason = (
            "answers follow from other rules than those of this program and of these "
            "settings: a server with the same makes them anew when it starts. Check "
            "again then"
        )
        raise StartError(reason)
    if not turn.look(database).settled:
        reason = (
            "something came late that is not told anew yet; a server that runs does "
            "so in a moment. Check again then"
        )
        raise StartError(reason)


# --- making it anew -------------------------------------------------------------------


def _make(database: Database, site: Site) -> Iterator[Finding]:
    """Make everything anew; say which lines are understood otherwise now."""
    writers, done, misread = _writers(database), 0, list[tuple[int, int]]()
    while rows := following(database, done, _LINES):
        _say_again(database, rows, writers, site)
        events = list(arrived(rows, site, lambda *line: misread.append(line[:2])))
        unwritten = Unwritten()
        shelf = PgShelf(database, Nobody(database, _AGAIN), unwritten, 0, _AGAIN)
        take_in(shelf, site, unwritten, events)
        done = rows[-1][0]
    names = {number: name for number, (name, _) in writers.items()}
    for log, seq in misread:
        text = "why it is quarantined, or that it is not, does not follow from it"
        yield Finding(log=names.get(log, ""), seq=seq, text=text)


_WRITERS = """
SELECT g.id, g.name, s.id, s.name, s.kind FROM log g JOIN station s ON s.id = g.station
"""


def _writers(database: Database) -> dict[int, tuple[str, Station]]:
    """Return by number of a log its name, and whose it is."""
    return {
        number: (
            log,
            Station(
                id=id_,
                name=name,
                kind=kind,
                location=None,
                public_key=b"",
                revoked=False,
            ),
        )
        for number, log, id_, name, kind in database.rows(_WRITERS)
    }


def _say_again(
    database: Database,
    rows: list[Row],
    writers: dict[int, tuple[str, Station]],
    site: Site,
) -> None:
    """Note again what lines take back, and what they say."""
    taken_back, said = [], []
    for row in rows:
        _, log, name, seq, occurred, lo, hi, received, reason, data, _ = row
        line, by_now = read(data, seq, actions=site.actions, opaque=reason == OPAQUE)
        if line is None or by_now is not None:
            continue
        order = Order(occurred, name, seq)
        event = Event(order=order, lo=lo, hi=hi, received=received, line=line)
        if target := voids(line):
            taken_back.append((*target, log, seq))
        when = When(occurred=occurred, lo=lo, hi=hi, basis=Basis.CLOCK)
        one = Understood(seq=seq, data=data, when=when, event=event, quarantined=None)
        said += [
            (topic, digest(key), key, *order, place(log, seq))
            for topic, key in says(writers[log][1], one)
        ]
    _write(database, "voided", "log, seq, by_log, by_seq", taken_back)
    _write(database, "said", "topic, name, key, occurred, log, seq, line", said)


def _write(
    database: Database, table: str, columns: str, rows: Sequence[Sequence[object]]
) -> None:
    marks = ", ".join(f"${number}" for number in range(1, columns.count(",") + 2))
    database.many(
        f"INSERT INTO {table}{_AGAIN} ({columns}) VALUES ({marks})"  # noqa: S608 # of constants
        " ON CONFLICT DO NOTHING",
        rows,
    )


# --- comparing it ---------------------------------------------------------------------

_Group = tuple[Any, list[Any]]
"""A key, and the rows that have it."""


def _compared(database: Database, table: _Table) -> Iterator[Finding]:
    for _, kept, made in _together(database, table):
        for rows, others, how in (
            (kept, made, "does not follow from"),
            (made, kept, "is missing, by"),
        ):
            for row in (Counter(rows) - Counter(others)).elements():
                text = f"in {table.name}, what {how} the lines: {_shown(row)}"
                yield Finding(text=text)


def _shown(row: Sequence[object]) -> str:
    shown = (str(value)[:40] for value in row if value is not None)
    return ", ".join(shown)


def _together(
    database: Database, table: _Table
) -> Iterator[tuple[Any, list[Any], list[Any]]]:
    """Walk through what is kept and what was made anew, side by side."""
    ways = [_groups(database, table, new) for new in ("", _AGAIN)]
    heads: list[_Group | None] = [next(way, None) for way in ways]
    while any(heads):
        key = min(head[0] for head in heads if head is not None)
        rows = []
        for number, head in enumerate(heads):
            here = head is not None and head[0] == key
            rows.append(head[1] if head is not None and here else [])
            if here:
                heads[number] = next(ways[number], None)
        yield key, rows[0], rows[1]


def _groups(database: Database, table: _Table, new: str) -> Iterator[_Group]:
    width = len(table.key)
    for key, rows in groupby(_rows(database, table, new), key=lambda row: row[:width]):
        yield key, [row[width:] for row in rows]


def _rows(database: Database, table: _Table, new: str) -> Iterator[tuple[Any, ...]]:
    """Read a table in the order of the key; rows of one key come together."""
    key, many = ", ".join(table.key), _PAGE
    columns, width = ", ".join((*table.key, *table.rest)), len(table.key)
    marks = ", ".join(f"${number}" for number in range(2, width + 2))
    after: Sequence[object] = ()
    while True:
        where = f"WHERE ({key}) > ({marks})" if after else ""
        found = database.rows(
            f"SELECT {columns} FROM {table.name}{new} {where} ORDER BY {key} LIMIT $1",  # noqa: S608 # of constants
            *(many, *after),
        )
        rows = [tuple(row) for row in found]
        if len(rows) < many:
            yield from rows
            return
        last = rows[-1][:width]
        whole = [row for row in rows if row[:width] != last]
        if whole:  # of the last key there may be more
            yield from whole
            after = whole[-1][:width]
        else:
            many *= 10


def _items(database: Database, site: Site, now: int) -> list[Finding]:
    """Compare the answers about all items, and which events speak of them."""
    found: list[Finding] = []
    walk = _together(database, _ITEMS)
    while (some := list(islice(walk, _PAGE))) and len(found) < _MOST:
        found += _answers(database, some, site, now)
    return found


def _answers(
    database: Database,
    some: list[tuple[Any, list[Any], list[Any]]],
    site: Site,
    now: int,
) -> Iterator[Finding]:
    kept = {rows[0][0]: rows[0] for _, rows, _ in some if rows}
    made = {rows[0][0]: rows[0] for _, _, rows in some if rows}
    one, other = (
        _answered(database, rows, new, site, now)
        for rows, new in ((kept, ""), (made, _AGAIN))
    )
    heard, again = (
        _heard(database, rows, new) for rows, new in ((kept, ""), (made, _AGAIN))
    )
    for key in sorted(kept.keys() | made.keys()):
        latest = [rows[key][1] if key in rows else None for rows in (kept, made)]
        if one.get(key) != other.get(key) or latest[0] != latest[1]:
            text = f"what is kept of item {key} does not follow from the lines"
            yield Finding(text=text)
        if heard.get(key) != again.get(key):
            yield Finding(text=f"which lines speak of item {key} was changed")


def _answered(
    database: Database, rows: dict[str, Any], new: str, site: Site, now: int
) -> dict[str, object]:
    """Return the answer about each item by what is kept of it, or why there is none."""
    head = heading(now, now, Horizon())
    states, found = dict[str, State](), dict[str, object]()
    for key, (_, _, state, _) in rows.items():
        state_or_reason = _state(state)
        if isinstance(state_or_reason, str):
            found[key] = state_or_reason
        else:
            states[key] = state_or_reason
    load = partial(_states, database, new)
    told = answers(states.items(), load, now, head, site)
    return {**found, **{one.item: one for one in told}}


def _states(database: Database, new: str, keys: Sequence[str]) -> dict[str, State]:
    found = database.rows(
        "SELECT i.key, i.state FROM unnest($1::bytea[]) k (name)"  # noqa: S608 # of constants
        f" JOIN item{new} i ON i.name = k.name",
        [digest(key) for key in keys],
    )
    states = ((key, _state(state)) for key, state in found)
    return {key: state for key, state in states if not isinstance(state, str)}


def _state(state: bytes) -> State | str:
    """Read what is kept of an item, or say why that cannot be."""
    try:
        return STATE.decode(state)
    except msgspec.MsgspecError as error:
        return str(error)


def _heard(database: Database, rows: dict[str, Any], new: str) -> dict[str, object]:
    """Return for each item which events speak of it."""
    apart = database.rows(
        f"SELECT h.name, h.events FROM unnest($1::bytea[]) k (name)"  # noqa: S608 # of constants
        f" JOIN heard{new} h ON h.name = k.name",
        [digest(key) for key in rows],
    )
    found: dict[str, list[int]] = {}
    names = {digest(key): key for key in rows}
    for key, (*_, heard) in rows.items():
        found[key] = _decoded(heard)
    for name, events in apart:
        found[names[name]] += _decoded(events)
    return {key: sorted(numbers) for key, numbers in found.items()}


def _decoded(heard: bytes) -> list[int]:
    try:
        return HEARD.decode(heard)
    except msgspec.MsgspecError:
        return [-1]
