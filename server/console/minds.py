"""What changed our mind about an item since the view that a page shows."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from server.api.context import CONTEXT
from server.changes import Change, Seen, changes
from server.console.clock import Clock
from server.console.rendering import CONSOLE, wording
from server.console.shown import shown
from server.console.words import Words
from server.store import View
from shared.moments import to_moment

__all__ = ["changed"]

MOST_EVENTS = 500
"""Events that are told step by step: each step tells all before it."""
_NOTHING = "-"
_MOST = 80


async def changed(
    request: web.Request, item: str, view: View
) -> list[tuple[Change, list[tuple[str, str, str]]]] | None:
    """Return each step that changed the answer for the moment of a view.

    With each step what it was about, what that was, and what it is from there on.
    ``None`` where too much bears on the item to tell it on a page.
    """
    context, console = request.app[CONTEXT], request.app[CONSOLE]
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
    speech = wording(request)
    return [(one, _said(one.fields, speech, console.clock)) for one in found]


def _said(
    fields: Mapping[str, tuple[object, object]], speech: Words, clock: Clock
) -> list[tuple[str, str, str]]:
    return [
        (
            speech.named("field", name),
            _text(name, before, speech, clock),
            _text(name, after, speech, clock),
        )
        for name, (before, after) in fields.items()
    ]


def _text(name: str, value: object, speech: Words, clock: Clock) -> str:
    """Write a value of an answer for a person."""
    if isinstance(value, bool):
        return speech.named("known", "yes" if value else "no")
    if name.endswith("_since") and isinstance(value, str):
        moment = to_moment(value)
        return f"{clock.day(moment)} {clock.time(moment)}"
    if isinstance(value, list | tuple):
        named = [speech.named("code", str(one)) for one in value]
        return shown(", ".join(named), _MOST) or _NOTHING
    if value is None:
        return _NOTHING
    text = speech.named("status", str(value)) if name == "status" else str(value)
    return shown(text, _MOST)
