"""A station as a whole: scan to feedback, start to first saved scan, and its memory."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter

from bench.measure import Row, percentile
from bench.way import bare_database, insert
from edge.clock import read_clock
from edge.config import Config
from edge.health import OUTBOX
from edge.outbox import Outbox
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.settings import TerminalSettings
from edge.station import Setup, Station
from edge.terminal_display import Style, TerminalDisplay
from edge.terminal_screen import Size, TerminalScreen
from edge.texts import read_texts

__all__ = ["feedback", "first_scan", "memory"]

SCANS = 400
ROUNDS = 5
STARTS = 5
FEW = 10_000
MANY = 100_000
_MILLI = 1000.0
_MIB = 1024.0
_COMMAND = (str(Path(sys.executable).parent / "scantrail-station"), "run", "--data")


class _Gun:
    """A scanner that scans again as soon as it was told, and takes the time of it."""

    def __init__(self) -> None:
        self.health = ScannerHealth(device="gun", connected=True)
        self.times: list[float] = []
        self.round = asyncio.Event()
        self.done = asyncio.Event()
        self._told = asyncio.Event()

    async def run(self, sink: Sink) -> None:
        """Scan a round whenever one is asked for."""
        number = 0
        while True:
            await self.round.wait()
            self.round.clear()
            for _ in range(SCANS):
                number += 1
                self._told.clear()
                began = perf_counter()
                raw = b"P-%06d" % number
                await sink(Read(raw=raw, device="gun", clock=read_clock()))
                await self._told.wait()
                self.times.append((perf_counter() - began) * _MILLI)
            self.done.set()

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Take it that the operator knows now: the displays were told before."""
        del read, tone
        self._told.set()


async def feedback(folder: Path) -> list[Row]:
    """Scan to feedback in a whole station, with lines and a screen drawn of each."""
    texts, bare = read_texts("en"), bare_database(folder / "bare.db")
    outbox, gun, stop = await Outbox.open(folder / OUTBOX), _Gun(), asyncio.Event()
    with os.fdopen(os.open(os.devnull, os.O_WRONLY), "w") as nowhere:
        lines = TerminalDisplay(nowhere, Style(), texts)
        screen = TerminalScreen(nowhere, Style(), texts, lambda: Size(80, 24))
        setup = Setup(
            data=folder,
            config=Config(),
            scanners=(TerminalSettings(),),
            drain=False,
            version="bench",
            texts=texts,
            show=lines.show,
            say=lines.say,
            look=screen.show,
        )
        running = asyncio.create_task(Station(setup, outbox, None, [gun]).run(stop))
        limit: list[float] = []
        for _ in range(ROUNDS):
            limit += insert(bare, len(limit), SCANS)
            gun.done.clear()
            gun.round.set()
            await gun.done.wait()
        stop.set()
        await running
    await outbox.close()
    bare.close()
    return [
        Row(
            f"scan to feedback, p{percent}",
            percentile(gun.times, percent),
            percentile(limit, percent),
            "ms",
            "a bare sqlite3 insert, WAL, FULL",
        )
        for percent in (50, 99)
    ]


@asynccontextmanager
async def _program(data: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a station that takes its scans from a pipe."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        str(data),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _scanned(process: asyncio.subprocess.Process, codes: list[str]) -> None:
    """Scan codes, and read what became of each."""
    if process.stdin is None or process.stdout is None:
        reason = "the station has no pipes"
        raise RuntimeError(reason)
    process.stdin.write("".join(f"{code}\n" for code in codes).encode())
    for _ in codes:
        if not await process.stdout.readline():
            reason = "the station has ended"
            raise RuntimeError(reason)


async def _interpreter() -> float:
    """Return how long the interpreter takes with no more than what a station needs."""
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import aiohttp, aiosqlite, cryptography, msgspec"
    )
    await process.wait()
    return perf_counter() - began


async def first_scan(folder: Path) -> list[Row]:
    """Start a station, until its first scan is saved; the same folder each time."""
    ours, limit = [], []
    for number in range(STARTS):
        limit.append(await _interpreter())
        began = perf_counter()
        async with _program(folder / "station") as process:
            await _scanned(process, [f"P-{number}"])
            ours.append(perf_counter() - began)
    beside = "the interpreter, importing the libraries"
    middle = STARTS // 2
    return [
        Row(
            "start to first saved scan",
            sorted(ours)[middle],
            sorted(limit)[middle],
            "s",
            beside,
        )
    ]


def _resident(process: asyncio.subprocess.Process) -> float:
    """Return the resident memory of a process, in MiB: proc_pid_status(5)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _MIB
    return 0.0


async def memory(folder: Path) -> list[Row]:
    """Scan for a long time, and look at how large the station has become."""
    sizes, at = {}, 0
    async with _program(folder / "station") as process:
        await _scanned(process, ["X-RECEIVE"])
        while at < MANY:
            await _scanned(process, [f"P-{at + n:06}" for n in range(500)])
            at += 500
            if at in (FEW, MANY):
                sizes[at] = _resident(process)
        await _scanned(process, ["]C100340123450000000018"])
        with_gs1 = _resident(process)
    return [
        Row(f"memory after {FEW:,} scans", sizes[FEW], 60.0, "MiB", "the goal"),
        Row(
            f"memory after {MANY:,} scans",
            sizes[MANY],
            sizes[FEW],
            "MiB",
            f"the same station after {FEW:,}",
        ),
        Row("memory once GS1 labels are read", with_gs1, 60.0, "MiB", "the goal"),
    ]
