"""One's own account: password, second factor, sessions; showing that it is you."""

import asyncio

from aiohttp import web

from server.api import wire
from server.api.acts import write
from server.api.context import CONTEXT
from server.api.guard import is_proved, must_set_up, signed_in
from server.api.rates import RATES
from server.api.signing import begin, secret_of, whence
from server.console.acting import said
from server.console.entry import HASHING
from server.console.rendering import page, see_other, wording
from server.console.stations import square
from server.people import LEAST, MOST, PasswordError, Person
from server.problems import ProblemError, invalid, not_found
from server.second_factor import (
    address,
    as_secret,
    fresh,
    matching_step,
    recovery_codes,
    recovery_hash,
)
from server.sessions import Session
from shared.moments import to_text
from shared.protocol import ProblemType

__all__ = [
    "account",
    "confirm_second",
    "drop_second",
    "drop_second_of",
    "end_sessions",
    "own_password",
    "prove",
    "prove_page",
    "set_up_second",
]

_HERE = "/me"


def _session(request: web.Request) -> Session:
    """Return the session of the person who asks.

    Raises:
        ProblemError: 403 where it is a program, which has no account.
    """
    session = signed_in(request)
    if session is None:
        reason = "This is a page of people; a key has no account."
        raise ProblemError(403, ProblemType.FORBIDDEN, reason)
    return session


def _own(request: web.Request) -> Session:
    """Return the session of a person whose password is kept here.

    Raises:
        ProblemError: 403 where it is kept by the identity provider.
    """
    session = _session(request)
    if session.visiting:
        reason = "Your password and second factor are your identity provider's."
        raise ProblemError(403, ProblemType.FORBIDDEN, reason)
    return session


async def account(request: web.Request) -> web.Response:
    """``GET /me``: who is signed in, and where else."""
    return _shown(request)


def _shown(request: web.Request, **more: object) -> web.Response:
    session, context = _session(request), request.app[CONTEXT]
    person = session.person
    values: dict[str, object] = {
        "person": person,
        "visiting": session.visiting,
        "sessions": context.sessions.all_of(
            person.name, secret_of(request), context.now()
        ),
        "least": LEAST,
        "needed": must_set_up(session, context),
        "required": person.role in context.second_factor,
        "codes": (),
        "secret": "",
        "wrong": "",
        "square": None,
        **more,
    }
    return page(request, "account.html", values)


async def own_password(request: web.Request) -> web.Response:
    """``POST /me/password``: another password; sessions elsewhere end."""
    session, context = _own(request), request.app[CONTEXT]
    form = await request.post()
    now, person = context.now(), session.person
    request.app[RATES].admit_password(request, person.name, now)
    old, new = str(form.get("old", "")), str(form.get("password", ""))
    known = None
    if len(old) <= MOST:
        known = await request.app[HASHING].check(request, person.name, old)
    if known is None:
        request.app[RATES].note_wrong_password(request)
        return _shown(request, wrong=wording(request)("me.wrong_old"))
    try:
        changed = await asyncio.to_thread(
            context.people.put, person.name, person.role, new, to_text(now)
        )
    except PasswordError as error:
        reason = f"Nothing was changed: {error}."
        raise invalid(reason) from error
    await write(request, action="note", text="own password changed")
    return _go_on(request, changed, see_other(_HERE))


def _go_on(request: web.Request, person: Person, answer: web.Response) -> web.Response:
    """Begin a session in place of this one; all others of the person have ended."""
    context = request.app[CONTEXT]
    secret, age = context.sessions.begin(person, context.now(), whence=whence(request))
    begin(request, answer, secret, age)
    return answer


async def end_sessions(request: web.Request) -> web.Response:
    """``POST /me/sessions/end``: one of the others, or all of them."""
    session, context = _session(request), request.app[CONTEXT]
    ended = context.sessions.end_others(
        session.person.name, secret_of(request), await said(request, "id")
    )
    if ended:
        await write(request, action="note", text=f"own sessions ended: {ended}")
    return see_other(_HERE)


# --- the second factor ----------------------------------------------------------------


