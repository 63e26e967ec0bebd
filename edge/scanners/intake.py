"""A thread that only reads, and what it hands to the event loop.

The kernel keeps little for a slow reader, so a device gets a thread that does nothing
but read, and hands on through a queue that is bounded in bytes. Whether a full queue
holds the device back or drops is said when it is made; what was dropped is marked.
"""

import asyncio
import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import msgspec

from edge.clock import Clock
from shared.protocol import ClockReading

__all__ = ["Arrived", "Gone", "Intake", "Opened", "Silence", "Source"]

_CAPACITY = 1 << 20
_EVENT_COST = 64  # what an event weighs beside its bytes
_LOOK = 1.0  # seconds between two looks whether the thread is still there
_STOP_LIMIT = 2.0  # seconds; a driver that blocks in close() is left behind


class Source(Protocol):
    """An open device. Its methods raise OSError, and only that, once it has gone."""

    def fileno(self) -> int:
        """Return the descriptor to wait on."""

    def read(self) -> bytes | None:
        """Return what is there, without waiting; None at the end of the input."""

    def write(self, data: bytes) -> bool:
        """Send without waiting; say whether all of it was taken."""

    def close(self) -> None:
        """Let go of the device; never raises."""


class Opened(msgspec.Struct, frozen=True):
    """The device is open, since ``clock``."""

    clock: ClockReading


class Arrived(msgspec.Struct, frozen=True):
    """Bytes, and when they came. ``lost``: bytes before them are missing."""

    data: bytes
    clock: ClockReading
    lost: bool = False


class Silence(msgspec.Struct, frozen=True):
    """Nothing came for the idle gap after the latest bytes; ``lost`` as above."""

    clock: ClockReading
    lost: bool = False


class Gone(msgspec.Struct, frozen=True):
    """The device has gone, or could not be opened; no error at the end of input."""

    error: OSError | None = None


class _Failed(msgspec.Struct, frozen=True):
    error: Exception


Event = Opened | Arrived | Silence | Gone | _Failed


class Intake:
    """One opening of one device: a context manager around its reading thread.

    Args:
        open_source: Opens the device; raises OSError. Called in the thread.
        clock: Read once for each piece that arrives.
        gap: Seconds without a byte after which ``Silence`` is told; none: never.
        settle: Seconds to listen after opening; bytes that come meanwhile are the rest
            of something, so they are marked as having lost what was before them.
        drops: What a full queue does: drop, and mark it, or hold the device back.
        changed: Told in the loop of ``Opened`` and of ``Gone``, the latter at once,
            before the queue is drained.
        capacity: Bytes that the queue holds.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        clock: Clock,
        *,
        gap: float | None = None,
        settle: float = 0.0,
        drops: bool = False,
        changed: Callable[[Opened | Gone], None] = lambda _: None,
        capacity: int = _CAPACITY,
    ) -> None:
        self._open = open_source
        self._clock = clock
        self._gap = None if gap is None else round(gap * 1000)
        self._settle = round(settle * 1000)
        self._drops = drops
        self._changed = changed
        self._capacity = capacity
        self._events: deque[Event] = deque()
        self._used = 0
        self._lost = False
        self._source: Source | None = None
        self._stopping = False
        self._room = threading.Condition()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._stop: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._room:
            self._stopping = True
            self._room.notify_all()
            if self._stop is not None:
                os.eventfd_write(self._stop, 1)
        with contextlib.suppress(TimeoutError):
            # wait_for of Python 3.11 loses a cancellation that comes as this ends
            async with asyncio.timeout(_STOP_LIMIT):
                await self._ended.wait()

    async def get(self) -> Opened | Arrived | Silence | Gone:
        """Return the next event; the last one is ``Gone``.

        Raises:
            Exception: Whatever unexpected ended the thread.
        """
        while not self._events:
            self._ready.clear()
            if not self._thread.is_alive() and not self._events:
                reason = "the thread that reads the device has ended without a word"
                raise RuntimeError(reason)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await self._ready.wait()
        with self._room:
            event = self._events.popleft()
            self._used -= _cost(event)
            self._room.notify_all()
        if isinstance(event, _Failed):
            raise event.error
        return event

    def write(self, data: bytes) -> bool:
        """Send to the device without waiting; say whether it took all of it."""
        with self._room:  # the thread closes only what it has taken away under this
            if self._source is None:
                return False
            try:
                return self._source.write(data)
            except OSError:
                return False

    def _work(self) -> None:
        """Be the thread."""
        try:
            self._post(self._read_all())
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits get()
            self._post(_Failed(error))
        finally:
            with self._room:
                if self._stop is not None:
                    os.close(self._stop)
                self._stop = None
            self._tell(self._ended.set)

    def _read_all(self) -> Gone:
        try:
            source = self._open()
        except OSError as error:
            return Gone(error)
        with self._room:
            self._source = source
        try:
            self._pump(source)
        except OSError as error:
            return Gone(error)
        finally:
            with self._room:
                self._source = None
            source.close()
        return Gone()

    def _pump(self, source: Source) -> None:
        poll = select.poll()
        poll.register(source.fileno(), select.POLLIN)
        if self._stop is None:
            return
        poll.register(self._stop, select.POLLIN)
        if self._settle:
            self._lost = bool(poll.poll(self._settle))
        self._post(Opened(self._clock()))
        wait: int | None = None
        while True:
            ready = poll.poll(wait)
            if any(fd == self._stop for fd, _ in ready):
                return
            if not ready:
                self._offer(Silence(self._clock(), self._lost))
                wait = None
                continue
            data = source.read()
            if data is None:
                return
            if data:
                self._offer(Arrived(data, self._clock(), self._lost))
                wait = self._gap

    def _offer(self, event: Arrived | Silence) -> None:
        """Queue it if there is room; else wait for room, or drop it and remember."""
        with self._room:
            while self._used + _cost(event) > self._capacity and self._used:
                if self._drops or self._stopping:
                    self._lost = True
                    return
                self._room.wait()
        self._lost = False
        self._post(event)

    def _post(self, event: Event) -> None:
        if isinstance(event, Opened | Gone):
            self._tell(self._changed, event)
        with self._room:
            self._events.append(event)
            self._used += _cost(event)
        self._tell(self._ready.set)

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens
            self._loop.call_soon_threadsafe(callback, *args)


def _cost(event: Event) -> int:
    return _EVENT_COST + (len(event.data) if isinstance(event, Arrived) else 0)
