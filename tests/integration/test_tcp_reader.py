"""Network readers: a small one of our own, that we connect to, or that connects."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from edge.clock import read_clock
from edge.scanners import Read, Tone
from edge.scanners.port_settings import FramingSettings
from edge.scanners.reader_settings import ListenSettings, TcpSettings
from edge.scanners.tcp_reader import ListenScanner, TcpScanner
from tests.integration.scanning import BOUND, Desk, running, until

HOST = "127.0.0.1"


class Reader:
    """A reader that listens for its host."""

    def __init__(self) -> None:
        self.port = 0
        self.hosts: list[asyncio.StreamWriter] = []
        self.heard = b""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._met, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _met(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.hosts.append(writer)
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                self.heard += data

    def hang_up(self) -> None:
        for host in self.hosts:
            host.transport.abort()
        self.hosts.clear()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.hang_up()
        await asyncio.sleep(0)

    def say(self, data: bytes) -> None:
        self.hosts[-1].write(data)


@contextlib.asynccontextmanager
async def reader_there() -> AsyncIterator[Reader]:
    reader = Reader()
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


async def soon(_seconds: float) -> None:
    await asyncio.sleep(0.005)


def scanner_of(port: int, **fields: object) -> TcpScanner:
    settings = TcpSettings(host=HOST, port=port, **fields)  # type: ignore[arg-type]
    return TcpScanner(settings, read_clock, sleep=soon)


@contextlib.asynccontextmanager
async def connected(
    desk: Desk, **fields: object
) -> AsyncIterator[tuple[Reader, TcpScanner]]:
    async with reader_there() as reader:
        scanner = scanner_of(reader.port, **fields)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected and reader.hosts)
            yield reader, scanner


async def test_codes_of_a_reader_that_we_connect_to() -> None:
    desk = Desk()
    async with connected(desk, name="tunnel") as (reader, scanner):
        reader.say(b"P-1\r\nP-\x1d2\xff\r\n")
        assert await desk.has(2) == [b"P-1", b"P-\x1d2\xff"]
        assert {read.device for read in desk.reads} == {"tunnel"}
        assert scanner.health.problem == ""


async def test_f24_a_code_in_many_segments_and_one_without_terminator() -> None:
    desk = Desk()
    framing = FramingSettings(idle_gap_ms=50)
    async with connected(desk, framing=framing) as (reader, _):
        for byte in b"P-1\r\n":
            reader.say(bytes([byte]))
            await asyncio.sleep(0)
        await desk.has(1)
        reader.say(b"P-2")
        await desk.has(2)
    assert [(r.raw, r.unterminated) for r in desk.reads] == [
        (b"P-1", False),
        (b"P-2", True),
    ]


async def test_no_reads_are_counted_and_heartbeats_say_nothing() -> None:
    desk = Desk()
    async with connected(
        desk, no_read=("NOREAD", "?"), heartbeat=("HB",), same_code_ms=0
    ) as (reader, scanner):
        reader.say(b"NOREAD\rHB\r?\rHB\rP-1\r")
        assert await desk.has(1) == [b"P-1"]
        assert (scanner.health.no_reads, scanner.health.reads) == (2, 1)


async def test_several_codes_of_one_trigger_are_reads_in_order() -> None:
    desk = Desk()
    async with connected(desk, separator=";") as (reader, scanner):
        reader.say(b"P-1;NOREAD;P-2;;P-3\r")
        assert await desk.has(3) == [b"P-1", b"P-2", b"P-3"]
        assert len({read.clock.mono for read in desk.reads}) == 1
        assert scanner.health.no_reads == 1


async def test_f27_the_same_code_in_view_many_times_is_one_read_with_its_count() -> (
    None
):
    desk = Desk()
    async with connected(desk, same_code_ms=60_000) as (reader, scanner):
        reader.say(b"P-1\rP-2\rP-1\rP-1\rP-3\r")
        assert await desk.has(3) == [b"P-1", b"P-2", b"P-3"]
        assert scanner.health.repeats == 2
        seen = scanner.sightings.of(scanner.health.device, b"P-1")
        assert seen is not None
        assert seen.count == 3


async def test_f25_damaged_reads_are_never_taken_for_the_same_code() -> None:
    desk = Desk()
    framing = FramingSettings(max_length=16)
    async with connected(desk, framing=framing) as (reader, scanner):
        reader.say((b"x" * 20 + b"\r") * 2)
        await desk.has(2)
        assert scanner.health.repeats == 0
    assert [(r.raw, r.damaged) for r in desk.reads] == [(b"x" * 16, True)] * 2


async def test_f27_without_a_window_each_time_is_a_read() -> None:
    desk = Desk()
    async with connected(desk, same_code_ms=0) as (reader, _):
        reader.say(b"P-1\rP-1\r")
        assert await desk.has(2) == [b"P-1", b"P-1"]


async def test_f22_cut_in_mid_frame_is_recorded_and_the_reader_comes_back() -> None:
    desk = Desk()
    async with connected(desk) as (reader, scanner):
        reader.say(b"P-1\rP-23")
        await desk.has(1)
        await asyncio.sleep(0.01)
        reader.hosts[-1].close()
        await desk.has(2)
        await until(lambda: scanner.health.reconnects == 1)
        await until(lambda: len(reader.hosts) == 2)
        reader.say(b"P-3\r")
        await desk.has(3)
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"P-1", False),
        (b"P-23", True),
        (b"P-3", False),
    ]


async def test_a_reader_that_is_away_is_waited_for_with_growing_pauses() -> None:
    async with reader_there() as gone:
        port = gone.port
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    desk = Desk()
    settings = TcpSettings(host=HOST, port=port, retry_limit_s=4)
    scanner = TcpScanner(settings, read_clock, sleep=nap, chance=lambda: 1.0)
    async with running(scanner, desk):
        await until(lambda: len(naps) >= 6)
        assert "check the reader's power" in scanner.health.problem
        assert not scanner.health.connected
        reader = Reader()
        reader.port = port
        await reader.start()
        await until(lambda: scanner.health.connected and reader.hosts)
        reader.say(b"P-1\r")
        await desk.has(1)
        before = len(naps)
        reader.hang_up()
        await until(lambda: len(naps) > before)
        assert naps[:6] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
        assert naps[before] == 0.5
        await reader.stop()


async def test_a_host_name_that_is_none_is_a_problem_not_a_failure() -> None:
    scanner = TcpScanner(
        TcpSettings(host="a" * 70 + ".invalid", port=1), read_clock, sleep=soon
    )
    async with running(scanner, Desk()):
        await until(lambda: scanner.health.problem)
        assert "check the reader" in scanner.health.problem


async def test_a_reader_that_falls_silent_is_connected_to_anew() -> None:
    desk = Desk()
    async with connected(desk, idle_timeout_s=1, heartbeat=("HB",)) as (
        reader,
        scanner,
    ):
        reader.say(b"HB\r")
        await until(lambda: scanner.health.reconnects >= 1)
        await until(lambda: scanner.health.connected)
    assert desk.reads == []


async def test_the_reader_is_answered_after_the_commit() -> None:
    desk = Desk()
    async with connected(desk, profile="ack-nak") as (reader, scanner):
        reader.say(b"P-1\r")
        await desk.has(1)
        assert reader.heard == b""
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        await until(lambda: reader.heard == b"\x06")
        reader.hang_up()
        await until(lambda: scanner.health.reconnects == 1)
    await scanner.confirm(desk.reads[0], Tone.GOOD)


async def test_a_reader_that_sends_again_is_answered_again() -> None:
    desk = Desk()
    async with connected(desk, profile="ack-nak") as (reader, scanner):
        reader.say(b"P-1\r")
        await desk.has(1)
        reader.say(b"P-1\r")
        await until(lambda: scanner.health.repeats == 1)
        assert reader.heard == b""
        await scanner.confirm(desk.reads[0], Tone.ERROR)
        reader.say(b"P-1\r")
        await until(lambda: reader.heard == b"\x15\x15")
    assert desk.raws == [b"P-1"]


async def test_f31_a_busy_station_holds_the_reader_back_and_loses_nothing() -> None:
    desk = Desk()
    desk.open.clear()
    codes = [f"P-{index:08}".encode() for index in range(60_000)]
    async with connected(desk) as (reader, scanner):
        data = b"\r".join(codes) + b"\r"
        reader.say(data)
        host = reader.hosts[-1].transport
        await until(lambda: scanner.health.reads == 1)
        (wire,) = scanner._wires.values()
        await until(lambda: wire._transport and not wire._transport.is_reading())
        assert wire._held < 500_000
        assert host.get_write_buffer_size() < len(data)
        desk.open.set()
        await until(lambda: len(desk.reads) == len(codes))
    assert desk.raws == codes
    assert scanner.health.damaged == 0


async def test_a_code_that_waits_for_a_busy_station_keeps_the_time_of_its_arrival() -> (
    None
):
    desk = Desk()
    framing = FramingSettings(idle_gap_ms=10)
    async with connected(desk, framing=framing) as (reader, scanner):
        desk.open.clear()
        reader.say(b"P-1\rP-")
        await until(lambda: scanner.health.reads == 1)
        reader.say(b"2\r")
        await asyncio.sleep(0.05)
        opened = read_clock().mono
        desk.open.set()
        await desk.has(2)
    assert desk.raws == [b"P-1", b"P-2"]
    assert desk.reads[1].clock.mono < opened
    assert not desk.reads[1].unterminated


async def test_f23_two_readers_at_once_never_mix() -> None:
    desk = Desk()
    async with (
        connected(desk, name="a") as (left, _),
        connected(desk, name="b") as (right, _),
    ):
        for index in range(50):
            for one, other in zip(
                f"A-{index:03}\r".encode(), f"B-{index:03}\r".encode(), strict=True
            ):
                left.say(bytes([one]))
                right.say(bytes([other]))
                await asyncio.sleep(0)
        await desk.has(100)
    for name in "ab":
        assert [read.raw for read in desk.reads if read.device == name] == [
            f"{name.upper()}-{index:03}".encode() for index in range(50)
        ]


# --- readers that connect to us


def listener(**fields: object) -> ListenScanner:
    settings = ListenSettings(host=HOST, port=0, **fields)  # type: ignore[arg-type]
    return ListenScanner(settings, read_clock, sleep=soon)


@contextlib.asynccontextmanager
async def listening(desk: Desk, **fields: object) -> AsyncIterator[ListenScanner]:
    scanner = listener(**fields)
    async with running(scanner, desk):
        await until(lambda: scanner.port)
        yield scanner


@contextlib.asynccontextmanager
async def calling(
    scanner: ListenScanner, source: str = HOST
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(
        HOST, scanner.port, local_addr=(source, 0)
    )
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Wait until the other side has ended a connection; say whether in silence."""
    async with asyncio.timeout(BOUND):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


