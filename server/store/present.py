"""Present answers, from what is kept of items in the server's SQLite database."""

import sqlite3
from collections.abc import Collection
from functools import partial

import msgspec

from server.answers import heading
from server.exceptions import Case
from server.kept import Unwritten
from server.known import Known, Since
from server.site import Site
from server.store import (
    Answers,
    ExceptionQuery,
    Found,
    ItemQuery,
    Stand,
    ToldQuery,
    View,
)
from server.store.answering import State, answers
from server.store.keeping import STATE
from server.store.reading import chunks, horizon, snapshot
from shared.api.items import ItemAnswer

__all__ = [
    "MOST_LATEST",
    "MOST_THERE",
    "count_told",
    "exceptions",
    "item",
    "items",
    "standing",
    "told",
    "view",
    "visitors",
    "written",
]


MOST_THERE, MOST_LATEST = 5_000, 500
"""Items of a place that are looked at for those that came last: those that were named
last, and of these those that were told of anything last."""


class _Placed(msgspec.Struct, array_like=True, gc=False):
    """As much of `Known` as says where an item is: the first of its fields."""

    status: msgspec.Raw
    location: Since | None


_PLACED: msgspec.msgpack.Decoder[tuple[_Placed, msgspec.Raw, msgspec.Raw]] = (
    msgspec.msgpack.Decoder(tuple[_Placed, msgspec.Raw, msgspec.Raw])
)


def view(connection: sqlite3.Connection, asked: int) -> View:
    """Return the moment as of which a connection's present snapshot is whole.

    Args:
        connection: In a transaction that reads.
        asked: From the store's `present`, before the transaction began.
    """
    (last,) = connection.execute(
        "SELECT received FROM delivery ORDER BY number DESC LIMIT 1"
    ).fetchone() or (0,)
    now = max(asked, last)
    return View(at=now, known_at=now)


def written(connection: sqlite3.Connection, asked: int) -> View:
    """Return the moment as of which what is written of all items is whole."""
    seen = snapshot(connection)
    if seen.told >= seen.last:
        return view(connection, asked)
    (moment,) = connection.execute(
        "SELECT received FROM line WHERE position = ?", (seen.told,)
    ).fetchone() or (0,)
    return View(at=moment, known_at=moment)


def item(
    connection: sqlite3.Connection,
    key: str,
    now: View,
    site: Site,
    unwritten: Unwritten,
) -> ItemAnswer:
    """Say where one item is as of the present `view`.

    Raises:
        Overtaken: The snapshot is too old already.
    """
    seen = snapshot(connection)

    def states(keys: Collection[str]) -> dict[str, State]:
        newer = [kept for k in keys if (kept := unwritten.find(k, seen)) is not None]
        found = {one.key: (one.known, one.case.copy(), one.taken_out) for one in newer}
        return {**_states(connection, [k for k in keys if k not in found]), **found}

    nothing: State = (Known(), Case(), False)
    head = heading(now.at, now.known_at, horizon(connection, now))
    asked = {key: nothing, **states([key])}
    return answers(asked.items(), states, now.at, head, site)[0]


def items(
    connection: sqlite3.Connection, query: ItemQuery, asked: int, site: Site
) -> Answers:
    """Say of the items that are asked for where each is, by order of appearance.

    That is as of what is written.
    """
    now = written(connection, asked)
    rows = _select(connection, query)
    states = ((key, STATE.decode(state)) for _, key, state in rows)
    told = horizon(connection, now)
    # which stations are behind stands once, at the list
    head = msgspec.structs.replace(heading(now.at, now.known_at, told), behind=[])
    return Answers(
        answers=answers(states, partial(_states, connection), now.at, head, site),
        after=rows[-1][0] if len(rows) == query.limit else None,
        horizon=told,
    )


_FILTERS = {
    "status": "status = :status",
    "location": "location = :location",
    "container": "container = :container",
    "custodian": "custodian = :custodian",
    "q": "id IN (SELECT id FROM item WHERE instr(upper(key), :q) > 0)",
}


