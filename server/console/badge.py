"""A badge: what its person holds now, and what was done with it, the newest first.

What a badge did is found by looking through lines, a bounded number for each page:
no line is kept by its badge, because every scan would pay for that.
"""

from collections.abc import Callable
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT
from server.console import backwards
from server.console.backwards import Row
from server.console.days import period
from server.console.rendering import CONSOLE, page
from server.console.titles import titles
from server.store import ItemQuery
from shared.hosts import Topic
from shared.moments import SECOND

__all__ = ["Asked", "fitting", "person"]

MOST = 100
"""Items that are held, on one page."""
LATE = 24 * 3600 * SECOND
"""How long after a period what happened in it may have been heard, to be found."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows of a badge: an action or any, and days of the site."""

    action: str = ""
    begin: str = ""
    end: str = ""


def fitting(
    badge: str, action: str, begin: int | None, end: int | None
) -> Callable[[Row], bool]:
    """Return what says whether a line is a deed of a badge within a period."""

    def fits(row: Row) -> bool:
        line, occurred = row.line, row.entry.occurred
        if line is None or row.entry.quarantined is not None:
            return False
        if badge not in (line.operator, line.giver):
            return False
        if action and line.action != action:
            return False
        return (begin is None or begin <= occurred) and (end is None or occurred <= end)

    return fits


async def person(request: web.Request) -> web.Response:
    """``GET /people/{operator}?action=&begin=&end=&before=``."""
    context, key = request.app[CONTEXT], wire.key(request, "operator")
    store = context.store
    given = {name: request.query.get(name, "") for name in Asked.__struct_fields__}
    asked = Asked(**{name: text.strip()[:100] for name, text in given.items()})
    begin, end = period(request.app[CONSOLE].clock, asked.begin, asked.end)
    start = backwards.before(request)
    if start is None and end is not None:
        start = await backwards.position(store, end + LATE)
    looked = await backwards.back(
        store,
        fitting(key, asked.action, begin, end),
        store.position() if start is None else start,
        0 if begin is None else await backwards.position(store, begin - 1),
    )
    kept = {name: text for name, text in msgspec.structs.asdict(asked).items() if text}
    on = urlencode({**kept, "before": looked.before or 0})
    held = await store.items(ItemQuery(custodian=key, limit=MOST))
    said = await store.said(Topic.OPERATOR, [key])
    return page(
        request,
        "person.html",
        key=key,
        title=said[-1].line.title if said else None,
        items=held.answers,
        more=held.after is not None,
        behind=held.horizon.untold(),
        asked=asked,
        rows=looked.rows,
        titles=await titles(store, (row.line.item for row in looked.rows if row.line)),
        on=f"/people/{quote(key, safe='')}?{on}" if looked.before else None,
        first="before" not in request.query,
        narrowed=bool(kept),
        actions=sorted(context.site.actions),
    )
