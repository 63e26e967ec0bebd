"""What comes while something late is told anew, at every step of that, on both stores.

A story is told up to a moment, then something late comes, and is told anew so many
steps; then something else comes, and the rest is told. Whatever the steps, what is kept
is what telling everything gives.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from server import anew
from server.projections import Projection
from server.store import file_writer, partly
from server.store.postgres import settling
from server.store.postgres import store as postgres_store
from server.store.postgres.database import Database
from server.store.postgres.settling import Settling
from server.store.sqlite import SqliteStore
from tests.postgres import Postgres
from tests.properties.histories import MINUTE, START
from tests.properties.model import Scan
from tests.properties.test_kept_answers import (
    Opening,
    _difference,
    _on_postgres,
    _on_sqlite,
    _World,
    _world,
)

T = TypeVar("T")
MOST = 40
"""Steps of a round in these stories, at most."""

_settle, _do = Projection.settle, Settling._do


class Story(NamedTuple):
    """Scans as ``minute log action item @place in=container``, in the order of coming.

    ``found``: what is told of P in the end.
    """

    told: tuple[str, ...]
    late: str
    meanwhile: str
    found: tuple[str, str | None]


STORIES = {
    "a container is seen that is told anew before what is in it": Story(
        ("5 a load Q @X in=M", "10 a see M @Y"),
        "7 b load P @X in=M",
        "20 c see M @Z",
        ("location", "Z"),
    ),
    "an item is seen that is told anew": Story(
        ("5 a see P @X", "10 a note P"),
        "7 b see P @Y",
        "20 c see P @Z",
        ("location", "Z"),
    ),
    "an item is seen late that is told anew": Story(
        ("5 a see P @X", "10 a note P"),
        "7 b see P @Y",
        "8 c see P @Z",
        ("location", "Z"),
    ),
    "a place is counted where an item turns out to be": Story(
        ("10 a see P @X", "30 a note P"),
        "20 b see P @Y",
        "50 c count @Y",
        ("exceptions", "missed_in_count"),
    ),
    "a count is taken back that an item turns out to have been missed in": Story(
        ("10 a see P @X", "30 a note P", "25 c count @Y"),
        "20 b see P @Y",
        "60 c void of=c:1",
        ("exceptions", None),
    ),
    "a container is seen that an item turns out to be in": Story(
        ("5 a see D @X", "10 a pack P @X in=D", "12 a see P @Y"),
        "40 b void of=a:3",
        "50 c see D @Z",
        ("location", "Z"),
    ),
    "a container is seen late that an item turns out to have been in": Story(
        ("5 a see D @X", "10 a pack P @X in=D", "12 a see P @Y", "30 a unpack P"),
        "40 b void of=a:3",
        "20 c see D @Z",
        ("location", "Z"),
    ),
    "a container is seen late that an item was moved on from": Story(
        ("5 a see D @X", "10 a pack P @X in=D", "12 a see P @Y", "30 a pick P"),
        "40 b void of=a:3",
        "20 c see D @Z",
        ("location", "Z"),
    ),
    "a load leaves that an item turns out to be on": Story(
        ("1 a expect P in=M", "5 a see P @X", "30 a note P"),
        "20 b load P @X in=M",
        "50 c depart M @X",
        ("status", "shipped"),
    ),
    "something is put into what is told anew": Story(
        ("5 a see C @X", "30 a note C"),
        "20 b pack C @Y in=D",
        "50 c pack P @Y in=C",
        ("container", "C"),
    ),
    "something is taken out of what is told anew": Story(
        ("5 a pack P @X in=C", "10 a see C @Y", "12 a see D @Y"),
        "7 b pack C @X in=D",
        "20 c unpack P @Z",
        ("location", "Z"),
    ),
    "an item is moved on that turns out to be elsewhere": Story(
        ("5 a pack P @X in=C", "30 a note P"),
        "20 b pack P @X in=D",
        "50 c pack P @X in=N",
        ("container", "N"),
    ),
}


class _Steps:
    """How many steps may be done; ``None``: any number."""

    left: int | None = None

    def may(self) -> bool:
        if self.left is None:
            return True
        self.left -= 1
        return self.left >= 0

    @property
    def held(self) -> bool:
        return self.left is not None and self.left < 0


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> _Steps:
    steps = _Steps()

    def settle(projection: Projection, _: int) -> None:
        if steps.may():
            _settle(projection, 1)

    async def do(
        settling: Settling, function: Callable[[Database], T], begin: Callable[[], str]
    ) -> T:
        while not steps.may() and not settling._ending:  # noqa: ASYNC110 # it tells nobody
            await asyncio.sleep(0.001)
        return await _do(settling, function, begin)

    monkeypatch.setattr(Projection, "settle", settle)
    monkeypatch.setattr(Settling, "_do", do)
    for module, name in (
        *((anew, name) for name in ("MANY", "GROUP", "PIECE")),
        (settling, "PIECE"),
        (file_writer, "WORK"),
    ):
        monkeypatch.setattr(module, name, 1)
    for module in (file_writer, postgres_store):
        monkeypatch.setattr(module, "PATIENCE", 20)
    return steps


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request: pytest.FixtureRequest) -> Opening:
    if request.param == "sqlite":
        return Opening(_on_sqlite)
    return Opening(_on_postgres(request.getfixturevalue("database")))


async def _come(world: _World, text: str) -> int:
    """Send a scan, through the next store; return when it was received."""
    minute, log, action, *words = text.split()
    seq = len(world.lines[log]) + 1
    fields = dict(map(_field, words))
    scan = Scan(START + int(minute) * MINUTE, log, seq, 0, action, **fields)  # type: ignore[arg-type]
    world.record(scan)
    return await world.send(log, 1, 0, seq)


def _field(word: str) -> tuple[str, str]:
    if word.startswith("@"):
        return "location", word[1:]
    name, equals, value = word.partition("=")
    return (
        ({"in": "container", "of": "voids"}[name], value) if equals else ("item", word)
    )


async def _settled(world: _World) -> None:
    while True:
        lists = partly.begin()
        await world.store.count_told(0)
        if not lists.old:
            return


async def _done(world: _World, steps: _Steps) -> bool:
    """Wait until the steps are done; return whether that was all there is to do."""
    async with asyncio.timeout(20):
        while not steps.held:
            if await _is_settled(world):
                return True
            await asyncio.sleep(0.001)
    return False


async def _is_settled(world: _World) -> bool:
    store = world.store
    if isinstance(store, SqliteStore):
        return store._writer.settled
    hearing = store._hearing  # type: ignore[attr-defined]
    return bool(hearing._late_told >= hearing._late > 0)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
async def test_whatever_comes_meanwhile_what_is_kept_is_what_is_told(
    story: Story, opening: Opening, steps: _Steps, tmp_path: Path
) -> None:
    for number in range(MOST):
        steps.left = None
        async with _world(opening, tmp_path / f"{number}.db") as world:
            for text in story.told:
                await _come(world, text)
            await _settled(world)
            steps.left = number
            await _come(world, story.late)
            done = await _done(world, steps)
            last = await _come(world, story.meanwhile)
            steps.left = None
            wrong = await _difference(world.store, received=last, unwritten=False)
            assert wrong is None, f"after {number} steps: {wrong}"
            answer = await world.store.item("P")
            name, value = story.found
            if name == "exceptions":
                codes = [one.code for one in answer.exceptions]
                assert (value in codes) if value else not codes
            else:
                assert getattr(answer, name) == value
        if done:
            assert number > 0, "nothing was told anew"
            return
    pytest.fail("it is never done")


async def test_a_round_whose_process_dies_is_told_by_another(
    database: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    at_it: list[Settling] = []
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def do(
        settling: Settling, function: Callable[[Database], T], begin: Callable[[], str]
    ) -> T:
        at_it.append(settling)
        found = await _do(settling, function, begin)
        if len(at_it) == 1:
            looked.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(Settling, "_do", do)
    monkeypatch.setattr(settling, "LOOK_AGAIN", 0.01)
    story = STORIES["an item is seen that is told anew"]
    async with _world(Opening(_on_postgres(database)), tmp_path) as world:
        for text in story.told:
            await _come(world, text)
        last = await _come(world, story.late)
        async with asyncio.timeout(20):
            await looked.wait()
            name = world.store._hearing._url.rpartition("@/")[2].partition("?")[0]  # type: ignore[attr-defined]
            assert database.tell(name, _END_ITS_CONNECTION) == "1"
        for store in world.stores:
            assert await _difference(store, received=last, unwritten=False) is None
        assert (await world.store.item("P")).location == "Y"
        go_on.set()  # what it has found is of no use any more
        last = await _come(world, story.meanwhile)
        for store in world.stores:
            assert await _difference(store, received=last, unwritten=False) is None
        assert (await world.store.item("P")).location == "Z"
    assert len(set(at_it)) == 2


_END_ITS_CONNECTION = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE locktype = 'advisory' AND classid = 5367 AND objid = 2 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
