"""Redis streams: a stream for each log, the position in it as the entry's id."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bench.peers.given import Batch, Given, NotHereError, Taken
from bench.peers.running import found, free_port, running

__all__ = ["pipelined", "scripted"]

_SCRIPT = """
local have = tonumber(redis.call('GET', KEYS[2]) or '0')
local seq = tonumber(ARGV[1])
local last = have
for n = 2, #ARGV, 2 do
  seq = seq + 1
  if seq > have then
    redis.call('XADD', KEYS[1], '0-' .. seq, 'item', ARGV[n], 'line', ARGV[n + 1])
    last = seq
  end
end
redis.call('SET', KEYS[2], last)
return last
"""
_SETTINGS = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")

_Put = Callable[[Batch], Awaitable[None]]


async def scripted(folder: Path, rows: Given) -> Taken:
    """A script for each batch, which passes over what is there."""
    return await _taken(folder, rows, _by_script)


async def pipelined(folder: Path, rows: Given) -> Taken:
    """A pipeline of a thousand commands; an id that is there is refused."""
    return await _taken(folder, rows, _by_pipeline)


def _by_script(client: Any) -> _Put:  # noqa: ANN401 # the library is not always there
    script = client.register_script(_SCRIPT)

    async def put(batch: Batch) -> None:
        rows = [part for row in batch.rows for part in row]
        name = f"log:{batch.station}"
        await script(keys=[name, f"{name}:acked"], args=[batch.after, *rows])

    return put


def _by_pipeline(client: Any) -> _Put:  # noqa: ANN401 # the library is not always there
    async def put(batch: Batch) -> None:
        pipeline = client.pipeline(transaction=False)
        for seq, item, data in batch.numbered():
            fields = {"item": item, "line": data}
            pipeline.xadd(f"log:{batch.station}", fields, id=f"0-{seq}")
        await pipeline.execute(raise_on_error=False)

    return put


async def _taken(folder: Path, rows: Given, way: Callable[[Any], _Put]) -> Taken:
    program = found("redis-server", "apt-get install redis-server")
    port = free_port()
    where = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder))
    async with running(folder, port, program, *where, *_SETTINGS):
        try:
            import redis.asyncio  # noqa: PLC0415 # only `make bench` installs it
        except ImportError as error:
            reason = "redis is not installed: make bench installs it"
            raise NotHereError(reason) from error
        async with redis.asyncio.Redis(port=port) as client:
            return await _measured(client, rows, way(client))


async def _measured(client: Any, rows: Given, put: _Put) -> Taken:  # noqa: ANN401 # the same
    async def send(batches: list[Batch]) -> None:
        for batch in batches:
            await put(batch)

    began = time.perf_counter()
    await asyncio.gather(*map(send, rows.stations))
    rate = rows.rows / (time.perf_counter() - began)
    await asyncio.gather(*map(send, rows.again.stations))
    counts = [await client.xlen(f"log:{n}") for n in range(len(rows.stations))]
    return Taken(rate, sum(counts))
