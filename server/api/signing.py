"""A person's session in a browser: its cookie, and who may change something with it.

A browser sends the cookie with whatever request another page makes it send. So what
changes something needs an ``Origin`` that is this server's, and the token that only
this server's own pages carry: in a form, or in the header ``Scantrail-Token``.
"""

import hmac
import ipaddress

from aiohttp import web

from server.api.context import CONTEXT, Context
from server.limits import client_address
from server.sessions import Session, Whence

__all__ = [
    "TOKEN",
    "begin",
    "end",
    "forget_browser",
    "from_elsewhere",
    "is_secure",
    "keep_language",
    "kept_language",
    "of_browser",
    "refused_change",
    "refused_place",
    "remember_browser",
    "secret_of",
    "session_of",
    "whence",
]

TOKEN = "token"  # noqa: S105 # the name of a form's field
_HEADER = "Scantrail-Token"
_BY_ITSELF, _FOLLOWED = "Scantrail-Live", "/live"
"""What says that nobody asked: a page reads itself anew."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OVER_TLS = "__Host-scantrail"
_HERE = "scantrail"
"""On this machine there may be no TLS, and without it no ``__Host-`` cookie."""
_SESSION = ""
_GOING, _GOING_SECONDS = "-going", 600
_LANGUAGE, _YEAR = "-language", 365 * 24 * 3600
_OWN = frozenset({"same-origin", "none"})


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks TLS: to us, or to a proxy on this machine."""
    if request.scheme == "https":
        return True
    told = request.headers.get("X-Forwarded-Proto", "")
    return told == "https" and _is_loopback(request.remote or "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _name(request: web.Request, what: str) -> str:
    return f"{_OVER_TLS if is_secure(request) else _HERE}{what}"


def _give(
    request: web.Request, response: web.Response, what: str, value: str, age: int
) -> None:
    """Let the browser keep something, for so many seconds, that no script reads.

    ``Lax``: it comes back from another site, where a person is led here from there.
    """
    response.set_cookie(
        _name(request, what),
        value,
        max_age=age,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax",
    )


def _kept(request: web.Request, what: str) -> str:
    """Return what the browser keeps; empty where that is nothing."""
    return request.cookies.get(_name(request, what), "")


def _take_back(request: web.Request, response: web.Response, what: str) -> None:
    response.del_cookie(
        _name(request, what), path="/", secure=is_secure(request), httponly=True
    )


def refused_place(request: web.Request) -> str:
    """Say why nobody can sign in over this connection; empty where one can."""
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    if is_secure(request) or _is_loopback(host):
        return ""
    return (
        "Passwords are not taken over a network without TLS. Open this console with "
        "https (the server's [tls], or a proxy on its machine that passes "
        "X-Forwarded-Proto), or on the server itself."
    )


def from_elsewhere(request: web.Request) -> str:
    """Say why a change is not taken as one of our own pages'; empty where it is."""
    origin = request.headers.get("Origin", "")
    if origin.partition("://")[2].lower() != request.host.lower():
        return "The Origin header does not name this server: another page asked."
    if request.headers.get("Sec-Fetch-Site", "none").lower() not in _OWN:
        return "Another web page asked."
    return ""


async def refused_change(request: web.Request, session: Session) -> str:
    """Say why a request of a session is not obeyed; empty where it is."""
    if request.method in _SAFE:
        return ""
    elsewhere = from_elsewhere(request)
    if elsewhere:
        return elsewhere
    said = request.headers.get(_HEADER, "")
    if not said and request.content_type == "application/x-www-form-urlencoded":
        said = str((await request.post()).get(TOKEN, ""))
    if not hmac.compare_digest(said.encode(errors="replace"), session.token.encode()):
        return "The page is from before you signed in. Load it again, and repeat it."
    return ""


def session_of(request: web.Request, context: Context) -> Session | None:
    """Return the session whose cookie came, if it goes on."""
    secret, now = secret_of(request), context.now()
    found = context.sessions.find(secret, now) if secret else None
    if found is not None:
        alone = request.path == _FOLLOWED or _BY_ITSELF in request.headers
        context.sessions.use(secret, now, by_itself=alone)
    return found


def secret_of(request: web.Request) -> str:
    """Return what the browser's cookie holds; empty where there is none."""
    return _kept(request, _SESSION)


def whence(request: web.Request) -> Whence:
    """Return from where somebody signs in, and with what."""
    address = client_address(
        request.remote or "", request.headers.get("X-Forwarded-For", "")
    )
    return Whence(address, request.headers.get("User-Agent", ""))


def begin(request: web.Request, response: web.Response, secret: str, age: int) -> None:
    """Give the browser the session's cookie, for so long; the one it had ends."""
    request.app[CONTEXT].sessions.end(_kept(request, _SESSION))
    _give(request, response, _SESSION, secret, age)


def end(request: web.Request, response: web.Response, context: Context) -> None:
    """End the session that asks, here and in its browser."""
    context.sessions.end(_kept(request, _SESSION))
    _take_back(request, response, _SESSION)


def remember_browser(request: web.Request, response: web.Response, secret: str) -> None:
    """Let the browser that goes to an identity provider be known when it is back."""
    _give(request, response, _GOING, secret, _GOING_SECONDS)


def of_browser(request: web.Request) -> str:
    """Return what the browser was given when it went; empty where it did not go."""
    return _kept(request, _GOING)


def forget_browser(request: web.Request, response: web.Response) -> None:
    """Take back what `remember_browser` gave."""
    _take_back(request, response, _GOING)


def keep_language(request: web.Request, response: web.Response, language: str) -> None:
    """Let the browser keep the language that its reader chose, signed in or not."""
    _give(request, response, _LANGUAGE, language, _YEAR)


def kept_language(request: web.Request) -> str:
    """Return what `keep_language` gave; empty where nothing was chosen."""
    return _kept(request, _LANGUAGE)
