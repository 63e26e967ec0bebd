"""Old lines in Parquet files: how fast they go there, what they take, and histories.

`SCANTRAIL_BENCH_ARCHIVED` says how many lines there are (60,000), `_TOGETHER` how many
of them a station sends at once (50).
"""

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import UUID

import asyncpg

from bench.measure import Row, percentile
from bench.work import AT_ONCE, batches
from server.archiving import archive
from server.config import StoreSettings
from server.delivery import Delivery
from server.site import DEFAULT
from server.store import Invitation, Joining, Station, Store, View
from server.store.archive import Archive, archive_at
from server.store.archive_files import ArchiveFile
from server.store.parquet import ROWS
from server.storing import archiving, opened
from shared.chain import start, walk
from shared.data_folders import ARCHIVE, DATABASE
from shared.moments import SECOND
from shared.protocol import ClockReading
from tests.postgres import postgres, why_not

__all__ = ["archived"]

LINES = int(os.environ.get("SCANTRAIL_BENCH_ARCHIVED", "60000"))
STATIONS = 10
TOGETHER = int(os.environ.get("SCANTRAIL_BENCH_TOGETHER", "50"))
READS = 300
_BOOT = "7f3c1d2e-0000-4000-8000-000000000001"
_EVER = 4_000_000_000 * SECOND
_MILLI = 1000.0
_SIZE = """
SELECT sum(pg_total_relation_size(inhrelid)) + pg_total_relation_size('delivery')
FROM pg_inherits WHERE inhparent = 'line'::regclass
"""


def _now() -> int:
    return time.time_ns() // 1000


async def archived(folder: Path) -> list[Row]:
    """Archive everything, on a file and on PostgreSQL, and read it."""
    rows = await _measured("a file", StoreSettings(), folder / "file", _file_size)
    if why_not():
        print(f"not measured: {why_not()}")
        return rows
    with postgres(durable=True) as database:
        url = database.database()

        def size(_: Path) -> float:
            return asyncio.run(_postgres_size(url))

        there = StoreSettings(url=url)
        return rows + await _measured("PostgreSQL", there, folder / "there", size)


async def _measured(
    what: str, settings: StoreSettings, data: Path, size: Callable[[Path], float]
) -> list[Row]:
    await asyncio.to_thread(data.mkdir)
    store = await opened(settings, data, _now, DEFAULT)
    items = await _fill(store)
    before = await _histories(store, items)
    await store.close()
    was = await asyncio.to_thread(size, data)
    made: list[ArchiveFile] = []
    began = time.perf_counter()

    def run() -> None:
        with archiving(settings, data) as kept:
            archive(kept, data / ARCHIVE, _EVER, made.append)

    await asyncio.to_thread(run)
    took = time.perf_counter() - began
    count = sum(file.lines for file in made)
    now = await asyncio.to_thread(size, data)
    store = await opened(settings, data, _now, DEFAULT)
    archive_at.cache_clear()
    after = await _histories(store, items)
    fed = await _fed(store)
    await store.close()
    name = f"archive, {what}"
    return [
        Row(f"{name}: archived", count / took, None, "1/s"),
        Row(f"{name}: in Parquet", sum(f.size for f in made) / count, None, "B/line"),
        Row(f"{name}: room saved", (was - now) / count, was / count, "B/line", "of"),
        Row(
            f"{name}: a history, p50",
            percentile(after, 50),
            percentile(before, 50),
            "ms",
            "in the database",
        ),
        Row(
            f"{name}: a history, p99",
            percentile(after, 99),
            percentile(before, 99),
            "ms",
            "in the database",
        ),
        Row(f"{name}: a row group", _group(data, made), None, "ms"),
        Row(f"{name}: feed", count / fed, None, "1/s"),
    ]


async def _fill(store: Store) -> list[str]:
    """Let stations send a day's work in small pieces; return some of its items."""
    senders = [await _Sender.joined(store, number) for number in range(STATIONS)]
    items: list[str] = []
    for _ in range(LINES // STATIONS // AT_ONCE):
        for sender in senders:
            items += sender.next()
        for _ in range(AT_ONCE // TOGETHER):
            await asyncio.gather(*(sender.send() for sender in senders))
    return random.Random(1).sample(sorted(set(items)), READS)  # noqa: S311 # no secret


class _Sender:
    """A station that sends without HTTP and signatures."""

    def __init__(self, store: Store, number: int) -> None:
        self.store, self.log = store, str(UUID(int=number + 1))
        self._work = batches(number, _now() - 40 * 86_400 * SECOND)
        self._lines: list[bytes] = []
        self._seq, self._head = 0, start(self.log)
        self.station: Station
        self._random = random.Random(number)  # noqa: S311 # no secret

    @classmethod
    async def joined(cls, store: Store, number: int) -> "_Sender":
        found, code = cls(store, number), b"%d" % number
        await store.invite(
            Invitation(
                name=str(number),
                location=None,
                kind="station",
                code_hash=code,
                expires=_EVER,
            )
        )
        found.station = await store.enrol(
            Joining(
                code_hash=code,
                log=found.log,
                token_hash=code,
                public_key=bytes(32),
                version="",
                host="",
            )
        )
        return found

    def next(self) -> list[str]:
        """Do the next piece of work; return what it was done with."""
        batch = next(self._work)
        while len(batch) < AT_ONCE:  # a load is few
            batch += next(self._work)
        self._lines += [line for _, line in batch]
        return [item for item, _ in batch]

    async def send(self) -> None:
        """Send the next lines."""
        lines, self._lines = self._lines[:TOGETHER], self._lines[TOGETHER:]
        heads = walk(self._head, lines)
        delivery = Delivery(
            log=self.log,
            after=self._seq,
            lines=lines,
            heads=heads,
            signature=self._random.randbytes(64),
            clock=ClockReading(
                at=_now(), boot=_BOOT, mono=time.monotonic_ns() // 1000, synced=True
            ),
        )
        await self.store.append(self.station, delivery)
        self._seq, self._head = self._seq + len(lines), heads[-1]


async def _histories(store: Store, items: list[str]) -> list[float]:
    times, view = [], View(at=_EVER, known_at=_EVER)
    for item in items:
        began = time.perf_counter()
        await store.history(item, view)
        times.append((time.perf_counter() - began) * _MILLI)
    return times


async def _fed(store: Store) -> float:
    began, after = time.perf_counter(), 0
    while some := await store.events(after, AT_ONCE):
        after = some[-1].position
    return time.perf_counter() - began


def _group(data: Path, made: list[ArchiveFile]) -> float:
    """Return how long a line takes whose row group nobody has read yet."""
    reader, times = Archive(data / ARCHIVE), []
    for position in range(made[0].first, made[-1].last, ROWS):
        began = time.perf_counter()
        reader.lines(made, [position])
        times.append((time.perf_counter() - began) * _MILLI)
    return percentile(times[1:], 50)  # the first one opens the file


def _file_size(data: Path) -> float:
    with closing(sqlite3.connect(data / DATABASE)) as database:
        database.execute("VACUUM")
    return float((data / DATABASE).stat().st_size)


async def _postgres_size(url: str) -> float:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM FULL line, delivery")
        return float(await connection.fetchval(_SIZE))
    finally:
        await connection.close()
