"""What changed our mind about an item since the view that a page shows."""

import asyncio
from collections.abc import Iterable

import msgspec
from aiohttp import web

from server.answers import Horizon, history
from server.api.context import CONTEXT
from server.changes import Seen, changes
from server.console.learnt import Learnt, learnt, together
from server.console.timeline import Step, timeline
from server.store import Store, View

__all__ = ["Mind", "Since", "changed", "since"]

MOST_EVENTS = 500
"""Events that are told step by step: each step tells all before it."""

Mind = tuple[Learnt, list[tuple[Learnt, str]]]
"""What was learnt at a moment, and each thing of it with the station it came from."""


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """What is known now, and was not in a view.

    ``changes``: what changed the answer for the moment of the view; ``None`` where too
    much bears on the item to tell it. ``seen``: its next scan at a place after that
    moment. ``name``: what it is called, or what was remarked of it last.
    """

    changes: list[Mind] | None = []
    seen: Step | None = None
    name: str | None = None

    @property
    def more(self) -> bool:
        """Whether there is anything."""
        return self.changes != [] or self.seen is not None


async def since(request: web.Request, item: str, view: View) -> Since:
    """Return what is known now of an item, and was not in a view of a page."""
    context = request.app[CONTEXT]
    store, now = context.store, context.store.present()
    kept = await store.history(item, View(at=now, known_at=now))
    told = history(kept.events, kept.stored, item, known_at=now, horizon=Horizon())
    counting = [event for event in told.events if event.voided_by is None]
    story = timeline(counting, {}, now, context.site.actions)
    steps = [one for one in story if isinstance(one, Step)]
    return Since(
        changes=await changed(request, item, view),
        seen=_next(steps, view.at),
        name=_called(steps),
    )


def _next(steps: Iterable[Step], at: int) -> Step | None:
    """Return the first scan at a place after a moment; steps are the newest first."""
    later = [s for s in steps if s.scan and s.occurred > at and s.line.location]
    return later[-1] if later else None


def _called(steps: Iterable[Step]) -> str | None:
    """Return the latest title, or else the latest remark, of steps newest first."""
    said = [step.line for step in steps if step.via is None and not step.scan]
    titles = (line.title for line in said if line.title)
    remarks = (line.text for line in said if line.action == "note" and line.text)
    return next(titles, None) or next(remarks, None)


async def changed(request: web.Request, item: str, view: View) -> list[Mind] | None:
    """Return what came in since, and changed the answer for the moment of a view.

    ``None`` where too much bears on the item to tell it on a page.
    """
    context = request.app[CONTEXT]
    now = context.store.present()
    if view.known_at >= now:
        return []
    events = await context.store.bearing(item, View(at=view.at, known_at=now))
    if len(events) > MOST_EVENTS:
        return None
    before = Seen(at=view.at, known_at=view.known_at)
    after = Seen(at=view.at, known_at=now)
    found = await asyncio.to_thread(
        changes, events, item, before, after, site=context.site
    )
    named = {event.name: event for event in events}
    told = (learnt(one, named, item, context.site.actions) for one in found)
    return [
        (
            one,
            [(each, await _station(context.store, each)) for each in (*one.also, one)],
        )
        for one in together(one for one in told if one is not None)
    ]


async def _station(store: Store, told: Learnt) -> str:
    log = (told.back or told.scan).log
    state = await store.log(log)
    return "" if state is None else state.station
