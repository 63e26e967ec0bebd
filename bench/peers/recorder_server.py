"""The recorder of `eventsourcing` behind aiohttp: as others would share it.

Started as ``python -m bench.peers.recorder_server FOLDER PORT``; it takes a batch as
lines, numbers them behind ``after`` in their log, and answers once they are flushed.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

__all__ = ["app"]

_MOST = 16 * 1024 * 1024


def app(folder: Path) -> web.Application:
    """Return the server, with its database in a folder."""
    recorder: Any = SQLiteApplicationRecorder(
        SQLiteDatastore(str(folder / "recorder.db"))
    )
    recorder.create_table()
    one = asyncio.Lock()  # SQLite has one writer

    async def append(request: web.Request) -> web.Response:
        log = UUID(int=int(request.match_info["log"]) + 1)
        first = int(request.query["after"]) + 1
        lines = (await request.read()).splitlines()
        events = [
            StoredEvent(log, seq, "scan", line) for seq, line in enumerate(lines, first)
        ]
        async with one:
            try:
                await asyncio.to_thread(recorder.insert_events, events)
            except IntegrityError:
                return web.Response(status=409)
        return web.Response()

    async def count(_: web.Request) -> web.Response:
        return web.Response(text=str(recorder.max_notification_id() or 0))

    made = web.Application(client_max_size=_MOST)
    made.add_routes([web.post("/{log}", append), web.get("/count", count)])
    return made


if __name__ == "__main__":
    run = partial(web.run_app, host="127.0.0.1", print=None)
    run(app(Path(sys.argv[1])), port=int(sys.argv[2]))
