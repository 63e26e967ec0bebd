"""Who may do what: every route says whom it admits, and nothing else is admitted."""

from collections.abc import Awaitable, Callable
from enum import Enum

from aiohttp import web

from server.keys import Key, Keys, Scope, hashed
from server.problems import ProblemError
from server.store import Station, Store
from shared.protocol import ProblemType

__all__ = ["ACCESS", "Access", "Handler", "actor", "admit", "station_of"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_SECRET = 200


class Access(Enum):
    """Whom a route admits."""

    ANYBODY = "anybody"
    STATION = "station"
    READER = "reader"
    """A key that may read."""
    STATION_OR_READER = "station or reader"
    SUPERVISOR = "supervisor"
    """A key that may supervise: settle exceptions, write remarks, look for items."""
    ADMINISTRATOR = "administrator"


_SCOPES = {
    Access.READER: Scope.READ,
    Access.STATION_OR_READER: Scope.READ,
    Access.SUPERVISOR: Scope.SUPERVISE,
    Access.ADMINISTRATOR: Scope.ADMIN,
}
_FOR_STATIONS = (Access.STATION, Access.STATION_OR_READER)

ACCESS: web.AppKey[dict[Handler, Access]] = web.AppKey("access")
_STATION: web.RequestKey[Station] = web.RequestKey("station", Station)


_KEY: web.RequestKey[Key] = web.RequestKey("key", Key)

NAMELESS = "a key without a name"


def actor(request: web.Request) -> str:
    """Return who asks, for the log: the name of his key, or what it may do."""
    key = request.get(_KEY)
    return NAMELESS if key is None else key.name or f"a key of scope {key.scope.value}"


def station_of(request: web.Request) -> Station | None:
    """Return the station that asks, if it is one."""
    return request.get(_STATION)


async def admit(request: web.Request, access: Access, store: Store, keys: Keys) -> None:
    """Let a request in.

    Raises:
        ProblemError: 401 where nobody is known by its secret, 403 where he may not.
    """
    if access is Access.ANYBODY:
        return
    secret = _bearer(request)
    key = keys.find(secret)
    if key is not None:
        needed = _SCOPES.get(access)
        if needed is None or not key.scope.includes(needed):
            reason = f"a key of scope {key.scope.value}"
            raise _forbidden(reason, access)
        request[_KEY] = key
        return
    station = await store.station(hashed(secret))
    if station is None:
        reason = "The key or token is not known here. A station joins with a new code."
        raise ProblemError(401, ProblemType.UNAUTHORISED, reason)
    if access not in _FOR_STATIONS:
        reason = f"the station {station.name}"
        raise _forbidden(reason, access)
    if station.revoked:
        reason = (
            f"The station {station.name} has been revoked. It keeps what it captures; "
            "an administrator lets it join anew."
        )
        raise ProblemError(403, ProblemType.REVOKED, reason)
    request[_STATION] = station


def _bearer(request: web.Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(secret) <= MAX_SECRET:
        reason = "A key or token is needed: Authorization: Bearer …"
        raise ProblemError(401, ProblemType.UNAUTHORISED, reason)
    return secret


def _forbidden(who: str, access: Access) -> ProblemError:
    reason = f"This is for: {access.value}. {who[0].upper()}{who[1:]} may not do it."
    return ProblemError(403, ProblemType.FORBIDDEN, reason)
