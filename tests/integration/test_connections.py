"""Connections that dawdle are cut, those that are too many refused; others go on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from server.api.context import CONTEXT
from server.app import create_app
from server.config import ServerConfig, load
from server.connections import CONNECTIONS, Connections, Limits
from shared.errors import ConfigError
from tests.serving import Log, Service, until

SHORT = Limits(head=0.4, body=0.4, idle=0.4, stall=0.4, look=0.05)
LONG = Limits(look=0.05)


@pytest.fixture
def connections(service: Service) -> Connections:
    found = service.app[CONNECTIONS]
    found.limits = LONG
    return found


@contextlib.asynccontextmanager
async def _wire(
    service: Service,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _trickle(writer: asyncio.StreamWriter, text: bytes) -> None:
    """Send byte after byte, until the other side has had enough."""
    for n in range(100_000):
        writer.write(text[n % len(text) :][:1])
        await writer.drain()
        await asyncio.sleep(0.02)


_HEAD = b"GET /healthz HTTP/1.1\r\nHost: here\r\n"
_BODY = b"POST /v1/enrol HTTP/1.1\r\nHost: here\r\nContent-Length: 60000\r\n\r\n"
_FORM = (
    b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n"
)


@pytest.mark.parametrize(
    "case",
    [
        (b"GET /", b"A", "head"),
        (_HEAD, b"X-Slow: yes\r\n", "head"),
        (_BODY, b"{", "body"),
        (_FORM, b"name=", "body"),
        (b"", b"", "idle"),
        (_HEAD + b"\r\n", b"", "idle"),
    ],
    ids=["first line", "headers", "body", "form before signing in", "silent", "kept"],
)
async def test_f47_who_sends_a_byte_now_and_then_is_cut_off(
    service: Service,
    connections: Connections,
    log: Log,
    case: tuple[bytes, bytes, str],
) -> None:
    first, then, why = case
    connections.limits = SHORT
    async with _wire(service) as (reader, writer):
        writer.write(first)
        sending = asyncio.create_task(_trickle(writer, then)) if then else None
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while await reader.read(1024):
                    pass
        if sending:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sending
    assert connections.cut[why] >= 1
    log.add("P-1")  # meanwhile and after it, others are served
    assert (await log.send(0))[0] == 200


async def test_f77_who_takes_no_answer_is_cut_off(
    service: Service, connections: Connections, log: Log
) -> None:
    for many in range(10):
        log.add(*(f"P-{many}-{n}-{'x' * 900}" for n in range(400)))
        assert (await log.send(400 * many))[0] == 200
    connections.limits = SHORT
    ask = "GET /v1/export/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}"
    async with _wire(service) as (_, writer):
        secret = service.keys["admin"]
        writer.write(f"{ask.format(secret)}\r\n\r\n".encode())
        await writer.drain()
        await until(lambda: connections.cut["stall"] == 1)
    await until(lambda: service.app[CONNECTIONS].open <= 1)


async def test_f47_a_client_that_takes_its_time_within_reason_is_served(
    service: Service, connections: Connections
) -> None:
    async with _wire(service) as (reader, writer):
        for part in (b"GET /hea", b"lthz HTTP/1.1\r\nHo", b"st: here\r\n", b"\r\n"):
            writer.write(part)
            await asyncio.sleep(0.1)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert not connections.cut


async def test_f47_more_connections_than_there_is_room_for_are_refused(
    service: Service, connections: Connections
) -> None:
    assert (await service.call("GET", "/healthz"))[0] == 200  # and stays open
    connections.limits = Limits(most=5, look=0.05)
    async with contextlib.AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(_wire(service)) for _ in range(9)]
        await until(lambda: connections.cut["too many"] == 5)
        assert connections.open == 5
        assert (await service.call("GET", "/healthz"))[0] == 200
        refused, _ = wires[-1]
        with contextlib.suppress(ConnectionError):
            assert await refused.read() == b""
    await until(lambda: connections.open == 1)
    async with _wire(service) as (reader, writer):
        writer.write(_HEAD + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


class _Transport(asyncio.Transport):
    """A transport from some address."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 1)})
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def test_the_settings_say_how_many_there_may_be(service: Service) -> None:
    context = service.app[CONTEXT]
    config = ServerConfig(data=".", connections=12, connections_each=11)
    app = create_app(msgspec.structs.replace(context, config=config))
    assert app[CONNECTIONS].limits.most == 12
    assert app[CONNECTIONS].limits.most_each == 11
    usual = service.app[CONNECTIONS].limits
    assert usual.most == ServerConfig().connections
    assert usual.most_each == ServerConfig().connections_each


@pytest.mark.parametrize("each", [9, 60_001, "all"])
def test_how_many_one_address_may_have_has_bounds(each: object) -> None:
    with pytest.raises(ConfigError, match="connections_each"):
        load(None, {"connections_each": each})


@pytest.mark.parametrize(
    ("peer", "admitted"), [("192.0.2.1", 3), ("127.0.0.1", 8), ("fe80::1%eth0", 3)]
)
def test_f47_one_address_takes_no_more_than_its_share(peer: str, admitted: int) -> None:
    found = Connections(Limits(most=100, most_each=3))

    def connect(address: str) -> Callable[[], None] | None:
        transport, protocol = _Transport(address), found.over(asyncio.Protocol())
        protocol.connection_made(transport)
        protocol.data_received(b"x")
        return None if transport.aborted else lambda: protocol.connection_lost(None)

    ends = [connect(peer) for _ in range(8)]
    assert sum(end is not None for end in ends) == admitted
    assert connect("198.51.100.1") is not None
    first = ends[0]
    assert first is not None
    first()
    assert connect(peer) is not None


async def test_the_figures_say_what_was_cut(
    service: Service, connections: Connections
) -> None:
    connections.cut["head"] = 3
    send = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}/metrics", headers=send) as answer:
        figures = await answer.text()
    assert 'scantrail_connections_cut{why="head"} 3.0' in figures
    assert "scantrail_connections 1.0" in figures