async def test_readers_connect_to_us_and_each_keeps_its_name() -> None:
    desk = Desk()
    async with (
        listening(desk, name="gate") as scanner,
        calling(scanner) as (_, one),
        calling(scanner, "127.0.0.2") as (_, other),
    ):
        one.write(b"P-1\r")
        await desk.has(1)
        other.write(b"P-1\r")
        await desk.has(2)
        assert [(r.device, r.raw) for r in desk.reads] == [
            ("gate@127.0.0.1", b"P-1"),
            ("gate@127.0.0.2", b"P-1"),
        ]
        assert scanner.health.connected


async def test_each_reader_that_connects_is_answered_on_its_own_connection() -> None:
    desk = Desk()
    async with (
        listening(desk, name="gate", profile="ack-nak") as scanner,
        calling(scanner) as (one, one_out),
        calling(scanner, "127.0.0.2") as (other, other_out),
        asyncio.timeout(BOUND),
    ):
        one_out.write(b"P-1\r")
        await desk.has(1)
        other_out.write(b"P-2\r")
        await desk.has(2)
        await scanner.confirm(desk.reads[1], Tone.ERROR)
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        assert await one.read(1) == b"\x06"
        assert await other.read(1) == b"\x15"


async def test_an_address_that_is_not_allowed_is_refused_and_told() -> None:
    desk = Desk()
    async with (
        listening(desk, allow=("127.0.0.2",)) as scanner,
        calling(scanner) as (reader, writer),
    ):
        writer.write(b"P-1\r")
        assert await ended(reader)
        assert scanner.refused == 1
        assert "127.0.0.1 was refused" in scanner.health.problem
        async with calling(scanner, "127.0.0.2") as (_, allowed):
            allowed.write(b"P-2\r")
            assert await desk.has(1) == [b"P-2"]
        await until(lambda: not scanner.health.connected)


