"""Signing in and out."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from aiohttp import web

from server.api.context import CONTEXT
from server.api.rates import RATES
from server.api.signing import begin, end, from_elsewhere, refused_place, whence
from server.console.rendering import CONSOLE, page, see_other, wording
from server.people import MOST, Person
from server.problems import ProblemError, invalid, not_found
from shared.protocol import ProblemType

__all__ = [
    "HASHING",
    "Hashing",
    "asset",
    "sign_in",
    "sign_in_page",
    "sign_out",
    "start",
]

_Given = TypeVarTuple("_Given")
_LOG = logging.getLogger("scantrail.server")
AT_ONCE = 2
"""Passwords that are hashed at the same time: each takes 19 MiB and a processor."""
WAITING = 20
"""Passwords that wait for that, at most."""
_MAX_NAME = 200


class Hashing:
    """Keeps hashing from taking the machine."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(
        self, request: web.Request, name: str, password: str
    ) -> Person | None:
        """Return the person whose password this is.

        Raises:
            ProblemError: 503 where too many wait already.
        """
        return await self._in_turn(request.app[CONTEXT].people.check, name, password)

    async def enter(
        self, request: web.Request, name: str, password: str, code: str
    ) -> Person | None:
        """Return who comes in by a password and, where he has one, a second factor.

        Raises:
            ProblemError: 503 where too many wait already.
        """
        context = request.app[CONTEXT]
        return await self._in_turn(
            context.people.enter, name, password, code, context.now()
        )

    async def _in_turn(
        self, work: Callable[[Unpack[_Given]], Person | None], *given: *_Given
    ) -> Person | None:
        if self._waiting >= WAITING:
            reason = "Too many people sign in at this moment. Try again."
            raise ProblemError(503, ProblemType.BUSY, reason, retry_after=2)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *given)
        finally:
            self._waiting -= 1


HASHING: web.AppKey[Hashing] = web.AppKey("hashing", Hashing)


async def start(_: web.Request) -> web.Response:
    """``GET /``: the way in."""
    return see_other("/find")


async def sign_in_page(request: web.Request) -> web.Response:
    """``GET /sign-in``."""
    to = request.query.get("to", "")
    safe = to if to.isprintable() else ""
    return page(request, "sign_in.html", to=safe, wrong=refused_place(request))


async def sign_in(request: web.Request) -> web.Response:
    """``POST /sign-in``: name and password."""
    elsewhere, refused = from_elsewhere(request), refused_place(request)
    if elsewhere:
        raise invalid(elsewhere)
    if refused:
        raise ProblemError(403, ProblemType.FORBIDDEN, refused)
    form = await request.post()
    name = str(form.get("name", ""))[:_MAX_NAME]
    password, to = str(form.get("password", "")), str(form.get("to", ""))
    code = str(form.get("code", ""))[:_MAX_NAME]
    context, rates = request.app[CONTEXT], request.app[RATES]
    rates.admit_password(request, name, context.now())
    person = None
    if len(password) <= MOST:
        person = await request.app[HASHING].enter(request, name, password, code)
    if person is None:
        rates.note_wrong_password(request)
        wrong = wording(request)("entry.wrong")
        return page(request, "sign_in.html", status=403, to=to, wrong=wrong)
    _LOG.info("%s signed in as %s", ascii(person.name), person.role.value)
    secret, age = context.sessions.begin(person, context.now(), whence=whence(request))
    answer = see_other(to)
    begin(request, answer, secret, age)
    return answer


async def sign_out(request: web.Request) -> web.Response:
    """``POST /sign-out``."""
    answer = see_other("/sign-in")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    end(request, answer, request.app[CONTEXT])
    return answer


async def asset(request: web.Request) -> web.Response:
    """``GET /assets/{version}/{name}``: a file of the pages."""
    console = request.app[CONSOLE]
    found = console.assets.get(request.match_info["name"])
    if found is None:
        reason = "there is no such file"
        raise not_found(reason)
    right = request.match_info["version"] == console.version
    keep = "public, max-age=31536000, immutable" if right else "no-store"
    return web.Response(
        body=found.body,
        content_type=found.content_type,
        charset="utf-8",
        headers={"Cache-Control": keep, "Cross-Origin-Resource-Policy": "same-origin"},
    )
