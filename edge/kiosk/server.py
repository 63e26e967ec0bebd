"""Serves the page on loopback, and tells it of each new screen as it comes.

The page listens to ``/events`` (server-sent events): first ``hello`` with the token of
this run, then a ``screen`` whenever there is a new one, and a ``beat`` in between, so
that a page notices within two seconds that its station has gone. Each listener has
room for one screen, the latest: a page that hangs holds up nothing.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from edge.kiosk.assets import Page
from edge.kiosk.guard import refusal, refused_touch
from edge.screen import Screen

__all__ = ["BEAT", "HOST", "LISTENERS", "Kiosk", "Touched"]

HOST = "127.0.0.1"
BEAT = 0.5
"""Seconds between two signs of life to a page that hears nothing else."""
LISTENERS = 8
"""Pages that listen at the same time, at most."""
_LONGEST = 1024  # bytes of a touch
_LEAVE = 0.1  # seconds that listeners get at the end; they listen for ever
_AGAIN = 5.0  # seconds between two tries to have the port

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Touched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A touch: the token, the command, and the scan that the screen showed last."""

    token: str
    code: str
    number: int


class Kiosk:
    """The screen's server."""

    def __init__(
        self,
        page: Page,
        *,
        port: int,
        touch: Callable[[str, int], Awaitable[bool]],
        ready: Callable[[str], None],
        trouble: Callable[[str], None],
    ) -> None:
        """Prepare it; ``run`` serves.

        Args:
            page: The page's files.
            port: Where on loopback; 0 takes one that is free.
            touch: Does what was touched, if the screen still offers it.
            ready: Told the address once it is served.
            trouble: Told once why it cannot be served; it is tried again by itself.
        """
        self._page = page
        self._port = port
        self._touch = touch
        self._ready = ready
        self._trouble = trouble
        self._token = secrets.token_urlsafe(32)
        self._latest = b""
        self._listeners: set[asyncio.Event] = set()

    def show(self, screen: Screen) -> None:
        """Show a screen on every page that listens."""
        self._latest = _event("screen", msgspec.json.encode(screen))
        for news in self._listeners:
            news.set()

    async def run(self) -> None:
        """Serve until cancelled; a port that is taken is waited for."""
        app = web.Application(middlewares=[self._guarded], client_max_size=_LONGEST)
        app.router.add_get("/events", self._events)
        app.router.add_post("/touch", self._touched)
        for path in self._page.assets:
            app.router.add_get(path, self._asset)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_LEAVE, handler_cancellation=True
        )
        await runner.setup()
        try:
            await self._listen(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        told = ""
        while True:
            try:
                await web.TCPSite(runner, HOST, self._port).start()
            except OSError as error:
                problem = os.strerror(error.errno or 0)
                if problem != told:
                    self._trouble(problem)
                told = problem
                await asyncio.sleep(_AGAIN)
            else:
                self._port = runner.addresses[0][1]
                return self._ready(f"http://{HOST}:{self._port}/")

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: _Handler
    ) -> web.StreamResponse:
        why = refusal(request.headers, self._port)
        if why:
            return _no(403, why)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _no(error.status, error.reason)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._page.assets[request.path]
        return web.Response(
            body=asset.body,
            content_type=asset.content_type,
            charset="utf-8",
            headers=_HEADERS,
        )

    async def _touched(self, request: web.Request) -> web.StreamResponse:
        try:
            touched = msgspec.json.decode(await request.read(), type=Touched)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _no(400, "this is no touch")
        why = refused_touch(request.headers, touched.token, self._token)
        if why:
            return _no(403, why)
        done = await self._touch(touched.code, touched.number)
        return web.json_response({"done": done}, headers=_HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if len(self._listeners) >= LISTENERS:
            return _no(503, "too many pages listen already")
        stream = web.StreamResponse(headers=_HEADERS)
        stream.content_type = "text/event-stream"
        news = asyncio.Event()
        self._listeners.add(news)
        try:
            await stream.prepare(request)
            hello = {"token": self._token, "page": self._page.name}
            await stream.write(_event("hello", msgspec.json.encode(hello)))
            await self._tell(stream, news)
        except ConnectionError:
            pass  # the page has gone
        finally:
            self._listeners.discard(news)
        return stream

    async def _tell(self, stream: web.StreamResponse, news: asyncio.Event) -> None:
        """Send what is new, for ever."""
        told = b""
        while True:
            news.clear()
            if self._latest != told:
                told = self._latest
                await stream.write(told)
            else:
                await stream.write(_event("beat", b"1"))
            try:
                async with asyncio.timeout(BEAT):
                    await news.wait()
            except TimeoutError:
                continue


def _event(name: str, data: bytes) -> bytes:
    """Write an event: JSON has no line ends of its own."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def _no(status: int, reason: str) -> web.Response:
    return web.Response(status=status, text=f"{reason}\n", headers=_HEADERS)
