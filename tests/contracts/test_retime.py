"""FAULT 65: lines that came while the server's clock was wrong are placed anew."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.delivery import Delivery
from server.store import Station, Store
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared import chain
from shared.hosts import Topic
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import ClockReading
from tests.contracts.storing import joined
from tests.programs import BIN

START = 1_777_000_000 * SECOND
HOUR = 3600 * SECOND
DAY = 24 * HOUR


class _Clock:
    now = START


class _Place:
    """Where a store is: a folder, and settings that may name a database."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url, self.folder = url, folder
        self.config = folder / "server.toml"
        self.config.write_text(f'[store]\nurl = "{url}"\n')

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Store]:
        store: Store
        if self.url:
            store = await PostgresStore.open(self.url, _now, clock=_now)
        else:
            store = await SqliteStore.open(self.folder / "scantrail.db", _now)
        try:
            while store.remaking() is not None:  # noqa: ASYNC110 # it tells nobody
                await asyncio.sleep(0.01)
            yield store
        finally:
            await store.close()

    async def retime(self) -> tuple[str, str]:
        """Run the command; return what it prints, and what it says."""
        options = ("--config", self.config, "--data", self.folder)
        process = await asyncio.create_subprocess_exec(
            *(BIN / "scantrail-server", "retime", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        told, said = await process.communicate()
        assert process.returncode == 0, said
        return told.decode(), said.decode()


def _now() -> int:
    return _Clock.now


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> _Place:
    if request.param == "sqlite":
        return _Place(tmp_path, "")
    return _Place(tmp_path, request.getfixturevalue("database").database())


class _Log:
    """A log of a machine whose clocks are right; the wall clock is not synchronised."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: list[bytes] = []

    def write(self, truth: int, **fields: object) -> None:
        line = Line(
            seq=len(self.lines) + 1,
            at=to_text(truth),
            boot="b",
            mono=truth - START + HOUR,
            synced=False,
            **fields,  # type: ignore[arg-type]
        )
        self.lines.append(encode(line))

    async def send(
        self, store: Store, station: Station, truth: int, wrong: int
    ) -> None:
        """Send the last line, to a server whose clock is wrong by so much."""
        _Clock.now = truth + wrong
        heads = chain.walk(chain.start(self.name), self.lines)
        mono = truth - START + HOUR
        clock = ClockReading(at=truth, boot="b", mono=mono, synced=False)
        delivery = Delivery(
            log=self.name,
            after=len(self.lines) - 1,
            lines=self.lines[-1:],
            heads=heads[-2:],
            signature=b"",
            clock=clock,
        )
        await store.append(station, delivery)


async def test_f65_answers_follow_lines_that_are_placed_anew(place: _Place) -> None:
    _Clock.now = START
    truths = [START + hours * HOUR for hours in (1, 2, 4, 8)]
    drafts: tuple[dict[str, str], ...] = (
        {"action": "note", "title": "A vase"},
        {"action": "see", "location": "L-1"},
        {"action": "note", "title": "A lamp"},
        {"action": "see", "location": "L-2"},
    )
    async with place.opened() as store:
        station = await joined(store, "dock")
        log = _Log(station.name)
        for truth, one, wrong in zip(truths, drafts, (DAY, DAY, 0, 0), strict=True):
            log.write(truth, item="P", **one)
            await log.send(store, station.station, truth, wrong)
        entries = await store.events(0, 10)
        kept = [entry.line for entry in entries]
        assert [entry.occurred for entry in entries] > truths  # believed at first
    told, said = await place.retime()
    assert told.count("\n") == 1
    assert "was wrong 1 times; 4 lines happened otherwise" in said
    async with place.opened() as store:
        entries = await store.events(0, 10)
        assert [entry.line for entry in entries] == kept
        assert [entry.occurred for entry in entries] == truths
        answer = await store.item("P")
        assert (answer.location, answer.title) == ("L-2", "A lamp")
        assert answer.location_since == to_text(truths[3])
        (named,) = await store.said(Topic.TITLE, ["P"])
        assert (named.line.title, named.occurred) == ("A lamp", truths[2])
        log.write(truths[3] + HOUR, action="see", item="P", location="L-3")
        await log.send(store, station.station, truths[3] + HOUR, 0)
        assert (await store.item("P")).location == "L-3"
    assert "; 0 lines happened otherwise" in (await place.retime())[1]
