"""The thread that only reads, over a pipe."""

import asyncio
import contextlib
import errno
import fcntl
import os
import struct
import termios
from collections.abc import Iterator

import pytest

from edge.clock import read_clock
from edge.scanners.intake import Arrived, Gone, Intake, Opened, Silence
from tests.integration.scanning import until


class Pipe:
    """A source whose other end the test holds."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        self.broken: OSError | None = None
        self.sent = b""
        self.closed = False

    def fileno(self) -> int:
        return self.out

    def read(self) -> bytes | None:
        if self.broken is not None:
            raise self.broken
        return os.read(self.out, 4096) or None

    def write(self, data: bytes) -> bool:
        if self.broken is not None:
            raise self.broken
        self.sent += data
        return True

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.out)
    if pipe.into >= 0:
        os.close(pipe.into)


def end(pipe: Pipe) -> None:
    os.close(pipe.into)
    pipe.into = -1


async def test_bytes_arrive_with_their_clock_and_the_end_is_told(pipe: Pipe) -> None:
    async with Intake(lambda: pipe, read_clock) as intake:
        assert isinstance(await intake.get(), Opened)
        os.write(pipe.into, b"P-1\r")
        arrived = await intake.get()
        assert isinstance(arrived, Arrived)
        assert (arrived.data, arrived.lost) == (b"P-1\r", False)
        end(pipe)
        assert await intake.get() == Gone(None)
    assert pipe.closed


async def test_silence_is_told_once_after_bytes_and_not_before(pipe: Pipe) -> None:
    async with Intake(lambda: pipe, read_clock, gap=0.01) as intake:
        assert isinstance(await intake.get(), Opened)
        for _ in range(2):
            os.write(pipe.into, b"P")
            assert isinstance(await intake.get(), Arrived)
            assert isinstance(await intake.get(), Silence)
        end(pipe)
        assert isinstance(await intake.get(), Gone)


async def test_f22_a_device_that_fails_is_closed_and_gone(pipe: Pipe) -> None:
    changes: list[Opened | Gone] = []
    async with Intake(lambda: pipe, read_clock, changed=changes.append) as intake:
        await intake.get()
        pipe.broken = OSError(errno.ENODEV, "gone")
        os.write(pipe.into, b"P")
        assert await intake.get() == Gone(pipe.broken)
        assert pipe.closed
        assert intake.write(b"beep") is False
    assert changes[1:] == [Gone(pipe.broken)]


async def test_what_cannot_be_opened_is_gone() -> None:
    error = OSError(errno.ENOENT, "not there")

    def fail() -> Pipe:
        raise error

    async with Intake(fail, read_clock) as intake:
        assert await intake.get() == Gone(error)
        assert intake.write(b"beep") is False


async def test_an_unexpected_failure_of_the_thread_reaches_who_waits() -> None:
    def fail() -> Pipe:
        raise LookupError

    async with Intake(fail, read_clock) as intake:
        with pytest.raises(LookupError):
            await intake.get()


async def test_a_scan_in_progress_at_the_opening_has_lost_its_head(pipe: Pipe) -> None:
    os.write(pipe.into, b"678\r")
    async with Intake(lambda: pipe, read_clock, settle=5.0) as intake:
        assert isinstance(await intake.get(), Opened)
        arrived = await intake.get()
        assert isinstance(arrived, Arrived)
        assert (arrived.data, arrived.lost) == (b"678\r", True)
        os.write(pipe.into, b"P-1\r")
        arrived = await intake.get()
        assert isinstance(arrived, Arrived)
        assert arrived.lost is False


async def test_f31_a_full_queue_drops_and_says_so(pipe: Pipe) -> None:
    async with Intake(lambda: pipe, read_clock, drops=True, capacity=400) as intake:
        for _ in range(50):
            os.write(pipe.into, b"x" * 40)
            await until(lambda: _is_empty(pipe))
        assert intake._used <= 400
        assert isinstance(await intake.get(), Opened)
        arrived = [await intake.get() for _ in range(3)]
        assert [event.lost for event in arrived if isinstance(event, Arrived)] == [
            False
        ] * 3
        os.write(pipe.into, b"P-1\r")
        await until(lambda: _is_empty(pipe))
        later = await intake.get()
        assert isinstance(later, Arrived)
        assert (later.data, later.lost) == (b"P-1\r", True)


async def test_f31_a_full_queue_holds_the_device_back_and_loses_nothing(
    pipe: Pipe,
) -> None:
    async with Intake(lambda: pipe, read_clock, capacity=5000) as intake:
        os.set_blocking(pipe.into, False)
        written = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                written += os.write(pipe.into, b"0123456789" * 100)
                await asyncio.sleep(0)
        assert intake._used <= 5000
        assert isinstance(await intake.get(), Opened)
        data = b""
        while len(data) < written:
            arrived = await intake.get()
            assert isinstance(arrived, Arrived)
            assert not arrived.lost
            data += arrived.data
        assert data == b"0123456789" * (written // 10)


async def test_leaving_ends_a_thread_that_is_held_back(pipe: Pipe) -> None:
    async with Intake(lambda: pipe, read_clock, capacity=100) as intake:
        await intake.get()
        os.write(pipe.into, b"x" * 4096)
        await until(lambda: intake._used)
        os.write(pipe.into, b"x" * 4096)
        await until(lambda: _is_empty(pipe))
    assert intake._ended.is_set()
    assert pipe.closed


async def test_what_is_written_goes_to_the_device(pipe: Pipe) -> None:
    async with Intake(lambda: pipe, read_clock) as intake:
        await intake.get()
        assert intake.write(b"\x06") is True
    assert pipe.sent == b"\x06"


def _is_empty(pipe: Pipe) -> bool:
    count = fcntl.ioctl(pipe.out, termios.FIONREAD, struct.pack("i", 0))
    return struct.unpack("i", count) == (0,)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_has_died_is_an_error_and_no_silence() -> None:
    """Its driver fails, and is started again: the station mends itself."""

    def dies() -> Pipe:
        raise SystemExit  # threads end by it without a word

    async with Intake(dies, read_clock) as intake:
        with pytest.raises(RuntimeError, match="has ended"):
            await intake.get()
