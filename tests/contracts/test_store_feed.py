"""What any backend gives of its own order: the feed, and who waits for it."""

import asyncio
from pathlib import Path
from uuid import uuid4

from server.delivery import Delivery
from server.store import ExceptionQuery, Station
from server.store.sqlite import SqliteStore
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text

NOW = 1_777_000_000 * SECOND


async def _joined(store: SqliteStore, name: str, log: str) -> Station:
    code = name.encode()
    await store.invite(
        name, location=None, kind="station", code_hash=code, expires=NOW * 2
    )
    return await store.enrol(
        code, log=log, token_hash=code, public_key=b"", version="", host=""
    )


def _delivery(log: str, *lines: Line) -> Delivery:
    data = [encode(line) for line in lines]
    return Delivery(
        log=log,
        after=0,
        lines=data,
        heads=chain.walk(chain.start(log), data),
        signature=b"",
        clock=None,
    )


async def test_who_waits_for_the_feed_gets_every_line_once(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "scantrail.db", lambda: NOW)
    log = str(uuid4())
    station = await _joined(store, "DOCK-1", log)
    waiting = asyncio.create_task(store.grown(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    at = to_text(NOW - 3_600 * SECOND)
    told = [
        Line(seq=1, at=at, action="pick", item="P", location="X", operator="B-1"),
        Line(seq=2, at=at, action="dance", item="P"),
    ]
    await store.append(station, _delivery(log, *told))
    await asyncio.wait_for(waiting, 5)
    first = await store.events(0, 1)
    rest = await store.events(first[0].position, 10)
    assert [entry.event for entry in first + rest] == [f"{log}:1", f"{log}:2"]
    assert [entry.station for entry in first + rest] == ["DOCK-1", "DOCK-1"]
    assert first[0].quarantined is None
    assert rest[0].quarantined is not None
    assert await store.events(rest[0].position, 10) == []
    found = await store.exceptions(ExceptionQuery())
    assert [(one.item, one.code) for one in found] == [("P", "handoff_overdue")]
    assert await store.exceptions(ExceptionQuery(after=found[0].place)) == []
    await store.close()
