"""Scantrail itself: the same rows, signed, over HTTP, resolved."""

import asyncio
import json
import os
import sys
from pathlib import Path

from bench.peers.given import Given, NotHereError, Taken
from bench.programs import server, servers_on
from bench.work import AT_ONCE
from tests.postgres import postgres, why_not

__all__ = ["ingest", "on_file", "on_postgresql"]


async def ingest(
    urls: list[str], stations: int, rounds: int, size: int = AT_ONCE
) -> float:
    """Return lines a second, through stations that share the servers.

    Each sends so many rounds of ``size`` lines.
    """
    each = stations // len(urls)
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.stations", url, os.environ["SCANTRAIL_KEY"]),
            *map(str, (each, rounds, number * each, size)),
            stdout=asyncio.subprocess.PIPE,
        )
        for number, url in enumerate(urls)
    ]
    told = [json.loads((await one.communicate())[0]) for one in processes]
    longest = max(one["seconds"] for one in told)
    return float(sum(one["lines"] for one in told) / longest)


async def on_file(folder: Path, rows: Given) -> Taken:
    """One server on SQLite."""
    async with server(folder / "file") as url:
        return Taken(await ingest([url], len(rows.stations), len(rows.stations[0])))


async def on_postgresql(folder: Path, rows: Given) -> Taken:
    """One server on PostgreSQL."""
    if why_not():
        raise NotHereError(why_not())
    with postgres(durable=True) as database:
        async with servers_on(folder, database, 1) as urls:
            return Taken(await ingest(urls, len(rows.stations), len(rows.stations[0])))
