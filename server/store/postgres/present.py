"""Present answers, from what is kept of items in the PostgreSQL database."""

from collections.abc import Collection
from functools import partial

import msgspec

from server.answers import answer, heading
from server.exceptions import Case
from server.history import tell
from server.known import Known
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
from server.store.postgres.database import Database, digest
from server.store.postgres.reading import PgReader, horizon
from server.store.postgres.turn import Turn, look
from server.store.present import MOST_LATEST, MOST_THERE
from shared.api.items import ItemAnswer

__all__ = ["count_told", "exceptions", "item", "items", "standing", "told"]
__all__ += ["visitors"]


def _view(database: Database, asked: int) -> View:
    """Return the moment as of which the present snapshot is whole.

    Args:
        database: In a transaction that reads as of one moment.
        asked: From the store's `present`, before the transaction began.
    """
    return _as_of(look(database), asked)


def _as_of(turn: Turn, asked: int) -> View:
    now = max(asked, turn.received)
    return View(at=now, known_at=now)


def item(database: Database, key: str, asked: int, site: Site) -> ItemAnswer:
    """Say where one item is now.

    While something that came late is not told yet, that is told from all events.
    """
    turn = look(database)
    now = _as_of(turn, asked)
    if not turn.settled:
        return answer(
            tell(PgReader(database, now), key, site.actions),
            key,
            at=now.at,
            known_at=now.known_at,
            horizon=horizon(database, now),
            site=site,
        )
    nothing: State = (Known(), Case(), False)
    states = {key: nothing, **_states(database, [key])}
    head = heading(now.at, now.known_at, horizon(database, now))
    return answers(states.items(), partial(_states, database), now.at, head, site)[0]


def items(database: Database, query: ItemQuery, asked: int, site: Site) -> Answers:
    """Say of the items that are asked for where each is now, by order of appearance."""
    now = _view(database, asked)
    found = _select(database, query)
    states = {key: STATE.decode(state) for _, key, state in found}
    told = horizon(database, now)
    # which stations are behind stands once, at the list
    head = msgspec.structs.replace(heading(now.at, now.known_at, told), behind=[])
    return Answers(
        answers=answers(states.items(), partial(_states, database), now.at, head, site),
        after=found[-1][0] if len(found) == query.limit else None,
        horizon=told,
    )


_LONG = '"left"(l.{0}, 200) = "left"(${1}, 200) AND l.{0} = ${1}'
_FILTERS = {
    "status": "l.status = ${1}",
    "location": _LONG,
    "container": _LONG,
    "custodian": _LONG,
    "q": 'position(${1} IN upper(i.key COLLATE "C")) > 0',
}


def _select(database: Database, query: ItemQuery) -> list[tuple[int, str, bytes]]:
    given = {n: getattr(query, n) for n in _FILTERS if getattr(query, n) is not None}
    filters = [
        _FILTERS[name].format(name, number) for number, name in enumerate(given, 3)
    ]
    if query.present:
        filters.append("l.left_at IS NULL")
    # in the order of the index that finds them
    number = "i.number" if given.keys() <= {"q"} else "l.number"
    where = " AND ".join([f"{number} > $1", "i.latest > 0", *filters])
    found = database.rows(
        "SELECT i.number, i.key, i.state"  # noqa: S608 # of constants
        " FROM item i LEFT JOIN listed l ON l.name = i.name"
        f" WHERE {where} ORDER BY {number} LIMIT $2",
        query.after,
        query.limit,
        *given.values(),
    )
    return [(number, key, state) for number, key, state in found]


def _states(database: Database, keys: Collection[str]) -> dict[str, State]:
    if not keys:
        return {}
    found = database.rows(
        "SELECT i.key, i.state FROM unnest($1::bytea[]) k (name)"
        " JOIN item i ON i.name = k.name",
        [digest(key) for key in keys],
    )
    return {key: STATE.decode(state) for key, state in found}


def exceptions(database: Database, query: ExceptionQuery, now: int) -> list[Found]:
    """Return exceptions of items, newest first; those that fell due by ``now``, too."""
    kinds = [True, False] if query.open is None else [query.open]
    found = [one for kind in kinds for one in _exceptions(database, query, now, kind)]
    found.sort(key=lambda one: one.place, reverse=True)
    return found[: query.limit]


_ORDER = 'since DESC, item COLLATE "C" DESC, code COLLATE "C" DESC'
_BEHIND = '(since, item COLLATE "C", code COLLATE "C") < ({})'


def _exceptions(
    database: Database,
    query: ExceptionQuery,
    now: int,
    is_open: bool,  # noqa: FBT001 # one of two lists, each with an index of its own
) -> list[Found]:
    values: list[object] = [now]
    where = ["since <= $1", "until IS NULL" if is_open else "until IS NOT NULL"]

    def given(*more: object) -> str:
        values.extend(more)
        return ", ".join(
            f"${len(values) - len(more) + n + 1}" for n in range(len(more))
        )

    if query.code is not None:
        where.append(f"code = {given(query.code)}")
    if query.after is not None:
        where.append(_BEHIND.format(given(*query.after)))
    found = database.rows(
        "SELECT item, code, since, until, event, text FROM exception"  # noqa: S608 # of constants
        f" WHERE {' AND '.join(where)} ORDER BY {_ORDER} LIMIT {given(query.limit)}",
        *values,
    )
    return [
        Found(item=key, code=code, since=since, until=until, event=event, text=text)
        for key, code, since, until, event, text in found
    ]


def standing(database: Database, after: int, limit: int) -> list[Stand]:
    """Return what is here at a known place, by order of appearance."""
    found = database.rows(
        "SELECT i.number, i.key, l.location, i.latest, i.state FROM item i"
        " JOIN listed l ON l.name = i.name WHERE i.number > $1"
        " AND l.left_at IS NULL AND l.location IS NOT NULL"
        " ORDER BY i.number LIMIT $2",
        *(after, limit),
    )
    return [
        Stand(number, key, place, _since(state), latest)
        for number, key, place, latest, state in found
    ]


def _since(state: bytes) -> int:
    location = STATE.decode(state)[0].location
    return 0 if location is None else location.since.occurred


def visitors(database: Database, location: str, most: int) -> list[str]:
    """Return what was at a location lately: what came last, and what went last."""
    went = database.rows(
        "SELECT item FROM moved WHERE location = $1 ORDER BY occurred DESC LIMIT $2",
        *(digest(location), most),
    )
    here = database.rows(
        "SELECT i.key, i.state FROM (SELECT name FROM listed"
        ' WHERE "left"(location, 200) = "left"($1, 200) AND location = $1'
        " ORDER BY number DESC LIMIT $2) l"
        " JOIN item i ON i.name = l.name ORDER BY i.latest DESC LIMIT $3",
        *(location, MOST_THERE, MOST_LATEST),
    )
    came = sorted(here, key=lambda one: _since(one[1]), reverse=True)[:most]
    return list(dict.fromkeys(key for key, *_ in (*came, *went)))


def told(database: Database, query: ToldQuery) -> list[tuple[int, str]]:
    """Return items that were told of anything since a moment, with their numbers."""
    found = database.rows(
        "SELECT number, key FROM item WHERE number > $1 AND latest >= $2"
        " AND number % $3 = 0 ORDER BY number LIMIT $4",
        *(query.after, query.since, query.every, query.limit),
    )
    return [(number, key) for number, key in found]


def count_told(database: Database, since: int) -> int:
    """Count the items that were told of anything since a moment."""
    (number,) = database.one("SELECT count(*) FROM item WHERE latest >= $1", since)
    return int(number)
