"""Scanners on serial ports, on pseudo-terminals: closing the master pulls the plug."""

import asyncio
import errno
import fcntl
import os
import termios
from functools import partial
from pathlib import Path

import pytest
import serial

from edge.clock import read_clock
from edge.scanners import Read, Tone, serial_port
from edge.scanners.port_settings import FramingSettings, SerialSettings
from edge.scanners.serial_scanner import SerialScanner
from tests.integration.scanning import Desk, connected, pty_scanner, running, until


def scanner_at(path: Path, **fields: object) -> SerialScanner:
    settings = SerialSettings(port=str(path), **fields)  # type: ignore[arg-type]
    return SerialScanner(settings, read_clock)


async def test_codes_are_delivered_as_they_were_sent(tmp_path: Path) -> None:
    plugged = connected(tmp_path, scanner_at, name="dock")
    async with plugged as (scanner, device, desk):
        device.type(b"]C100340123450000000018\r\nP-1\x1d\xff\x00\x1b\r\n")
        await desk.has(2)
    assert desk.raws == [b"]C100340123450000000018", b"P-1\x1d\xff\x00\x1b"]
    assert {read.device for read in desk.reads} == {"dock"}
    assert not any(read.damaged or read.unterminated for read in desk.reads)
    assert (scanner.health.reads, scanner.health.damaged) == (2, 0)
    assert scanner.health.last_read == desk.reads[-1].clock.at


async def test_f24_bytes_one_by_one_and_a_code_without_terminator(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path, scanner_at) as (_, device, desk):
        for byte in b"P-1\r":
            device.type(bytes([byte]))
            await asyncio.sleep(0)
        await desk.has(1)
        device.type(b"P-2")
        await desk.has(2)
    assert [(r.raw, r.unterminated, r.damaged) for r in desk.reads] == [
        (b"P-1", False, False),
        (b"P-2", True, True),
    ]


async def test_f22_unplugged_in_mid_frame_is_recorded_and_the_scanner_comes_back(
    tmp_path: Path,
) -> None:
    desk = Desk()
    naps: set[float] = set()

    async def nap(seconds: float) -> None:
        naps.add(seconds)
        await asyncio.sleep(0.01)

    with pty_scanner(tmp_path) as device:
        framing = FramingSettings(idle_gap_ms=60_000)
        settings = SerialSettings(port=str(device.path), framing=framing)
        scanner = SerialScanner(settings, read_clock, sleep=nap)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            device.type(b"P-1\rP-23")
            await desk.has(1)
            device.unplug()
            await until(lambda: not scanner.health.connected)
            assert scanner.health.problem
            await until(lambda: "plug the scanner in" in scanner.health.problem)
            device.plug()
            await until(lambda: scanner.health.connected)
            assert scanner.health.problem == ""
            device.type(b"P-3\r")
            await desk.has(3)
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"P-1", False),
        (b"P-23", True),
        (b"P-3", False),
    ]
    assert (scanner.health.reconnects, scanner.health.damaged) == (1, 1)
    assert max(naps) <= 1.0  # so that it is back within 2 s


async def test_f22_missing_is_told_at_once_even_while_the_station_is_busy(
    tmp_path: Path,
) -> None:
    desk = Desk()
    desk.open.clear()
    with pty_scanner(tmp_path) as device:
        scanner = scanner_at(device.path)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            device.type(b"P-1\rP-2\r")
            await until(lambda: scanner.health.reads == 1)
            device.unplug()
            await until(lambda: not scanner.health.connected)
            assert desk.reads == []
            desk.open.set()
            assert await desk.has(2) == [b"P-1", b"P-2"]


async def test_the_port_is_closed_at_once_when_the_scanner_has_gone(
    tmp_path: Path,
) -> None:
    desk = Desk()
    with pty_scanner(tmp_path) as device:
        port = str(device.path.readlink())
        scanner = scanner_at(device.path)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            assert port in _open_files()
            device.unplug()
            await until(lambda: "plug the scanner in" in scanner.health.problem)
            assert not any(port in name for name in _open_files())


def _open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    names = []
    for entry in folder.iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:
            continue  # the descriptor of this very listing
    return names


