"""What was done just now, said where it was done."""

from urllib.parse import parse_qsl, urlencode

import msgspec
from aiohttp import web

from server.api.context import CONTEXT
from server.console.deeds import deed
from server.store import is_own
from shared.hosts import HostLine, host_line

__all__ = ["Done", "beside", "done"]

_LONGEST, _LONG = 100, 4
_OURS = ("done", "place")


class Done(msgspec.Struct, frozen=True):
    """An act: what it was, its line, and before which case of the page it is said."""

    deed: str
    line: HostLine
    place: int


def beside(to: str, event: str, place: str) -> str:
    """Return the address of a page which says there what was done.

    Args:
        to: The page's address, which may say of what was done before.
        event: The act.
        place: Before which case of the page.
    """
    path, _, query = to.partition("#")[0].partition("?")
    asked = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name not in _OURS]
    return f"{path}?{urlencode([*kept, ('done', event), ('place', place)])}#done"


async def done(request: web.Request) -> Done | None:
    """Return the act that an address names: a line of the server's own log only."""
    name, place = (request.query.get(one, "") for one in _OURS)
    if not name or len(name) > _LONGEST:
        return None
    entry = await request.app[CONTEXT].store.event(name)
    line = host_line(entry.line) if entry and is_own(entry.station) else None
    what = "" if line is None else deed(line)
    if line is None or not what:
        return None
    whole = place.isascii() and place.isdigit() and len(place) < _LONG
    return Done(what, line, int(place) if whole else 0)
