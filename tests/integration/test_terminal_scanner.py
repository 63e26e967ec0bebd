"""Scans from standard input: a pipe, a file, a terminal, /dev/null."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from edge.clock import read_clock
from edge.scanners import Tone
from edge.scanners.terminal import TerminalScanner, TerminalSettings
from tests.integration.scanning import BOUND, Desk, running, until


def scanner_of(fd: int, **fields: int) -> TerminalScanner:
    return TerminalScanner(TerminalSettings(**fields), read_clock, fd=fd)  # type: ignore[arg-type]


async def deliver_all(scanner: TerminalScanner) -> Desk:
    desk = Desk()
    async with asyncio.timeout(BOUND):
        await scanner.run(desk.sink)
    return desk


def opened(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


async def lines_of(path: Path, data: bytes) -> Desk:
    fd = opened(path, data)
    try:
        return await deliver_all(scanner_of(fd))
    finally:
        os.close(fd)


async def test_a_file_is_read_to_its_end_line_by_line(tmp_path: Path) -> None:
    desk = await lines_of(tmp_path / "scans", b"P-1\n]C1\n\nP-2\r\nP-3")
    assert desk.raws == [b"P-1", b"]C1", b"", b"P-2", b"P-3"]
    assert [r.unterminated for r in desk.reads] == [False] * 4 + [True]
    assert not any(r.damaged for r in desk.reads)
    assert {r.device for r in desk.reads} == {"terminal"}


async def test_f25_bytes_that_are_no_text_are_kept(tmp_path: Path) -> None:
    hostile = bytes(byte for byte in range(256) if byte != 0x0A) + "é😀\u202e".encode()
    desk = await lines_of(tmp_path / "scans", hostile + b"\n")
    assert desk.raws == [hostile]


async def test_f25_a_line_too_long_is_damaged_and_the_next_is_not(
    tmp_path: Path,
) -> None:
    desk = await lines_of(tmp_path / "scans", b"x" * 100_000 + b"\nP-1\n")
    assert [(r.raw, r.damaged) for r in desk.reads] == [
        (b"x" * 8192, True),
        (b"P-1", False),
    ]


async def test_nothing_to_read_ends_at_once() -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    try:
        scanner = scanner_of(fd)
        assert (await deliver_all(scanner)).reads == []
        assert not scanner.health.connected
        assert scanner.health.problem == "standard input has ended"
    finally:
        os.close(fd)


async def test_a_pipe_is_read_as_it_is_written_and_does_not_block_the_loop() -> None:
    out, into = os.pipe()
    desk, scanner = Desk(), scanner_of(out)
    try:
        async with running(scanner, desk) as task:
            await until(lambda: scanner.health.connected)
            os.write(into, b"P-1\nP-")
            assert await desk.has(1) == [b"P-1"]
            os.write(into, b"2\n")
            assert await desk.has(2) == [b"P-1", b"P-2"]
            os.close(into)
            async with asyncio.timeout(BOUND):
                await task
    finally:
        os.close(out)
    assert scanner.health.reads == 2


async def test_a_pipe_that_was_made_non_blocking_is_waited_for() -> None:
    out, into = os.pipe()
    os.set_blocking(out, False)
    desk, scanner = Desk(), scanner_of(out)
    async with running(scanner, desk):
        os.write(into, b"P-1\n")
        await desk.has(1)
    os.close(into)
    os.close(out)


async def test_a_terminal_gives_a_line_at_each_enter_and_survives_cancelling() -> None:
    master, slave = os.openpty()
    desk, scanner = Desk(), scanner_of(slave)
    async with running(scanner, desk):
        os.write(master, b"P-1\r")
        assert await desk.has(1) == [b"P-1"]
        await scanner.confirm(desk.reads[0], Tone.GOOD)
    os.fstat(slave)  # standard input stays open
    os.close(master)
    os.close(slave)


async def test_f31_a_station_that_is_busy_holds_the_pipe_back_and_loses_nothing(
    tmp_path: Path,
) -> None:
    codes = [f"P-{index:07}".encode() for index in range(20_000)]
    desk = await lines_of(tmp_path / "scans", b"\n".join(codes) + b"\n")
    assert desk.raws == codes


async def test_a_program_without_standard_input_reads_nothing_else_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "__stdin__", None)
    scanner = TerminalScanner(TerminalSettings(), read_clock)
    assert (await deliver_all(scanner)).reads == []
    assert "Bad file descriptor" in scanner.health.problem


async def test_a_failing_station_is_seen_by_who_runs_the_driver(tmp_path: Path) -> None:
    async def failing(_: object) -> None:
        raise LookupError

    fd = opened(tmp_path / "scans", b"P-1\n")
    try:
        with pytest.raises(LookupError):
            await scanner_of(fd).run(failing)
    finally:
        os.close(fd)
