"""Finding: one box for whatever is typed or scanned, and what it leads to."""

from urllib.parse import quote

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.api.wanted import legible, looked_for
from server.console.contents import contents
from server.console.done import done
from server.console.item_view import item_view
from server.console.known_names import named, pages
from server.console.lines import neighbours
from server.console.minds import Since, since
from server.console.rendering import page, see_other, wording
from server.console.titles import by_remark, by_title, titles
from server.problems import not_found
from server.store import ItemQuery, Store
from server.store.answering import LOAD_PREFIXES
from shared.hosts import HostLine, Topic, host_line
from shared.keys import Kind, parse
from shared.moments import to_text

__all__ = ["event", "find", "item"]

MOST = 100
RECENT = 12
_LONGEST = 1024


async def find(request: web.Request) -> web.Response:
    """``GET /find?q=``: to the one thing that fits, or to a list."""
    text = request.query.get("q", "").strip()[:_LONGEST]
    store = request.app[CONTEXT].store
    if not text:
        recent = await _recent(store)
        names = await titles(store, (line.item for _, line, _, _ in recent))
        return page(request, "find.html", text="", recent=recent, titles=names)
    direct = await _direct(store, text)
    if direct is not None:
        return see_other(direct)
    found = await store.items(ItemQuery(q=text.upper(), limit=MOST))
    called, more_called = await by_title(store, text)
    noted, remarks = await by_remark(store, text)
    others = await named(store, text)
    if len(found.answers) == 1 and not (called or noted or others):
        return see_other(f"/items/{quote(found.answers[0].item, safe='')}")
    return page(
        request,
        "found.html",
        text=text,
        items=found.answers,
        others=others,
        more=found.after is not None,
        called=called,
        more_called=more_called,
        noted=noted,
        remarks=remarks,
        behind=found.horizon.untold(),
        scanned=parse(text),
    )


async def _direct(store: Store, text: str) -> str | None:
    """Return the address of what a whole code names, as far as it is known here."""
    key = parse(text)
    for item in dict.fromkeys((key.text, text)):
        if (await store.item(item)).known:
            return f"/items/{quote(item, safe='')}"
    if key.kind is Kind.LOCATION:
        return f"/places/{quote(key.text, safe='')}"
    if key.kind is Kind.OPERATOR:
        return f"/people/{quote(key.text, safe='')}"
    found = await pages(store, text)
    return found[0] if len(found) == 1 else None


async def _recent(store: Store) -> list[tuple[str, HostLine, int, str]]:
    """Return the latest lines that name an item: event, line, when, station."""
    last = store.position()
    entries = await store.events(max(0, last - 10 * RECENT), 10 * RECENT)
    lines = ((entry, host_line(entry.line)) for entry in reversed(entries))
    return [
        (entry.event, line, entry.occurred, entry.station)
        for entry, line in lines
        if line is not None and line.item and entry.quarantined is None
    ][:RECENT]


async def item(request: web.Request) -> web.Response:
    """``GET /items/{item}?at=&known_at=``: where it is, and what shows it."""
    context, shown = request.app[CONTEXT], await item_view(request)
    inside, more = await contents(context, shown.answer.item, shown.past)
    follows = context.site.follows.get(shown.answer.status or "", frozenset())
    wanted = await looked_for(context, [shown.answer.item])
    speech, gone = wording(request), shown.answer.status in context.site.gone
    return page(
        request,
        "item.html",
        done=await done(request),
        left_on=shown.answer.path[-1] if gone and shown.answer.path else None,
        gone=gone,
        is_load=await _is_load(context.store, shown.answer.item),
        view=shown,
        past=shown.past,
        answer=shown.answer,
        inside=inside,
        inside_more=more,
        follows=", ".join(speech.named("action", one) for one in sorted(follows)),
        since=await since(request, shown.answer.item, shown.view)
        if shown.moved
        else Since(),
        wanted=wanted[0] if wanted else None,
        illegible=bool(not shown.scanned and legible(shown.answer.item)),
        held_at=to_text(shown.view.at),
        held_known=to_text(shown.view.known_at),
    )


async def _is_load(store: Store, key: str) -> bool:
    return key.startswith(LOAD_PREFIXES) or bool(await store.said(Topic.LOAD, [key]))


async def event(request: web.Request) -> web.Response:
    """``GET /events/{event}``: the scan itself: its bytes, and how they were read."""
    entry = await request.app[CONTEXT].store.event(wire.key(request, "event"))
    if entry is None:
        reason = "There is no such event here."
        raise not_found(reason)
    line = host_line(entry.line)
    raw = None if line is None else line.raw
    return page(
        request,
        "event.html",
        entry=entry,
        line=line,
        fields=_fields(entry.line),
        text=entry.line.decode(errors="backslashreplace"),
        raw=raw,
        raw_bytes=None if raw is None else raw.encode("latin-1", "replace").hex(" "),
        scanned=None if raw is None else parse(raw),
        voids=None if line is None else line.voids,
        line_bytes=entry.line.hex(" "),
        titles=await titles(request.app[CONTEXT].store, [line.item if line else None]),
        neighbours=await _neighbours(request.app[CONTEXT].store, entry.event),
    )


async def _neighbours(store: Store, event: str) -> list[str]:
    """Return the names of the lines before and behind one, empty where none is."""
    return [
        name if name and await store.event(name) is not None else ""
        for name in neighbours(event)
    ]


def _fields(data: bytes) -> list[tuple[str, str]]:
    """Return the fields of a line as it came, known here or not."""
    try:
        found = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict):
        return []
    return [
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in found.items()
    ]
