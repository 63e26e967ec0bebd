"""Events: every line as it came, the newest first, with what narrows them down.

A page looks through a bounded number of lines, whatever is asked for: where there may
be more, it leads on from where it stopped.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT, Context
from server.console.item_view import moment_of
from server.console.rendering import page
from server.problems import invalid
from server.store import Entry, Store, View
from shared.actions import named
from shared.hosts import HostLine, host_line

__all__ = ["Filter", "Looked", "Row", "events", "neighbours"]

MOST = 100
"""Lines on a page."""
WINDOW = 2000
"""Lines that are read at once."""
MOST_LOOKED = 20_000
"""Lines that one page looks through."""
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

    def fits(self, entry: Entry, line: HostLine | None) -> bool:
        """Whether a line is one of those."""
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


class Row(msgspec.Struct, frozen=True):
    """A line, and how it reads; ``None`` where it does not."""

    entry: Entry
    line: HostLine | None


class Looked(msgspec.Struct, frozen=True):
    """What was found; ``before`` leads on, ``None`` at the first line of all."""

    rows: list[Row]
    before: int | None


async def _back(store: Store, asked: Filter, before: int) -> Looked:
    """Look backwards from a position, as far as one page does."""
    rows: list[Row] = []
    low, end = before, max(0, before - MOST_LOOKED)
    while low > end:
        start = max(end, low - WINDOW)
        for entry in reversed(await store.events(start, low - start)):
            if entry.position > low:
                continue
            line = host_line(entry.line)
            if asked.fits(entry, line):
                rows.append(Row(entry, line))
            if len(rows) == MOST:
                return Looked(rows, entry.position - 1 or None)
        low = start
    return Looked(rows, low or None)


async def _of_item(context: Context, asked: Filter, until: int | None) -> Looked:
    """Find an item's own lines by its history, however long ago they came."""
    now = context.store.present()
    view = View(at=now, known_at=now if until is None else until)
    told = await context.store.history(asked.item, view)
    names = [event.name for event, _ in told.events[-MOST_OF_ITEM:]]
    found = [await context.store.event(name) for name in names]
    rows = [Row(one, host_line(one.line)) for one in found if one is not None]
    fitting = [row for row in rows if asked.fits(row.entry, row.line)]
    fitting.sort(key=lambda row: -row.entry.position)
    return Looked(fitting[:MOST], None)


async def _position(store: Store, until: int) -> int:
    """Return the last position that was heard by a moment: positions come in time."""
    low, high = 0, store.position()
    while low < high:
        middle = (low + high) // 2
        found: Sequence[Entry] = await store.events(middle, 1)
        if found and found[0].received <= until:
            low = found[0].position
        else:
            high = middle
    return low


def _before(request: web.Request) -> int | None:
    text = request.query.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 # of 64 bits
        reason = "before: not a position that this page gave"
        raise invalid(reason)
    return int(text) if text else None


async def events(request: web.Request) -> web.Response:
    """``GET /events?station=&log=&item=&action=&until=&odd=&before=``."""
    context = request.app[CONTEXT]
    given = {name: request.query.get(name, "") for name in Filter.__struct_fields__}
    asked = Filter(**{n: text.strip()[:_LONGEST] for n, text in given.items()})
    until, before = moment_of(request, "until"), _before(request)
    if asked.item and before is None:
        found = await _of_item(context, asked, until)
    else:
        last = context.store.position() if before is None else before
        if until is not None and before is None:
            last = await _position(context.store, until)
        found = await _back(context.store, asked, last)
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