def _select(
    connection: sqlite3.Connection, query: ItemQuery
) -> list[tuple[int, str, bytes]]:
    filters = [
        sql for name, sql in _FILTERS.items() if getattr(query, name) is not None
    ]
    if query.present:
        filters.append("gone = 0")
    where = " AND ".join(["id > :after", "latest > 0", *filters])
    parameters = {name: getattr(query, name) for name in query.__struct_fields__}
    return connection.execute(
        f"SELECT id, key, state FROM item WHERE {where} ORDER BY id LIMIT :limit",  # noqa: S608 # of constants
        parameters,
    ).fetchall()


def _states(connection: sqlite3.Connection, keys: Collection[str]) -> dict[str, State]:
    states: dict[str, State] = {}
    for marks, some in chunks(keys):
        found = connection.execute(
            f"SELECT key, state FROM item WHERE key IN ({marks})",  # noqa: S608 # of constants
            some,
        )
        states.update((key, STATE.decode(state)) for key, state in found)
    return states


def exceptions(
    connection: sqlite3.Connection, query: ExceptionQuery, asked: int
) -> list[Found]:
    """Return exceptions of items, newest first; those that fell due by now, too.

    That is as of what is written.
    """
    now = written(connection, asked).at
    kinds = [True, False] if query.open is None else [query.open]
    found = [one for kind in kinds for one in _exceptions(connection, query, now, kind)]
    found.sort(key=lambda one: one.place, reverse=True)
    return found[: query.limit]


def _exceptions(
    connection: sqlite3.Connection,
    query: ExceptionQuery,
    now: int,
    is_open: bool,  # noqa: FBT001 # one of two lists, each with an index of its own
) -> list[Found]:
    parameters: list[object] = [now]
    where = ["since <= ?", "until IS NULL" if is_open else "until IS NOT NULL"]
    if query.code is not None:
        where.append("code = ?")
        parameters.append(query.code)
    if query.after is not None:
        where.append("(since, item, code) < (?, ?, ?)")
        parameters += query.after
    found = connection.execute(
        "SELECT item, code, since, until, event, text FROM exception"  # noqa: S608 # of constants
        f" WHERE {' AND '.join(where)}"
        " ORDER BY since DESC, item DESC, code DESC LIMIT ?",
        (*parameters, query.limit),
    )
    return [
        Found(item=key, code=code, since=since, until=until, event=event, text=text)
        for key, code, since, until, event, text in found
    ]


def standing(connection: sqlite3.Connection, after: int, limit: int) -> list[Stand]:
    """Return what is here at a known place, by order of appearance."""
    found = connection.execute(
        "SELECT id, key, location, latest, state FROM item"
        " WHERE id > ? AND gone = 0 AND location IS NOT NULL ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [
        Stand(number, key, place, _since(state), latest)
        for number, key, place, latest, state in found
    ]


def _since(state: bytes) -> int:
    location = _PLACED.decode(state)[0].location
    return 0 if location is None else location.since.occurred


def visitors(connection: sqlite3.Connection, location: str, most: int) -> list[str]:
    """Return what was at a location lately: what came last, and what went last."""
    went = connection.execute(
        "SELECT item FROM moved WHERE location = ? ORDER BY occurred DESC LIMIT ?",
        (location, most),
    )
    here = connection.execute(
        "SELECT i.key, i.state FROM (SELECT id FROM (SELECT id, latest FROM item"
        " WHERE location = ? ORDER BY id DESC LIMIT ?) ORDER BY latest DESC LIMIT ?) l"
        " CROSS JOIN item i ON i.id = l.id",
        (location, MOST_THERE, MOST_LATEST),
    )
    came = sorted(here, key=lambda one: _since(one[1]), reverse=True)[:most]
    return list(dict.fromkeys(key for key, *_ in (*came, *went)))


def told(connection: sqlite3.Connection, query: ToldQuery) -> list[tuple[int, str]]:
    """Return items that were told of anything since a moment, with their numbers."""
    return connection.execute(
        "SELECT id, key FROM item WHERE id > :after AND latest >= :since"
        " AND id % :every = 0 ORDER BY id LIMIT :limit",
        msgspec.structs.asdict(query),
    ).fetchall()


def count_told(connection: sqlite3.Connection, since: int) -> int:
    """Count the items that were told of anything since a moment."""
    (number,) = connection.execute(
        "SELECT count(*) FROM item WHERE latest >= ?", (since,)
    ).fetchone()
    return int(number)
