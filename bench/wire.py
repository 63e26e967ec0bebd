"""A connection that asks one thing at a time: HTTP/1.1 with little of the machine.

A general client takes as long for a request as the server does; thousands of stations
that share two processors with what they measure have to be cheaper. It reads only what
this project's server answers: a head, and a body of a known length.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Reply", "Wire"]


class Reply(NamedTuple):
    """An answer; ``retry_after`` in seconds, 0 where nothing is said of it."""

    status: int
    body: bytes
    retry_after: float


class Wire:
    """The way to a server at an address."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Ask, and return the answer.

        Raises:
            OSError: The connection cannot be made, or was cut.
        """
        try:
            reader, writer = await self._open()
            writer.write(self._request(method, path, headers, body))
            return await _read(reader)
        except (EOFError, OSError) as error:
            self.cut()
            raise ConnectionError(*error.args) from error

    async def tell(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> None:
        """Ask, and be gone before the answer comes."""
        _, writer = await self._open()
        writer.write(self._request(method, path, headers, body))
        await writer.drain()
        self.cut()

    def cut(self) -> None:
        """Close the connection; the next question opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        return self._streams

    def _request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("ascii") + body


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *rest = head.split("\r\n")
    fields = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in rest)
    }
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Reply(int(first.split()[1]), body, float(fields.get("retry-after", "0")))
