"""Finding: one box for whatever is typed or scanned, and what it leads to."""

from urllib.parse import quote

from aiohttp import web

from server.api.context import CONTEXT, Context
from server.api.wanted import legible, looked_for
from server.console.causes import kin
from server.console.contents import contents
from server.console.done import done
from server.console.inbox import open_items
from server.console.item_view import item_view
from server.console.known_names import named, pages
from server.console.minds import Since, since
from server.console.rendering import page, see_other, wording
from server.console.titles import by_remark, by_title, titles
from server.store import ItemQuery, Store
from server.store.answering import LOAD_PREFIXES
from shared.api.exceptions import FoundException
from shared.api.items import ItemAnswer
from shared.hosts import HostLine, Topic, host_line
from shared.keys import Kind, parse
from shared.moments import to_text

__all__ = ["find", "item"]

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
        kin=await _kin(context, shown.answer) if not shown.moved else {},
        wanted=wanted[0] if wanted else None,
        illegible=bool(not shown.scanned and legible(shown.answer.item)),
        held_at=to_text(shown.view.at),
        held_known=to_text(shown.view.known_at),
    )


async def _kin(context: Context, answer: ItemAnswer) -> dict[str, list[FoundException]]:
    """Return what is open by the same cause as each exception of an item."""
    own = [
        FoundException(
            item=answer.item, code=o.code, since=o.since, event=o.event, text=o.text
        )
        for o in answer.exceptions
    ]
    alike = [one for case in own for one in await open_items(context, case.code)]
    others = [one for one in alike if one.item != answer.item]
    return {case.code: kin(case, [*own, *others]) for case in own}


async def _is_load(store: Store, key: str) -> bool:
    return key.startswith(LOAD_PREFIXES) or bool(await store.said(Topic.LOAD, [key]))
