"""What is on a load, or was when it left; and which loads left when."""

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.events import Event
from server.manifest import Aboard, Lacking
from server.store import Departed, DepartureQuery, Departures, Store, View
from shared.api.loads import Departure, DeparturePage, LoadManifest, NotOnLoad, OnLoad
from shared.hosts import Topic, host_line
from shared.moments import to_text

__all__ = ["departures", "listed", "load", "told"]

DEFAULT_LIMIT, MAX_LIMIT = 50, 200

_Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

Names = Mapping[str, str]
"""Of each log, whose it is."""


async def told(
    context: Context, key: str, view: View, departure: str | None
) -> LoadManifest:
    """Compare what is on a load with what should be, as of a view.

    ``departure`` names one of its departures, to look at that one.
    """
    store = context.store
    found = await store.manifest(key, view, departure)
    scans = [*found.departures, *(one.scan for one in found.aboard)]
    names = await _stations(store, {event.order.log for event in scans})
    left, name = found.left, found.title or ""
    until = view.at if left is None else min(view.at, left.order.occurred)
    horizon = await store.horizon(View(at=until, known_at=view.known_at))
    departed = [_departure(key, name, event, names) for event in found.departures]
    return LoadManifest(
        load=key,
        name=name,
        known=found.known,
        departed=next(
            (one for one in departed if left and one.event == left.name), None
        ),
        departures=departed,
        on_board=[_on_load(one, names) for one in found.aboard],
        missing=[_not_on_load(one) for one in found.lacking],
        whole=found.whole,
        at=to_text(view.at),
        known_at=to_text(view.known_at),
        complete_until=horizon.text(),
        behind=horizon.untold(),
    )


async def _stations(store: Store, logs: Iterable[str]) -> Names:
    states = {log: await store.log(log) for log in logs}
    return {log: state.station for log, state in states.items() if state is not None}


def _departure(load: str, name: str, event: Event, names: Names) -> Departure:
    return Departure(
        load=load,
        name=name,
        event=event.name,
        departed_at=to_text(event.order.occurred),
        received_at=to_text(event.received),
        operator=event.line.operator,
        location=event.line.location,
        station=names.get(event.order.log, ""),
    )


def _on_load(one: Aboard, names: Names) -> OnLoad:
    scan = one.scan
    return OnLoad(
        item=one.item,
        title=one.title,
        inside=list(one.inside),
        expected=one.expected,
        event=scan.name,
        action=scan.line.action,
        scanned_at=to_text(scan.order.occurred),
        operator=scan.line.operator,
        location=scan.line.location,
        station=names.get(scan.order.log, ""),
    )


def _not_on_load(one: Lacking) -> NotOnLoad:
    return NotOnLoad(
        item=one.item,
        title=one.title,
        status=one.status,
        location=one.location,
        location_since=None if one.since is None else to_text(one.since),
        location_event=one.event,
    )


async def load(request: web.Request) -> web.Response:
    """``GET /v1/loads/{load}``: what is on it, or was when it left."""
    context = request.app[CONTEXT]
    view = wire.view(request, context.store.present())
    departure = request.query.get("departure")
    return wire.json(await told(context, wire.key(request, "load"), view, departure))


async def listed(context: Context, found: Departures) -> list[Departure]:
    """Write departures for a reader, with what the loads are called."""
    keys = {one.load for one in found.found}
    titles = await context.store.said(Topic.TITLE, keys)
    names = {one.key: one.line.title or "" for one in titles}
    return [_listed(one, names) for one in found.found]


def _listed(one: Departed, names: Names) -> Departure:
    line = host_line(one.scan.line)
    return Departure(
        load=one.load,
        name=names.get(one.load, ""),
        event=one.scan.event,
        departed_at=to_text(one.scan.occurred),
        received_at=to_text(one.scan.received),
        operator=None if line is None else line.operator,
        location=None if line is None else line.location,
        station=one.scan.station,
    )


async def departures(request: web.Request) -> web.Response:
    """``GET /v1/departures``: by which scans loads left, newest first."""
    context, query = request.app[CONTEXT], request.query
    now = context.store.present()
    found = await context.store.departures(
        DepartureQuery(
            since=wire.moment("since", query["since"]) if "since" in query else 0,
            until=wire.moment("until", query["until"]) if "until" in query else now,
            known_at=wire.view(request, now).known_at,
            q=query.get("q", "").upper() or None,
            after=wire.cursor(request, tuple[_Number, _Number]),
            limit=max(1, wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)),
        )
    )
    horizon = await wire.horizon(context)
    return wire.json(
        DeparturePage(
            departures=await listed(context, found),
            cursor=None if found.after is None else wire.cursor_to(found.after),
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )
