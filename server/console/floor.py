"""The floor map: what is where, how long already, and the stations; at any moment."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console.beneath import Beneath, beneath
from server.console.clock import Clock
from server.console.item_view import view_of
from server.console.plan import Box, Drawing, drawing, natural
from server.console.rendering import CONSOLE, page
from server.console.workshop import WORKSHOP, Made, Progress
from server.floor import Floor, Here, spans
from server.station_exceptions import station_state
from server.store import Said, Store, ToldQuery, View, is_own
from shared.hosts import HostLine, Topic
from shared.moments import SECOND, span, to_text
from shared.protocol import StationState

__all__ = ["Place", "Slider", "counted", "floor"]

PAGE, TOGETHER = 5000, 250
"""Items read at once where only their place counts, and where their story does."""
MOST_MOVED = 50_000
"""Items whose stories are told for one day; of more, evenly, one in so many is."""
MOST_SHOWN = 300
"""Places on the page, the fullest; all of them if that is asked for."""
STEP = 300
"""Seconds from one mark of the slider to the next."""
LEVELS = 4
EARLIEST = 10 * 86_400 * SECOND
"""No floor before 1970 is asked for; a day's midnight can be told from here on."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place: what stands there, and its stations. ``level``: how full, to 4."""

    code: str
    title: str
    here: Here | None
    stations: list[StationState]
    level: int

    @property
    def trouble(self) -> bool:
        """Whether something is wrong with a station there."""
        return any(one.exceptions for one in self.stations)


class Slider(msgspec.Struct, frozen=True, kw_only=True):
    """A day's slider: where it begins, what its marks are called, and where it is."""

    begin: str
    marks: list[str]
    mark: int


async def counted(store: Store, begin: int | None, progress: Progress) -> Floor:
    """Count what stood where from a moment on; ``None``: what stands where now."""
    now = store.present()
    since = now + 1 if begin is None else begin
    progress.of = moved = 0 if begin is None else await store.count_told(since)
    found = Floor(since, every=max(1, -(-moved // MOST_MOVED)))
    after = 0
    while rows := await store.standing(after, PAGE):
        for _, place, stood, latest in rows:
            if latest < since:
                found.stands(place, stood)
        after = rows[-1].id
        progress.done += 0 if moved else len(rows)
    if moved:
        await _moved(store, found, View(at=now, known_at=now), progress)
    return found


async def _moved(store: Store, found: Floor, view: View, progress: Progress) -> None:
    query = ToldQuery(since=found.begin, every=found.every, limit=TOGETHER)
    while rows := await store.told(query):
        tellings = await store.tell_together([key for _, key in rows], view)
        for key, telling in tellings.items():
            found.moves(spans(telling, key))
        query = msgspec.structs.replace(query, after=rows[-1][0])
        progress.done += len(rows) * found.every


async def _floor(request: web.Request, begin: int | None) -> Made[Floor]:
    store = request.app[CONTEXT].store

    async def work(progress: Progress) -> Floor:
        return await counted(store, begin, progress)

    return await request.app[WORKSHOP].ask(("floor", begin), work)


async def floor(request: web.Request) -> web.Response:
    """``GET /floor?at=``: places, what stands there, and the stations."""
    context, clock = request.app[CONTEXT], request.app[CONSOLE].clock
    view, moved = view_of(request)
    now = context.store.present()
    at = max(EARLIEST, min(view.at, now))
    made = await _floor(request, clock.midnight(at) if moved else None)
    heres = made.value.at(at) if made.value else []
    everywhere = await _places(context, heres)
    said = await context.store.said(Topic.LOCATION, None)
    plan = beneath(context.plan)
    places = everywhere if "all" in request.query else _fullest(everywhere)
    horizon = await context.store.horizon(View(at=at, known_at=now))
    return page(
        request,
        "floor.html",
        places=places,
        everywhere=len(everywhere),
        drawings=_drawn(_fullest(places), said, plan),
        plan=plan,
        total=sum(one.count for one in heres),
        about=made.value.about if made.value else False,
        every=made.value.every if made.value else 1,
        ready=made.value is not None,
        progress=made.progress,
        at=at,
        moved=moved,
        held_at=to_text(at),
        slider=_slider(clock, at, now, moved=moved),
        behind=horizon.untold(),
        dwell=lambda since: span(max(0, at - since) / SECOND),
    )


async def _places(context: Context, heres: Iterable[Here]) -> list[Place]:
    """Put together what is known of each place, by code."""
    found = {one.place: one for one in heres}
    said = await context.store.said(Topic.LOCATION, None)
    titles = {one.key: one.line.title or "" for one in said if not one.line.ended}
    now, limit = context.store.present(), context.silent_limit
    stations: dict[str, list[StationState]] = {}
    for seen in await context.store.stations():
        if seen.active and seen.location and not is_own(seen.name):
            state = station_state(seen, now, limit)
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
