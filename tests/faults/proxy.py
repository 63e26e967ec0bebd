"""A small TCP proxy of our own that cuts, resets, repeats and trickles."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Way:
    """What happens to a connection; None is nothing.

    ``up`` and ``down`` are how many bytes go through to the server and back before the
    connection is cut; ``reset`` says how it is cut. ``slow`` are the seconds before
    each byte of the answer. ``hole``: nothing gets through, and nobody says so.
    ``repeat``: the request is sent to the server a second time, on its own.
    """

    up: int | None = None
    down: int | None = None
    reset: bool = False
    slow: float = 0.0
    hole: bool = False
    repeat: bool = False


@dataclass
class Proxy:
    """Stands before a server; each connection meets the next way, or none."""

    to: str
    ways: list[Way] = field(default_factory=list)
    url: str = ""
    fired: int = 0
    seen: tuple[int, int] = (0, 0)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        way = self.ways.pop(0) if self.ways else Way()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._serve(way, reader, writer)
        if way.reset:
            writer.transport.abort()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()
        self._tasks.discard(task)

    async def _serve(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if way.hole:
            self.fired += 1
            await asyncio.Event().wait()
        to = urlsplit(self.to)
        above, up = await asyncio.open_connection(to.hostname, to.port)
        try:
            sending = asyncio.create_task(self._send(way, reader, up))
            answering = asyncio.create_task(self._answer(way, above, writer))
            await asyncio.wait(
                [sending, answering], return_when=asyncio.FIRST_COMPLETED
            )
            for task in (sending, answering):
                task.cancel()
            await asyncio.gather(sending, answering, return_exceptions=True)
        finally:
            up.close()

    async def _send(
        self, way: Way, reader: asyncio.StreamReader, up: asyncio.StreamWriter
    ) -> None:
        passed, sent = 0, b""
        while data := await reader.read(65536):
            if way.up is not None and passed + len(data) >= way.up:
                up.write(data[: way.up - passed])
                await up.drain()
                self.fired += 1
                return
            passed += len(data)
            sent += data
            up.write(data)
            self.seen = (passed, self.seen[1])
            if way.repeat and _whole(sent):
                way.repeat = False
                await self._again(sent)

    async def _again(self, data: bytes) -> None:
        """Send a request once more, as an impatient proxy does."""
        to = urlsplit(self.to)
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        writer.write(data)
        assert await reader.read(12) == b"HTTP/1.1 200"
        writer.close()
        self.fired += 1

    async def _answer(
        self, way: Way, above: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        passed = 0
        while data := await above.read(1 if way.slow else 65536):
            if way.slow:
                self.fired += 1
                await asyncio.sleep(way.slow)
            if way.down is not None and passed + len(data) > way.down:
                writer.write(data[: way.down - passed])
                await writer.drain()
                self.fired += 1
                return
            passed += len(data)
            writer.write(data)
            self.seen = (self.seen[0], passed)


def _whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(row.split(b":")[1])
            for row in head.split(b"\r\n")
            if row.lower().startswith(b"content-length:")
        ),
        0,
    )
    return bool(found) and len(body) >= length
