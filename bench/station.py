"""A station as a whole: scan to feedback, start to first saved scan, and its memory."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.measure import Row, percentile
from bench.programs import server, station
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
AT_ONCE = 500  # scans that are in the pipe together
GS1_EVERY = 10  # scans, of which one is a GS1 label
KIOSK = 18_091  # the screen's port
GOAL = 60.0  # MiB of a station
_MILLI = 1000.0
_MIB = 1024.0
READY = 1.0  # seconds until a station takes its first scan, as a goal
_BESIDE = ("sqlite3", "aiohttp", "aiohttp, aiosqlite, cryptography, msgspec")
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


async def _imported(libraries: str) -> float:
    """Return how long the interpreter takes to import libraries, in seconds."""
    began = perf_counter()
    command = (sys.executable, "-c", f"import {libraries}")
    process = await asyncio.create_subprocess_exec(*command)
    await process.wait()
    return perf_counter() - began


async def first_scan(folder: Path) -> list[Row]:
    """Start a station, until its first scan is saved; the same folder each time."""
    ours, limits = list[float](), [list[float]() for _ in _BESIDE]
    for number in range(STARTS):
        for found, libraries in zip(limits, _BESIDE, strict=True):
            found.append(await _imported(libraries))
        began = perf_counter()
        async with _program(folder / "station") as process:
            await _scanned(process, [f"P-{number}"])
            ours.append(perf_counter() - began)
    what, took = "start to first saved scan", median(ours)
    return [
        Row(what, took, READY, "s", "the goal"),
        *(
            Row(what, took, median(found), "s", f"the interpreter, importing {names}")
            for found, names in zip(limits, _BESIDE, strict=True)
        ),
    ]


def _resident(process: asyncio.subprocess.Process) -> float:
    """Return the resident memory of a process, in MiB: proc_pid_status(5)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / _MIB
    return 0.0


def _code(number: int) -> str:
    """Return one of many labels: our own, and a GS1 label now and then."""
    if number % GS1_EVERY:
        return f"P-{number:06}"
    return f"]C1010952123454321321{number:06}"


async def _joined(url: str, data: Path) -> None:
    """Make a station that has joined a server, and has a screen."""
    outbox = await Outbox.open(data / OUTBOX)
    await station(url, data, outbox)
    await outbox.close()
    (data / "station.toml").write_text(f"[display]\nkiosk = {KIOSK}\n")


async def memory(folder: Path) -> list[Row]:
    """Scan for a long time, and look at how large the station has become.

    It has joined a server, which takes every line, and serves a screen.
    """
    data, sizes = folder / "station", dict[int, float]()
    async with server(folder / "server") as url:
        await _joined(url, data)
        async with _program(data) as process:
            await _scanned(process, ["X-RECEIVE"])
            sizes[0] = _resident(process)
            for at in range(0, MANY, AT_ONCE):
                await _scanned(process, [_code(at + n) for n in range(AT_ONCE)])
                sizes[at + AT_ONCE] = _resident(process)
    return [
        Row("memory after a start", sizes[0], GOAL, "MiB", "the goal"),
        Row(f"memory after {MANY:,} scans", sizes[MANY], GOAL, "MiB", "the goal"),
        Row(
            f"the same, to after {FEW:,}",
            sizes[MANY],
            sizes[FEW],
            "MiB",
            f"the same station after {FEW:,}: it does not grow",
        ),
        Row("the most in between", max(sizes.values()), GOAL, "MiB", "the goal"),
    ]
