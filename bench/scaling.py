"""Servers on PostgreSQL under the work of twenty stations, beside bare rows in it.

Everything is flushed to the disk. The limits are COPY into a table of its own and an
INSERT from there, in batches of a thousand, into a bare table: with an index on the
item, and with one for each thing by which items are listed.
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
from shared.lines import decode
from tests.postgres import postgres, why_not

__all__ = ["scaling"]

STATIONS = 20
ROUNDS = 5
"""Batches of a thousand lines that each station sends."""
ALONE, SCANS = 200, 30
"""Stations that send each scan alone, and how many each of them."""
READS = 200
_MILLI = 1000.0

_ITEM = ("item",)
_LISTS = ("item", "action", "location", "operator", "container")
"""What a bare table has an index for."""


async def _bare(url: str, indexed: tuple[str, ...]) -> float:
    """Return rows a second that a bare table takes, through one connection."""
    works = [batches(number, time.time_ns() // 1000) for number in range(STATIONS)]
    rows = [
        [(*_values(data, indexed), data) for _, data in next(work)]
        for _ in range(ROUNDS)
        for work in works
    ]
    columns = f"log bigint, seq bigint, {' text, '.join(indexed)} text, line bytea"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            f"CREATE TABLE bare ({columns}, PRIMARY KEY (log, seq));"
            f" CREATE TEMPORARY TABLE coming ({columns})"
        )
        for column in indexed:
            await connection.execute(f"CREATE INDEX ON bare ({column}, seq)")
        seq, began = 0, time.perf_counter()
        for batch in rows:
            records = [(1, number, *row) for number, row in enumerate(batch, seq)]
            seq += len(batch)
            async with connection.transaction():
                await connection.copy_records_to_table("coming", records=records)
                await connection.execute(
                    "INSERT INTO bare SELECT * FROM coming ON CONFLICT DO NOTHING;"
                    " TRUNCATE coming"
                )
        return seq / (time.perf_counter() - began)
    finally:
        await connection.close()


def _values(data: bytes, names: tuple[str, ...]) -> list[str | None]:
    line = decode(data)
    return [getattr(line, name) for name in names]


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
            alone = await ingest(urls, ALONE, SCANS, 1)
        bare = await _bare(database.database(), _ITEM)
        listed = await _bare(database.database(), _LISTS)
        async with servers_on(folder, database, 2) as urls:
            two = await ingest(urls, STATIONS, ROUNDS)
        config = folder / "file.toml"
        config.write_text("requests_per_second = 0\nconnections = 20000\n")
        async with server(folder / "file", config) as url:
            file = await ingest([url], STATIONS, ROUNDS)
            file_alone = await ingest([url], ALONE, SCANS, 1)
    return [
        Row("ingest on PostgreSQL, one server", one, bare, "1/s", "COPY, INSERT"),
        Row("ingest on PostgreSQL, two servers", two, bare, "1/s", "COPY, INSERT"),
        Row("with indexes, one server", one, listed, "1/s", "the same, five indexes"),
        Row("with indexes, two servers", two, listed, "1/s", "the same, five indexes"),
        Row("two servers", two, one, "1/s", "one server"),
        Row("ingest on PostgreSQL, one server", one, file, "1/s", "on a file"),
        Row("scans alone, one server", alone, file_alone, "1/s", "on a file"),
        Row("an item on PostgreSQL, p50", percentile(times, 50), None, "ms"),
        Row("an item on PostgreSQL, p99", percentile(times, 99), 25, "ms", "goal"),
    ]
