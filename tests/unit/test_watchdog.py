"""What systemd is told, and when its watchdog is not fed."""

import asyncio
import contextlib
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from edge.pulse import Pulse
from edge.storage import NotSavedError
from server import pulse as of_server
from server.problems import ProblemError
from shared.protocol import ProblemType
from shared.sd_notify import READY, WATCHDOG, notify, status, watchdog

T = TypeVar("T")


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(5)
        wire.bind(str(tmp_path / "notify"))
        yield wire


def test_systemd_is_told(listening: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": listening.getsockname()}
    assert notify(READY, status("well"), environ=environ)
    assert listening.recv(1000) == b"READY=1\nSTATUS=well"


def test_systemd_is_told_at_an_abstract_address() -> None:
    name = f"scantrail-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(5)
        wire.bind(f"\0{name}")
        assert notify(READY, environ={"NOTIFY_SOCKET": f"@{name}"})
        assert wire.recv(100) == b"READY=1"


@pytest.mark.parametrize("where", ["", "vsock:2:1", "/not/there"])
def test_nobody_listens_and_nothing_happens(where: str) -> None:
    assert not notify(READY, environ={"NOTIFY_SOCKET": where})


def test_f76_a_status_is_one_line_whatever_was_scanned() -> None:
    assert status("P-1\nWATCHDOG=trigger\r\x1b[2J\x85\u2028x") == (
        "STATUS=P-1 WATCHDOG=trigger  [2J  x"
    )


def test_the_watchdog_is_fed_three_times_as_often_as_asked() -> None:
    assert watchdog({"WATCHDOG_USEC": "30000000"}) == 10.0
    mine = {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}
    assert watchdog(mine) == 1.0
    for other in ({}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}):
        assert watchdog(other) is None
    assert watchdog({**mine, "WATCHDOG_PID": "1"}) is None


class Outbox:
    """An outbox whose thread answers, refuses, or hangs."""

    def __init__(self, fails: str = "", *, hangs: bool = False) -> None:
        self.problem = ""
        self.asked = asyncio.Event()
        self._fails = fails
        self._hangs = hangs

    async def execute(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self.asked.set()
        if self._hangs:
            await asyncio.Event().wait()
        if self._fails:
            raise NotSavedError(self._fails)
        with contextlib.closing(sqlite3.connect(":memory:")) as connection:
            return work(connection)


def pulse(outbox: Outbox, *, lives: bool = True) -> tuple[Pulse, list[tuple[str, ...]]]:
    told: list[tuple[str, ...]] = []
    made = Pulse(
        outbox,
        lives=lambda: lives,
        words=lambda: "1 of 1 scanners",
        tell=lambda *words: told.append(words),
    )
    return made, told


async def test_a_station_that_works_is_fed() -> None:
    made, told = pulse(Outbox())
    await made.beat()
    assert told == [(WATCHDOG, "STATUS=1 of 1 scanners")]


async def test_a_full_disk_is_told_and_is_no_reason_to_be_killed() -> None:
    outbox = Outbox("the disk is full; make room")
    made, told = pulse(outbox)
    await made.beat()
    assert outbox.asked.is_set()
    assert told == [(WATCHDOG, "STATUS=cannot save: the disk is full; make room")]


async def test_an_outbox_that_hangs_starves_the_watchdog() -> None:
    outbox = Outbox(hangs=True)
    made, told = pulse(outbox)
    running = asyncio.create_task(made.run())
    await outbox.asked.wait()
    assert not told
    running.cancel()


async def test_a_reader_that_has_ended_starves_the_watchdog() -> None:
    made, told = pulse(Outbox(), lives=False)
    await made.beat()
    assert len(told) == 1
    assert WATCHDOG not in told[0]


async def fed(ready: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> str:
    """Feed the server's watchdog until it is told something."""
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    told: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()

    async def asked() -> None:
        ready()

    feeding = asyncio.create_task(
        of_server.feed(asked, "serving", tell=lambda *words: told.put_nowait(words))
    )
    said = await told.get()
    feeding.cancel()
    assert said[0] == WATCHDOG
    return said[1]


async def test_a_server_that_writes_is_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await fed(lambda: None, monkeypatch) == "STATUS=serving"


async def test_a_server_with_a_full_disk_is_fed_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full() -> None:
        raise ProblemError(503, ProblemType.STORAGE, "database or disk is full")

    said = await fed(full, monkeypatch)
    assert said == "STATUS=cannot write: database or disk is full"


async def test_a_writer_that_hangs_starves_the_watchdog(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    asked, told = asyncio.Event(), list[tuple[str, ...]]()

    async def hang() -> None:
        asked.set()
        await asyncio.Event().wait()

    feeding = asyncio.create_task(
        of_server.feed(hang, "serving", tell=lambda *words: told.append(words))
    )
    await asked.wait()
    await asyncio.sleep(0.05)  # many times what was asked for
    assert not told
    feeding.cancel()
