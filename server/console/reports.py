"""The incident report of an item: a page to print, and to keep."""

from aiohttp import web

from server.answers import answer
from server.api.context import CONTEXT
from server.console.incidents import completeness, incident, shift
from server.console.item_view import ItemView, item_view
from server.console.rendering import CONSOLE, page
from server.console.timeline import Gap, Step
from server.store import View
from shared.moments import to_moment, to_text
from shared.protocol import ItemException

__all__ = ["report"]

MOST_LOOKS = 100
"""Moments at which is asked what was wrong then, at most."""


async def _ever(request: web.Request, shown: ItemView) -> list[ItemException]:
    """Return what was wrong with an item at any time, as is known of it now."""
    context, key = request.app[CONTEXT], shown.answer.item
    found = {(one.code, one.since): one for one in shown.answer.exceptions}
    moments = sorted(
        {s.occurred for s in shown.story if isinstance(s, Step)}
        | {s.until - 1 for s in shown.story if isinstance(s, Gap)}
    )
    for moment in moments[-MOST_LOOKS:]:
        view = View(at=moment, known_at=shown.view.known_at)
        then = answer(
            await context.store.tell(key, view),
            key,
            at=moment,
            known_at=view.known_at,
            horizon=await context.store.horizon(view),
            site=context.site,
        )
        for one in then.exceptions:
            found.setdefault((one.code, one.since), one)
    return sorted(found.values(), key=lambda one: one.since)


async def report(request: web.Request) -> web.Response:
    """``GET /items/{item}/report?at=&known_at=``."""
    shown = await item_view(request)
    ever = await _ever(request, shown)
    found = incident(ever, shown.story)
    hour = 0
    if found is not None:
        hour = request.app[CONSOLE].clock.local(to_moment(found.first.since)).hour
    return page(
        request,
        "report.html",
        view=shown,
        answer=shown.answer,
        ever=ever,
        found=found,
        shift=shift(hour),
        complete=completeness(shown.story),
        held_at=to_text(shown.view.at),
        held_known=to_text(shown.view.known_at),
    )
