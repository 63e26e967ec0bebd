"""The floor map: what is where, how long already, and the stations; at any moment."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console.areas import ORDERS, Area, Place, areas, in_order
from server.console.beneath import Beneath, beneath
from server.console.clock import Clock
from server.console.estimates import spread_of
from server.console.hindsight import learnt_since
from server.console.item_view import known_then, view_of
from server.console.plan import READABLE, Box, Drawing, drawing, lettering, natural
from server.console.rendering import CONSOLE, page
from server.console.sampling import others, part_of, sampled, told
from server.console.station_kinds import of_one
from server.console.workshop import WORKSHOP, Made, Progress
from server.floor import Floor, Here, spans
from server.history import Telling
from server.station_exceptions import station_state
from server.store import Said, Store, View, is_own
from shared.api.stations import StationState
from shared.hosts import HostLine, Topic
from shared.moments import SECOND, span, to_text

__all__ = ["EARLIEST", "Slider", "counted", "floor", "floor_of"]

PAGE = 5000
"""Items read at once where only their place counts."""
MOST_SHOWN = 300
"""Places on the page, the fullest; all of them if that is asked for."""
STEP = 300
"""Seconds from one mark of the slider to the next."""
LEVELS = 4
MOST_AREAS = 24
"""Areas that are told above the map, the fullest; the table has all."""
UNFOLDED = 30
"""Of more places the table is folded by area, unless it is put in order."""
EARLIEST = 10 * 86_400 * SECOND
"""No floor before 1970 is asked for; a day's midnight can be told from here on."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The table: its places in their order.

    ``order`` is empty where none was asked for. ``area``: of that only; ``None``: of
    all. ``folded``: by areas instead.
    """

    order: str
    area: str | None
    folded: bool
    places: list[Place]

    @property
    def asked(self) -> dict[str, str]:
        """What of an address it follows from."""
        given = {"sort": self.order or None, "area": self.area}
        return {name: text for name, text in given.items() if text is not None}


class Slider(msgspec.Struct, frozen=True, kw_only=True):
    """A day's slider: where it begins, what its marks are called, and where it is."""

    begin: str
    marks: list[str]
    mark: int


async def counted(
    store: Store, begin: int | None, progress: Progress, known_at: int | None = None
) -> Floor:
    """Count what stood where from a moment on.

    Args:
        store: Has the items.
        begin: The moment; ``None``: what stands where now.
        progress: Is told how far it is, and has an estimate where there are many items.
        known_at: As we knew it when; ``None``: by all that is known now.
    """
    now = store.present()
    since, late, moved = now + 1 if begin is None else begin, set[str](), 0
    if begin is not None:
        moved = await store.count_told(since)
        if known_at is not None:
            late = await learnt_since(store, known_at, since)
    progress.of = moved + len(late)
    found, after = Floor(since), 0
    while rows := await store.standing(after, PAGE):
        for one in rows:
            if one.latest < since and one.key not in late:
                found.stands(one.place, one.since)
        after = rows[-1].id
        progress.done += 0 if begin is not None else len(rows)
    if progress.of:
        view = View(at=now, known_at=now if known_at is None else known_at)
        await _moved(store, found, view, late, progress)
    return found


async def _moved(
    store: Store, found: Floor, view: View, late: set[str], progress: Progress
) -> None:
    every = part_of(progress.of)

    async def take(each: AsyncIterator[dict[str, Telling]]) -> None:
        async for tellings in each:
            late.difference_update(tellings)
            for key, telling in tellings.items():
                found.moves(key, spans(telling, key))

    await take(sampled(store, found.begin, every, view, progress))
    if every > 1:
        progress.estimate = found.estimate(every)
    await take(others(store, found.begin, every, view, progress))
    await take(told(store, set(late), view, progress))


async def floor_of(request: web.Request, view: View, *, moved: bool) -> Made[Floor]:
    """Return what stood where on the day of a view; live, where it is not moved."""
    store, clock = request.app[CONTEXT].store, request.app[CONSOLE].clock
    now = store.present()
    begin = clock.midnight(max(EARLIEST, min(view.at, now))) if moved else None
    known = known_then(request) if moved else None

    async def work(progress: Progress) -> Floor:
        return await counted(store, begin, progress, known)

    return await request.app[WORKSHOP].ask(("floor", begin, known), work)


