"""One TCP connection with a reader: bytes in as they came, bounded, answers out."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

from edge.clock import Clock
from edge.scanners.intake import Arrived, Gone, Silence

__all__ = ["Wire"]

_MOST_HELD = 256 * 1024  # bytes that wait for the station before the reader must
_MOST_UNSENT = 4096
_CLOSE_LIMIT = 1.0
_PIECE_COST = 64

# A dead peer is noticed within 10 + 3 * 5 seconds (tcp(7)).
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 25_000),
)


class Wire(asyncio.Protocol):
    """A connection. Pieces carry the clock of their arrival, not of their being taken.

    Args:
        clock: Read for each piece.
        made: Called with this wire once it is connected.
        lost: Called with this wire once it is not, before what it holds was taken.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        made: Callable[["Wire"], None] = lambda _: None,
        lost: Callable[["Wire"], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._made = made
        self._lost = lost
        self._pieces: deque[Arrived] = deque()
        self._held = 0
        self._transport: asyncio.Transport | None = None
        self._ready = asyncio.Event()
        self._closed = asyncio.Event()
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection; see ``asyncio.BaseProtocol``."""
        if not isinstance(transport, asyncio.Transport):
            return
        self._transport = transport
        self.peer = str(transport.get_extra_info("peername", ("",))[0])
        sock: socket.socket = transport.get_extra_info("socket")
        for level, option, value in _KEEPALIVE:
            sock.setsockopt(level, option, value)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Hold a piece; see ``asyncio.Protocol``."""
        self._pieces.append(Arrived(data, self._clock()))
        self._held += len(data) + _PIECE_COST
        if self._held > _MOST_HELD and self._transport is not None:
            self._transport.pause_reading()
        self._ready.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """Note the end; see ``asyncio.BaseProtocol``."""
        self._closed.set()
        self._ready.set()
        self._lost(self)

    async def get(self, limit: float | None) -> Arrived | Silence | Gone:
        """Return the next piece, or ``Silence`` if none came for ``limit`` seconds.

        After the last piece of a closed connection: ``Gone``.
        """
        if not self._pieces and not self._closed.is_set():
            self._ready.clear()
            with contextlib.suppress(TimeoutError):  # what came just now counts
                async with asyncio.timeout(limit):
                    await self._ready.wait()
        if self._pieces:
            return self._take()
        return Gone() if self._closed.is_set() else Silence(self._clock())

    def _take(self) -> Arrived:
        piece = self._pieces.popleft()
        self._held -= len(piece.data) + _PIECE_COST
        if self._held <= _MOST_HELD // 2 and self._transport is not None:
            self._transport.resume_reading()
        return piece

    def send(self, data: bytes) -> bool:
        """Send without waiting; say whether the reader is there to take it."""
        transport = self._transport
        if transport is None or transport.is_closing() or not data:
            return False
        if transport.get_write_buffer_size() > _MOST_UNSENT:
            return False
        transport.write(data)
        return True

    def drop(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """End the connection, and wait until it has ended."""
        self.drop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_LIMIT):
                await self._closed.wait()
