"""A day of thousands of stations against real servers, on both databases.

`SCANTRAIL_BENCH_STATIONS` says how many there are (2,000 on a file, 1,000 on
PostgreSQL), `SCANTRAIL_BENCH_BACKLOG` how many scans each does while its site is cut
off (60), `SCANTRAIL_BENCH_EVERY` how many seconds lie between two scans of a station
at work (5).
"""

import asyncio
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from bench.crowd import Task, Told
from bench.measure import Row, percentile
from bench.programs import most_memory, server, servers_on
from bench.shifts import PEAK, POSTS, STORM
from bench.simulated import Habits
from tests.postgres import postgres, why_not

__all__ = ["day"]

ON_FILE = int(os.environ.get("SCANTRAIL_BENCH_STATIONS", "2000"))
ON_POSTGRES = int(os.environ.get("SCANTRAIL_BENCH_STATIONS", "1000"))
BACKLOG = int(os.environ.get("SCANTRAIL_BENCH_BACKLOG", "60"))
EVERY = float(os.environ.get("SCANTRAIL_BENCH_EVERY", "5"))
EACH = 5_000
"""Stations of one process of them, at most."""
UNHEARD = 2.0
"""Of a hundred requests, those whose answer is lost."""
_BUSY, _LATE = 0.8, 100.0
"""From this part of a processor and from these milliseconds on, figures are wrong."""
_SOON = 1.0

_COUNT = (
    "SELECT count(*) FROM line JOIN log ON log.id = line.log"
    " JOIN station ON station.id = log.station WHERE station.name LIKE 'bench-%'"
)


class _Stations:
    """The processes in which the stations live."""

    def __init__(self, urls: list[str], count: int) -> None:
        self._urls, self._count = urls, count
        self._processes: list[asyncio.subprocess.Process] = []

    async def live(self) -> list[Told]:
        """Let them join, and live their day at the same time."""
        try:
            for first in range(0, self._count, EACH):
                await self._begin(first, min(EACH, self._count - first))
            for process in self._processes:
                await _line(process)
            begins = f"{time.time() + _SOON}\n".encode()
            outs = [process.communicate(begins) for process in self._processes]
            return [
                msgspec.json.decode(out, type=Told)
                for out, _ in await asyncio.gather(*outs)
            ]
        finally:
            for process in self._processes:
                if process.returncode is None:
                    process.kill()

    async def _begin(self, first: int, count: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.crowd"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**30,
        )
        self._processes.append(process)
        task = Task(
            urls=self._urls,
            key=os.environ["SCANTRAIL_KEY"],
            first=first,
            stations=count,
            habits=Habits(backlog=BACKLOG, every=EVERY, unheard=UNHEARD),
        )
        if process.stdin is not None:
            process.stdin.write(msgspec.json.encode(task) + b"\n")


async def _line(process: asyncio.subprocess.Process) -> bytes:
    """Wait for a line that a process prints."""
    said = await process.stdout.readline() if process.stdout else b""
    if not said:
        reason = "the stations ended before their day began"
        raise RuntimeError(reason)
    return said


def _rows(all_told: Sequence[Told], there: int, memory: float) -> list[Row]:
    """Return the figures of a day, and complain of what must not be."""
    written = sum(told.written for told in all_told)
    differ = sum(told.differ for told in all_told)
    if differ or there != written:
        reason = (
            f"{written} lines were acknowledged, {there} are there; "
            f"{differ} logs have another head than their stations"
        )
        raise RuntimeError(reason)
    storm = [ms for told in all_told for ms in told.took[STORM]]
    peak = [ms for told in all_told for ms in told.took[PEAK]]
    lasted = max(told.lasted for told in all_told)
    brought = sum(told.brought for told in all_told)
    gone = all(told.gone for told in all_told)
    return [
        Row("at the peak", sum(told.peak for told in all_told), None, "1/s"),
        Row("a scan, p50", percentile(peak, 50), None, "ms"),
        Row("a scan, p99", percentile(peak, 99), None, "ms"),
        Row("in the storm", brought / lasted, None, "1/s"),
        Row("a scan in the storm, p50", percentile(storm, 50), None, "ms"),
        Row("a scan in the storm, p99", percentile(storm, 99), None, "ms"),
        Row("backlog gone after" if gone else "backlog NOT gone in", lasted, None, "s"),
        Row("there exactly once", there, written, "lines"),
        Row("most memory", memory, None, "MB"),
    ]


def _named(where: str, count: int, rows: list[Row]) -> list[Row]:
    """Say of each figure where it was measured, and with what."""
    what = f"{count:,} stations, {BACKLOG} scans each, one in {EVERY:g} s"
    return [row._replace(what=f"{where}: {row.what}", beside=what) for row in rows]


def _say(where: str, count: int, all_told: Sequence[Told], seconds: float) -> None:
    """Tell what is no figure: refusals, and whether the stations were the limit."""
    refused = sum((Counter(told.refused) for told in all_told), Counter[str]())
    unheard = sum(told.unheard for told in all_told)
    busy, late = max(t.busy for t in all_told), max(t.late for t in all_told)
    print(
        f"{where}: {count:,} stations of {count // POSTS} sites, "
        f"{seconds:.0f} s with joining; {unheard} answers lost; refused: "
        f"{dict(refused) or 0}; the stations took {busy:.0%} of a processor, "
        f"and were late by {late:.0f} ms (p99)"
    )
    if busy > _BUSY:
        print(f"{where}: THE STATIONS WERE THE LIMIT, the server may be faster")
    if late > _LATE:
        print(f"{where}: the stations waited for a processor, times are too long")


async def _day(where: str, urls: list[str], count: int) -> list[Told]:
    began = time.perf_counter()
    told = await _Stations(urls, count).live()
    _say(where, count, told, time.perf_counter() - began)
    return told


async def day(folder: Path) -> list[Row]:
    """A day on SQLite, and on PostgreSQL with one and two servers."""
    many = folder / "file.toml"
    many.write_text("connections = 20000\n")  # nothing else runs
    async with server(folder / "file", many) as url:
        told = await _day("SQLite", [url], ON_FILE)
        most = most_memory("scantrail-server")
    with closing(sqlite3.connect(folder / "file" / "scantrail.db")) as connection:
        (there,) = connection.execute(_COUNT).fetchone()
    rows = _named("SQLite", ON_FILE, _rows(told, there, most))
    if why_not():
        print(f"not measured: {why_not()}")
        return rows
    with postgres(durable=True) as database:
        for count, name in ((1, "PostgreSQL"), (2, "PostgreSQL, two servers")):
            async with servers_on(folder, database, count) as urls:
                told = await _day(name, urls, ON_POSTGRES)
                most = most_memory("scantrail-server")
            there = int(database.tell(f"test_{count}", _COUNT))
            rows += _named(name, ON_POSTGRES, _rows(told, there, most))
    return rows
