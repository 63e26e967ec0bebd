"""What one connection may cost: how many there are, and how long each may dawdle.

aiohttp bounds what a request holds. This bounds time and number: a connection on which
a head, a body or the taking of an answer goes on for too long is cut, so that whoever
sends a byte now and then, or reads none, holds nothing that others need. Behind a proxy
on this machine it counts the proxy's connections.
"""

import asyncio
import contextlib
import ipaddress
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import msgspec
from aiohttp import web

__all__ = ["CONNECTIONS", "Connections", "Limits", "Site", "timely"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How many, and how many seconds.

    Attributes:
        most: Connections at the same time.
        most_each: Of these from one address that is not this machine's.
        head: For the head of a request, from its first byte.
        body: For its body.
        idle: Between two requests, and before the first.
        stall: For a reader to take what was written for him, before more is.
        handshake: For TLS to begin.
        look: Between two looks.
    """

    most: int = 2000
    most_each: int = 250
    head: float = 20.0
    body: float = 120.0
    idle: float = 75.0
    stall: float = 60.0
    handshake: float = 10.0
    look: float = 2.0


class Connections:
    """The connections of one server. ``cut`` counts those that were cut, by why."""

    def __init__(
        self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self.cut: Counter[str] = Counter()
        self._open: dict[asyncio.BaseProtocol, _Watched] = {}
        self._each: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open)

    def over(self, inner: asyncio.Protocol) -> asyncio.Protocol:
        """Return a protocol that is watched, and does what ``inner`` does."""
        return _Watched(inner, self)

    def admits(self, one: "_Watched") -> bool:
        """Take a connection in, if there is room for it."""
        address = one.address
        crowded = address and self._each[address] >= self.limits.most_each
        if crowded or self.open >= self.limits.most:
            self.cut["too many"] += 1
            return False
        self._open[one.inner] = one
        self._each[address] += 1
        return True

    def ended(self, one: "_Watched") -> None:
        """Forget a connection."""
        if self._open.pop(one.inner, None) is not None:
            self._each[one.address] -= 1
            if self._each[one.address] <= 0:
                del self._each[one.address]

    @contextlib.contextmanager
    def serving(self, request: web.Request) -> Iterator[None]:
        """Note that a request's head was read, and is being answered."""
        one = self._open.get(request.protocol)
        if one is None:
            yield
            return
        one.request, one.since, one.head_since = request, self.clock(), None
        try:
            yield
        finally:
            one.request, one.since = None, self.clock()

    async def watch(self) -> None:
        """Cut what dawdles, until cancelled."""
        while True:
            await asyncio.sleep(self.limits.look)
            self.look()

    def look(self) -> None:
        """Cut what dawdles now."""
        now = self.clock()
        for one in list(self._open.values()):
            why = one.dawdles(now, self.limits)
            if why:
                self.cut[why] += 1
                one.abort()


class _Watched(asyncio.Protocol):
    """One connection, between its transport and what answers it."""

    def __init__(self, inner: asyncio.Protocol, all_: Connections) -> None:
        self.inner = inner
        self.address = ""
        self.request: web.Request | None = None
        self.since = all_.clock()
        self.head_since: float | None = None
        self.stalled_since: float | None = None
        self._all = all_
        self._transport: asyncio.Transport | None = None
        self._admitted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.address = _address(transport.get_extra_info("peername"))
        self._admitted = self._all.admits(self)
        if self._admitted:
            self.inner.connection_made(transport)
        else:
            self.abort()

    def data_received(self, data: bytes) -> None:
        if self._admitted:
            if self.request is None and self.head_since is None:
                self.head_since = self._all.clock()
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received() if self._admitted else None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._admitted:
            self._all.ended(self)
            self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self.stalled_since = self._all.clock()
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.stalled_since = None
        self.inner.resume_writing()

    def abort(self) -> None:
        """End it at once, with whatever was to be written yet."""
        if self._transport is not None:
            self._transport.abort()

    def dawdles(self, now: float, limits: Limits) -> str:
        """Return why it should end; empty where nothing is wrong."""
        waits = {
            "stall": (self.stalled_since, limits.stall),
            "body": (self._body_since(), limits.body),
            "head": (self.head_since, limits.head),
            "idle": (self.since if self.request is None else None, limits.idle),
        }
        for why, (since, most) in waits.items():
            if since is not None and now - since > most:
                return why
        return ""

    def _body_since(self) -> float | None:
        request = self.request
        under_way = request is not None and not request.content.is_eof()
        return self.since if under_way else None


def _address(peer: object) -> str:
    """Return the other machine's address; empty where it is this one."""
    host = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    return "" if found.is_loopback else host


class Site(web.BaseSite):
    """Where the server listens, with every connection watched."""

    def __init__(
        self,
        runner: web.AppRunner,
        connections: Connections,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
    ) -> None:
        super().__init__(runner, ssl_context=context)
        self._connections = connections
        self._place = host, port

    @property
    def name(self) -> str:
        """Where it is, as an address."""
        scheme = "https" if self._ssl_context else "http"
        host, port = self._place
        return f"{scheme}://{host}:{port}"

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            OSError: It cannot listen there.
        """
        await super().start()
        handshake = self._connections.limits.handshake if self._ssl_context else None
        server = self._runner.server
        if server is None:  # pragma: no cover # the runner was set up before
            return
        self._server = await asyncio.get_running_loop().create_server(
            lambda: self._connections.over(server()),
            *self._place,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=handshake,
        )


CONNECTIONS: web.AppKey[Connections] = web.AppKey("connections", Connections)


@web.middleware
async def timely(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a connection be known to serve a request."""
    with request.app[CONNECTIONS].serving(request):
        return await handler(request)
