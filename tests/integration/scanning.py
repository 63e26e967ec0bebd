"""What the tests of scanners share: a sink, running a driver, a scanner on a pty."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

from edge.scanners import Read, Scanner

_S = TypeVar("_S", bound=Scanner)

BOUND = 10.0
"""Seconds after which a test gives up; nothing waits for this long when it works."""


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


class Desk:
    """A sink that keeps what it is given, and can be made to hold back."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.open = asyncio.Event()
        self.open.set()

    async def sink(self, read: Read) -> None:
        await self.open.wait()
        self.reads.append(read)

    @property
    def raws(self) -> list[bytes]:
        return [read.raw for read in self.reads]

    async def has(self, count: int) -> list[bytes]:
        await until(lambda: len(self.reads) >= count)
        return self.raws


@contextlib.asynccontextmanager
async def running(scanner: Scanner, desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    """Run a driver for as long as the block lasts; it must not end by itself."""
    task = asyncio.create_task(scanner.run(desk.sink))
    try:
        yield task
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class PtyScanner:
    """A scanner on a serial line, whose plug can be pulled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master: int | None = None

    @property
    def plugged(self) -> bool:
        return self._master is not None

    def plug(self) -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        self._master = master

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        if self._master is not None:
            os.close(self._master)
        self._master = None

    def type(self, data: bytes) -> int:
        assert self._master is not None
        return os.write(self._master, data)

    async def heard(self, count: int) -> bytes:
        """Return what the station has sent, once it is ``count`` bytes."""
        assert self._master is not None
        data = b""
        async with asyncio.timeout(BOUND):
            while len(data) < count:
                try:
                    data += os.read(self._master, 4096)
                except (BlockingIOError, OSError):
                    await asyncio.sleep(0.005)
        return data

    def heard_now(self) -> bytes:
        assert self._master is not None
        try:
            return os.read(self._master, 4096)
        except OSError:
            return b""


@contextlib.contextmanager
def pty_scanner(folder: Path, name: str = "scanner") -> Iterator[PtyScanner]:
    """Have a scanner plugged in at ``folder / name``."""
    scanner = PtyScanner(folder / name)
    scanner.plug()
    try:
        yield scanner
    finally:
        scanner.unplug()


@contextlib.asynccontextmanager
async def connected(
    folder: Path, made: Callable[..., _S], **settings: object
) -> AsyncIterator[tuple[_S, PtyScanner, Desk]]:
    """Have a scanner plugged in, and its driver connected to it."""
    desk = Desk()
    with pty_scanner(folder) as device:
        scanner = made(device.path, **settings)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            yield scanner, device, desk