async def set_up_second(request: web.Request) -> web.Response:
    """``POST /me/second``: a secret for an authenticator; nothing is kept yet."""
    _see_proof(request)
    return _asked(request, fresh())


def _asked(request: web.Request, secret: str, wrong: str = "") -> web.Response:
    person = _own(request).person
    drawn = square(address(secret, person.name))
    return _shown(request, secret=secret, square=drawn, wrong=wrong)


async def confirm_second(request: web.Request) -> web.Response:
    """``POST /me/second/confirm``: the first code shows that the secret arrived."""
    session, context = _see_proof(request), request.app[CONTEXT]
    secret = as_secret(await said(request, "secret"))
    now, person = context.now(), session.person
    request.app[RATES].admit_password(request, person.name, now)
    step = secret and matching_step(secret, await said(request, "code"), now, 0)
    if not secret or not step:
        again = wording(request)("me.wrong_code")
        return _asked(request, secret or fresh(), again)
    codes = recovery_codes()
    changed = context.people.set_second(
        person.name, secret, [recovery_hash(code) for code in codes], step, to_text(now)
    )
    if changed is None:
        reason = "You are not known here any more."
        raise not_found(reason)
    await write(request, action="note", text="own second factor set up")
    return _go_on(request, changed, _shown(request, codes=codes, person=changed))


async def drop_second(request: web.Request) -> web.Response:
    """``POST /me/second/remove``: do without, where the site allows that."""
    session, context = _see_proof(request), request.app[CONTEXT]
    person = session.person
    if person.role in context.second_factor:
        reason = "Your role needs a second factor here; set another one up instead."
        raise invalid(reason)
    now = to_text(context.now())
    changed = context.people.set_second(person.name, "", (), 0, now)
    if changed is None:
        reason = "You are not known here any more."
        raise not_found(reason)
    await write(request, action="note", text="own second factor removed")
    return _go_on(request, changed, see_other(_HERE))


# --- it is you ------------------------------------------------------------------------


def _see_proof(request: web.Request) -> Session:
    """Return the session of a person who has shown lately that it is he.

    Raises:
        ProblemError: 403 where that is long ago.
    """
    session = _own(request)
    if not is_proved(session, request.app[CONTEXT].now()):
        reason = "Nothing was changed yet: show first that it is you."
        raise ProblemError(403, ProblemType.PROVE, reason)
    return session


async def prove_page(request: web.Request) -> web.Response:
    """``GET /prove``: the password again, before what weighs most."""
    return _door(request, request.query.get("to", ""))


def _door(
    request: web.Request, to: str, wrong: str = "", status: int = 200
) -> web.Response:
    session = _session(request)
    safe = to if to.isprintable() else ""
    return page(
        request,
        "prove.html",
        status=status,
        to=safe,
        wrong=wrong,
        visiting=session.visiting,
        second=bool(session.person.second),
    )


async def prove(request: web.Request) -> web.Response:
    """``POST /prove``: whoever has this session is its person."""
    session, context = _own(request), request.app[CONTEXT]
    form = await request.post()
    now, name = context.now(), session.person.name
    request.app[RATES].admit_password(request, name, now)
    password, code = str(form.get("password", "")), str(form.get("code", ""))
    person = None
    if len(password) <= MOST:
        person = await request.app[HASHING].enter(request, name, password, code)
    to = await said(request, "to")
    if person is None:
        request.app[RATES].note_wrong_password(request)
        wrong = wording(request)("entry.wrong")
        return _door(request, to, wrong, status=400)
    context.sessions.prove(secret_of(request), now)
    return see_other(to, _HERE)


async def drop_second_of(request: web.Request) -> web.Response:
    """``POST /access/people/{person}/second``: take away one that was lost."""
    context, name = request.app[CONTEXT], wire.key(request, "person")
    now = to_text(context.now())
    changed = context.people.set_second(name, "", (), 0, now)
    if changed is None:
        reason = f"There is nobody called {name[:100]!r} here."
        raise not_found(reason)
    text = f"second factor of {changed.name} removed"
    await write(request, action="note", text=text)
    return see_other("/access")
