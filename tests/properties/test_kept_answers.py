"""What is kept of items equals what telling all events from the first on gives.

Random histories reach a real store in any order, some lines twice, several deliveries
in one transaction; after each, every item's answer and exceptions are compared.
`STORE_HISTORIES` says how many; the few of a test run are the first of the many.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

import msgspec
import pytest

from server import anew
from server.answers import Horizon, answer
from server.delivery import Delivery
from server.exceptions import review
from server.findings import Finding
from server.projections import Projection
from server.site import Site
from server.store import (
    ExceptionQuery,
    Invitation,
    ItemQuery,
    Joining,
    Station,
    Store,
    View,
    file_writer,
    shelf,
)
from server.store.postgres import settling
from server.store.postgres import shelf as postgres_shelf
from server.store.postgres import store as postgres_store
from server.store.postgres.database import Database
from server.store.postgres.settling import Settling
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared import chain
from shared.api.items import ItemAnswer
from shared.lines import encode
from shared.moments import SECOND
from tests.postgres import Postgres
from tests.properties.histories import ITEMS, LOGS, MINUTE, START, random_history
from tests.properties.lines import line_of
from tests.properties.model import Scan

HISTORIES = int(os.environ.get("STORE_HISTORIES", "60"))
ONCE_WRONG = (208, 2880, 7417)
"""Histories in which what was kept was not what is told."""
NOW = START + 100_000 * MINUTE
SITE = Site(
    stale={"received": 20 * MINUTE, "loaded": 10 * MINUTE},
    follows={"stored": frozenset({"pick", "see"})},
)
NAMES = {log: str(UUID(int=number)) for number, log in enumerate(LOGS, 1)}


T = TypeVar("T")


class _World:
    """Stores, three stations that have joined, and what each still has to send."""

    def __init__(self, stores: list[Store], stations: dict[str, Station]) -> None:
        self.store, self.stores, self.stations = stores[0], stores, stations
        self.lines: dict[str, list[bytes]] = {log: [] for log in LOGS}
        self.sent = dict.fromkeys(LOGS, 0)

    def record(self, scan: Scan) -> None:
        self.lines[scan.log].append(encode(line_of(scan, NAMES)))

    async def send(self, log: str, count: int, again: int, by: int) -> int:
        """Send lines through one of the stores; return when they were received."""
        after = max(0, self.sent[log] - again)
        self.sent[log] += count
        lines = self.lines[log][: self.sent[log]]
        heads = chain.walk(chain.start(NAMES[log]), lines)
        delivery = Delivery(
            log=NAMES[log],
            after=after,
            lines=lines[after:],
            heads=heads[after:],
            signature=b"",
            clock=None,
        )
        store = self.stores[by % len(self.stores)]
        return (await store.append(self.stations[log], delivery)).received


def _clock() -> Callable[[], int]:
    return iter(range(NOW, NOW + 10**10, SECOND // 2)).__next__


@asynccontextmanager
async def _on_sqlite(path: Path) -> AsyncIterator[list[Store]]:
    store = await SqliteStore.open(path, _clock(), SITE)
    try:
        await store._writer._worker.run(lambda c: c.execute("PRAGMA synchronous = OFF"))
        yield [store]
    finally:
        await store.close()


_PIECES = ((anew, "MANY"), (anew, "GROUP"), (anew, "PIECE"), (shelf, "KEYS"))


class _Gate:
    """How many more pieces may be told anew, unless it is open."""

    open, left = True, 0


_settle, _do = Projection.settle, Settling._do


def _settle_if_let(projection: Projection, work: int) -> None:
    if _Gate.open or _Gate.left > 0:
        _Gate.left -= 1
        _settle(projection, work)


async def _do_once_let(
    settling: Settling, function: Callable[[Database], T], begin: Callable[[], str]
) -> T:
    while not _Gate.open and _Gate.left <= 0 and not settling._ending:  # noqa: ASYNC110 # told by nobody
        await asyncio.sleep(0.001)
    _Gate.left -= 1
    return await _do(settling, function, begin)


@asynccontextmanager
async def _in_pieces(path: Path) -> AsyncIterator[list[Store]]:
    """Tell what comes late in the smallest pieces, and let the next lines between."""
    with pytest.MonkeyPatch.context() as patched:
        for module, name in (*_PIECES, (shelf, "EVENTS")):
            patched.setattr(module, name, 3)
        patched.setattr(file_writer, "WORK", 8)
        patched.setattr(file_writer, "PATIENCE", 20)
        patched.setattr(Projection, "settle", _settle_if_let)
        async with _on_sqlite(path) as stores:
            yield stores


class Opening(NamedTuple):
    """Opens an empty store, once or several times, as several processes do.

    ``looks``: how often all of it is looked at before the next lines come.
    """

    stores: Callable[[Path], AbstractAsyncContextManager[list[Store]]]
    looks: float = 1.0


@pytest.fixture(params=["sqlite", "pieces", "postgres", "postgres-pieces"])
def opening(request: pytest.FixtureRequest) -> Opening:
    if request.param == "sqlite":
        return Opening(_on_sqlite)
    if request.param == "pieces":
        return Opening(_in_pieces, looks=0.3)
    database: Postgres = request.getfixturevalue("database")
    on_postgres = _on_postgres(database)
    if request.param == "postgres":
        return Opening(on_postgres)

    @asynccontextmanager
    async def in_pieces(path: Path) -> AsyncIterator[list[Store]]:
        with pytest.MonkeyPatch.context() as patched:
            for module, name in _POSTGRES_PIECES:
                patched.setattr(module, name, 3)
            patched.setattr(postgres_store, "PATIENCE", 20)
            patched.setattr(settling, "LOOK_AGAIN", 0.01)
            patched.setattr(Settling, "_do", _do_once_let)
            async with on_postgres(path) as stores:
                yield stores

    return Opening(in_pieces, looks=0.3)


_POSTGRES_PIECES = (
    *((anew, name) for name in ("MANY", "GROUP", "PIECE")),
    *((postgres_shelf, name) for name in ("KEYS", "EVENTS")),
    *((settling, name) for name in ("PIECE", "SEEN")),
)


def _on_postgres(
    database: Postgres,
) -> Callable[[Path], AbstractAsyncContextManager[list[Store]]]:
    @asynccontextmanager
    async def on_postgres(_: Path) -> AsyncIterator[list[Store]]:
        url, clock = database.database(), _clock()
        async with AsyncExitStack() as stack:
            stores = []
            for _process in range(2):
                store = await PostgresStore.open(url, clock, SITE, clock=clock)
                stack.push_async_callback(store.close)
                stores.append(store)
            yield list[Store](stores)

    return on_postgres


@asynccontextmanager
async def _world(opening: "Opening", path: Path) -> AsyncIterator[_World]:
    async with opening.stores(path) as stores:
        stations = {}
        for log, name in NAMES.items():
            code = log.encode()
            await stores[0].invite(
                Invitation(
                    name=log,
                    location=None,
                    kind="station",
                    code_hash=code,
                    expires=NOW * 2,
                )
            )
            stations[log] = await stores[0].enrol(
                Joining(
                    code_hash=code,
                    log=name,
                    token_hash=code,
                    public_key=b"",
                    version="",
                    host="",
                )
            )
        yield _World(stores, stations)


async def _told(
    store: Store, view: View
) -> dict[str, tuple[ItemAnswer, list[Finding]]]:
    """Tell every item from its first event on."""
    found = {}
    for item in ITEMS:
        telling = await store.tell(item, view)
        told = answer(
            telling,
            item,
            at=view.at,
            known_at=view.known_at,
            horizon=Horizon(),
            site=SITE,
        )
        findings = review(telling.world, item, telling.said, view.at, site=SITE)
        found[item] = told, findings.findings
    return found


def _comparable(told: ItemAnswer) -> dict[str, object]:
    fields = msgspec.structs.asdict(told)
    for name in ("at", "known_at", "complete_until", "behind"):
        del fields[name]
    return fields


async def _difference(
    store: Store, *, received: int = 0, unwritten: bool
) -> str | None:
    async with asyncio.timeout(20):
        while (now := store.present()) < received:  # noqa: ASYNC110 # hears of it soon
            await asyncio.sleep(0.001)
    told = await _told(store, View(at=now, known_at=now))
    for item, (expected, _) in told.items():
        found = await store.item(item)
        if _comparable(found) != _comparable(expected):
            return f"{item} is {found}, expected {expected}"
    return None if unwritten else await _difference_written(store, told)


async def _difference_written(
    store: Store, told: dict[str, tuple[ItemAnswer, list[Finding]]]
) -> str | None:
    kept = await store.exceptions(ExceptionQuery(open=None, limit=10_000))
    listed_items = (await store.items(ItemQuery(limit=1_000))).answers
    answers = {found.item: found for found in listed_items}
    for item, (expected, findings) in told.items():
        if item in answers and _comparable(answers[item]) != _comparable(expected):
            return f"{item} is written as {answers[item]}, expected {expected}"
        wanted = sorted((f[:5] for f in findings), key=str)
        listed = sorted(
            (
                (f.code, f.since, f.event, f.text, f.until)
                for f in kept
                if f.item == item
            ),
            key=str,
        )
        if listed != wanted:
            return f"{item} has {listed}, expected {wanted}"
    return None


async def _difference_after_a_crash(store: Store, path: Path) -> str | None:
    """Compare what another store makes of the file as it is, where it is a file."""
    if not isinstance(store, SqliteStore):
        return None
    copy = path.with_name(f"{path.name}-copy")
    await store._writer._worker.run(lambda c: c.execute("VACUUM INTO ?", (str(copy),)))
    now = store.present() + SECOND
    other = await SqliteStore.open(copy, lambda: now, SITE)
    try:
        async with asyncio.timeout(60):
            while other.remaking() is not None:  # noqa: ASYNC110 # it tells nobody
                await asyncio.sleep(0.001)
        return await _difference(other, unwritten=False)
    finally:
        await other.close()
        _remove(path.parent, copy.name)


async def _list_at_once(store: Store) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for module in (file_writer, postgres_store):
            patched.setattr(module, "PATIENCE", 0.0)
        await store.count_told(0)


async def _play(rng: random.Random, opening: Opening, path: Path) -> str | None:
    scans = random_history(rng, rng.choice((4, 10, 25, 50)))
    if rng.random() < 0.5:  # told as it happens, else station by station
        scans.sort(key=lambda scan: (scan.occurred, scan.log, scan.seq))
    async with _world(opening, path) as world:
        for scan in scans:
            world.record(scan)
        turns = [scan.log for scan in scans]
        while turns:
            together = turns[: rng.choice((1, 1, 2, 5, 12))]
            del turns[: len(together)]
            hurried = opening.looks < 1 and bool(turns) and rng.random() > opening.looks
            _Gate.open = not hurried
            if hurried:
                _Gate.left = rng.choice((0, 1, 2, 5, 20))
            received = await asyncio.gather(
                *(
                    world.send(log, together.count(log), rng.choice((0, 0, 1, 3)), by)
                    for by, log in enumerate(sorted(set(together)), len(turns))
                )
            )
            if hurried and rng.random() < 0.3:  # a list may be asked for meanwhile, too
                await _list_at_once(world.store)
            # most of what is compared has never been written; where they are hurried,
            # the next come before it is told
            wrong = await _difference(
                world.stores[len(turns) % len(world.stores)],
                received=max(received),
                unwritten=hurried or len(turns) % 3 > 0,
            )
            if wrong is None and not hurried and len(turns) % 5 == 1:
                wrong = await _difference_after_a_crash(world.store, path)
            if wrong is not None:
                return wrong
    return None


def _remove(folder: Path, name: str) -> None:
    for file in folder.glob(f"{name}*"):
        file.unlink()


@pytest.mark.parametrize("part", range(4))
async def test_what_is_kept_equals_what_is_told(
    part: int, opening: Opening, tmp_path: Path
) -> None:
    for seed in range(part, HISTORIES, 4):
        await _hold(seed, opening, tmp_path)


@pytest.mark.parametrize("seed", ONCE_WRONG)
async def test_what_was_wrong_once_is_right(
    seed: int, opening: Opening, tmp_path: Path
) -> None:
    await _hold(seed, opening, tmp_path)


async def _hold(seed: int, opening: Opening, folder: Path) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    wrong = await _play(rng, opening, folder / str(seed))
    assert wrong is None, f"seed {seed}: {wrong}"
    _remove(folder, str(seed))
