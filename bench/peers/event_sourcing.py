"""The library `eventsourcing`, on SQLite: its recorder alone, and an application.

The application has an aggregate for each item, as one would write it: what was scanned
before is read, the scan is added, and a batch is saved at once.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from bench.peers.given import Batch, Given, NotHereError, Taken

__all__ = ["application", "recorder"]

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
