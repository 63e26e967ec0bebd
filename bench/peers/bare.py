"""The limits: bare tables with an index on the item, and nothing else."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import asyncpg

from bench.peers.given import Batch, Given, NotHereError, Taken
from tests.postgres import postgres, why_not

__all__ = ["postgresql", "postgresql_by_four", "sqlite"]

_COLUMNS = ("log", "seq", "item", "line")
_BARE = """
CREATE TABLE bare (
    log bigint, seq bigint, item text, line bytea, PRIMARY KEY (log, seq)
);
CREATE INDEX ON bare (item)
"""
_COMING = """
CREATE TEMPORARY TABLE coming (log bigint, seq bigint, item text, line bytea)
"""
_FROM_THERE = (
    "INSERT INTO bare SELECT * FROM coming ON CONFLICT DO NOTHING; TRUNCATE coming"
)


def _records(batch: Batch) -> list[tuple[int, int, str, bytes]]:
    return [(batch.station, seq, item, data) for seq, item, data in batch.numbered()]


async def sqlite(folder: Path, rows: Given) -> Taken:
    """`executemany` in one transaction a batch, flushed at its end."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as there:
        there.execute("PRAGMA journal_mode = WAL")
        there.execute("PRAGMA synchronous = FULL")
        there.execute(
            "CREATE TABLE line (log INTEGER, seq INTEGER, item TEXT, line BLOB,"
            " PRIMARY KEY (log, seq)) WITHOUT ROWID"
        )
        there.execute("CREATE INDEX line_item ON line (item)")

        def put(batch: Batch) -> None:
            there.execute("BEGIN")
            there.executemany(
                "INSERT INTO line VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                _records(batch),
            )
            there.execute("COMMIT")

        began = time.perf_counter()
        for batch in rows.turns():
            put(batch)
        rate = rows.rows / (time.perf_counter() - began)
        for batch in rows.again.turns():
            put(batch)
        (count,) = there.execute("SELECT count(*) FROM line").fetchone()
    return Taken(rate, count)


async def postgresql(folder: Path, rows: Given) -> Taken:
    """COPY, then INSERT from there, in one transaction a batch, by one connection."""
    return await _postgresql(folder, rows, 1)


async def postgresql_by_four(folder: Path, rows: Given) -> Taken:
    """Do the same by four connections, each with logs of its own."""
    return await _postgresql(folder, rows, 4)


async def _postgresql(_: Path, rows: Given, count: int) -> Taken:
    if why_not():
        raise NotHereError(why_not())
    with postgres(durable=True) as database:
        name = database.database()
        connections = [await asyncpg.connect(name) for _ in range(count)]
        try:
            await connections[0].execute(_BARE)
            for connection in connections:
                await connection.execute(_COMING)
            began = time.perf_counter()
            await _all(connections, rows)
            rate = rows.rows / (time.perf_counter() - began)
            await _all(connections, rows.again)
            there = await connections[0].fetchval("SELECT count(*) FROM bare")
        finally:
            for connection in connections:
                await connection.close()
    return Taken(rate, int(there))


async def _all(connections: "list[asyncpg.Connection]", rows: Given) -> None:
    async def some(number: int) -> None:
        for batch in rows.turns():
            if batch.station % len(connections) == number:
                await _put(connections[number], batch)

    await asyncio.gather(*map(some, range(len(connections))))


async def _put(connection: "asyncpg.Connection", batch: Batch) -> None:
    async with connection.transaction():
        await connection.copy_records_to_table(
            "coming", columns=_COLUMNS, records=_records(batch)
        )
        await connection.execute(_FROM_THERE)
