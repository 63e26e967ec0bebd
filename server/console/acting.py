"""What people do at the console: each act is a line of the server's own log."""

from aiohttp import web

from server.api import wire
from server.api.acts import write, write_all
from server.api.context import CONTEXT
from server.api.guard import actor
from server.api.wanted import looked_for
from server.console.causes import MOST_TOGETHER, named_case
from server.console.done import beside
from server.console.rendering import see_other
from server.problems import ProblemError, invalid
from shared.api.acts import Written
from shared.protocol import ProblemType

__all__ = ["back", "note", "own", "said", "settle", "unwant", "want"]

MOST = 1000
"""Characters of a remark or a reason."""


async def said(request: web.Request, name: str, *, needed: bool = False) -> str:
    """Read a field of the form.

    Raises:
        ProblemError: 400 where it has to say something, and does not.
    """
    text = str((await request.post()).get(name, "")).strip()
    if needed and not text:
        reason = f"Nothing was written into the field {name}; nothing was done."
        raise invalid(reason)
    if len(text) > MOST:
        reason = f"{name}: at most {MOST} characters; nothing was done."
        raise invalid(reason)
    return text


async def back(request: web.Request, act: Written, number: int = 1) -> web.Response:
    """Lead back to the page that the form was on, to its place if it has one.

    ``act`` is the first of so many acts, one behind the other.
    """
    to, place = await said(request, "to"), await said(request, "place")
    return see_other(beside(to, act.event, place, number) if place else to)


async def note(request: web.Request) -> web.Response:
    """``POST /items/{item}/note``: a remark, on an exception if it names one."""
    text = await said(request, "text", needed=True)
    exception = await said(request, "exception") or None
    item = wire.key(request, "item")
    act = await write(request, action="note", item=item, text=text, exception=exception)
    return await back(request, act)


async def own(request: web.Request) -> web.Response:
    """``POST /items/{item}/own``: who asks sees to the item, or no longer does."""
    gives_up = bool(await said(request, "release"))
    owner = "" if gives_up else actor(request)
    item = wire.key(request, "item")
    return await back(
        request, await write(request, action="note", item=item, owner=owner)
    )


async def settle(request: web.Request) -> web.Response:
    """``POST /items/{item}/resolve``: settle an exception, with a reason.

    What is open by the same cause can be settled in one go; each is an act of its own.
    """
    exception = await said(request, "exception", needed=True)
    reason = await said(request, "reason", needed=True)
    asked = [(exception, wire.key(request, "item")), *await _with_it(request)]
    acts = [
        {"action": "resolve", "item": item, "exception": code, "reason": reason}
        for code, item in dict.fromkeys(asked)
    ]
    done = await write_all(request, acts)
    return await back(request, done[0], len(done))


async def _with_it(request: web.Request) -> list[tuple[str, str]]:
    """Return what is to be settled in one go with another, and is open."""
    form = await request.post()
    asked = form.getall("kin" if "all" in form else "also", [])[:MOST_TOGETHER]
    named = [case for case in map(named_case, map(str, asked)) if case]
    store = request.app[CONTEXT].store
    return [
        (code, item)
        for code, item in named
        if any(one.code == code for one in (await store.item(item)).exceptions)
    ]


async def want(request: web.Request) -> web.Response:
    """``POST /items/{item}/want``: every station looks out for it."""
    reason = await said(request, "reason") or None
    item = wire.key(request, "item")
    act = await write(request, action="note", item=item, wanted=True, reason=reason)
    return await back(request, act)


async def unwant(request: web.Request) -> web.Response:
    """``POST /items/{item}/unwant``: nobody has to look for it any more."""
    item = wire.key(request, "item")
    if not await looked_for(request.app[CONTEXT], [item]):
        reason = f"{item[:80]} was not wanted (any more). Nothing was done."
        raise ProblemError(409, ProblemType.INVALID, reason)
    act = await write(request, action="note", item=item, wanted=False)
    return await back(request, act)
