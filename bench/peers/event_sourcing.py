"""The library `eventsourcing`, on SQLite: its recorder alone, and an application.

The application has an aggregate for each item, as one would write it: what was scanned
before is read, the scan is added, and a batch is saved at once.
"""

import asyncio
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import aiohttp

from bench.peers.given import Batch, Given, NotHereError, Taken
from bench.peers.running import free_port, running

__all__ = ["application", "recorder", "served"]

_MISSING = "eventsourcing is not installed: make bench installs it"


def _log(station: int) -> UUID:
    return UUID(int=station + 1)


async def recorder(folder: Path, rows: Given) -> Taken:
    """Insert the events of a batch, numbered in their log, at once."""
    try:
        from eventsourcing.persistence import IntegrityError, StoredEvent  # noqa: PLC0415 # only `make bench` installs it
        from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore  # noqa: PLC0415 # the same
    except ImportError as error:
        raise NotHereError(_MISSING) from error
    store = SQLiteDatastore(str(folder / "recorder.db"))
    keeping: Any = SQLiteApplicationRecorder(store)
    keeping.create_table()

    def put(batch: Batch) -> None:
        log = _log(batch.station)
        keeping.insert_events(
            [StoredEvent(log, seq, "scan", data) for seq, _, data in batch.numbered()]
        )

    began = time.perf_counter()
    for batch in rows.turns():
        put(batch)
    rate = rows.rows / (time.perf_counter() - began)
    for batch in rows.again.turns():
        with suppress(IntegrityError):
            put(batch)
    there = keeping.max_notification_id()
    store.close()
    return Taken(rate, int(there))


async def served(folder: Path, rows: Given) -> Taken:
    """Insert the same behind aiohttp, for stations that share it over HTTP."""
    if find_spec("eventsourcing") is None:
        raise NotHereError(_MISSING)
    port = free_port()
    program = (sys.executable, "-m", "bench.peers.recorder_server")
    async with (
        running(Path.cwd(), port, *program, str(folder), str(port)),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):

        async def send(batches: list[Batch]) -> None:
            for batch in batches:
                body = b"\n".join(data for _, data in batch.rows)
                url = f"/{batch.station}?after={batch.after}"
                async with session.post(url, data=body) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*map(send, rows.stations))
        rate = rows.rows / (time.perf_counter() - began)
        await asyncio.gather(*map(send, rows.again.stations))
        async with session.get("/count") as answer:
            there = int(await answer.text())
    return Taken(rate, there)


async def application(folder: Path, rows: Given) -> Taken:
    """Save a batch of scans of items at once; nothing knows one that came before."""
    try:
        from eventsourcing.application import Application  # noqa: PLC0415 # only `make bench` installs it
        from eventsourcing.domain import Aggregate, event  # noqa: PLC0415 # the same
    except ImportError as error:
        raise NotHereError(_MISSING) from error

    class Item(Aggregate):  # type: ignore[misc] # without types here
        @event("Named")  # type: ignore[untyped-decorator] # the same
        def __init__(self, code: str) -> None:
            self.code = code
            self.last = ""

        @event("Scanned")  # type: ignore[untyped-decorator] # the same
        def scan(self, line: str) -> None:
            self.last = line

        @staticmethod
        def create_id(code: str) -> UUID:
            return uuid5(NAMESPACE_URL, code)

    env = {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": str(folder / "application.db"),
    }
    app: Any = Application(env)
    known: set[str] = set()
    began = time.perf_counter()
    for batch in rows.turns():
        touched = []
        for code, data in batch.rows:
            new = code not in known
            item = Item(code) if new else app.repository.get(Item.create_id(code))
            item.scan(data.decode())
            known.add(code)
            touched.append(item)
        app.save(*touched)
    rate = rows.rows / (time.perf_counter() - began)
    app.close()
    return Taken(rate)
