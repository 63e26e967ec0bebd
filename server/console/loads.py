"""Loads: those that have not left, and those that have, the newest first."""

from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.api.manifests import listed
from server.console.days import period
from server.console.item_view import view_of
from server.console.rendering import CONSOLE, page
from server.console.tallies import TALLIES, Tally
from server.problems import invalid
from server.store import DepartureQuery, Departures, Load, View
from shared.api.loads import Departure
from shared.moments import to_text

__all__ = ["Here", "Left", "lacks", "loads"]

MOST, MOST_ITEMS = 200, 5000
"""Loads that have not left on one page, and items on one of them."""
MOST_LEFT = 25
"""Loads that left on one page."""
MOST_THEN = 40
"""Loads that are looked at for what had not left at another moment."""
_LONGEST = 1024


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """A load that has not left, compared by counts."""

    load: str
    name: str
    told: int | None
    expected: int
    aboard: int
    missing: int
    extra: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A load that left; ``tally`` is ``None`` as long as it is being counted."""

    departure: Departure
    tally: Tally | None


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows: a part of the key, days of the site, and from where on."""

    q: str = ""
    begin: str = ""
    end: str = ""
    before: str = ""


def lacks(load: Load) -> bool:
    """Whether something that is expected is not on board."""
    return bool(set(load.expected) - set(load.on_board))


async def loads(request: web.Request) -> web.Response:
    """``GET /loads?q=&begin=&end=&before=&at=&known_at=``."""
    context, (view, moved) = request.app[CONTEXT], view_of(request)
    given = {name: request.query.get(name, "") for name in _Asked.__struct_fields__}
    asked = _Asked(**{name: text.strip()[:_LONGEST] for name, text in given.items()})
    found = await context.store.departures(_query(request, asked, view))
    at_begin = not (asked.begin or asked.end or asked.before)
    here = await _here(context, view, moved=moved) if at_begin else []
    kept = {n: t for n, t in msgspec.structs.asdict(asked).items() if t}
    kept |= (
        {"at": to_text(view.at), "known_at": to_text(view.known_at)} if moved else {}
    )
    on = None
    if found.after is not None:
        place = ".".join(map(str, found.after))
        on = f"/loads?{urlencode({**kept, 'before': place})}"
    return page(
        request,
        "loads.html",
        open=[one for one in here if asked.q.upper() in one.load.upper()],
        left=await _left(request, found, view.known_at if moved else None),
        asked=asked,
        on=on,
        at_begin=at_begin,
        narrowed=bool(asked.q or asked.begin or asked.end),
        view=view,
        moved=moved,
        past=view if moved else None,
        held_at=to_text(view.at),
        held_known=to_text(view.known_at),
    )


def _query(request: web.Request, asked: _Asked, view: View) -> DepartureQuery:
    clock = request.app[CONSOLE].clock
    begin, end = period(clock, asked.begin, asked.end)
    return DepartureQuery(
        since=0 if begin is None else begin,
        until=view.at if end is None else min(view.at, end),
        known_at=view.known_at,
        q=asked.q.upper() or None,
        after=_place(asked.before),
        limit=MOST_LEFT,
    )


def _place(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    when, _, where = text.partition(".")
    for part in (when, where):
        if not (part.isascii() and part.isdigit() and len(part) < 19):  # noqa: PLR2004 # of 64 bits
            reason = "before: not a place that this page gave"
            raise invalid(reason)
    return int(when), int(where)


async def _left(
    request: web.Request, found: Departures, known_at: int | None
) -> list[Left]:
    """Return loads that left; one whose departure was scanned twice left once."""
    context, tallies = request.app[CONTEXT], request.app[TALLIES]
    counted = await tallies.of(context.store, found.found, known_at)
    return [
        Left(departure=one, tally=tally)
        for one, tally in zip(await listed(context, found), counted, strict=True)
        if tally is None or not tally.again
    ]


async def _here(context: Context, view: View, *, moved: bool) -> list[Here]:
    """Return the loads that had not left, those that lack something first."""
    now = await context.store.loads(MOST, MOST_ITEMS)
    found = await _then(context, view, now) if moved else [_compared(o) for o in now]
    return sorted(found, key=lambda one: not (one.missing or one.extra))


def _compared(load: Load) -> Here:
    expected, aboard = set(load.expected), set(load.on_board)
    return Here(
        load=load.load,
        name=load.name,
        told=load.told,
        expected=len(expected),
        aboard=len(aboard),
        missing=len(expected - aboard),
        extra=len(aboard - expected),
    )


async def _then(context: Context, view: View, now: list[Load]) -> list[Here]:
    """Return those that had not left then: they are here still, or left later."""
    store = context.store
    query = DepartureQuery(
        since=view.at, until=store.present(), known_at=store.present(), limit=MOST_THEN
    )
    later = [one.load for one in (await store.departures(query)).found]
    keys = dict.fromkeys([*(one.load for one in now), *later])
    found = [await store.manifest(key, view) for key in list(keys)[:MOST_THEN]]
    return [
        Here(
            load=one.load,
            name=one.title or "",
            told=None,
            expected=len(one.there) + len(one.lacking),
            aboard=len(one.aboard),
            missing=len(one.lacking),
            extra=len(one.extra),
        )
        for one in found
        if one.known and one.left is None
    ]
