"""What changed our mind about an item."""

import asyncio

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.changes import Change, Seen, changes
from server.events import Event
from server.problems import invalid, too_large
from server.store import View
from shared.api.changes import ItemChange, ItemChanges, Was
from shared.moments import to_text

__all__ = ["item_changes"]

MOST_EVENTS = 2_000
"""Events of one item that are told step by step: each step tells all before it."""


async def item_changes(request: web.Request) -> web.Response:
    """``GET /v1/items/{item}/changes``: from one view to another, step by step."""
    context = request.app[CONTEXT]
    key, now = wire.key(request, "item"), context.store.present()
    before, after = _before(request), _after(request, now)
    if after.at < before.at or after.known_at < before.known_at:
        reason = "until_at and until_known_at cannot be before at and known_at"
        raise invalid(reason)
    events = await context.store.bearing(
        key, View(at=after.at, known_at=after.known_at)
    )
    if len(events) > MOST_EVENTS:
        reason = f"{len(events)} events bear on it; ask of a shorter time"
        raise too_large(reason)
    found = await asyncio.to_thread(
        changes, events, key, before, after, site=context.site
    )
    horizon = await wire.horizon(context)
    named = {event.name: event for event in events}
    return wire.json(
        ItemChanges(
            item=key,
            at=to_text(before.at),
            known_at=to_text(before.known_at),
            until_at=to_text(after.at),
            until_known_at=to_text(after.known_at),
            changes=[_step(one, named.get(one.event or "")) for one in found],
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )


def _before(request: web.Request) -> Seen:
    """Read the view to start from; one moment stands for both."""
    asked = request.query
    at, known_at = (
        asked.get("at", asked.get("known_at")),
        asked.get("known_at", asked.get("at")),
    )
    if at is None or known_at is None:
        reason = "at or known_at is needed: since when?"
        raise invalid(reason)
    return Seen(at=wire.moment("at", at), known_at=wire.moment("known_at", known_at))


def _after(request: web.Request, now: int) -> Seen:
    at, known_at = (
        wire.moment(name, text) if (text := request.query.get(name)) else now
        for name in ("until_at", "until_known_at")
    )
    return Seen(at=at, known_at=known_at)


def _step(change: Change, event: Event | None) -> ItemChange:
    said = {} if event is None else msgspec.structs.asdict(event.line)
    return ItemChange(
        moment=to_text(change.moment),
        learned=change.learned,
        event=change.event,
        voids=change.voids,
        action=said.get("action"),
        location=said.get("location"),
        operator=said.get("operator"),
        reason=said.get("reason"),
        fields={
            name: Was(before=before, after=after)
            for name, (before, after) in change.fields.items()
        },
    )
