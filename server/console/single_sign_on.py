"""Signing in by the site's identity provider: the way there, and back."""

import logging

from aiohttp import web

from server.api.context import CONTEXT
from server.api.rates import RATES
from server.api.signing import (
    begin,
    forget_browser,
    of_browser,
    refused_place,
    remember_browser,
    whence,
)
from server.console.rendering import HEADERS, page, see_other
from server.oidc.provider import Provider, SignInError
from server.people import Person
from server.problems import ProblemError, not_found
from shared.moments import to_text
from shared.protocol import ProblemType

__all__ = ["back", "there"]

_LOG = logging.getLogger("scantrail.server")
_MOST = 4000
"""Characters of what comes back in an address."""


def _provider(request: web.Request) -> Provider:
    """Return the provider.

    Raises:
        ProblemError: There is none, too many sign in, or the way is not encrypted.
    """
    provider = request.app[CONTEXT].oidc
    if provider is None:
        reason = "this server has no identity provider ([oidc] in its settings)"
        raise not_found(reason)
    request.app[RATES].admit_sign_in(request, request.app[CONTEXT].now())
    refused = refused_place(request)
    if refused:
        raise ProblemError(403, ProblemType.FORBIDDEN, refused)
    return provider


def _not_in(request: web.Request, why: str) -> web.Response:
    return page(request, "sign_in.html", status=403, to="", wrong=why)


async def there(request: web.Request) -> web.Response:
    """``GET /sign-in/oidc``: send somebody to the provider."""
    provider, context = _provider(request), request.app[CONTEXT]
    to = request.query.get("to", "")
    state, browser, gone = context.pending.begin(to, context.now())
    try:
        where = await provider.leads_to(state, gone)
    except SignInError as error:
        return _not_in(request, str(error))
    answer = web.Response(status=303, headers={**HEADERS, "Location": where})
    remember_browser(request, answer, browser)
    return answer


async def back(request: web.Request) -> web.Response:
    """``GET /sign-in/oidc/back``: somebody comes from the provider."""
    provider, context = _provider(request), request.app[CONTEXT]
    code, state, issuer = (
        request.query.get(name, "")[:_MOST] for name in ("code", "state", "iss")
    )
    gone = context.pending.back(state, of_browser(request), context.now())
    if gone is None or not code:
        why = "This sign-in was not begun in this browser, or took too long. Try again."
        return _not_in(request, why)
    try:
        visitor = await provider.visitor(code, issuer, gone)
    except SignInError as error:
        return _not_in(request, str(error))
    now = context.now()
    person = Person(name=visitor.name, role=visitor.role, hash="", changed=to_text(now))
    secret, age = context.sessions.begin(
        person, now, visiting=True, whence=whence(request)
    )
    _LOG.info("%s signed in as %s", ascii(person.name), person.role.value)
    answer = see_other(gone.to)
    forget_browser(request, answer)
    begin(request, answer, secret, age)
    return answer
