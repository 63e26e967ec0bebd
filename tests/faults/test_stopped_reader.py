"""A station that is stopped in the middle of a code, and goes on later."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.scanning import BOUND, pty_scanner, until

GAP = 0.4
PROGRAM = """
import asyncio, sys
from edge.clock import read_clock
from edge.scanners.port_settings import FramingSettings, SerialSettings
from edge.scanners.serial_scanner import SerialScanner

async def main():
    framing = FramingSettings(idle_gap_ms=int(sys.argv[2]))
    settings = SerialSettings(port=sys.argv[1], framing=framing)
    scanner = SerialScanner(settings, read_clock)
    async def sink(read):
        print(read.raw.decode(), read.damaged, read.unterminated, flush=True)
    task = asyncio.create_task(scanner.run(sink))
    while not scanner.health.connected:
        await asyncio.sleep(0.01)
    print("connected", flush=True)
    await task

asyncio.run(main())
"""


def is_stopped(pid: int) -> bool:
    return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text(encoding="ascii")


async def line(station: subprocess.Popen[bytes]) -> str:
    """Return the next line that a program prints."""
    assert station.stdout is not None
    async with asyncio.timeout(BOUND):
        text = await asyncio.to_thread(station.stdout.readline)
    return text.decode().strip()


async def test_f24_a_station_that_was_stopped_in_mid_frame_does_not_split_the_code(
    tmp_path: Path,
) -> None:
    with pty_scanner(tmp_path) as device:
        arguments = [str(device.path), str(round(GAP * 1000))]
        station = subprocess.Popen(  # noqa: ASYNC220 - its start is not waited for
            [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE
        )
        try:
            assert await line(station) == "connected"
            device.type(b"P-1")
            await asyncio.sleep(GAP / 8)  # so that it has begun to read it
            os.kill(station.pid, signal.SIGSTOP)
            await until(lambda: is_stopped(station.pid))
            stopped = time.monotonic()
            device.type(b"23")
            await asyncio.sleep(2 * GAP)  # the fault: silence while nobody looks
            device.type(b"4\r")
            assert time.monotonic() - stopped > GAP
            os.kill(station.pid, signal.SIGCONT)
            assert await line(station) == "P-1234 False False"
        finally:
            station.kill()
            station.communicate()