async def floor(request: web.Request) -> web.Response:
    """``GET /floor?at=&known_at=&sort=&area=``: what stands where, and the stations."""
    context, clock = request.app[CONTEXT], request.app[CONSOLE].clock
    view, moved = view_of(request)
    now = context.store.present()
    at = max(EARLIEST, min(view.at, now))
    view = View(at=at, known_at=view.known_at)
    made = await floor_of(request, view, moved=moved)
    found = made.best
    heres = found.at(at) if found else []
    everywhere = await _places(context, heres, at if moved else None)
    said = await context.store.said(Topic.LOCATION, None)
    plan = beneath(context.plan)
    places = everywhere if "all" in request.query else _fullest(everywhere)
    horizon = await context.store.horizon(view)
    groups = areas(places)
    table = _table(request, groups)
    return page(
        request,
        "floor.html",
        areas=_chief(groups),
        table=table,
        groups=groups,
        kept=urlencode(table.asked),
        places=places,
        everywhere=len(everywhere),
        everything="all" in request.query,
        drawings=_drawn(_fullest(places), said, plan),
        plan=plan,
        lettering=lettering,
        readable=READABLE,
        total=sum(one.count for one in heres),
        off=round(spread_of(found.moving(at), found.every)) if found else 0,
        looked=found.looked if found else 0,
        every=found.every if found else 1,
        ready=found is not None,
        progress=made.progress,
        at=at,
        view=view,
        moved=moved,
        past=view if moved else None,
        hindsight=known_then(request) is None,
        orders=ORDERS,
        slider=_slider(clock, at, now, moved=moved),
        behind=horizon.untold(),
        dwell=lambda since: span(max(0, at - since) / SECOND),
    )


def _chief(groups: list[Area]) -> list[Area]:
    """Return the areas that are told above the map: the fullest, in their order."""
    fullest = sorted(groups, key=lambda one: -one.count)[:MOST_AREAS]
    return [one for one in groups if one in fullest] if len(groups) > 1 else []


def _table(request: web.Request, groups: list[Area]) -> Table:
    """Return what the table shows: an order, one area or all, folded or not."""
    order, area = request.query.get("sort", ""), request.query.get("area")
    order = order if order in ORDERS else ""
    chosen = [one for one in groups if area is None or one.name == area]
    places = [place for one in chosen for place in one.places]
    folded = not order and area is None and len(places) > UNFOLDED
    return Table(
        order=order,
        area=area,
        folded=folded,
        places=in_order(places, order),
    )


async def _places(
    context: Context, heres: Iterable[Here], at: int | None
) -> list[Place]:
    """Put together what is known of each place, by code.

    Args:
        context: The server's.
        heres: What stands there.
        at: The past moment that is looked at: stations that joined later are not there.
    """
    found = {one.place: one for one in heres}
    said = await context.store.said(Topic.LOCATION, None)
    titles = {one.key: one.line.title or "" for one in said if not one.line.ended}
    now, limit = context.store.present(), context.silent_limit
    stations: dict[str, list[StationState]] = {}
    for seen in await context.store.stations():
        joined = at is None or (seen.joined or 0) <= at
        if seen.active and joined and seen.location and not is_own(seen.name):
            state = station_state(seen, now, limit)
            state.exceptions = of_one(state.exceptions)
            stations.setdefault(seen.location, []).append(state)
    most = max((one.count for one in found.values()), default=0)
    return [
        Place(
            code=code,
            title=titles.get(code, ""),
            here=found.get(code),
            stations=stations.get(code, []),
            level=_level(found.get(code), most),
        )
        for code in sorted({*found, *titles, *stations}, key=natural)
    ]


def _level(here: Here | None, most: int) -> int:
    return 0 if here is None else max(1, -(-LEVELS * here.count // most))


def _fullest(places: Sequence[Place]) -> list[Place]:
    """Return the places that there is room for, and those that have a station."""
    if len(places) <= MOST_SHOWN:
        return list(places)
    fullest = sorted(places, key=lambda one: one.here.count if one.here else 0)
    codes = {one.code for one in fullest[-MOST_SHOWN:]}
    return [one for one in places if one.code in codes or one.stations]


def _drawn(
    places: Sequence[Place], said: Iterable[Said], plan: Beneath | None
) -> list[Drawing]:
    boxes = dict(_boxes((one.key, one.line) for one in said))
    codes = [one.code for one in places]
    return drawing(codes, boxes, None if plan is None else plan.frame)


def _boxes(lines: Iterable[tuple[str, HostLine]]) -> Iterator[tuple[str, Box]]:
    for code, line in lines:
        if line.x is None or line.y is None or line.ended:
            continue
        box = Box(line.x, line.y, line.w or 1.0, line.h or 1.0)
        if all(abs(part) < _FAR for part in (box.x, box.y, box.w, box.h)):
            yield code, Box(box.x, box.y, abs(box.w), abs(box.h))


_FAR = 1e6


def _slider(clock: Clock, at: int, now: int, *, moved: bool) -> Slider:
    begin = clock.midnight(at)
    end = min(clock.midnight(begin + 36 * 3600 * SECOND), now)
    marks = range(begin, end + 1, STEP * SECOND)
    return Slider(
        begin=to_text(begin),
        marks=[clock.time(mark)[:5] for mark in marks],
        mark=(at - begin) // (STEP * SECOND) if moved else len(marks) - 1,
    )
