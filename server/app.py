"""The composition of the server: routes, whom they admit, middlewares."""

import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from aiohttp import web

from server import console
from server.api import (
    acts,
    changes,
    exceptions,
    exports,
    feed,
    guard,
    health,
    imports,
    items,
    loads,
    logs,
    manifests,
    metrics,
    openapi,
    reference,
    stations,
    tokens,
    wanted,
    wire,
)
from server.api.context import CONTEXT, Context
from server.api.guard import Access, Handler
from server.api.rates import RATES, Rates
from server.api.signing import is_secure
from server.api.streams import STREAMS, Streams
from server.background import keeping_up
from server.config import ServerConfig
from server.connections import CONNECTIONS, Connections, Limits, timely
from server.metrics import Metrics
from server.problems import TITLES, ProblemError
from server.store import partly
from server.webhooks import hooks
from shared.protocol import ProblemType

__all__ = ["INTERFACE", "ROUTES", "create_app"]

_LOG = logging.getLogger("scantrail.server")

INTERFACE: tuple[tuple[str, str, Access, Handler], ...] = (
    ("GET", "/healthz", Access.ANYBODY, health.healthz),
    ("GET", "/readyz", Access.ANYBODY, health.readyz),
    ("GET", "/openapi.json", Access.ANYBODY, openapi.openapi),
    ("GET", "/metrics", Access.READER, metrics.metrics),
    ("POST", "/v1/enrol", Access.ANYBODY, stations.enrol),
    ("POST", "/v1/token", Access.STATION, tokens.renew),
    ("POST", "/v1/stations", Access.ADMINISTRATOR, stations.invite),
    ("GET", "/v1/stations", Access.READER, stations.stations),
    ("GET", "/v1/codes", Access.ADMINISTRATOR, stations.codes),
    ("POST", "/v1/stations/{station}/revoke", Access.ADMINISTRATOR, stations.revoke),
    ("GET", "/v1/logs/{log}", Access.STATION_OR_READER, logs.state),
    ("POST", "/v1/logs/{log}/lines", Access.STATION, logs.append),
    ("POST", "/v1/logs/{log}/raw", Access.STATION, logs.append_raw),
    ("GET", "/v1/reference", Access.STATION_OR_READER, reference.reference),
    (
        "PUT",
        "/v1/stations/{station}/settings",
        Access.ADMINISTRATOR,
        reference.settings,
    ),
    ("GET", "/v1/items", Access.READER, items.items),
    ("GET", "/v1/items/{item}", Access.READER, items.item),
    ("GET", "/v1/items/{item}/events", Access.READER, items.item_events),
    ("GET", "/v1/items/{item}/changes", Access.READER, changes.item_changes),
    ("POST", "/v1/items/{item}/resolve", Access.SUPERVISOR, acts.settle),
    ("POST", "/v1/items/{item}/note", Access.SUPERVISOR, acts.note),
    ("GET", "/v1/locations/{location}/items", Access.READER, items.at_location),
    ("POST", "/v1/import/{kind}", Access.ADMINISTRATOR, imports.bring),
    ("GET", "/v1/exceptions", Access.READER, exceptions.exceptions),
    ("GET", "/v1/export/items", Access.READER, exports.items),
    ("GET", "/v1/export/events", Access.READER, exports.events),
    ("GET", "/v1/export/exceptions", Access.READER, exports.exceptions),
    ("GET", "/v1/events", Access.READER, feed.events),
    ("GET", "/v1/loads", Access.READER, loads.loads),
    ("GET", "/v1/loads/{load}", Access.READER, manifests.load),
    ("GET", "/v1/departures", Access.READER, manifests.departures),
    ("GET", "/v1/wanted", Access.READER, wanted.wanted),
    ("PUT", "/v1/wanted/{item}", Access.SUPERVISOR, wanted.want),
    ("DELETE", "/v1/wanted/{item}", Access.SUPERVISOR, wanted.unwant),
)
"""The routes of programs: contract, section 7."""

ROUTES = (*INTERFACE, *console.ROUTES)
"""Every route there is, and whom it admits."""

_PART = re.compile(r"{(\w+)}")
"""A key in a path may hold anything but a slash; by itself, aiohttp refuses braces."""

PARTLY_OLD = "Scantrail-Partly-Old"
"""A header of an answer whose lists were given before all that came late was told."""

