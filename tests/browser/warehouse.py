"""A server with a day behind it, in a thread of its own, and people who sign in."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from server.people import Role
from shared.hosts import HostLine
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.serving import NOW, Log, Service, serving

T = TypeVar("T")

PASSWORD = "correct horse battery"  # noqa: S105 # of nobody
PATIENCE = 30.0
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
PEOPLE = {
    "Vera": Role.VIEWER,
    "Otto": Role.OPERATOR,
    "Sina": Role.SUPERVISOR,
    "Ada": Role.ADMINISTRATOR,
}


class Warehouse:
    """The server, and the stations' logs as they would send them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.service: Service
        self.logs: dict[str, Log] = {}
        self.loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._down = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(PATIENCE)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._down.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        async with serving(self.folder) as self.service:
            self.url = self.service.url
            for name, role in PEOPLE.items():
                self.service.context.people.put(name, role, PASSWORD, "then")
            self._up.set()
            await self._down.wait()

    async def joins(self, name: str, kind: str = "station") -> None:
        self.logs[name] = Log(self.service, name)
        await self.logs[name].join(kind)

    async def tells(self, name: str, *said: dict[str, Any]) -> None:
        """Let a station or a host send lines; ``ago`` is in microseconds before now."""
        log = self.logs[name]
        before = len(log.lines)
        for fields in said:
            given = dict(fields)
            at = to_text(self.service.now - given.pop("ago", 0))
            seq = len(log.lines) + 1
            kind = HostLine if name == "SHOP" else Line
            if "item" in given:
                given.setdefault("raw", given["item"])
            log.put(encode(kind(seq=seq, at=at, **given)))
        status, answer = await log.send(before)
        assert status == 200, answer

    async def at(self, ago: int) -> None:
        self.service.now = NOW - ago


def _scan(action: str, item: str, location: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"action": action, "item": item, "location": location, **more}


def _title(item: str, text: str) -> dict[str, Any]:
    return {"action": "note", "item": item, "title": text}


async def _day(house: Warehouse) -> None:
    """What happened: goods in, a picked ring, a load that lacks it, a late station."""
    await house.at(7 * HOUR)
    for name in ("DOCK-1", "DOCK-2", "PACK-1"):
        await house.joins(name)
    await house.joins("SHOP", "host")
    await house.tells(
        "SHOP",
        {"action": "note", "location": "DOCK-1", "title": "Dock 1"},
        {"action": "note", "location": "A-02-07", "title": "Rack A, bay 2"},
        {"action": "note", "item": "M-1", "kind": "load", "title": "Berlin, 18:00"},
        {"action": "expect", "item": "P-4711", "container": "M-1"},
        {"action": "expect", "item": "P-4712", "container": "M-1"},
        {"action": "expect", "item": "P-4713", "container": "M-1"},
        _title("P-4711", "engagement-ring"),
    )
    await house.tells(
        "DOCK-1",
        *(
            _scan("receive", f"P-47{n}", "DOCK-1", operator="B-BEN")
            for n in range(11, 17)
        ),
        _scan("receive", "M-2", "DOCK-1"),
    )
    await house.at(6 * HOUR)
    await house.tells("DOCK-1", _scan("store", "P-4711", "A-02-07", operator="B-BEN"))
    await house.at(4 * HOUR)
    await house.tells(
        "PACK-1",
        _scan("pick", "P-4711", "A-02-07", operator="B-ANA"),
        _scan("see", "P-4711", "B-09-01", operator="B-ANA"),
    )
    seq = len(house.logs["PACK-1"].lines)
    voids = f"{house.logs['PACK-1'].id}:{seq}"
    taken_back = {"action": "void", "voids": voids, "reason": "wrong shelf"}
    await house.tells("PACK-1", {**taken_back, "operator": "B-ANA"})
    await house.at(3 * HOUR)
    await house.tells(
        "DOCK-1",
        _scan("load", "P-4712", "DOCK-1", container="M-1", operator="B-BEN"),
        _scan("load", "P-4715", "DOCK-1", container="M-1", operator="B-BEN"),
        _scan("load", "P-4714", "DOCK-1", container="M-2", operator="B-BEN"),
        _scan("depart", "M-2", "DOCK-1"),
    )
    await house.at(1 * HOUR)
    await house.tells(
        "DOCK-2", _scan("see", "P-4711", "DOCK-2", ago=2 * HOUR, operator="B-CEM")
    )
    await house.at(10 * MINUTE)
    await house.tells("DOCK-1", _scan("see", "P-4714", "DOCK-1", operator="B-BEN"))
    await house.at(0)
    for name in ("DOCK-1", "PACK-1"):
        await house.tells(name)


@contextmanager
def warehouse(folder: Path) -> Iterator[Warehouse]:
    """Serve a warehouse after its day for as long as the block lasts."""
    house = Warehouse(folder)
    house.start()
    try:
        house.do(_day(house))
        yield house
    finally:
        house.stop()
