"""Events: every line as it came, the newest first, with what narrows them down.

A page looks through a bounded number of lines, whatever is asked for: where there may
be more, it leads on from where it stopped.
"""

from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console import backwards
from server.console.backwards import MOST, Looked, Row
from server.console.item_view import moment_of
from server.console.rendering import page
from server.store import View
from shared.actions import named
from shared.hosts import HostLine, host_line

__all__ = ["Filter", "events", "neighbours"]

MOST_OF_ITEM = 500
"""Events of an item that are looked at, the newest."""
_LONGEST = 1024


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are asked for; an empty text asks for any.

    ``log`` is a part of a log's name, ``until`` the moment up to which they were
    heard, ``odd`` asks for those only that could not be understood.
    """

    station: str = ""
    log: str = ""
    item: str = ""
    action: str = ""
    until: str = ""
    odd: str = ""

    def fits(self, row: Row) -> bool:
        """Whether a line is one of those."""
        entry, line = row.entry, row.line
        if self.station.casefold() not in entry.station.casefold():
            return False
        if self.log and not entry.event.startswith(self.log.lower()):
            return False
        if self.odd and entry.quarantined is None:
            return False
        if self.action and (line is None or line.action != self.action):
            return False
        return not self.item or (line is not None and self.item in _items(line))


def _items(line: HostLine) -> list[str | None]:
    return [line.item, line.container, *(line.items or ())]


async def _of_item(context: Context, asked: Filter, until: int | None) -> Looked:
    """Find an item's own lines by its history, however long ago they came."""
    now = context.store.present()
    view = View(at=now, known_at=now if until is None else until)
    told = await context.store.history(asked.item, view)
    names = [event.name for event, _ in told.events[-MOST_OF_ITEM:]]
    found = [await context.store.event(name) for name in names]
    rows = [Row(one, host_line(one.line)) for one in found if one is not None]
    fitting = [row for row in rows if asked.fits(row)]
    fitting.sort(key=lambda row: -row.entry.position)
    return Looked(fitting[:MOST], None)


async def events(request: web.Request) -> web.Response:
    """``GET /events?station=&log=&item=&action=&until=&odd=&before=``."""
    context = request.app[CONTEXT]
    given = {name: request.query.get(name, "") for name in Filter.__struct_fields__}
    asked = Filter(**{n: text.strip()[:_LONGEST] for n, text in given.items()})
    until, before = moment_of(request, "until"), backwards.before(request)
    if asked.item and before is None:
        found = await _of_item(context, asked, until)
    else:
        last = context.store.position() if before is None else before
        if until is not None and before is None:
            last = await backwards.position(context.store, until)
        found = await backwards.back(context.store, asked.fits, last)
    kept = {name: text for name, text in msgspec.structs.asdict(asked).items() if text}
    on = None
    if found.before is not None:
        on = f"/events?{urlencode({**kept, 'before': found.before})}"
    return page(
        request,
        "events.html",
        asked=asked,
        rows=found.rows,
        on=on,
        narrowed=bool(kept),
        newest=before is None and until is None,
        actions=sorted(context.site.actions),
        stations=[one.name for one in await context.store.stations()],
    )


def neighbours(event: str) -> tuple[str, str]:
    """Return the names of the lines before and behind one in its log, if it is one."""
    target = named(event)
    if target is None:
        return "", ""
    log, seq = target
    return f"{log}:{seq - 1}" if seq > 1 else "", f"{log}:{seq + 1}"
