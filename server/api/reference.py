"""Reference data for stations."""

from aiohttp import web

from server.api import wire
from server.api.acts import write
from server.api.context import CONTEXT
from server.api.guard import station_of
from server.problems import not_found
from shared.api.stations import StationSettings

__all__ = ["reference", "settings"]


async def reference(request: web.Request) -> web.Response:
    """``GET /v1/reference``: contract, section 3.4."""
    station = station_of(request)
    data = request.app[CONTEXT].reference
    tag, document = await data.document(station.name if station else None)
    return wire.tagged(request, tag, document)


async def settings(request: web.Request) -> web.Response:
    """``PUT /v1/stations/{station}/settings``: a table as in its settings file."""
    name = wire.key(request, "station")
    known = await request.app[CONTEXT].store.stations()
    if name not in {station.name for station in known}:
        reason = f"no station {name[:80]!r} is known here"
        raise not_found(reason)
    asked = await wire.struct(request, StationSettings)
    done = await write(request, action="note", station=name, settings=asked.settings)
    return wire.json(done, status=201)