async def test_a_port_that_another_program_holds_is_waited_for(tmp_path: Path) -> None:
    desk = Desk()
    with pty_scanner(tmp_path) as device:
        other = os.open(device.path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(other, fcntl.LOCK_EX)
        scanner = scanner_at(device.path)
        async with running(scanner, desk):
            await until(lambda: f"(pid {os.getpid()})" in scanner.health.problem)
            assert not scanner.health.connected
            os.close(other)
            await until(lambda: scanner.health.connected)


async def test_the_port_is_held_for_this_program_alone(tmp_path: Path) -> None:
    with pty_scanner(tmp_path) as device:
        first, second = scanner_at(device.path), scanner_at(device.path)
        async with running(first, Desk()):
            await until(lambda: first.health.connected)
            async with running(second, Desk()):
                await until(lambda: f"(pid {os.getpid()})" in second.health.problem)


async def test_f23_two_scanners_at_once_never_mix(tmp_path: Path) -> None:
    desk = Desk()
    with pty_scanner(tmp_path, "a") as left, pty_scanner(tmp_path, "b") as right:
        one, other = scanner_at(left.path, name="a"), scanner_at(right.path, name="b")
        async with running(one, desk), running(other, desk):
            await until(lambda: one.health.connected and other.health.connected)
            for index in range(50):
                code = f"{index:04}".encode()
                for byte in zip(
                    b"A-" + code + b"\r", b"B-" + code + b"\r", strict=True
                ):
                    left.type(bytes(byte[:1]))
                    right.type(bytes(byte[1:]))
                await asyncio.sleep(0)
            await desk.has(100)
    for name in "ab":
        mine = [read for read in desk.reads if read.device == name]
        assert [r.raw for r in mine] == [
            f"{name.upper()}-{index:04}".encode() for index in range(50)
        ]
        assert not any(read.damaged for read in mine)


async def test_f25_long_and_hostile_codes_are_kept_byte_by_byte(tmp_path: Path) -> None:
    hostile = bytes(byte for byte in range(256) if byte not in b"\r\n")
    long = b"9" * 4500
    async with connected(tmp_path, scanner_at) as (_, device, desk):
        data = hostile + b"\r" + long + b"\r"
        while data:
            try:
                data = data[device.type(data[:512]) :]
            except BlockingIOError:
                await asyncio.sleep(0.001)
        await desk.has(2)
    assert desk.raws == [hostile, long]
    assert not any(read.damaged for read in desk.reads)


async def test_f27_the_same_code_twice_is_two_reads_where_nothing_is_resent(
    tmp_path: Path,
) -> None:
    async with connected(tmp_path, scanner_at) as (scanner, device, desk):
        device.type(b"P-1\rP-1\r")
        assert await desk.has(2) == [b"P-1", b"P-1"]
    assert scanner.health.repeats == 0


async def test_f31_a_stuck_trigger_loses_nothing_where_flow_control_holds_it_back(
    tmp_path: Path,
) -> None:
    desk = Desk()
    codes = [f"P-{index:06}".encode() for index in range(3000)]
    with pty_scanner(tmp_path) as device:
        # held back by the station, not by a pause of the scanner
        patient = FramingSettings(idle_gap_ms=60_000)
        scanner = scanner_at(device.path, flow="rts-cts", framing=patient)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            data = b"".join(code + b"\r" for code in codes)
            while data:
                try:
                    data = data[device.type(data[:4096]) :]
                except BlockingIOError:
                    await asyncio.sleep(0.001)
            await desk.has(len(codes))
    assert desk.raws == codes
    assert scanner.health.damaged == 0


async def test_the_scanner_beeps_only_after_the_commit(tmp_path: Path) -> None:
    plugged = connected(tmp_path, scanner_at, profile="honeywell-host-ack")
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\r")
        await desk.has(1)
        assert device.heard_now() == b""
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        assert await device.heard(3) == b"\x1b7,"
        await scanner.confirm(desk.reads[0], Tone.ERROR)
        assert await device.heard(3) == b"\x1b8,"


async def test_a_resend_is_the_same_read_and_is_answered_again(tmp_path: Path) -> None:
    plugged = connected(
        tmp_path, scanner_at, profile="ack-nak", resend_window_ms=60_000
    )
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\r")
        await desk.has(1)
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        assert await device.heard(1) == b"\x06"
        device.type(b"P-1\r")
        assert await device.heard(1) == b"\x06"
        device.type(b"P-2\r")
        await desk.has(2)
    assert desk.raws == [b"P-1", b"P-2"]
    assert scanner.health.repeats == 1


async def test_a_resend_before_the_commit_waits_for_the_one_answer(
    tmp_path: Path,
) -> None:
    plugged = connected(
        tmp_path, scanner_at, profile="ack-nak", resend_window_ms=60_000
    )
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\rP-1\r")
        await until(lambda: scanner.health.repeats == 1)
        assert (desk.raws, device.heard_now()) == ([b"P-1"], b"")
        await scanner.confirm(desk.reads[0], Tone.GOOD)
        assert await device.heard(1) == b"\x06"


async def test_a_scanner_that_repeats_what_is_refused_is_not_answered_for_ever(
    tmp_path: Path,
) -> None:
    plugged = connected(
        tmp_path, scanner_at, profile="ack-nak", resend_window_ms=60_000
    )
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\r")
        await desk.has(1)
        await scanner.confirm(desk.reads[0], Tone.ERROR)
        for _ in range(10):
            device.type(b"P-1\r")
        await until(lambda: scanner.health.repeats == 10)
        assert await device.heard(4) == b"\x15" * 4
        assert device.heard_now() == b""


async def test_an_answer_never_blocks_and_never_fails(tmp_path: Path) -> None:
    plugged = connected(tmp_path, scanner_at, profile="honeywell-host-ack")
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\r")
        await desk.has(1)
        for _ in range(20_000):  # the scanner does not read; the port is full
            await scanner.confirm(desk.reads[0], Tone.GOOD)
        device.type(b"P-2\r")
        assert await desk.has(2) == [b"P-1", b"P-2"]
        device.unplug()
        await until(lambda: not scanner.health.connected)
        await scanner.confirm(desk.reads[0], Tone.GOOD)
    await scanner.confirm(desk.reads[0], Tone.GOOD)


async def test_what_came_before_the_unplugging_is_not_answered_after_the_return(
    tmp_path: Path,
) -> None:
    plugged = connected(tmp_path, scanner_at, profile="bel")
    async with plugged as (scanner, device, desk):
        device.type(b"P-1\r")
        await desk.has(1)
        device.unplug()
        await until(lambda: not scanner.health.connected)
        device.plug()
        await until(lambda: scanner.health.connected)
        await scanner.confirm(desk.reads[0], Tone.ERROR)
        device.type(b"P-2\r")
        await desk.has(2)
        await scanner.confirm(desk.reads[1], Tone.GOOD)
        assert await device.heard(1) == b"\x07"


async def test_stopping_lets_go_of_the_port(tmp_path: Path) -> None:
    with pty_scanner(tmp_path) as device:
        for _ in range(3):
            scanner = scanner_at(device.path)
            health = scanner.health
            async with running(scanner, Desk()):
                await until(partial(getattr, health, "connected"))
            port = str(device.path.readlink())
            assert not any(port in name for name in _open_files())


async def test_a_failing_station_is_seen_by_who_runs_the_driver(tmp_path: Path) -> None:
    async def failing(_: Read) -> None:
        raise LookupError

    with pty_scanner(tmp_path) as device:
        scanner = scanner_at(device.path)
        task = asyncio.create_task(scanner.run(failing))
        await until(lambda: scanner.health.connected)
        device.type(b"P-1\r")
        with pytest.raises(LookupError):
            await task


@pytest.mark.parametrize(
    "error",
    [
        serial.SerialException("device reports readiness to read but returned no data"),
        OSError(errno.EIO, "Input/output error"),
        termios.error(errno.EIO, "Input/output error"),
    ],
)
async def test_f22_all_three_ways_in_which_a_port_vanishes_mean_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    desk = Desk()
    raised: list[Exception] = []

    def vanish(_port: serial.Serial, _size: int = 1) -> bytes:
        raised.append(error)
        raise error

    with pty_scanner(tmp_path) as device:
        scanner = scanner_at(device.path)
        async with running(scanner, desk):
            await until(lambda: scanner.health.connected)
            with monkeypatch.context() as patch:
                patch.setattr(serial.Serial, "read", vanish)
                device.type(b"P-1\r")
                await until(lambda: not scanner.health.connected)
            await until(lambda: scanner.health.connected)
            device.type(b"P-2\r")
            assert await desk.has(1) == [b"P-2"]
    assert raised == [error]
    assert scanner.health.reconnects == 1


class Line:
    """A serial line whose noise the test makes, as the kernel would mark it."""

    def __init__(self, waiting: bytes = b"") -> None:
        self._out, self._into = os.pipe()
        self.type(waiting)

    def type(self, data: bytes) -> None:
        os.write(self._into, data)

    def fileno(self) -> int:
        return self._out

    def read(self) -> bytes:
        return os.read(self._out, 4096)

    def write(self, _data: bytes) -> bool:
        return True

    def close(self) -> None:
        os.close(self._out)
        os.close(self._into)


async def test_f30_parity_errors_and_breaks_damage_the_code_that_they_fall_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, line = Desk(), Line()
    monkeypatch.setattr(serial_port, "open_port", lambda _: line)
    scanner = scanner_at(Path("/dev/ttyS9"))
    async with running(scanner, desk):
        await until(lambda: scanner.health.connected)
        line.type(b"P-\xff\x00\x912\rP-\xff\xff2\rP-3\xff\x00\x00\r")
        await desk.has(3)
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"P-\x912", True),
        (b"P-\xff2", False),
        (b"P-3\x00", True),
    ]
    assert scanner.health.damaged == 2


async def test_f22_the_rest_of_a_scan_that_was_under_way_at_the_opening_is_damaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk, line = Desk(), Line(b"678\rP-1\r")
    monkeypatch.setattr(serial_port, "open_port", lambda _: line)
    scanner = scanner_at(Path("/dev/ttyS9"))
    async with running(scanner, desk):
        await desk.has(2)
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"678", True),
        (b"P-1", False),
    ]
