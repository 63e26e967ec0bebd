"""Other rules, other answers: they are made anew, without a word from anybody."""

import asyncio
import errno
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.delivery import Delivery
from server.site import DEFAULT, Site
from server.store import ExceptionQuery, Found, Invitation, ItemQuery, Joining, Station
from server.store.file_writer import FileWriter
from server.store.rebuild import layout, rules
from server.store.sqlite import SqliteStore
from shared import chain
from shared.actions import ACTIONS, Action
from shared.api.items import ItemAnswer
from shared.lines import Line, encode
from shared.moments import SECOND, to_text

NOW = 1_777_000_000 * SECOND
LOG = str(UUID(int=7))
OTHER = Site(
    actions={**ACTIONS, "weigh": Action(status="weighed")}, handoff=3_600 * SECOND
)


def _lines(count: int) -> list[bytes]:
    moments = range(NOW - 2_000 * SECOND, NOW, SECOND)
    actions = ("receive", "pick", "weigh")
    return [
        encode(
            Line(
                seq=seq,
                at=to_text(at),
                action=actions[seq % 3],
                item=f"P-{seq % 40}",
                location=f"L-{seq % 3}",
            )
        )
        for seq, at in zip(range(1, count + 1), moments, strict=False)
    ]


@asynccontextmanager
async def _opened(path: Path, site: Site = DEFAULT) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(path, lambda: NOW, site)
    try:
        yield store
    finally:
        await store.close()


async def _joined(store: SqliteStore) -> Station:
    await store.invite(
        Invitation(
            name="S", location=None, kind="station", code_hash=b"c", expires=NOW * 2
        )
    )
    return await store.enrol(
        Joining(
            code_hash=b"c",
            log=LOG,
            token_hash=b"t",
            public_key=b"",
            version="",
            host="",
        )
    )


async def _append(
    store: SqliteStore, station: Station, lines: list[bytes], after: int, last: int
) -> list[int]:
    heads = chain.walk(chain.start(LOG), lines)
    delivery = Delivery(
        log=LOG,
        after=after,
        lines=lines[after:last],
        heads=heads[after : last + 1],
        signature=b"",
        clock=None,
    )
    return (await store.append(station, delivery)).quarantined


async def _everything(
    store: SqliteStore,
) -> tuple[dict[str, ItemAnswer], list[Found]]:
    items = await store.items(ItemQuery(limit=1_000))
    answers = {
        found.item: replace(found, known_at="", at="") for found in items.answers
    }
    found = await store.exceptions(ExceptionQuery(open=None, limit=1_000))
    return answers, found


async def _made_anew(store: SqliteStore) -> None:
    assert store._writer._remaking is not None
    await asyncio.wait_for(store._writer._remaking, 60)
    assert store.remaking() is None


async def test_f73_other_rules_make_other_answers_while_serving(tmp_path: Path) -> None:
    path, lines = tmp_path / "scantrail.db", _lines(1_500)
    async with _opened(path) as store:
        station = await _joined(store)
        refused = await _append(store, station, lines, 0, 1_000)
        assert refused == list(range(2, 1_001, 3))
        assert (await store.item("P-2")).status != "weighed"
    async with _opened(path, OTHER) as store:
        assert await _append(store, station, lines, 1_000, 1_500) == []
        await _made_anew(store)
        answers, found = await _everything(store)
    assert any(answer.status == "weighed" for answer in answers.values())
    async with _opened(tmp_path / "fresh.db", OTHER) as fresh:
        assert await _append(fresh, await _joined(fresh), lines, 0, 1_500) == []
        assert await _everything(fresh) == (answers, found)


async def test_the_same_rules_make_nothing_anew(tmp_path: Path) -> None:
    path = tmp_path / "scantrail.db"
    async with _opened(path):
        pass
    async with _opened(path) as store:
        assert store._writer._remaking is None
    assert rules(DEFAULT) != rules(OTHER)


@pytest.mark.parametrize(
    "broken", ["DELETE FROM item", "UPDATE item SET state = x'c1'"]
)
async def test_f73_what_is_written_in_another_way_is_made_anew_before_serving(
    tmp_path: Path, broken: str
) -> None:
    path, lines = tmp_path / "scantrail.db", _lines(300)
    async with _opened(path) as store:
        station = await _joined(store)
        await _append(store, station, lines, 0, 200)
        before = await _everything(store)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(broken)
        connection.execute("UPDATE meta SET value = 'old' WHERE name = 'layout'")
        connection.commit()
    async with _opened(path) as store:
        assert await _everything(store) == before
        await _append(store, station, lines, 200, 300)
        assert (await store._read(_meta))["layout"] == layout()
        assert not await store._read(_left_over)


def _left_over(connection: sqlite3.Connection) -> list[object]:
    return connection.execute(
        "SELECT name FROM sqlite_master WHERE name GLOB 'item_[0-9]*'"
        " AND type = 'table'"
    ).fetchall()


def _meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM meta").fetchall())


async def test_a_start_that_fails_leaves_nothing_that_keeps_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(FileWriter, "begin", fails)
    before = set(threading.enumerate())
    with pytest.raises(OSError, match="no space left"):
        await SqliteStore.open(tmp_path / "scantrail.db", lambda: NOW)
    assert set(threading.enumerate()) == before
