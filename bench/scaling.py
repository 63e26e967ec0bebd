"""Servers on PostgreSQL under the work of twenty stations, beside bare rows in it.

Everything is flushed to the disk. The limit is COPY into a table of its own and an
INSERT from there, in batches of a thousand, into a bare table with an index on item.
"""

import os
import time
from pathlib import Path

import aiohttp
import asyncpg

from bench.measure import Row, percentile
from bench.peers.scantrail import ingest
from bench.programs import server, servers_on
from bench.work import batches
from tests.postgres import postgres, why_not

__all__ = ["scaling"]

STATIONS = 20
ROUNDS = 5
"""Batches of a thousand lines that each station sends."""
READS = 200
_MILLI = 1000.0

_BARE = """
CREATE TABLE bare (
    log bigint, seq bigint, item text, line bytea, PRIMARY KEY (log, seq)
);
CREATE INDEX ON bare (item);
CREATE TEMPORARY TABLE coming (log bigint, seq bigint, item text, line bytea)
"""
_COLUMNS = ("log", "seq", "item", "line")


async def _bare(url: str) -> float:
    """Return rows a second that a bare table takes, through one connection."""
    works = [batches(number, time.time_ns() // 1000) for number in range(STATIONS)]
    rows = [next(work) for _ in range(ROUNDS) for work in works]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_BARE)
        seq, began = 0, time.perf_counter()
        for batch in rows:
            records = [(1, seq + n, item, data) for n, (item, data) in enumerate(batch)]
            seq += len(batch)
            async with connection.transaction():
                await connection.copy_records_to_table(
                    "coming", columns=_COLUMNS, records=records
                )
                await connection.execute(
                    "INSERT INTO bare SELECT * FROM coming ON CONFLICT DO NOTHING;"
                    " TRUNCATE coming"
                )
        return seq / (time.perf_counter() - began)
    finally:
        await connection.close()


async def _times(url: str) -> list[float]:
    headers = {"Authorization": f"Bearer {os.environ['SCANTRAIL_KEY']}"}
    times = []
    async with aiohttp.ClientSession(url, headers=headers) as session:
        for number in range(READS):
            path = f"/v1/items/P-{number % STATIONS:02}{0:09}{number * 7 % 1_000:03}"
            began = time.perf_counter()
            async with session.get(path) as answer:
                answer.raise_for_status()
                await answer.read()
            times.append((time.perf_counter() - began) * _MILLI)
    return times


async def scaling(folder: Path) -> list[Row]:
    """Ingest of one and of two servers on PostgreSQL, of one on a file, and answers."""
    if why_not():
        print(f"not measured: {why_not()}")
        return []
    with postgres(durable=True) as database:
        async with servers_on(folder, database, 1) as urls:
            one = await ingest(urls, STATIONS, ROUNDS)
            times = await _times(urls[0])
        bare = await _bare(database.database())
        async with servers_on(folder, database, 2) as urls:
            two = await ingest(urls, STATIONS, ROUNDS)
        async with server(folder / "file") as url:
            file = await ingest([url], STATIONS, ROUNDS)
    return [
        Row("ingest on PostgreSQL, one server", one, bare, "1/s", "COPY, INSERT"),
        Row("ingest on PostgreSQL, two servers", two, bare, "1/s", "COPY, INSERT"),
        Row("two servers", two, one, "1/s", "one server"),
        Row("ingest on PostgreSQL, one server", one, file, "1/s", "on a file"),
        Row("an item on PostgreSQL, p50", percentile(times, 50), None, "ms"),
        Row("an item on PostgreSQL, p99", percentile(times, 99), 25, "ms", "goal"),
    ]
