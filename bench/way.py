"""The way of a scan: scan to saved, saved to acknowledged, and a backlog's draining."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from bench.measure import Row, percentile
from bench.programs import server, station
from edge.capture import Capture
from edge.clock import read_clock
from edge.feedback import Feedback
from edge.outbox import Outbox
from edge.scanners import Read, Tone
from edge.sync import Sync, SyncStatus
from edge.uplink import Uplink
from edge.workflow import Rules
from shared.lines import Line, encode
from shared.moments import to_text

__all__ = ["bare_database", "drain", "insert", "saved", "to_acknowledged"]

SCANS = 400
ROUNDS = 5
BACKLOG = 20_000
BATCH = 1_000
_MILLI = 1000.0


def bare_database(path: Path) -> sqlite3.Connection:
    """Open a bare database with the product's durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE line (log TEXT, seq INTEGER, item TEXT, line BLOB,"
        " PRIMARY KEY (log, seq)) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX line_item ON line (item)")
    return connection


def _draft(number: int) -> Line:
    clock = read_clock()
    return Line(
        seq=0,
        at=to_text(clock.at),
        boot=clock.boot,
        mono=clock.mono,
        synced=clock.synced,
        action="receive",
        item=f"P-{number:06}",
        location="DOCK-1",
        raw=f"P-{number:06}",
        device="bench",
    )


class _Silent:
    """A scanner that is told, and says nothing."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def confirm(self, read: Read, tone: Tone) -> None:
        del read, tone
        self.told.set()


async def _scan(capture: Capture, silent: _Silent, count: int) -> list[float]:
    deliver, times = capture.sink(silent), []
    for number in range(count):
        silent.told.clear()
        began = perf_counter()
        clock = read_clock()
        await deliver(Read(raw=b"P-%06d" % number, device="bench", clock=clock))
        await silent.told.wait()
        times.append((perf_counter() - began) * _MILLI)
    return times


def insert(connection: sqlite3.Connection, start: int, count: int) -> list[float]:
    """Insert lines one by one; return how long each took, in milliseconds."""
    times = []
    for number in range(start, start + count):
        data = encode(_draft(number))
        began = perf_counter()
        connection.execute(
            "INSERT INTO line VALUES ('bench', ?, NULL, ?)", (number, data)
        )
        times.append((perf_counter() - began) * _MILLI)
    return times


async def saved(folder: Path) -> list[Row]:
    """Scan to saved, as the scanner is told, beside a bare insert."""
    bare = bare_database(folder / "bare.db")
    outbox = await Outbox.open(folder / "outbox.db")
    shown: list[Feedback] = []
    capture = Capture(outbox, Rules(location="DOCK-1"), show=shown.append)
    running = asyncio.create_task(capture.run())
    ours: list[float] = []
    limit: list[float] = []
    for _ in range(ROUNDS):
        limit += insert(bare, len(limit), SCANS)
        ours += await _scan(capture, _Silent(), SCANS)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await outbox.close()
    bare.close()
    beside = "a bare sqlite3 insert, WAL, FULL"
    return [
        Row(
            f"scan to saved, p{percent}",
            percentile(ours, percent),
            percentile(limit, percent),
            "ms",
            beside,
        )
        for percent in (50, 99)
    ]


async def to_acknowledged(folder: Path) -> list[Row]:
    """Saved to acknowledged by a server process on this machine, one scan at a time."""
    async with server(folder / "server") as url:
        outbox = await Outbox.open(folder / "station" / "outbox.db")
        me = await station(url, folder / "station", outbox)
        times = []
        async with Uplink(me) as link:
            acked = asyncio.Event()
            sync = Sync(outbox, link)
            sync.observe(_when(lambda status: status.waiting == 0, acked))
            running = asyncio.create_task(sync.run())
            for number in range(SCANS):
                await outbox.append([_draft(number)])
                acked.clear()
                began = perf_counter()
                await acked.wait()
                times.append((perf_counter() - began) * _MILLI)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await outbox.close()
    return [
        Row(f"saved to acknowledged, p{p}", percentile(times, p), None, "ms")
        for p in (50, 99)
    ]


def _when(
    holds: Callable[[SyncStatus], bool], event: asyncio.Event
) -> Callable[[SyncStatus], None]:
    def observe(status: SyncStatus) -> None:
        if holds(status):
            event.set()

    return observe


async def drain(folder: Path) -> list[Row]:
    """Lines a second through one connection, resolved and durable."""
    async with server(folder / "server") as url:
        outbox = await Outbox.open(folder / "station" / "outbox.db")
        me = await station(url, folder / "station", outbox)
        for start in range(0, BACKLOG, BATCH):
            await outbox.append([_draft(n) for n in range(start, start + BATCH)])
        async with Uplink(me) as link:
            done = asyncio.Event()
            sync = Sync(outbox, link)
            sync.observe(_when(lambda status: status.waiting == 0, done))
            began = perf_counter()
            running = asyncio.create_task(sync.run())
            await done.wait()
            ours = BACKLOG / (perf_counter() - began)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await outbox.close()
    bare = bare_database(folder / "bare.db")
    lines = [(n, f"P-{n:06}", encode(_draft(n))) for n in range(BACKLOG)]
    began = perf_counter()
    for start in range(0, BACKLOG, BATCH):
        bare.execute("BEGIN")
        bare.executemany(
            "INSERT INTO line VALUES ('bench', ?, ?, ?)", lines[start : start + BATCH]
        )
        bare.execute("COMMIT")
    limit = BACKLOG / (perf_counter() - began)
    bare.close()
    beside = f"executemany of {BATCH} rows, index on item, same durability"
    return [Row("lines through HTTP, one station", ours, limit, "1/s", beside)]
