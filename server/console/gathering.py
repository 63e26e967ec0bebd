"""What figures are made of: the ways of all items that a stretch of time concerns."""

import asyncio
from collections.abc import AsyncIterator
from importlib.util import find_spec

import msgspec
from aiohttp import web

from server.api.context import CONTEXT
from server.console.hindsight import fallen_due, learnt_since, missed_since
from server.console.item_view import known_then, view_of
from server.console.sampling import others, part_of, sampled, told
from server.console.workshop import WORKSHOP, Made, Progress
from server.course import course
from server.figures import Figures, Period, Tally, expected
from server.history import Telling
from server.problems import invalid
from server.site import Site
from server.store import Store, View
from shared.moments import SECOND, to_text

__all__ = ["PARQUET", "SPANS", "Asked", "Gathered", "asked", "gathered"]

SPANS = (1, 7, 28)
"""Days that can be looked at."""
PARQUET = find_spec("pyarrow") is not None
"""Whether tables can be taken as Parquet: an extra has what writes it."""
WEEK, DAY = 7, 86_400 * SECOND


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a period and of the same a week before, or of the one before it.

    ``steps``: those that are expected of every item. ``every``: one of so many items
    was looked at, ``looked`` in all: of more than one, figures are estimates.
    ``stations``: whose each log is, of the logs of the incidents.
    """

    now: Figures
    before: Figures
    steps: frozenset[str]
    every: int
    looked: int
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
    view, known = View(at=at, known_at=view.known_at), known_then(request)

    async def work(progress: Progress) -> Gathered:
        return await gathered(context.store, context.site, view, days, progress)

    key = ("figures", days, at if "at" in request.query else None, known)
    made = await request.app[WORKSHOP].ask(key, work)
    return Asked(made=made, view=view, days=days, moved=moved)


async def gathered(
    store: Store, site: Site, view: View, days: int, progress: Progress
) -> Gathered:
    """Work out the figures of so many days up to a moment, and of those before.

    All items are told that were told of anything since, that were looked for, or with
    which something was wrong. Of very many a part is told first, evenly, for an
    estimate.
    """
    back = max(days, WEEK) * DAY
    now = Period(view.at - days * DAY, view.at)
    before = Period(now.begin - back, now.end - back)
    tallies, late = (Tally(now), Tally(before)), await fallen_due(store, before.begin)
    late |= await missed_since(store, before.begin)
    if view.known_at < store.present():
        late |= await learnt_since(store, view.known_at, before.begin)
    number = await store.count_told(before.begin)
    progress.of, every = number + len(late), part_of(number)

    async def take(each: AsyncIterator[dict[str, Telling]]) -> None:
        async for found in each:
            late.difference_update(found)
            await asyncio.to_thread(_take, tallies, found, view, site)

    await take(sampled(store, before.begin, every, view, progress))
    if every > 1:
        progress.estimate = await _gathered(store, tallies, every, progress.done)
    await take(others(store, before.begin, every, view, progress))
    await take(told(store, set(late), view, progress))
    return await _gathered(store, tallies, 1, progress.done)


async def _gathered(
    store: Store, tallies: tuple[Tally, Tally], every: int, looked: int
) -> Gathered:
    steps = expected(tallies)
    present, former = (tally.figures(steps, every) for tally in tallies)
    logs = {one.log for one in present.wrong}
    return Gathered(
        now=present,
        before=former,
        steps=steps,
        every=every,
        looked=looked,
        stations={log: await _station(store, log) for log in logs},
    )


def _take(
    tallies: tuple[Tally, ...],
    found: dict[str, Telling],
    view: View,
    site: Site,
) -> None:
    for item, telling in found.items():
        way = course(item, telling, view.at, site)
        for tally in tallies:
            tally.add(way)


async def _station(store: Store, log: str) -> str:
    state = await store.log(log)
    return "" if state is None else state.station
