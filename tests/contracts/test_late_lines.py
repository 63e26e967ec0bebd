"""Lines that come late: what they change is told anew, and they hold nobody up."""

import asyncio
import random
from pathlib import Path

import pytest

from server.problems import ProblemError
from server.resolve import World
from server.store import ItemQuery, file_writer
from server.store.file_writer import FileWriter
from server.store.sqlite import SqliteStore
from shared.moments import SECOND
from shared.protocol import ProblemType
from tests.properties.histories import LOGS, MINUTE, START
from tests.properties.model import Scan
from tests.properties.test_kept_answers import (
    NOW,
    SITE,
    Opening,
    _difference,
    _on_sqlite,
    _World,
    _world,
)

_PARCELS = 300


def _scans(*told: tuple[int, str, dict[str, str]]) -> list[Scan]:
    """Scans of one log, each told by its minute, its action and the rest."""
    return [
        Scan(START + minute * MINUTE, "", seq, 0, action, **rest)  # type: ignore[arg-type]
        for seq, (minute, action, rest) in enumerate(told, 1)
    ]


async def _send(world: _World, log: str, scans: list[Scan]) -> None:
    for scan in scans:
        world.record(scan._replace(log=log))
    await world.send(log, len(scans), 0, 0)


async def test_a_stay_that_goes_on_after_a_void_is_told_of_what_it_is_in(
    tmp_path: Path,
) -> None:
    """What the tote was told before that is late for what is in it again."""
    own = _scans(
        (3, "pack", {"item": "P", "container": "D"}),
        (4, "store", {"item": "P", "location": "X"}),
        (8, "pack", {"item": "P", "container": "C"}),
    )
    async with _world(Opening(_on_sqlite), tmp_path / "late.db") as world:
        await _send(world, "a", own)
        await _send(world, "c", _scans((9, "void", {"voids": "a:2"})))
        seen = _scans((6, "see", {"item": "D", "location": "Z"}))
        await _send(world, "b", seen)
        assert await _difference(world.store, unwritten=False) is None
        assert (await world.store.item("P")).location == "Z"


def _loading(log: int) -> list[Scan]:
    """One station's part of loading a truck, a scan each second in turn."""
    scans: list[Scan] = []
    for number in range(_PARCELS):
        item, first = f"P-{log}-{number}", START + (number * 9 + log) * SECOND
        for step, (action, load) in enumerate((("pick", None), ("load", "M"))):
            at = first + step * 3 * SECOND
            scan = Scan(at, "", len(scans) + 1, 0, action, item=item, container=load)
            scans.append(scan._replace(location="DOCK", operator="B-1"))
    return scans


async def test_late_lines_into_one_load_cost_each_item_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, deliver = [0], World._deliver

    def count(world: World, *delivered: object) -> None:
        told[0] += 1
        deliver(world, *delivered)  # type: ignore[arg-type]

    monkeypatch.setattr(World, "_deliver", count)
    async with _world(Opening(_on_sqlite), tmp_path / "load.db") as world:
        for number, log in enumerate(LOGS):
            scans = _loading(number)
            for scan in scans:
                world.record(scan._replace(log=log))
            for _ in range(6):  # from the second station on, all of it is late
                await world.send(log, len(scans) // 6, 0, 0)
        random.seed(1)
        for number in random.sample(range(_PARCELS), 5):
            found = await world.store.item(f"P-2-{number}")
            assert (found.status, found.container) == ("loaded", "M")
        assert len((await world.store.items(ItemQuery(limit=1_000))).answers)
        lines = 2 * _PARCELS * len(LOGS)
        assert told[0] < 40 * lines  # each late parcel told to each other: 900 times


async def test_scans_are_taken_at_once_after_a_kill_and_answers_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.db"
    async with _world(Opening(_on_sqlite), path) as world:
        await _send(world, "a", _scans((3, "see", {"item": "P", "location": "X"})))
        copy = path.with_name("killed.db")
        store = world.store
        assert isinstance(store, SqliteStore)
        await store._writer._worker.run(
            lambda c: c.execute("VACUUM INTO ?", (str(copy),))
        )
        gate, take = asyncio.Event(), FileWriter._catch_up

        async def wait(killed: FileWriter) -> None:
            await gate.wait()
            await take(killed)

        monkeypatch.setattr(FileWriter, "_catch_up", wait)
        monkeypatch.setattr(file_writer, "PATIENCE", 0.05)
        killed = await SqliteStore.open(copy, lambda: NOW + 9 * SECOND, SITE)
        world.stores = [killed]
        try:
            await _send(world, "b", _scans((4, "see", {"item": "Q", "location": "Y"})))
            assert killed.remaking() is not None
            with pytest.raises(ProblemError) as refused:
                await killed.item("P")
            assert refused.value.problem.type == ProblemType.BUSY
            monkeypatch.setattr(file_writer, "PATIENCE", 20)
            gate.set()
            assert [(await killed.item(i)).location for i in "PQ"] == ["X", "Y"]
            assert killed.remaking() is None
        finally:
            gate.set()
            await killed.close()
