"""People and keys: who may sign in, and which programs may ask; each act is told."""

import asyncio

import msgspec
from aiohttp import web

from server.api import wire
from server.api.acts import write
from server.api.context import CONTEXT, Context
from server.console.acting import said
from server.console.rendering import page, see_other
from server.keys import Key, Scope
from server.people import LEAST, PasswordError, Person, Role
from server.problems import invalid, not_found
from shared.moments import SECOND, to_text

__all__ = [
    "access",
    "add_person",
    "drop_key",
    "make_key",
    "remove_person",
    "set_password",
    "set_role",
]

DAY = 24 * 3600 * SECOND
LONGEST_KEY = 3650
"""Days that a key lasts, at most; 0 stands for no end."""
_HERE = "/access"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is listed; ``id`` is its hash, and ``over`` whether it has ended."""

    id: str
    key: Key
    over: bool


def _keys(context: Context) -> list[Listed]:
    now = context.now()
    return [
        Listed(id=name, key=key, over=bool(key.expires and key.expires <= now))
        for name, key in context.keys.all().items()
    ]


async def access(request: web.Request) -> web.Response:
    """``GET /access``: who may sign in, and which keys there are."""
    return await _shown(request)


async def _shown(request: web.Request, secret: str = "") -> web.Response:
    context = request.app[CONTEXT]
    return page(
        request,
        "access.html",
        people=await asyncio.to_thread(context.people.all),
        keys=await asyncio.to_thread(_keys, context),
        roles=[role.value for role in Role],
        scopes=[scope.value for scope in Scope],
        secret=secret,
        least=LEAST,
        most_days=LONGEST_KEY,
    )


async def _role(request: web.Request) -> Role:
    text = await said(request, "role", needed=True)
    try:
        return Role(text)
    except ValueError as error:
        reason = f"role: expected one of {', '.join(role.value for role in Role)}"
        raise invalid(reason) from error


async def _put(request: web.Request, name: str, role: Role) -> Person:
    """Set a person's password and role.

    Raises:
        ProblemError: 400 where the name or the password cannot be used.
    """
    context = request.app[CONTEXT]
    password = str((await request.post()).get("password", ""))
    changed = to_text(context.now())
    try:
        return await asyncio.to_thread(
            context.people.put, name, role, password, changed
        )
    except PasswordError as error:
        reason = f"Nothing was changed: {error}."
        raise invalid(reason) from error


async def add_person(request: web.Request) -> web.Response:
    """``POST /access/people``: let somebody sign in."""
    name, role = await said(request, "name", needed=True), await _role(request)
    if request.app[CONTEXT].people.find(name) is not None:
        reason = f"{name[:100]} is there already; nothing was changed."
        raise invalid(reason)
    person = await _put(request, name, role)
    await _told(request, f"person added: {person.name} as {role.value}")
    return see_other(_HERE)


def _person(request: web.Request) -> Person:
    """Find the person of the path.

    Raises:
        ProblemError: 404 where there is nobody of that name.
    """
    name = wire.key(request, "person")
    person = request.app[CONTEXT].people.find(name)
    if person is None:
        reason = f"There is nobody called {name[:100]!r} here."
        raise not_found(reason)
    return person


def _stays_administered(request: web.Request, person: Person) -> None:
    """See that somebody is left who can let others in.

    Raises:
        ProblemError: 400 where this is the last administrator.
    """
    everybody = request.app[CONTEXT].people.all()
    others = [one for one in everybody if one.name != person.name]
    if person.role is Role.ADMINISTRATOR and not any(
        one.role is Role.ADMINISTRATOR for one in others
    ):
        reason = (
            f"{person.name} is the only administrator; nothing was changed. Make "
            "somebody else one first."
        )
        raise invalid(reason)


async def set_role(request: web.Request) -> web.Response:
    """``POST /access/people/{person}/role``: another role; his sessions end."""
    person, role = _person(request), await _role(request)
    if role is person.role:
        return see_other(_HERE)
    _stays_administered(request, person)
    context = request.app[CONTEXT]
    context.people.set_role(person.name, role, to_text(context.now()))
    was = person.role.value
    await _told(request, f"role of {person.name}: {role.value}, was {was}")
    return see_other(_HERE)


async def set_password(request: web.Request) -> web.Response:
    """``POST /access/people/{person}/password``: another; his sessions end."""
    person = _person(request)
    await _put(request, person.name, person.role)
    await _told(request, f"password of {person.name} set anew")
    return see_other(_HERE)


async def remove_person(request: web.Request) -> web.Response:
    """``POST /access/people/{person}/remove``: somebody no longer signs in."""
    person = _person(request)
    _stays_administered(request, person)
    request.app[CONTEXT].people.remove(person.name)
    await _told(request, f"person removed: {person.name}")
    return see_other(_HERE)


async def _told(request: web.Request, text: str) -> None:
    """Tell it as a line of the server's own log, with who did it."""
    await write(request, action="note", text=text)


# --- keys -----------------------------------------------------------------------------


async def make_key(request: web.Request) -> web.Response:
    """``POST /access/keys``: make a key, and show it this once."""
    name = await said(request, "name", needed=True)
    scope, days = await said(request, "scope"), await said(request, "days")
    if scope not in {one.value for one in Scope} or not name.isprintable():
        reason = f"A key has a name, and one of: {', '.join(s.value for s in Scope)}."
        raise invalid(reason)
    if not (days.isascii() and days.isdigit() and int(days) <= LONGEST_KEY):
        reason = f"days: expected a whole number up to {LONGEST_KEY}; 0 is no end"
        raise invalid(reason)
    context = request.app[CONTEXT]
    ends = context.now() + int(days) * DAY if int(days) else 0
    secret = context.keys.create(Scope(scope), to_text(context.now()), name, ends)
    until = f", until {to_text(ends)}" if ends else ""
    await _told(request, f"key made: {name}, scope {scope}{until}")
    return await _shown(request, secret)


async def drop_key(request: web.Request) -> web.Response:
    """``POST /access/keys/{key}/end``: what has it can ask nothing any more."""
    key = request.app[CONTEXT].keys.remove(wire.key(request, "key"))
    if key is None:
        reason = "There is no such key here; it may have been ended already."
        raise not_found(reason)
    await _told(request, f"key ended: {key.name or '-'}, scope {key.scope.value}")
    return see_other(_HERE)
