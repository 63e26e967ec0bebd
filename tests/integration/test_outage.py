"""While the database is lost: what who asks is told, the log, and the figures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from server import background, reference
from server.background import keeping_up
from server.metrics import Metrics
from server.problems import ProblemError
from server.reference import ReferenceData
from server.store import Load, Progress, Store
from server.store.postgres import database as on_postgres
from server.store.postgres.database import Database, Worker
from shared.protocol import ProblemType
from tests.postgres import Postgres, postgres, why_not
from tests.serving import NOW, Log, Service, until

LOST = "The database cannot be reached or is busy (gone). Look at PostgreSQL."
DO_AGAIN = "see whether it is there, and do it again."


def _lost(*_: object, **__: object) -> Awaitable[None]:
    raise ProblemError(503, ProblemType.STORAGE, LOST, retry_after=5)


# --- what who asks is told ------------------------------------------------------------


async def test_a_station_is_told_that_nothing_is_lost(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.context.store, "append", _lost)
    log.add("P-1")
    status, told = await log.send(0)
    assert status == 503
    assert told["detail"] == (
        f"{LOST} Stations keep their lines and try again; nothing is lost."
    )


async def test_who_writes_a_remark_is_told_to_do_it_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.context.own, "write", _lost)
    for _ in range(2):  # one problem may be told to many
        status, told = await service.call(
            "POST", "/v1/items/P-1/note", json={"text": "the customer called"}
        )
        assert status == 503
        assert str(told["detail"]).startswith(f"{LOST} Nothing of this was confirmed")
        assert str(told["detail"]).count(DO_AGAIN) == 1
        assert "Stations" not in str(told["detail"])


async def test_a_page_tells_so_too_and_only_where_something_was_to_be_changed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.context.own, "write", _lost)
    monkeypatch.setattr(service.context.store, "loads", _lost)
    send = {
        "Authorization": f"Bearer {service.keys['admin']}",
        "Accept": "text/html",
        "Accept-Language": "en",
    }
    pages = []
    for method, path, body in (
        ("POST", "/v1/items/P-1/note", {"text": "the customer called"}),
        ("GET", "/v1/loads", None),
    ):
        async with service.session.request(
            method, f"{service.url}{path}", json=body, headers=send
        ) as answer:
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "5"
            pages.append(await answer.text())
    assert [DO_AGAIN in page for page in pages] == [True, False]
    assert all(LOST in page for page in pages)


# --- the log --------------------------------------------------------------------------


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    caplog.set_level(logging.INFO)

    def of(part: str) -> list[str]:
        assert not [one for one in caplog.records if one.exc_info]
        return [text for text in caplog.messages if part in text]

    return of


class _Lossy:
    """A store whose database is lost for the first tries."""

    def __init__(self, store: Store, tries: int) -> None:
        self._store, self.tries = store, tries

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def loads(self, most: int, items: int) -> list[Load]:
        if self.tries:
            self.tries -= 1
            await _lost()
        return await self._store.loads(most, items)


async def test_reference_data_that_cannot_be_made_are_told_of_once(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[str], list[str]],
) -> None:
    monkeypatch.setattr(reference, "REST_LOST", 0.01)
    store = _Lossy(service.context.store, 4)
    data = ReferenceData(cast("Store", store), lambda: NOW)
    async with keeping_up(data.keep_up, "reference data"):
        await until(lambda: bool(told("made again")))
    assert store.tries == 0
    assert told("reference data") == [
        f"reference data are not made: {LOST}",
        "reference data are made again",
    ]


async def test_what_runs_beside_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch, told: Callable[[str], list[str]]
) -> None:
    monkeypatch.setattr(background, "REST", 0.01)
    monkeypatch.setattr(background, "STEADY", 0.05)
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            await _lost()
        await asyncio.Event().wait()

    async with keeping_up(work, "webhook shop"):
        await until(lambda: bool(told("goes on")))
    assert tries == 4
    assert told("webhook shop") == [
        f"webhook shop waits: {LOST}",
        "webhook shop goes on",
    ]


@pytest.fixture
def alone() -> Iterator[Postgres]:
    """A PostgreSQL that can be stopped."""
    if why_not():
        pytest.skip(why_not())
    with postgres() as found:
        yield found


async def test_a_lost_database_is_told_of_once_by_all_connections(
    alone: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: Callable[[str], list[str]],
) -> None:
    monkeypatch.setattr(on_postgres, "PATIENCE", 0.2)
    url = alone.database()
    workers = [Worker(url, tmp_path) for _ in range(3)]

    def one(database: Database) -> int:
        return int(database.one("SELECT 1")[0])

    try:
        for worker in workers:
            assert await worker.transact(one) == 1
        alone.stop()
        for worker in workers * 2:
            with pytest.raises(ProblemError, match="Look at PostgreSQL"):
                await worker.transact(one)
        alone.start()
        for worker in workers:
            assert await worker.transact(one) == 1
    finally:
        for worker in workers:
            await worker.close()
    lost, back = told("the database is")
    assert lost.startswith("the database is lost: ")
    assert back == "the database is there again"


async def test_a_connection_that_was_idle_when_the_database_went_is_not_told_of(
    alone: Postgres, tmp_path: Path, told: Callable[[str], list[str]]
) -> None:
    worker = Worker(alone.database(), tmp_path)
    sessions: list[object] = []

    def one(database: Database) -> None:
        database.one("SELECT 1")
        sessions.append(database.session)

    try:
        await worker.transact(one)
        alone.stop()
        alone.start()
        await worker.transact(one)
    finally:
        await worker.close()
    assert sessions[0] is not sessions[1]
    assert told("the database is") == []


# --- figures --------------------------------------------------------------------------


async def _figures(service: Service) -> dict[str, str]:
    send = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}/metrics", headers=send) as answer:
        assert answer.status == 200
        lines = (await answer.text()).splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def test_figures_are_told_while_the_database_is_lost(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add("P-1")
    assert (await log.send(0))[0] == 200
    before = await _figures(service)
    assert before["scantrail_database_up"] == "1.0"
    assert before['scantrail_station_backlog_lines{station="DOCK"}'] == "0.0"
    assert before["scantrail_backup_timestamp_seconds"] == "0.0"
    for question in ("stations", "missing"):
        monkeypatch.setattr(service.context.store, question, _lost)
    lost = await _figures(service)
    assert lost["scantrail_database_up"] == "0.0"
    assert 'scantrail_station_backlog_lines{station="DOCK"}' not in lost


def test_figures_tell_how_far_what_is_kept_is_whole() -> None:
    figures = Metrics()
    figures.stored(answers=True, remaking=Progress(30, 100), late=7)
    figures.backed_up(NOW)
    figures.archive_lacks(2)
    found = figures.text((), NOW).decode().splitlines()
    assert {
        "scantrail_database_up 1.0",
        "scantrail_remaking_lines 70.0",
        "scantrail_late_notes 7.0",
        "scantrail_backup_timestamp_seconds 1.777e+09",
        "scantrail_archive_files_missing 2.0",
    } <= set(found)
