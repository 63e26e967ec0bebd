"""Slow cards, an old SQLite, and what grows: a station goes on, within its bounds."""

import asyncio
import logging
import sqlite3
import threading
from pathlib import Path

import pytest

from edge.capture import Capture
from edge.care import Care
from edge.feedback import Feedback
from edge.outbox import Outbox
from edge.peeking import latest, peek
from edge.scanners import Read, Tone
from edge.sync import Sync
from edge.workflow import Rules
from server.backup import DATABASE
from server.store.audit import opened
from shared.protocol import ClockReading
from tests.edge_server import Model, ModelLink, request_lost
from tests.faults.checker import check, draft, sent
from tests.faults.mutations import NAME
from tests.faults.server_scenes import serving

ROUND = 400  # scans


class Gun:
    """A scanner that remembers what was confirmed."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def confirm(self, read: Read, tone: Tone) -> None:
        assert tone is not Tone.ERROR
        self.told.append(read.raw.decode())


def _shown(_: Feedback) -> None:
    pass


async def test_f15_while_a_flush_takes_long_nothing_is_confirmed_and_nothing_dropped(
    tmp_path: Path,
) -> None:
    box, gun, model = await Outbox.open(tmp_path / NAME), Gun(), Model()
    capture = Capture(box, Rules(), show=_shown)
    running = asyncio.create_task(capture.run())
    codes = [f"P-{number}" for number in range(40)]
    flushed = threading.Event()
    slow = asyncio.create_task(box.file.execute(lambda _: flushed.wait(60)))
    for number, code in enumerate(codes):
        clock = ClockReading(at=number, boot="b", mono=number * 10**7, synced=True)
        await capture.sink(gun)(Read(raw=code.encode(), device="gun", clock=clock))
    assert (gun.told, capture.held) == ([], len(codes))
    flushed.set()
    assert await slow
    async with asyncio.timeout(30):
        await capture.settled()
    assert (gun.told, capture.held) == (codes, 0)
    running.cancel()
    await asyncio.wait([running])
    await sent(box, model)
    await box.close()
    assert check(codes, model.logs).fine


async def test_f16_one_connection_writes_whatever_sqlite_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that check a WAL file in lose commits with SQLite 3.7.0 to 3.51.2."""
    writing: list[str] = []
    real = sqlite3.connect

    def connect(name: str | Path, **options: object) -> sqlite3.Connection:
        if "mode=ro" not in str(name):
            writing.append(str(name))
        return real(name, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3, "connect", connect)
    box = await Outbox.open(tmp_path / NAME)
    await box.append([draft("P-1")])
    await Care(box).step()
    assert peek(tmp_path / NAME) is not None
    assert len(latest(tmp_path / NAME, 3)) == 1
    assert writing == [str(tmp_path / NAME)]
    await box.close()


async def test_f16_those_who_read_a_server_beside_it_cannot_write(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as store:
        with (
            opened(tmp_path / DATABASE) as beside,
            pytest.raises(sqlite3.OperationalError, match="readonly"),
        ):
            beside.execute("DELETE FROM meta")
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                await store._read(lambda db: db.execute("DELETE FROM meta"))


async def test_f21_what_is_backed_up_gives_its_room_back(tmp_path: Path) -> None:
    box, model = await Outbox.open(tmp_path / NAME), Model()
    care, sizes = Care(box, retention=0), list[int]()
    for turn in range(6):
        for number in range(ROUND):
            await box.append([draft(f"P-{turn}-{number}")])
        await sent(box, model)
        await box.acknowledged(box.last, box.last)
        while box.state.present.first < box.last:
            care._until_pruning = 0
            await care.step()
        sizes.append(sum(path.stat().st_size for path in _files(tmp_path)))
    await box.close()
    assert max(sizes[3:]) <= sizes[2] * 1.1  # the -wal has its length then


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_f21_what_stays_wrong_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box, link = await Outbox.open(tmp_path / NAME), ModelLink(Model())
    await box.append([draft("P-1")])
    link.plan = [request_lost] * 500
    sync = Sync(box, link, luck=lambda: 0.0)
    with caplog.at_level(logging.INFO, logger="edge.sync"):
        for _ in range(500):
            await sync.step()
    assert not link.plan
    assert [record.getMessage() for record in caplog.records] == ["lost"]
    await box.close()
