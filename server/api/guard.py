"""Who may do what: every route says whom it admits, and nothing else is admitted."""

from collections.abc import Awaitable, Callable
from enum import Enum

from aiohttp import web

from server.api.context import CONTEXT, Context
from server.api.rates import RATES
from server.api.signing import refused_change, session_of
from server.keys import Key, Scope, hashed
from server.problems import ProblemError
from server.sessions import PROOF, Session
from server.store import Station, Token
from shared.moments import SECOND, to_text
from shared.protocol import ProblemType

__all__ = [
    "ACCESS",
    "FOR_STATIONS",
    "SAFE",
    "Access",
    "Handler",
    "actor",
    "admit",
    "is_proved",
    "lacked",
    "may",
    "must_set_up",
    "signed_in",
    "station_of",
]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_SECRET = 200
IN_FLIGHT = 30 * SECOND
"""How long a request may be under way: its token may have been replaced meanwhile."""


class Access(Enum):
    """Whom a route admits."""

    ANYBODY = "anybody"
    STATION = "station"
    READER = "reader"
    """A key, or a person, that may read."""
    STATION_OR_READER = "station or reader"
    OPERATOR = "operator"
    """Who may write remarks, and take an exception on."""
    SUPERVISOR = "supervisor"
    """Who may supervise: settle exceptions, write remarks, look for items."""
    ADMINISTRATOR = "administrator"


_SCOPES = {
    Access.READER: Scope.READ,
    Access.STATION_OR_READER: Scope.READ,
    Access.OPERATOR: Scope.OPERATE,
    Access.SUPERVISOR: Scope.SUPERVISE,
    Access.ADMINISTRATOR: Scope.ADMIN,
}
FOR_STATIONS = (Access.STATION, Access.STATION_OR_READER)

ACCESS: web.AppKey[dict[Handler, Access]] = web.AppKey("access")
_STATION: web.RequestKey[Station] = web.RequestKey("station", Station)


_KEY: web.RequestKey[Key] = web.RequestKey("key", Key)
_SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)

_LACKED: web.RequestKey[Access] = web.RequestKey("lacked", Access)
_FOR = {
    Access.OPERATOR: "This is for operators, supervisors and administrators.",
    Access.SUPERVISOR: "This is for supervisors and administrators.",
    Access.ADMINISTRATOR: "This is for administrators.",
}

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
_WITHOUT = ("/me", "/prove", "/sign-out")
"""Pages for who has yet to set up the second factor."""
NAMELESS = "a key without a name"


def actor(request: web.Request) -> str:
    """Return who asks, for the log: a person, or the name or the scope of a key."""
    session = signed_in(request)
    if session is not None:
        return session.person.name
    key = request.get(_KEY)
    return NAMELESS if key is None else key.name or f"a key of scope {key.scope.value}"


def station_of(request: web.Request) -> Station | None:
    """Return the station that asks, if it is one."""
    return request.get(_STATION)


def signed_in(request: web.Request) -> Session | None:
    """Return the session of the person who asks, if it is one."""
    return request.get(_SESSION)


def lacked(request: web.Request) -> Access | None:
    """Return what the person who asked was refused for, if that is why."""
    return request.get(_LACKED)


def may(request: web.Request, access: Access) -> bool:
    """Whether whoever asks would be admitted there too."""
    session, key = request.get(_SESSION), request.get(_KEY)
    scope = session.person.role.scope if session else key.scope if key else None
    needed = _SCOPES.get(access)
    return scope is not None and needed is not None and scope.includes(needed)


async def admit(request: web.Request, access: Access, context: Context) -> None:
    """Let a request in: by its bearer key or token, or by a person's session.

    Raises:
        ProblemError: 401 where nobody is known by its secret, 403 where he may not.
    """
    if "Authorization" not in request.headers:
        session = session_of(request, context)
        if session is not None:
            request[_SESSION] = session
    if access is Access.ANYBODY:
        return
    if _SESSION in request:
        await _admit_person(request, request[_SESSION], access)
    else:
        await _admit_program(request, access, context)


async def _admit_person(request: web.Request, session: Session, access: Access) -> None:
    needed, scope = _SCOPES.get(access), session.person.role.scope
    if needed is None or not scope.includes(needed):
        request[_LACKED] = access
        person = session.person
        reason = (
            f"{_FOR.get(access, 'This is for stations.')} You are signed in as "
            f"{person.name}, a {person.role.value}. An administrator can give you "
            "another role, or do it for you."
        )
        raise ProblemError(403, ProblemType.FORBIDDEN, reason)
    refused = await refused_change(request, session)
    if refused:
        raise ProblemError(403, ProblemType.FORBIDDEN, refused)
    _see_what_is_needed(request, session, access)


