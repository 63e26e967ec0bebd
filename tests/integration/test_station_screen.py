"""A station at a real terminal: its screen at 40 and 80 columns, and its lines."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from edge.terminal_screen import Size
from tests.integration.scanning import pty_scanner
from tests.unit.test_terminal_screen import Terminal

BOUND = 20.0


def _cli() -> tuple[str, ...]:
    return (str(Path(sys.executable).parent / "scantrail-station"),)


class Tty:
    """A terminal of a size, in which a station runs."""

    def __init__(self, size: Size, term: str) -> None:
        self.ours, self.theirs = pty.openpty()
        self.term = term
        self.seen = b""
        self.resize(size)

    def resize(self, size: Size) -> None:
        packed = struct.pack("HHHH", size.rows, size.columns, 0, 0)
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, packed)
        self.size = size

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND):
            while not holds():
                self.seen += await asyncio.to_thread(os.read, self.ours, 65536)

    def shows(self, text: str) -> bool:
        screen = Terminal(self.size)
        drawn = self.seen.decode("utf-8", "ignore").replace("\r\n", "\n")
        _, opened, drawn = drawn.rpartition("\x1b[2J")
        with contextlib.suppress(AssertionError):  # the rest of a sequence may follow
            screen.write(drawn)
        return bool(opened) and any(text in row for row in screen.rows)


@contextlib.asynccontextmanager
async def station_at(
    tty: Tty, data: Path, *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *_cli(),
        *("run", "--new", "--data", str(data), *arguments),
        stdin=tty.theirs,
        stdout=tty.theirs,
        stderr=tty.theirs,
        env={"PATH": os.environ["PATH"], "TERM": tty.term, "LANG": "C.UTF-8"},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(BOUND):
            while process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 0.05)
                os.set_blocking(tty.ours, False)
                with contextlib.suppress(BlockingIOError):
                    tty.seen += os.read(tty.ours, 65536)


@pytest.mark.parametrize("size", [Size(40, 15), Size(80, 24)])
async def test_a_terminal_shows_the_whole_screen_and_gives_it_back(
    tmp_path: Path, size: Size
) -> None:
    tty = Tty(size, "xterm")
    with pty_scanner(tmp_path) as gun:
        gun.plug()
        arguments = ("--scanner", f"serial:{gun.path}")
        async with station_at(tty, tmp_path / "station", *arguments) as process:
            await tty.until(lambda: tty.shows("Scanner ready"))
            gun.type(b"X-RECEIVE\r")
            await tty.until(lambda: tty.shows("RECEIVE"))
            gun.type(b"P-4711\r")
            await tty.until(lambda: tty.shows("P-4711 received"))
            assert tty.shows("SAVED, WAITING")
            tty.resize(Size(60, 20))
            process.send_signal(signal.SIGWINCH)  # as the kernel does to its session
            await tty.until(
                lambda: tty.seen.count(b"\x1b[2J") > 1 and tty.shows("P-4711 received")
            )
    assert b"\x1b[?25h\x1b[?1049l" in tty.seen


async def test_at_a_dumb_terminal_and_where_codes_are_typed_lines_are_written(
    tmp_path: Path,
) -> None:
    tty = Tty(Size(40, 15), "dumb")
    async with station_at(tty, tmp_path / "station"):
        os.write(tty.ours, b"P-1\n")
        await tty.until(lambda: b"next: item]" in tty.seen)
    seen = tty.seen.partition(b"lines wait")[0]
    assert b"\x1b" not in seen
    lines = seen.decode().replace("\r", "").split("\n")
    assert [line for line in lines if len(line) > 40] == []
