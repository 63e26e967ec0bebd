"""The screen's server over HTTP, and the station behind it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse, ClientSession

from edge.config import Config, DisplaySettings
from edge.feedback import Word
from edge.kiosk import Kiosk, page
from edge.kiosk.server import LISTENERS
from edge.station import Station
from edge.texts import read_texts
from shared.lines import decode
from tests.browser.screens import memory, shown
from tests.integration.test_station import Script, Stage

BOUND = 10.0


class Door:
    """A served screen, and what was touched on it."""

    def __init__(self) -> None:
        self.touched: list[tuple[str, int]] = []
        self.url = ""
        self.up = asyncio.Event()
        self.trouble: list[str] = []

    def kiosk(self, port: int = 0) -> Kiosk:
        return Kiosk(
            page("en", read_texts("en")),
            port=port,
            touch=self._touch,
            ready=self._ready,
            trouble=self._troubled,
        )

    def _ready(self, url: str) -> None:
        self.url = url
        self.up.set()

    def _troubled(self, problem: str) -> None:
        self.trouble.append(problem)
        self.up.set()

    async def _touch(self, code: str, number: int) -> bool:
        self.touched.append((code, number))
        return True


@asynccontextmanager
async def served(door: Door, port: int = 0) -> AsyncIterator[Kiosk]:
    kiosk = door.kiosk(port)
    task = asyncio.create_task(kiosk.run())
    async with asyncio.timeout(BOUND):
        await door.up.wait()
    try:
        yield kiosk
    finally:
        task.cancel()
        async with asyncio.timeout(BOUND):
            await asyncio.wait([task])


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as made:
        yield made


async def told(answer: ClientResponse, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the data of the next event of a name."""
    async with asyncio.timeout(BOUND):
        while (await answer.content.readline()) != f"event: {name}\n".encode():
            pass
        return json.loads((await answer.content.readline()).removeprefix(b"data: "))


async def test_the_page_and_its_files_come_with_a_policy_that_lets_nothing_else_in(
    session: ClientSession,
) -> None:
    door = Door()
    async with served(door):
        for path in ("", "page.js", "link.js", "sound.js", "page.css", "icon.svg"):
            async with session.get(door.url + path) as answer:
                assert answer.status == 200
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self'")
                assert "unsafe" not in policy
                text = await answer.text()
                assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
        async with session.get(door.url + "nothing") as answer:
            assert answer.status == 404


async def test_each_new_screen_is_told_and_the_latest_at_once(
    session: ClientSession,
) -> None:
    door = Door()
    async with served(door) as kiosk:
        kiosk.show(shown(memory(Word.SAVED)))
        async with session.get(door.url + "events") as answer:
            assert (await told(answer, "hello"))["token"]
            assert (await told(answer, "screen"))["latest"]["code"] == "P-4701"
            kiosk.show(shown(memory(Word.SAVED, Word.REPEAT)))
            assert (await told(answer, "screen"))["latest"]["word"] == "repeat"
            assert await told(answer, "beat") == 1


async def test_a_touch_needs_origin_type_and_the_token_of_this_run(
    session: ClientSession,
) -> None:
    door = Door()
    async with served(door):
        async with session.get(door.url + "events") as answer:
            token = (await told(answer, "hello"))["token"]
        good = {"token": token, "code": "X-UNDO", "number": 1}
        own = {"Origin": door.url.rstrip("/")}
        where = door.url + "touch"

        async def touch(body: object, **headers: str) -> int:
            request = session.post(where, json=body, headers={**own, **headers})
            async with request as said:
                return said.status

        assert await touch(good) == 200
        assert door.touched == [("X-UNDO", 1)]
        assert await touch({**good, "token": "guessed"}) == 403
        assert await touch(good, Origin="http://evil.example") == 403
        assert await touch(good, Host="evil.example") == 403
        assert await touch(good, **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert await touch(good, **{"Content-Type": "text/plain"}) == 403
        assert await touch({**good, "more": 1}) == 400
        assert await touch([]) == 400
        assert await touch({**good, "code": "X" * 2000}) == 413
        async with session.get(where) as said:
            assert said.status == 405
        assert door.touched == [("X-UNDO", 1)]


async def test_only_so_many_pages_listen_and_a_listener_holds_up_no_end(
    session: ClientSession,
) -> None:
    door = Door()
    async with served(door):
        for _ in range(LISTENERS):
            await told(await session.get(door.url + "events"), "hello")
        async with session.get(door.url + "events") as one_more:
            assert one_more.status == 503


async def test_a_port_that_is_taken_is_told_once_and_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.kiosk.server._AGAIN", 0.02)
    door = Door()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with served(door, port):
            assert door.trouble == ["Address already in use"]
            door.up.clear()
            await asyncio.sleep(0.1)
            taken.close()
            await _within(door.up.wait())
    assert len(door.trouble) == 1
    assert door.url == f"http://127.0.0.1:{port}/"


async def _within(what: Awaitable[object]) -> None:
    async with asyncio.timeout(BOUND):
        await what


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "station")


async def test_a_touch_voids_the_scan_that_was_seen_and_none_that_came_since(
    stage: Stage, session: ClientSession
) -> None:
    port = _free_port()
    config = Config(display=DisplaySettings(kiosk=port))
    setup = msgspec.structs.replace(stage.setup(), config=config)
    more = asyncio.Event()

    async def ends() -> None:
        await more.wait()

    scanner = Script("X-RECEIVE", "P-1", then=ends)
    async with stage.outbox() as box:
        station = Station(setup, box, None, [scanner])
        running = asyncio.create_task(station.run(stage.stop))
        await stage.until(lambda: any(str(port) in text for text in stage.said))
        url = f"http://127.0.0.1:{port}/"
        async with session.get(url + "events") as answer:
            token = (await told(answer, "hello"))["token"]
            screen = await told(answer, "screen")
            while screen["latest"]["code"] != "P-1":
                screen = await told(answer, "screen")

            async def touch(number: int) -> bool:
                body = {"token": token, "code": "X-UNDO", "number": number}
                own = {"Origin": url.rstrip("/")}
                async with session.post(url + "touch", json=body, headers=own) as said:
                    return bool((await said.json())["done"])

            assert not await touch(screen["number"] - 1)
            assert await touch(screen["number"])
            while screen["latest"]["code"] != "X-UNDO":
                screen = await told(answer, "screen")
            assert not await touch(screen["number"] - 1)
        assert [told["undone"] for told in screen["recent"]] == [False, True, False]
        more.set()
        await _within(running)
        batch = await box.batch(0, max_lines=9, max_bytes=9999)
    lines = [decode(line) for line in batch.lines]
    assert [line.raw for line in lines] == ["X-RECEIVE", "P-1", "X-UNDO"]
    assert (lines[2].action, lines[2].voids) == ("void", f"{box.log}:2")
    assert lines[2].device == "screen"
