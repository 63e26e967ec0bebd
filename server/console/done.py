"""What was done just now, said where it was done."""

from urllib.parse import parse_qsl, urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT
from server.console.causes import MOST_TOGETHER
from server.console.deeds import deed
from server.events import event_name
from server.store import is_own
from shared.actions import named
from shared.hosts import HostLine, host_line

__all__ = ["Done", "beside", "done"]

_LONGEST, _LONG = 100, 4
_OURS = ("done", "place", "number")


class Done(msgspec.Struct, frozen=True):
    """An act: what it was, its line, and before which case of the page it is said.

    ``lines`` are those of all acts that were done together, it the first of them.
    """

    deed: str
    line: HostLine
    place: int
    lines: list[HostLine]


def beside(to: str, event: str, place: str, number: int = 1) -> str:
    """Return the address of a page which says there what was done.

    Args:
        to: The page's address, which may say of what was done before.
        event: The act, the first of those that were done together.
        place: Before which case of the page.
        number: How many were.
    """
    path, _, query = to.partition("#")[0].partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name not in _OURS]
    said = zip(_OURS, (event, place, str(number)), strict=True)
    return f"{path}?{urlencode([*kept, *said])}#done"


async def done(request: web.Request) -> Done | None:
    """Return the act that an address names: a line of the server's own log only."""
    name, place, number = (request.query.get(one, "") for one in _OURS)
    first = named(name) if len(name) <= _LONGEST else None
    if first is None:
        return None
    log, seq = first
    most = min(_whole(number) or 1, MOST_TOGETHER + 1)
    told = [await _act(request, event_name(log, seq + step)) for step in range(most)]
    if told[0] is None:
        return None
    what = deed(told[0])
    lines = [line for line in told if line is not None and deed(line) == what]
    return Done(what, told[0], _whole(place), lines)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _LONG else 0


async def _act(request: web.Request, name: str) -> HostLine | None:
    """Return the line of an act; nothing else is one."""
    entry = await request.app[CONTEXT].store.event(name)
    line = host_line(entry.line) if entry and is_own(entry.station) else None
    return line if line is not None and deed(line) else None
