"""A store on PostgreSQL whose connections go at the worst moment, and what is seen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from server.problems import ProblemError
from server.store import Store
from server.store.postgres import database as connections
from server.store.postgres import turn
from server.store.postgres.store import PostgresStore
from server.store.postgres.turn import Turn
from shared.moments import to_text
from shared.protocol import ProblemType
from tests.contracts.storing import AGO, NOW, Log, joined
from tests.postgres import Postgres

LINES = 120
MESSAGE = "could not extend file: No space left on device"


class _Way:
    """A way to PostgreSQL that can be cut, for one writer's COMMIT or altogether.

    ``commits`` says how many COMMITs were let through to the server, whose answers
    were then thrown away with the connection.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self._folder, self._server = folder, server
        self._all: set[asyncio.StreamWriter] = set()
        self.cut_commits = 0
        self.commits = 0
        self.open = True

    @contextlib.asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        path = self._folder / ".s.PGSQL.5432"
        listening = await asyncio.start_unix_server(self._one, path)
        try:
            yield
        finally:
            listening.close()
            self.shut()
            await asyncio.sleep(0)

    def shut(self) -> None:
        for writer in self._all:
            writer.transport.abort()

    async def _one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if not self.open:
            writer.transport.abort()
            return
        there, back = await asyncio.open_unix_connection(self._server / ".s.PGSQL.5432")
        self._all |= {writer, back}
        cut = asyncio.Event()
        try:
            await asyncio.gather(
                self._there(reader, back, cut), self._back(there, writer, cut)
            )
        except OSError:
            pass
        finally:
            writer.transport.abort()
            back.transport.abort()

    async def _there(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await source.read(65_536):
            if data == b"Q\x00\x00\x00\x0bCOMMIT\x00" and self.cut_commits > 0:
                self.cut_commits -= 1
                cut.set()
            to.write(data)
            await to.drain()
        to.transport.abort()

    async def _back(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, cut: asyncio.Event
    ) -> None:
        while data := await source.read(65_536):
            if cut.is_set():  # it was committed, and nobody will hear of it
                assert b"COMMIT" in data
                self.commits += 1
                raise OSError
            to.write(data)
            await to.drain()
        to.transport.abort()


@pytest.fixture
async def way(database: Postgres, tmp_path: Path) -> AsyncIterator[_Way]:
    found = _Way(tmp_path, database.folder)
    async with found.there():
        yield found


@pytest.fixture
async def store(
    database: Postgres, way: _Way, tmp_path: Path
) -> AsyncIterator[PostgresStore]:
    assert way.open
    name = database.database().partition("@/")[2].partition("?")[0]
    url = f"postgresql://scantrail@/{name}?host={quote(str(tmp_path), safe='')}"
    found = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    yield found
    await found.close()


async def _once(store: Store, log: Log) -> None:
    """Check that every line is there, once, in its order."""
    found = await store.events(0, 1_000)
    mine = [entry for entry in found if entry.event.startswith(log.name)]
    assert [entry.line for entry in mine] == log.lines
    positions = [entry.position for entry in found]
    assert positions == list(range(1, len(found) + 1))


async def test_f71_a_commit_whose_answer_is_lost_is_done_once(
    store: PostgresStore, way: _Way
) -> None:
    log = await joined(store, "DOCK-1")
    for number in range(5):
        log.write("see", number, item="P", location=f"L-{number}")
        way.cut_commits = 1
        receipt = await log.send(after=number)
        assert receipt.acked == number + 1
        assert (receipt.appended, receipt.already) == (0, 1)
    assert way.commits == 5
    await _once(store, log)
    assert (await store.item("P")).location == "L-4"


async def test_f71_joining_whose_answer_is_lost_is_done_once(
    store: PostgresStore, way: _Way
) -> None:
    for number in range(3):
        way.cut_commits = 2  # of the invitation, and of the joining
        log = await joined(store, f"S-{number}")
        assert log.station.name == f"S-{number}"
    assert way.commits == 6
    assert [one.name for one in await store.stations()] == ["S-0", "S-1", "S-2"]


async def test_f71_a_database_that_is_gone_is_said_to_be_and_comes_back(
    store: PostgresStore, way: _Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    log = await joined(store, "DOCK-1")
    log.write("see", item="P", location="X")
    way.open = False
    way.shut()
    with pytest.raises(ProblemError) as refused:
        await log.send()
    assert refused.value.problem.status == 503
    assert refused.value.problem.type == ProblemType.STORAGE
    assert refused.value.retry_after
    with pytest.raises(ProblemError):
        await store.item("P")
    way.open = True
    assert (await log.send()).acked == 1
    await _once(store, log)
    assert (await store.item("P")).location == "X"


async def test_f70_what_a_full_disk_refused_is_not_remembered(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", item="P", location="D-1")
    await log.send()

    def fail(*_: object, **__: object) -> Turn:
        raise asyncpg.DiskFullError(MESSAGE)

    log.write("store", 1, item="P", location="A-1")
    with monkeypatch.context() as full:
        full.setattr(turn, "commit", fail)
        with pytest.raises(ProblemError) as refused:
            await log.send(after=1)
    assert refused.value.problem.status == 503

    log.lines.pop()
    log.write("see", 2, item="P", location="D-1")
    await log.send(after=1)
    answer = await store.item("P")
    assert (answer.status, answer.location) == ("received", "D-1")
    assert answer.location_since == to_text(AGO)  # it was never anywhere else
    await _once(store, log)


async def test_f72_whoever_follows_misses_and_repeats_nothing(
    database: Postgres,
) -> None:
    url = database.database()
    stores = [
        await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW) for _ in range(2)
    ]
    logs = [await joined(stores[n % 2], f"S-{n}") for n in range(6)]
    total = len(logs) * LINES

    async def write(log: Log, number: int) -> None:
        for seq in range(LINES):
            log.write("see", seq, item=f"P-{number}-{seq % 3}", location="X")
            await log.send(after=seq)

    async def follow(store: Store) -> list[str]:
        after = 0
        seen: list[str] = []
        while len(seen) < total:
            await store.grown(after)
            for entry in await store.events(after, 7):
                assert entry.position > after
                after = entry.position
                seen.append(entry.event)
        return seen

    async with asyncio.timeout(120):
        writing = [asyncio.create_task(write(log, n)) for n, log in enumerate(logs)]
        first, second = await asyncio.gather(*map(follow, stores))
        await asyncio.gather(*writing)
    assert first == second
    assert sorted(first) == sorted(
        f"{log.name}:{seq + 1}" for log in logs for seq in range(LINES)
    )
    for store in stores:
        await store.close()
