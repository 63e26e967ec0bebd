"""Lists that do not wait any longer for what came late say so; items never are old."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from server.projections import Projection
from server.store import ExceptionQuery, ItemQuery, Store, file_writer, partly
from server.store.postgres import store as postgres_store
from server.store.postgres.database import Database
from server.store.postgres.settling import Settling
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from tests.contracts.storing import NOW, joined

T = TypeVar("T")

_settle, _do = Projection.settle, Settling._do


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Hold what came late up, until it is let go."""
    gone = asyncio.Event()

    def settle(projection: Projection, work: int) -> None:
        if gone.is_set():
            _settle(projection, work)

    async def do(
        settling: Settling, function: Callable[[Database], T], begin: Callable[[], str]
    ) -> T:
        await gone.wait()
        return await _do(settling, function, begin)

    monkeypatch.setattr(Projection, "settle", settle)
    monkeypatch.setattr(Settling, "_do", do)
    monkeypatch.setattr(file_writer, "WORK", 1)
    for module in (file_writer, postgres_store):
        monkeypatch.setattr(module, "PATIENCE", 0.05)
    return gone


@pytest.fixture(params=["sqlite", "postgres"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, held: asyncio.Event
) -> AsyncIterator[Store]:
    found: Store
    if request.param == "sqlite":
        found = await SqliteStore.open(tmp_path / "scantrail.db", lambda: NOW)
    else:
        url = request.getfixturevalue("database").database()
        found = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    yield found
    held.set()
    await found.close()


async def _on_lorry(store: Store) -> tuple[list[str], bool]:
    """Return what a list says is on the lorry, and whether it may be old."""
    lists = partly.begin()
    page = await store.items(ItemQuery(container="M-1", limit=10))
    return [one.item for one in page.answers], lists.old


async def _told(store: Store) -> None:
    async with asyncio.timeout(20):
        while (await _on_lorry(store))[1]:  # noqa: ASYNC110 # it tells nobody
            await asyncio.sleep(0.01)


async def test_a_list_that_is_given_before_what_came_late_is_told_says_so(
    store: Store, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, back = await joined(store, "GATE"), await joined(store, "BACK")
    gate.write("load", 10, item="P-1", container="M-1", location="GATE")
    gate.write("depart", 20, item="M-1", location="GATE")
    await gate.send()
    assert await _on_lorry(store) == (["P-1"], False)
    back.write("load", 5, item="P-2", container="M-1", location="GATE")
    await back.send()
    found, old = await _on_lorry(store)
    assert (found, old) == (["P-1"], True)
    assert (await store.item("P-2")).status == "shipped"  # told from all events
    for read in (
        lambda: store.exceptions(ExceptionQuery(open=True, limit=10)),
        lambda: store.standing(0, 10),
        lambda: store.gone(0, 10),
        lambda: store.held(10),
        lambda: store.items(ItemQuery(after=1, limit=10)),
    ):
        lists = partly.begin()
        await read()
        assert lists.old
    held.set()
    await _told(store)
    for module in (file_writer, postgres_store):
        monkeypatch.setattr(module, "PATIENCE", 20)
    assert await _on_lorry(store) == (["P-1", "P-2"], False)
    assert (await store.item("P-2")).status == "shipped"
