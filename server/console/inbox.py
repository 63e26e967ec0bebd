"""The inbox of exceptions: what a person should look at, and who does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from aiohttp import web

from server.answers import Horizon, history
from server.api.context import CONTEXT, Context
from server.api.exceptions import of_item
from server.api.wanted import looked_for
from server.console.causes import kin
from server.console.done import done
from server.console.item_view import could_have_seen, expected_on
from server.console.likely import Place, likely
from server.console.rendering import page
from server.console.station_kinds import by_kind, told_once
from server.console.timeline import timeline
from server.console.titles import titles
from server.console.weights import ORDERS, in_order, weight
from server.station_exceptions import Seen, station_exceptions
from server.store import ExceptionQuery, View
from shared.api.exceptions import FoundException
from shared.api.items import ItemAnswer
from shared.hosts import Topic

__all__ = ["Case", "inbox", "open_items", "search_list", "station_cases"]

MOST = 20
"""Exceptions on one page."""
MOST_EVENTS = 200
"""Events of an item that say where to look for it, the newest."""
READ = 1000
"""Exceptions that are put in order, at most: the newest."""
MOST_SEARCHED, MOST_WANTED, MOST_STATIONS = 60, 30, 100
_LONG = 6


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An exception as the inbox shows it."""

    found: FoundException
    weight: int
    owner: str = ""
    title: str = ""
    kin: list[FoundException] = []
    now: ItemAnswer | None = None

    @property
    def also(self) -> list[str]:
        """What else is open for its item."""
        return [one.code for one in self.kin if one.item == self.found.item]


async def station_cases(context: Context) -> list[FoundException]:
    """Return what is open for stations."""
    now, silent = context.store.present(), context.silent_limit
    return [
        FoundException(station=seen.name, code=one.code, since=one.since, text=one.text)
        for seen in await context.store.stations()
        for one in station_exceptions(seen, now, silent)
    ]


async def _owners(context: Context, items: list[str]) -> Mapping[str, str]:
    said = await context.store.said(Topic.OWNER, items)
    return {one.key: one.line.owner for one in said if one.line.owner}


async def open_items(context: Context, code: str | None = None) -> list[FoundException]:
    """Return what is open for items, of one code or of any."""
    query = ExceptionQuery(code=code, limit=READ)
    return [of_item(one) for one in await context.store.exceptions(query)]


async def _kinds(
    context: Context,
    code: str | None,
    found: Counter[str],
    items: Iterable[FoundException],
) -> list[tuple[str, int]]:
    """Count every kind that has cases.

    ``found`` are those that the page is of, ``items`` all that is open for items.
    """
    if code is None:
        return found.most_common()
    every = Counter(one.code for one in items)
    every.update(one.code for one in told_once(await station_cases(context)))
    every[code] = found[code]
    return every.most_common()


async def inbox(request: web.Request) -> web.Response:
    """``GET /exceptions?code=&order=``: what is open, of items before stations."""
    context = request.app[CONTEXT]
    asked = request.query.get("order", ORDERS[0])
    order = asked if asked in ORDERS else ORDERS[0]
    code = request.query.get("code") or None
    every_item = await open_items(context)
    found = in_order(await open_items(context, code) if code else every_item, order)
    every = told_once(await station_cases(context))
    stations = in_order((one for one in every if code in (None, one.code)), order)
    owners = await _owners(context, [one.item for one in found if one.item])
    pages = max(1, -(-len(found) // MOST))
    number = _page(request.query.get("page", "1"), pages)
    shown = found[(number - 1) * MOST : number * MOST]
    called = await titles(context.store, (one.item for one in shown))
    cases = [
        Case(
            found=one,
            weight=weight(one.code),
            owner=owners.get(one.item or "", ""),
            title=called.get(one.item or "", ""),
            kin=kin(one, every_item),
            now=await context.store.item(one.item) if one.item else None,
        )
        for one in shown
    ]
    wanted = [] if code else await looked_for(context)
    wanted.sort(key=lambda one: one.found is None)  # what was found stands first
    return page(
        request,
        "exceptions.html",
        done=await done(request),
        wanted=wanted,
        wanted_found=sum(one.found is not None for one in wanted),
        most_wanted=MOST_WANTED,
        cases=cases,
        stations=by_kind(stations),
        most_stations=MOST_STATIONS,
        total=len(found) + len(stations),
        full=len(found) >= READ,
        order=order,
        chosen=code,
        kinds=await _kinds(
            context,
            code,
            Counter(one.code for one in (*found, *stations)),
            every_item,
        ),
        number=number,
        pages=pages,
    )


def _page(text: str, pages: int) -> int:
    """Return which page is asked for, of those that there are."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < _LONG else 1
    return max(1, min(number, pages))


async def _places(
    context: Context, key: str, view: View, horizon: Horizon, seen: Sequence[Seen]
) -> tuple[ItemAnswer, list[Place]]:
    answer = await context.store.item(key)
    kept = await context.store.history(key, view)
    told = history(
        kept.events, kept.stored, key, known_at=view.known_at, horizon=horizon
    )
    story = timeline(told.events[-MOST_EVENTS:], {}, view.at, context.site.actions)
    load = await expected_on(context.store, key)
    near = await could_have_seen(context, answer, story, load, horizon, seen=seen)
    return answer, likely(answer, story, [one.station for one in near if one.behind])


async def search_list(request: web.Request) -> web.Response:
    """``GET /exceptions/search-list``: to print: what to look for, and where."""
    context = request.app[CONTEXT]
    now = context.store.present()
    code = request.query.get("code") or None
    found = in_order(await open_items(context, code), ORDERS[0])
    items = list(dict.fromkeys(one.item for one in found if one.item))
    wanted = [one.item for one in await looked_for(context) if one.found is None]
    chosen = list(dict.fromkeys([*wanted, *items]))
    view = View(at=now, known_at=now)
    horizon, seen = await context.store.horizon(view), await context.store.stations()
    rows = [
        await _places(context, key, view, horizon, seen)
        for key in chosen[:MOST_SEARCHED]
    ]
    why: dict[str, list[str]] = {}
    for one in found:
        if one.item:
            why.setdefault(one.item, []).append(one.code)
    return page(
        request, "search_list.html", rows=rows, why=why, more=len(chosen) - len(rows)
    )
