"""Exports: everything of one kind, written while it is read, a page at a time."""

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.exceptions import of_item
from server.api.items import item_query
from server.api.streams import STREAMS, taken
from server.csv_rows import csv_rows
from server.feed import feed_event
from server.problems import invalid
from server.store import ExceptionQuery, ItemQuery
from shared.api.exceptions import FoundException
from shared.api.feed import FeedEvent
from shared.api.items import ItemAnswer

__all__ = ["events", "exceptions", "items"]

PAGE = 500
"""What is read at once: other readers get their turn between two pages."""

_MOST = 2**63 - 1
_MEDIA = {"csv": "text/csv", "ndjson": "application/x-ndjson"}

One = ItemAnswer | FeedEvent | FoundException
Pages = AsyncIterator[Sequence[One]]


async def items(request: web.Request) -> web.StreamResponse:
    """``GET /v1/export/items``: every item as it is now, by the filters of items."""
    query = msgspec.structs.replace(item_query(request), limit=PAGE)
    return await _written(request, "items", _item_pages(request, query))


async def _item_pages(
    request: web.Request, query: ItemQuery
) -> AsyncIterator[list[ItemAnswer]]:
    store = request.app[CONTEXT].store
    while True:
        found = await store.items(query)
        yield found.answers
        if found.after is None:
            return
        query = msgspec.structs.replace(query, after=found.after)


async def events(request: web.Request) -> web.StreamResponse:
    """``GET /v1/export/events``: every line behind a position."""
    after = wire.number(request, "after", 0, _MOST)
    return await _written(request, "events", _event_pages(request, after))


async def _event_pages(
    request: web.Request, after: int
) -> AsyncIterator[list[FeedEvent]]:
    store = request.app[CONTEXT].store
    while found := await store.events(after, PAGE):
        yield [feed_event(entry) for entry in found]
        after = found[-1].position


async def exceptions(request: web.Request) -> web.StreamResponse:
    """``GET /v1/export/exceptions``: every open exception of an item, newest first."""
    return await _written(request, "exceptions", _exception_pages(request))


async def _exception_pages(
    request: web.Request,
) -> AsyncIterator[list[FoundException]]:
    store = request.app[CONTEXT].store
    query = ExceptionQuery(code=request.query.get("code"), limit=PAGE)
    while found := await store.exceptions(query):
        yield [of_item(one) for one in found]
        query = msgspec.structs.replace(query, after=found[-1].place)


# --- writing --------------------------------------------------------------------------


def _item_row(one: ItemAnswer) -> list[str | None]:
    return [
        one.item,
        one.status,
        one.status_since,
        one.status_event,
        one.location,
        one.location_since,
        one.location_event,
        one.custodian,
        one.custodian_since,
        one.container,
        " < ".join(one.path),
        one.title,
        " ".join(found.code for found in one.exceptions),
    ]


def _event_row(one: FeedEvent) -> list[str | None]:
    line = None if one.line is None else bytes(one.line).decode()
    return [
        str(one.position),
        one.event,
        one.station,
        one.occurred_at,
        one.received_at,
        one.quarantined,
        line,
        one.bytes,
    ]


def _exception_row(one: FoundException) -> list[str | None]:
    return [one.item, one.code, one.since, one.until, one.event, one.text]


_HEADS: dict[str, str] = {
    "items": "item,status,status_since,status_event,location,location_since,"
    "location_event,custodian,custodian_since,container,path,title,exceptions",
    "events": "position,event,station,occurred_at,received_at,quarantined,line,bytes",
    "exceptions": "item,code,since,until,event,text",
}
_ROWS: dict[str, Callable[..., list[str | None]]] = {
    "items": _item_row,
    "events": _event_row,
    "exceptions": _exception_row,
}


async def _written(request: web.Request, what: str, pages: Pages) -> web.StreamResponse:
    form = request.query.get("format", "ndjson")
    if form not in _MEDIA:
        reason = f"format={form[:20]!r}: expected csv or ndjson"
        raise invalid(reason)
    name = f'attachment; filename="scantrail-{what}.{form}"'
    with request.app[STREAMS].one():
        response = web.StreamResponse(
            headers={
                "Content-Type": f"{_MEDIA[form]}; charset=utf-8",
                "Content-Disposition": name,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            }
        )
        await response.prepare(request)
        if form == "csv":
            await response.write(f"{_HEADS[what]}\r\n".encode())
        async for page in pages:
            data = _csv(what, page) if form == "csv" else _ndjson(page)
            if not await taken(request, response, data):
                break
    return response


def _csv(what: str, page: Sequence[One]) -> bytes:
    return csv_rows(_ROWS[what](one) for one in page)


def _ndjson(page: Sequence[One]) -> bytes:
    return b"".join(_line(one) for one in page)


def _line(one: One) -> bytes:
    """Write one object in one line: a carriage return may stand between its parts."""
    return msgspec.json.encode(one).replace(b"\r", b" ") + b"\n"