async def test_f31_connections_are_bounded_and_the_others_are_not_affected() -> None:
    desk = Desk()
    async with (
        listening(desk, max_connections=1) as scanner,
        calling(scanner) as (_, first),
    ):
        first.write(b"P-1\r")
        await desk.has(1)
        async with calling(scanner) as (reader, _):
            assert await ended(reader)
        assert scanner.refused == 1
        first.write(b"P-2\r")
        assert await desk.has(2) == [b"P-1", b"P-2"]
        assert scanner.health.connected


async def test_f22_a_reader_that_hangs_up_in_mid_frame_is_recorded_as_damaged() -> None:
    desk = Desk()
    async with listening(desk) as scanner:
        async with calling(scanner) as (_, writer):
            writer.write(b"P-12")
            await writer.drain()
        await desk.has(1)
        await until(lambda: not scanner.health.connected)
        assert "no reader is connected" in scanner.health.problem
        async with calling(scanner) as (_, writer):
            writer.write(b"P-3\r")
            await desk.has(2)
            assert scanner.health.reconnects == 1
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"P-12", True),
        (b"P-3", False),
    ]


async def test_a_port_that_is_taken_is_waited_for() -> None:
    async with reader_there() as other:
        settings = ListenSettings(host=HOST, port=other.port)
        scanner = ListenScanner(settings, read_clock, sleep=soon)
        async with running(scanner, Desk()):
            await until(lambda: "cannot listen" in scanner.health.problem)
            await other.stop()
            await until(lambda: "no reader is connected" in scanner.health.problem)


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


async def test_a_failing_station_is_seen_by_who_runs_the_driver() -> None:
    async def failing(_: Read) -> None:
        raise LookupError

    scanner = listener()
    task = asyncio.create_task(scanner.run(failing))
    await until(lambda: scanner.port)
    async with calling(scanner) as (_, writer):
        writer.write(b"P-1\r")
        with pytest.raises(ExceptionGroup) as caught:
            await task
    assert [type(error) for error in leaves(caught.value)] == [LookupError]
