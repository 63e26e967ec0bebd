"""The server under the work of twenty stations, and with much in it already.

`SCANTRAIL_BENCH_EVENTS` says how many lines are there before it is measured (100,000),
`SCANTRAIL_BENCH_DATA` names a folder in which they are kept for the next time; what is
measured is a copy of them.
"""

import asyncio
import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import aiohttp

from bench.measure import Row, percentile
from bench.peers.scantrail import ingest
from bench.programs import most_memory, server
from bench.work import batches
from server.delivery import Delivery
from server.site import DEFAULT
from server.store import Invitation, Joining, Station
from server.store.rebuild import note
from server.store.sqlite import SqliteStore
from shared.chain import start, walk
from shared.lines import Line, encode
from shared.moments import SECOND, to_text

__all__ = ["anew", "engine", "filler"]

EVENTS = int(os.environ.get("SCANTRAIL_BENCH_EVENTS", "100000"))
STATIONS = 20
ROUNDS = 7
"""Batches of a thousand lines that each station sends."""
READS = 400
AT_LOCATION = 5_000
HISTORY = 50
_MILLI = 1000.0
_DAY = 86_400 * SECOND
_SHELF, _WANDERER = "BENCH-SHELF", "P-BENCH-WANDERER"


def _now() -> int:
    return time.time_ns() // 1000


# --- what is there before -------------------------------------------------------------


class Filler:
    """Writes lines through the store, without HTTP and signatures."""

    def __init__(self, store: SqliteStore, station: Station, log: str) -> None:
        self._store, self._station, self._log = store, station, log
        self._seq, self._head = 0, start(log)

    async def append(self, lines: list[bytes]) -> None:
        """Write lines behind those before."""
        heads = walk(self._head, lines)
        delivery = Delivery(
            log=self._log,
            after=self._seq,
            lines=lines,
            heads=heads,
            signature=b"",
            clock=None,
        )
        await self._store.append(self._station, delivery)
        self._seq, self._head = self._seq + len(lines), heads[-1]


async def filler(store: SqliteStore, number: int) -> Filler:
    """Let a station of a number join, without HTTP."""
    log, secret = str(UUID(int=number + 1)), b"fill-%d" % number
    await store.invite(
        Invitation(
            name=f"fill-{number}",
            location=None,
            kind="station",
            code_hash=secret,
            expires=_now() + _DAY,
        )
    )
    joined = await store.enrol(
        Joining(
            code_hash=secret,
            log=log,
            token_hash=secret,
            public_key=b"",
            version="",
            host="",
        )
    )
    return Filler(store, joined, log)