def _see_what_is_needed(request: web.Request, session: Session, access: Access) -> None:
    """See that somebody has shown well enough that it is he.

    Raises:
        ProblemError: 403 where his role needs a second factor that he has not set up,
            or where he showed it long ago and this weighs most.
    """
    context = request.app[CONTEXT]
    if must_set_up(session, context) and not request.path.startswith(_WITHOUT):
        reason = "Your role needs a second factor here. Set it up first: /me"
        raise ProblemError(403, ProblemType.SECOND, reason)
    changes = access is Access.ADMINISTRATOR and request.method not in SAFE
    if changes and not is_proved(session, context.now()):
        reason = "Nothing was done yet: show first that it is you, then do it again."
        raise ProblemError(403, ProblemType.PROVE, reason)


def must_set_up(session: Session, context: Context) -> bool:
    """Whether somebody's role needs a second factor, and he has none."""
    person = session.person
    here = not session.visiting and person.role in context.second_factor
    return here and not person.second


def is_proved(session: Session, now: int) -> bool:
    """Whether somebody has shown lately that it is he."""
    return now - session.proved <= PROOF


async def _admit_program(
    request: web.Request, access: Access, context: Context
) -> None:
    secret = _bearer(request)
    key = context.keys.find(secret, context.now())
    if key is not None:
        needed = _SCOPES.get(access)
        if needed is None or not key.scope.includes(needed):
            reason = f"a key of scope {key.scope.value}"
            raise _forbidden(reason, access)
        request[_KEY] = key
        return
    station = await context.store.station(hashed(secret))
    if station is None:
        reason = _unknown(access)
        raise ProblemError(401, ProblemType.UNAUTHORISED, reason)
    await _see_that_it_holds(request, station, context)
    if access not in FOR_STATIONS:
        reason = f"the station {station.name}"
        raise _forbidden(reason, access)
    if station.revoked:
        reason = (
            f"The station {station.name} has been revoked. It keeps what it captures; "
            "an administrator lets it join anew."
        )
        raise ProblemError(403, ProblemType.REVOKED, reason)
    if station.token is Token.NEXT:
        await context.store.use_token(station, hashed(secret))
    request[_STATION] = station


async def _see_that_it_holds(
    request: web.Request, station: Station, context: Context
) -> None:
    """See that a token is not one from before.

    Raises:
        ProblemError: 401 where its machine, or a copy of it, has another by now, or
            another machine has the station's name.
    """
    if station.token is Token.DISPLACED:
        await _tell_displaced(request, station, context)
        reason = (
            f"Another machine joined as {station.name} ({to_text(station.token_since)})"
            " in place of this one. Ask for a code under another name, and join with "
            "it: what waits here is sent then."
        )
        raise ProblemError(401, ProblemType.DISPLACED, reason)
    if station.token is Token.REPLACED:
        await _tell_copied(request, station, context)
        reason = (
            f"This token of the station {station.name} was replaced by another: a "
            "machine with a copy of its disk goes on with that. Nothing that is "
            "captured here is lost; join anew with a new code."
        )
        raise ProblemError(401, ProblemType.REPLACED, reason)


async def _tell_copied(
    request: web.Request, station: Station, context: Context
) -> None:
    """Remember that two machines are one station; in the server's own log, too."""
    now, rates = context.now(), request.app[RATES]
    late = now - station.token_since < IN_FLIGHT  # sent before it was replaced
    if late or station.revoked or not rates.tells_copied(station.name, now):
        return
    address = rates.address(request)
    await context.store.note_copied(station, address)
    reason = f"a replaced token came from {address}"
    await context.own.remark(station.name, "copied", reason)


async def _tell_displaced(
    request: web.Request, station: Station, context: Context
) -> None:
    """Remember that a machine that lost its place is there, and goes on."""
    rates = request.app[RATES]
    if rates.tells_copied(station.name, context.now()):
        await context.store.note_displaced(station, rates.address(request))


def _unknown(access: Access) -> str:
    """Say that a secret is not known, and how to get one that is."""
    station = "A station joins with a new code."
    if access is Access.STATION:
        return f"The token is not known here. {station}"
    key = (
        "An administrator makes a key with: scantrail-server key --data DIR "
        f"--scope {_SCOPES[access].value}"
    )
    what = "key or token" if access is Access.STATION_OR_READER else "key"
    also = f" {station}" if access is Access.STATION_OR_READER else ""
    return f"The {what} is not known here. {key}.{also}"


def _bearer(request: web.Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(secret) <= MAX_SECRET:
        reason = "A key or token is needed: Authorization: Bearer …"
        raise ProblemError(401, ProblemType.UNAUTHORISED, reason)
    return secret


def _forbidden(who: str, access: Access) -> ProblemError:
    reason = f"This is for: {access.value}. {who[0].upper()}{who[1:]} may not do it."
    return ProblemError(403, ProblemType.FORBIDDEN, reason)