_NOT_KEPT = "Nothing of this was confirmed: see whether it is there, and do it again."
_REFUSED = (401, 403)
_ACCESS = {handler: access for _, _, access, handler in ROUTES}


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever goes wrong with a problem document, or with a page."""
    try:
        return await handler(request)
    except ProblemError as error:
        return _told(request, error)
    except web.HTTPException as error:
        return _told(request, _of_http(error))
    except Exception:  # noqa: BLE001 # told to the log; the client learns no more
        _LOG.exception("%s %s failed", request.method, request.rel_url.raw_path)
        reason = "The request failed. The server's log says why; nothing was half done."
        return _told(request, ProblemError(500, ProblemType.INTERNAL, reason))


def _told(request: web.Request, error: ProblemError) -> web.Response:
    """Tell a browser on a page, and a program as a document."""
    error = _with_what_was_kept(request, error)
    if error.problem.status in _REFUSED:
        request.app[RATES].note_refused(request, request.app[CONTEXT].now())
    if console.asked_for_page(request):
        return console.problem_page(request, error)
    return wire.problem(error)


def _with_what_was_kept(request: web.Request, error: ProblemError) -> ProblemError:
    """Say what became of what was asked, where nothing can be stored now.

    A station has it still; whoever else wanted something changed has to do it again.
    """
    if error.problem.type != ProblemType.STORAGE:
        return error
    handler = request.match_info.handler
    if _ACCESS.get(handler) in guard.FOR_STATIONS:
        more = " Stations keep their lines and try again; nothing is lost."
    elif request.method in guard.SAFE or console.asked_for_page(request):
        return error  # nothing was to be changed, or the page says it
    else:
        more = f" {_NOT_KEPT}"
    return error.saying(more)


def _of_http(error: web.HTTPException) -> ProblemError:
    kind = {404: ProblemType.NOT_FOUND, 413: ProblemType.TOO_LARGE}.get(
        error.status, ProblemType.INVALID
    )
    found = ProblemError(error.status, kind, error.reason or TITLES[kind])
    found.allow = error.headers.get("Allow")
    return found


@web.middleware
async def _rated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Admit a request only where its address does not ask too often."""
    request.app[RATES].admit(request, request.app[CONTEXT].now())
    return await handler(request)


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Admit a request only where its route says so."""
    if request.match_info.http_exception is None:
        access = _ACCESS[request.match_info.handler]
        context = request.app[CONTEXT]
        await guard.admit(request, access, context)
    return await handler(request)


_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}


@web.middleware
async def _headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell browsers to take nothing for what it is not, and caches to keep nothing."""
    response = await handler(request)
    if response.prepared:  # a stream, which has sent its own
        return response
    for name, value in _EVERYWHERE.items():
        response.headers.setdefault(name, value)
    if is_secure(request):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


@web.middleware
async def _partly(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say of lists that are given before what came late is told that they are old."""
    lists = partly.begin()
    response = await handler(request)
    if lists.old and not response.prepared:
        response.headers[PARTLY_OLD] = "late-lines"
    return response


def _beside(
    app: web.Application, context: Context
) -> Iterator[tuple[Callable[[], Awaitable[None]], str]]:
    """Return what runs beside the requests, each with its name."""
    yield context.reference.keep_up, "reference data"
    yield app[CONNECTIONS].watch, "connections"
    yield app[console.WORKSHOP].run, "figures"
    for hook in hooks(context.webhooks, context.store, app[metrics.METRICS]):
        yield hook.run, f"webhook {hook.name}"


def _limits(config: ServerConfig) -> Limits:
    return Limits(most=config.connections, most_each=config.connections_each)


def create_app(context: Context) -> web.Application:
    """Make the application; it closes the store when it ends."""
    app = web.Application(
        middlewares=[
            timely,
            metrics.counted,
            _headers,
            _partly,
            _problems,
            _rated,
            _guarded,
        ],
        client_max_size=wire.MAX_JSON,
    )
    app[CONTEXT] = context
    app[openapi.ROUTES] = INTERFACE
    app[metrics.METRICS] = Metrics()
    app[RATES] = Rates(context.requests_per_second)
    app[STREAMS] = Streams()
    app[CONNECTIONS] = Connections(_limits(context.config) if context.config else None)
    app[console.CONSOLE] = console.Console(context)
    app[console.HASHING] = console.Hashing()
    app[console.CHORES] = console.Chores()
    app[console.TALLIES] = console.Tallies()
    app[console.WORKSHOP] = console.Workshop(context.store.position)
    for method, path, _, handler in ROUTES:
        app.router.add_route(method, _PART.sub(r"{\1:[^/]+}", path), handler)

    async def running(app: web.Application) -> AsyncIterator[None]:
        try:
            async with contextlib.AsyncExitStack() as tasks:
                for work, name in _beside(app, context):
                    await tasks.enter_async_context(keeping_up(work, name))
                yield
        finally:  # an open database keeps a process from ending
            await context.store.close()

    async def ending(app: web.Application) -> None:
        app[STREAMS].ending.set()
        await app[console.CHORES].close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(ending)
    return app
