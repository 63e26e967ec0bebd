"""Wanted items: what every station looks out for, and whether it was found since."""

from collections.abc import Collection

from aiohttp import web

from server.api import wire
from server.api.acts import write
from server.api.context import CONTEXT, Context
from server.events import Event
from server.history import Telling
from server.legible import doubts
from server.problems import not_found
from server.store import Said, View
from shared.actions import Actions
from shared.api.wanted import Sighting, Want, Wanted, WantedPage
from shared.hosts import HostLine, Topic
from shared.moments import to_text

__all__ = ["legible", "looked_for", "unwant", "want", "wanted"]

MOST = 200
"""Wanted items of which it is looked up whether they were found; those wanted last."""


async def looked_for(
    context: Context, keys: Collection[str] | None = None
) -> list[Wanted]:
    """Return which items, of these or of all, are wanted: those wanted last first."""
    said = await context.store.said(Topic.WANTED, keys)
    marked = [one for one in said if one.line.wanted]
    marked.sort(key=lambda one: (-one.occurred, one.key))
    some = [one.key for one in marked[:MOST]]
    titles = {one.key: one for one in await context.store.said(Topic.TITLE, some)}
    now = context.store.present()
    told = await context.store.tell_together(some, View(at=now, known_at=now))
    return [
        await _mark(context, one, titles.get(one.key), told.get(one.key))
        for one in marked
    ]


def legible(item: str) -> list[str]:
    """Say why no scan may ever find an item: no label reads as its key."""
    return doubts(HostLine(seq=1, at="", action="note", item=item))


async def _mark(
    context: Context, said: Said, title: Said | None, telling: Telling | None
) -> Wanted:
    scans = [] if telling is None else _scans(telling, context.site.actions)
    scan = next((one for one in scans if one.order.occurred > said.occurred), None)
    return Wanted(
        item=said.key,
        reason=said.line.reason or "",
        by=said.line.by or "",
        since=to_text(said.occurred),
        event=said.event,
        title=None if title is None else title.line.title,
        found=None if scan is None else await _sighting(context, scan),
        warnings=[] if scans else legible(said.key),
    )


def _scans(telling: Telling, actions: Actions) -> list[Event]:
    """Return the scans of an item's own label, in order, that were not taken back."""
    return [
        event
        for event in telling.events
        if event.voided_by is None and event.action(actions).evidence
    ]


async def _sighting(context: Context, scan: Event) -> Sighting:
    log = await context.store.log(scan.order.log)
    return Sighting(
        event=scan.name,
        scanned_at=to_text(scan.order.occurred),
        location=scan.line.location,
        operator=scan.line.operator,
        station="" if log is None else log.station,
    )


async def want(request: web.Request) -> web.Response:
    """``PUT /v1/wanted/{item}``: every station looks out for it."""
    asked = await wire.struct(request, Want, empty=Want())
    item = wire.key(request, "item")
    found = await _wanted(request, item)
    if found is not None and found.reason == asked.reason:
        return wire.json(found)
    await write(
        request, action="note", item=item, wanted=True, reason=asked.reason or None
    )
    return wire.json(await _wanted(request, item))


async def unwant(request: web.Request) -> web.Response:
    """``DELETE /v1/wanted/{item}``: nobody has to look for it any more."""
    item = wire.key(request, "item")
    if await _wanted(request, item) is None:
        reason = f"{item} is not wanted; nothing was done"
        raise not_found(reason)
    await write(request, action="note", item=item, wanted=False)
    return web.Response(status=204)


async def wanted(request: web.Request) -> web.Response:
    """``GET /v1/wanted``: what every station looks out for."""
    return wire.json(WantedPage(wanted=await looked_for(request.app[CONTEXT])))


async def _wanted(request: web.Request, item: str) -> Wanted | None:
    return next(iter(await looked_for(request.app[CONTEXT], [item])), None)
