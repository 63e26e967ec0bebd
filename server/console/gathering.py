"""What figures are made of: the ways of all items that a stretch of time concerns."""

import asyncio
from importlib.util import find_spec

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console.item_view import view_of
from server.console.workshop import WORKSHOP, Made, Progress
from server.course import course
from server.figures import Figures, Period, Tally, expected
from server.history import Telling
from server.problems import invalid
from server.store import ToldQuery, View
from shared.moments import SECOND, to_text

__all__ = ["PARQUET", "SPANS", "Asked", "Gathered", "asked", "gathered"]

SPANS = (1, 7, 28)
"""Days that can be looked at."""
PARQUET = find_spec("pyarrow") is not None
"""Whether tables can be taken as Parquet: an extra has what writes it."""
WEEK, DAY = 7, 86_400 * SECOND
MOST_ITEMS = 50_000
"""Items whose ways are told; of more, evenly, one in so many is."""
TOGETHER = 200


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a period and of the same a week before, or of the one before it.

    ``steps``: those that are expected of every item. ``every``: one of so many items
    was looked at. ``stations``: whose each log is, of the logs of the incidents.
    """

    now: Figures
    before: Figures
    steps: frozenset[str]
    every: int
    stations: dict[str, str]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of so many days up to a view; ``moved``: that is not now."""

    made: Made[Gathered]
    view: View
    days: int
    moved: bool

    @property
    def held(self) -> str:
        """The query of an address that leads to exactly these."""
        at, known = to_text(self.view.at), to_text(self.view.known_at)
        return f"days={self.days}&at={at}&known_at={known}"


async def asked(request: web.Request, usual: int = WEEK) -> Asked:
    """Ask for the figures of an address: ``days``, ``at`` and ``known_at``.

    ``usual``: so many days where the address does not say.

    Raises:
        ProblemError: 400 where it asks for what there is not.
    """
    context, text = request.app[CONTEXT], request.query.get("days", str(usual))
    if text not in map(str, SPANS):
        reason = f"days={text[:20]!r}: expected one of {', '.join(map(str, SPANS))}"
        raise invalid(reason)
    days, (view, moved) = int(text), view_of(request)
    at = max(2 * max(days, WEEK) * DAY, min(view.at, context.store.present()))
    view = View(at=at, known_at=view.known_at)

    async def work(progress: Progress) -> Gathered:
        return await gathered(context, view, days, progress)

    key = ("figures", days, view if moved else None)
    made = await request.app[WORKSHOP].ask(key, work)
    return Asked(made=made, view=view, days=days, moved=moved)


async def gathered(
    context: Context, view: View, days: int, progress: Progress
) -> Gathered:
    """Work out the figures of so many days up to a moment, and of those before."""
    back = max(days, WEEK) * DAY
    now = Period(view.at - days * DAY, view.at)
    before = Period(now.begin - back, now.end - back)
    store = context.store
    progress.of = told = await store.count_told(before.begin)
    every = max(1, -(-told // MOST_ITEMS))
    tallies = (Tally(now, every), Tally(before, every))
    query = ToldQuery(since=before.begin, every=every, limit=TOGETHER)
    while rows := await store.told(query):
        found = await store.tell_together([key for _, key in rows], view)
        await asyncio.to_thread(_take, tallies, found, view, context)
        query = msgspec.structs.replace(query, after=rows[-1][0])
        progress.done += len(rows) * every
    steps = expected(tallies)
    present, former = (tally.figures(steps) for tally in tallies)
    logs = {one.log for one in present.incidents}
    return Gathered(
        now=present,
        before=former,
        steps=steps,
        every=every,
        stations={log: await _station(context, log) for log in logs},
    )


def _take(
    tallies: tuple[Tally, ...],
    found: dict[str, Telling],
    view: View,
    context: Context,
) -> None:
    for item, telling in found.items():
        way = course(item, telling, view.at, context.site)
        for tally in tallies:
            tally.add(way)


async def _station(context: Context, log: str) -> str:
    state = await context.store.log(log)
    return "" if state is None else state.station
