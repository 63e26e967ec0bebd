"""Exceptions: what a person should look at, of items and of stations."""

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.problems import invalid
from server.station_exceptions import station_exceptions
from server.store import ExceptionQuery, Found
from shared.api.exceptions import ExceptionPage, FoundException
from shared.moments import to_text

__all__ = ["exceptions", "of_item"]

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
_OPEN = {"true": True, "false": False, "all": None}


async def exceptions(request: web.Request) -> web.Response:
    """``GET /v1/exceptions``: newest first; the open ones unless asked otherwise."""
    context = request.app[CONTEXT]
    query = _query(request)
    found = [of_item(one) for one in await context.store.exceptions(query)]
    if query.open is not False:
        found += await _of_stations(context, query)
    found.sort(key=_place, reverse=True)
    page = found[: query.limit]
    horizon = await wire.horizon(context)
    return wire.json(
        ExceptionPage(
            exceptions=page,
            cursor=wire.cursor_after(page, query.limit, _place),
            complete_until=horizon.text(),
            behind=horizon.untold(),
        )
    )


def _place(one: FoundException) -> tuple[str, str, str]:
    return one.since, one.item or one.station or "", one.code


def _query(request: web.Request) -> ExceptionQuery:
    wanted = request.query.get("open", "true")
    if wanted not in _OPEN:
        reason = f"open={wanted[:20]!r}: expected true, false or all"
        raise invalid(reason)
    limit = max(1, wire.number(request, "limit", DEFAULT_LIMIT, MAX_LIMIT))
    after = wire.cursor(request, tuple[str, str, str])
    return ExceptionQuery(
        code=request.query.get("code"),
        open=_OPEN[wanted],
        after=after and (wire.moment("cursor", after[0]), *after[1:]),
        limit=limit,
    )


def of_item(found: Found) -> FoundException:
    """Write an item's exception for a reader."""
    return FoundException(
        item=found.item,
        code=found.code,
        since=to_text(found.since),
        until=None if found.until is None else to_text(found.until),
        event=found.event,
        text=found.text,
    )


async def _of_stations(context: Context, query: ExceptionQuery) -> list[FoundException]:
    now = context.store.present()
    after = query.after and (to_text(query.after[0]), *query.after[1:])
    found = [
        FoundException(station=seen.name, code=one.code, since=one.since, text=one.text)
        for seen in await context.store.stations()
        for one in station_exceptions(seen, now, context.silent_limit)
        if query.code in (None, one.code)
    ]
    return [one for one in found if after is None or _place(one) < after]