async def fill(path: Path, events: int) -> None:
    """Write a history of so many events, a full shelf, and an item with fifty scans."""
    store = await SqliteStore.open(path, _now)
    try:
        fillers = [await filler(store, number) for number in range(STATIONS + 1)]
        await _corner(fillers[STATIONS])
        begun = _now() - 30 * _DAY
        works = [batches(number, begun) for number in range(STATIONS)]
        for _ in range(max(1, events // STATIONS // 1_000)):
            await asyncio.gather(
                *(
                    filler.append([data for _, data in next(work)])
                    for filler, work in zip(fillers, works, strict=False)
                )
            )
    finally:
        await store.close()


async def _corner(filler: Filler) -> None:
    at = _now() - 40 * _DAY
    told = [("store", f"P-BENCH-{n:05}", _SHELF) for n in range(AT_LOCATION)]
    told += [("see", _WANDERER, f"BENCH-{n % 3}") for n in range(HISTORY)]
    lines = [
        encode(
            Line(
                seq=seq,
                at=to_text(at + seq * SECOND),
                action=action,
                item=item,
                location=place,
            )
        )
        for seq, (action, item, place) in enumerate(told, 1)
    ]
    await filler.append(lines)


@asynccontextmanager
async def _filled(folder: Path) -> AsyncIterator[Path]:
    kept = os.environ.get("SCANTRAIL_BENCH_DATA")
    data = Path(kept or folder) / f"events-{EVENTS}"
    if not (data / "scantrail.db").exists():  # nothing else runs yet
        data.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        await fill(data / "scantrail.db", EVENTS)
        seconds = time.perf_counter() - began
        print(f"filled with {EVENTS:,} lines in {seconds:.0f} s")
    yield data if kept is None else await asyncio.to_thread(_copied, data, folder)


def _copied(data: Path, folder: Path) -> Path:
    """Copy what is kept for the next time, which is not to grow."""
    copy = folder / "copy"
    shutil.copytree(data, copy)
    with closing(sqlite3.connect(copy / "scantrail.db")) as connection:
        # what is measured is not how a server makes answers anew by newer rules
        note(connection, DEFAULT)
        connection.commit()
    return copy


# --- measures -------------------------------------------------------------------------


def _bare(path: Path, shuffled: bool) -> float:  # noqa: FBT001 # one of two limits
    """Return rows a second that a bare table with an index on item takes."""
    works = [batches(number, _now()) for number in range(STATIONS)]
    rows = [next(work) for _ in range(ROUNDS) for work in works]
    names = [item for batch in rows for item, _ in batch]
    mixed = random.Random(1).sample(names, len(names))  # noqa: S311 # no secret
    other = dict(zip(names, mixed if shuffled else names, strict=True))
    seq, seconds = 0, 0.0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE line (log INTEGER, seq INTEGER, item TEXT, line BLOB,"
            " PRIMARY KEY (log, seq)) WITHOUT ROWID"
        )
        connection.execute("CREATE INDEX line_item ON line (item)")
        for batch in rows:
            given = [(1, seq + n, other[i], data) for n, (i, data) in enumerate(batch)]
            seq += len(batch)
            began = time.perf_counter()
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO line VALUES (?, ?, ?, ?)", given)
            connection.execute("COMMIT")
            seconds += time.perf_counter() - began
    return seq / seconds


async def _times(url: str, path: Callable[[int], str], count: int) -> list[float]:
    """Ask again and again, and return how long each answer took, in milliseconds."""
    headers = {"Authorization": f"Bearer {os.environ['SCANTRAIL_KEY']}"}
    times = []
    async with aiohttp.ClientSession(url, headers=headers) as session:
        for number in range(count):
            began = time.perf_counter()
            async with session.get(path(number)) as answer:
                answer.raise_for_status()
                await answer.read()
            times.append((time.perf_counter() - began) * _MILLI)
    return times


def _parcel(number: int) -> str:
    """Name one of the first parcels of the history."""
    return f"/v1/items/P-{number % STATIONS:02}{0:09}{number * 7 % 1_000:03}"


async def _everything_at(url: str) -> list[float]:
    return [
        sum(await _pages(url, f"/v1/locations/{_SHELF}/items?limit=1000"))
        for _ in range(9)
    ]


async def _pages(url: str, path: str) -> list[float]:
    """Read a list to its end, and return how long each page took, in milliseconds."""
    headers = {"Authorization": f"Bearer {os.environ['SCANTRAIL_KEY']}"}
    times: list[float] = []
    more: str | None = ""
    async with aiohttp.ClientSession(url, headers=headers) as session:
        while more is not None:
            began = time.perf_counter()
            async with session.get(path + more) as answer:
                body = await answer.read()
            times.append((time.perf_counter() - began) * _MILLI)
            cursor = json.loads(body)["cursor"]
            more = None if cursor is None else f"&cursor={quote(cursor)}"
    return times


async def _rebuilt(data: Path) -> float:
    """Return lines a second when all answers are made anew."""
    path = data / "scantrail.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = '' WHERE name = 'layout'")
        connection.commit()
        (lines,) = connection.execute("SELECT max(position) FROM line").fetchone()
    began = time.perf_counter()
    store = await SqliteStore.open(path, _now)
    seconds = time.perf_counter() - began
    await store.close()
    return float(lines) / seconds


async def engine(folder: Path) -> list[Row]:
    """Ingest, answers, lists, histories and memory, of one server."""
    there = f"{EVENTS:,} there"
    rows: list[Row] = []
    async with _filled(folder) as data:
        async with server(data) as url:
            quiet = await _times(url, _parcel, READS)
            limits = (_bare(folder / "bare.db", False), _bare(folder / "mix.db", True))  # noqa: FBT003
            asking = asyncio.create_task(_times(url, _parcel, READS))
            rate = await ingest([url], STATIONS, ROUNDS)
            busy = await asking
            shelf = await _everything_at(url)
            wander = await _times(url, lambda _: f"/v1/items/{_WANDERER}/events", 50)
            memory = most_memory("scantrail-server")
        rows += [
            Row(f"ingest, 20 stations, {there}", rate, limits[0], "1/s", "executemany"),
            Row(f"ingest, {there}", rate, limits[1], "1/s", "the same, items mixed"),
            Row(f"an item, p50, {there}", percentile(quiet, 50), None, "ms"),
            Row(f"an item, p99, {there}", percentile(quiet, 99), 5, "ms", "goal"),
            Row(
                "the same while it ingests, p99", percentile(busy, 99), 25, "ms", "goal"
            ),
            Row("5,000 items at a place", percentile(shelf, 50), 50, "ms", "goal"),
            Row("history of 50 events", percentile(wander, 50), 10, "ms", "goal"),
            Row("most memory of the server", memory, 500, "MB", "goal"),
        ]
    return rows


async def anew(folder: Path) -> list[Row]:
    """Making all answers anew from the lines."""
    async with _filled(folder) as data:
        rate = await _rebuilt(data)
    return [Row(f"making anew, {EVENTS:,} there", rate, 200_000, "1/s", "goal")]
