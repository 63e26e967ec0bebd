"""Stations: how each is, letting one join, and ending one."""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.stations import code_states, end, made_code
from server.console.rendering import page, see_other
from server.console.station_kinds import of_one
from server.problems import invalid, not_found
from server.station_exceptions import station_state
from server.store import View, is_own
from shared.api.stations import NewStation, StationState
from shared.moments import to_text

__all__ = ["Square", "invite", "join_page", "joining", "revoke", "station", "stations"]


MOST_CODES = 100
"""Codes that were made, on the page; the interface gives more."""
MANY = 20
"""Of more stations that are as they should be the list is folded."""


class Square(msgspec.Struct, frozen=True, kw_only=True):
    """A QR code as one path of SVG; ``size`` is its width in modules with its edges."""

    size: int
    path: str


async def _states(request: web.Request) -> list[StationState]:
    context = request.app[CONTEXT]
    now, limit = context.store.present(), context.silent_limit
    found = [station_state(s, now, limit) for s in await context.store.stations()]
    return [
        msgspec.structs.replace(one, exceptions=of_one(one.exceptions))
        for one in found
        if not is_own(one.station)
    ]


async def stations(request: web.Request) -> web.Response:
    """``GET /stations``: those with something wrong first."""
    context = request.app[CONTEXT]
    now = context.store.present()
    horizon = await context.store.horizon(View(at=now, known_at=now))
    found = sorted(
        await _states(request),
        key=lambda s: (s.revoked, not s.exceptions, s.station.casefold()),
    )
    return page(
        request,
        "stations.html",
        stations=found,
        wrong=[one for one in found if one.exceptions and not one.revoked],
        well=[one for one in found if one.revoked or not one.exceptions],
        many=MANY,
        until=horizon.complete_until,
    )


async def station(request: web.Request) -> web.Response:
    """``GET /stations/{station}``: all that is known of one."""
    name = wire.key(request, "station")
    found = next((s for s in await _states(request) if s.station == name), None)
    if found is None:
        reason = f"No station {name[:80]!r} is known here."
        raise not_found(reason)
    return page(request, "station.html", station=found)


async def join_page(request: web.Request) -> web.Response:
    """``GET /join``: which station shall join, and who let which one in."""
    made = await code_states(request.app[CONTEXT], MOST_CODES)
    return page(request, "join.html", codes=made)


async def invite(request: web.Request) -> web.Response:
    """``POST /join``: make its code, and show it this once."""
    form = await request.post()
    location = str(form.get("location", "")).strip() or None
    told = {
        "name": str(form.get("name", "")).strip(),
        "location": location,
        "replaces": "replaces" in form,
    }
    try:
        made = await made_code(request, msgspec.convert(told, NewStation))
    except msgspec.ValidationError as error:
        reason = f"The name cannot be used: {error}"
        raise invalid(reason) from error
    url = f"{request.headers.get('Origin', '').rstrip('/') or request.url.origin()}"
    if mark := request.app[CONTEXT].fingerprint:
        url = f"{url}#{mark}"
    command = f"scantrail-station join {url} {made.code} --data DIR"
    return page(
        request,
        "joining.html",
        made=made,
        url=url,
        command=command,
        square=square(f"{url} {made.code}"),
        watch=f"/joining/{quote(made.station, safe='')}?since="
        + to_text(request.app[CONTEXT].now()),
    )


async def joining(request: web.Request) -> web.Response:
    """``GET /joining/{station}?since=``: whether it has joined since, and is heard."""
    name = wire.key(request, "station")
    since = request.query.get("since", "")
    found = next((s for s in await _states(request) if s.station == name), None)
    joined = found is not None and (found.joined_at or "") >= since
    heard = joined and found is not None and (found.heard_at or "") >= since
    return page(
        request, "joined.html", name=name, station=found, joined=joined, heard=heard
    )


async def revoke(request: web.Request) -> web.Response:
    """``POST /stations/{station}/revoke``: stolen, lost, or out of use."""
    name = wire.key(request, "station")
    reason = str((await request.post()).get("reason", "")).strip()[:1000]
    await end(request, name, reason)
    return see_other(f"/stations/{quote(name, safe='')}")


def square(content: str) -> Square | None:
    """Draw a QR code; none where this machine has no library that draws."""
    try:
        from server.client.symbols import draw  # noqa: PLC0415 # not everywhere
    except ImportError:
        return None
    drawing = draw("QR Code", content)
    return Square(
        size=drawing.columns + 2 * drawing.quiet,
        path=_path(drawing.rows, drawing.quiet),
    )


def _path(rows: Sequence[Sequence[tuple[int, int]]], edge: int) -> str:
    return "".join(
        f"M{edge + start} {edge + down}h{length}v1h-{length}z"
        for down, runs in enumerate(rows)
        for start, length in runs
    )
