"""A server that speaks CouchDB's protocol, from npm: a document for each row.

`SCANTRAIL_BENCH_NPM` names a folder in which it is kept for the next time; else it is
installed into the folder of the run, which takes a minute.
"""

import asyncio
import json
import os
import time
from pathlib import Path

import aiohttp

from bench.peers.given import Batch, Given, NotHereError, Taken
from bench.peers.running import found, free_port, running

__all__ = ["couch"]

_PACKAGE = "pouchdb-server@4.2.0"
_GOOD = 201


async def couch(folder: Path, rows: Given) -> Taken:
    """A request to `_bulk_docs` for each batch; an id that is there is refused."""
    node = found("node", "apt-get install nodejs npm")
    npm = found("npm", "apt-get install npm")
    kept = Path(os.environ.get("SCANTRAIL_BENCH_NPM") or folder / "npm")
    main = kept / "node_modules" / "pouchdb-server" / "bin" / "pouchdb-server"
    if not main.exists():
        await _install(npm, kept)
    data, port = folder / "data", free_port()
    data.mkdir()
    where = ("--port", str(port), "--dir", str(data), "--no-stdout-logs")
    async with running(data, port, node, str(main), *where):
        return await _measured(f"http://127.0.0.1:{port}/scans", rows)


async def _install(npm: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 # nothing else runs
    quiet = ("--no-audit", "--no-fund", "--loglevel", "error")
    process = await asyncio.create_subprocess_exec(
        *(npm, "install", *quiet, "--prefix", str(folder), _PACKAGE),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        reason = f"npm install {_PACKAGE} does not work here: is there a network?"
        raise NotHereError(reason)


async def _measured(url: str, rows: Given) -> Taken:
    # it closes connections by itself, also those that are about to be used again, and
    # several requests of this size at the same time take it minutes
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.put(url) as answer:
            await answer.read()
        began = time.perf_counter()
        for batch in rows.turns():
            await _put(session, url, batch)
        rate = rows.rows / (time.perf_counter() - began)
        for batch in rows.again.turns():
            await _put(session, url, batch)
        async with session.get(url) as answer:
            there = json.loads(await answer.read())["doc_count"]
    return Taken(rate, int(there))


async def _put(session: aiohttp.ClientSession, url: str, batch: Batch) -> None:
    docs = [
        {"_id": f"{batch.station}:{seq:09}", "item": item, "line": data.decode()}
        for seq, item, data in batch.numbered()
    ]
    async with session.post(f"{url}/_bulk_docs", json={"docs": docs}) as answer:
        if answer.status != _GOOD:
            raise RuntimeError(await answer.text())
        await answer.read()
