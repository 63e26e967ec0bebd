"""Two machines under one name: the first one is named, and loses nothing."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from edge import identity, joining
from edge.clock import read_clock
from edge.decisions import State
from edge.joining import move_in
from edge.outbox import Outbox
from edge.renewal import Tokens
from edge.sync import Sync, SyncStatus
from edge.sync_policy import Pace
from edge.uplink import Uplink
from shared.errors import StartError
from shared.moments import SECOND
from tests.faults.checker import draft
from tests.serving import Service

WEEK = 7 * 24 * 3600 * SECOND


class Machine:
    """A station's folder, and what runs on it."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host

    async def join(
        self, service: Service, name: str, *, replaces: bool = False
    ) -> "Machine":
        asked = {"name": name, "location": "DOCK-1", "replaces": replaces}
        status, made = await service.call("POST", "/v1/stations", json=asked)
        assert status == 201, made
        await self.enter(service, str(made["code"]))
        return self

    async def enter(self, service: Service, code: str) -> None:
        box = await Outbox.open(self.folder / "outbox.db")
        ask = partial(
            joining.join, service.url, code, self.folder, version="1", host=self.host
        )
        try:
            await move_in(box, ask)
        finally:
            await box.close()

    async def scan(self, *items: str, times: int = 2) -> SyncStatus:
        """Scan, and speak with the server."""
        me = identity.load(self.folder)
        assert me is not None
        box = await Outbox.open(self.folder / "outbox.db")
        try:
            for item in items:
                await box.append([draft(item)])
            async with Uplink(me) as uplink:
                tokens = Tokens(self.folder, me, uplink, clock=read_clock)
                sync = Sync(box, uplink, tokens=tokens, luck=lambda: 0.0)
                for _ in range(times):
                    await sync.step()
                return sync.status
        finally:
            await box.close()

    def copied(self, folder: Path, host: str) -> "Machine":
        shutil.copytree(self.folder, folder)
        return Machine(folder, host)


async def displaced(service: Service, name: str = "DOCK") -> list[str]:
    """Return what is said of a station that lost its place, at all places."""
    _, page = await service.call("GET", "/v1/exceptions?code=displaced")
    found = page["exceptions"]
    assert isinstance(found, list)
    _, said = await service.call("GET", "/v1/stations")
    stations = said["stations"]
    assert isinstance(stations, list)
    (one,) = [s for s in stations if s["station"] == name]
    shown = [e["text"] for e in one["exceptions"] if e["code"] == "displaced"]
    assert shown == [e["text"] for e in found if e["station"] == name]
    return shown


async def scans(service: Service, item: str) -> list[str]:
    """Return which stations scanned an item, once for each event."""
    _, said = await service.call("GET", f"/v1/items/{item}/events")
    events = said["events"]
    assert isinstance(events, list)
    return [one["station"] for one in events]


async def own_lines(service: Service) -> list[tuple[str, str]]:
    _, fed = await service.call("GET", "/v1/events?after=0")
    events = fed["events"]
    assert isinstance(events, list)
    lines = [one["line"] for one in events if one["station"] == "(server)"]
    return [(line["by"], line["text"]) for line in lines]


async def test_a_name_in_use_is_given_again_only_by_a_code_that_replaces(
    service: Service, tmp_path: Path
) -> None:
    await Machine(tmp_path / "a", "pi-a").join(service, "DOCK")
    asked = {"name": "DOCK"}
    status, said = await service.call("POST", "/v1/stations", json=asked)
    assert (status, str(said["type"]).rpartition(":")[2]) == (409, "name-taken")
    assert "a station DOCK already on the machine pi-a" in str(said["detail"])
    await service.call("POST", "/v1/stations/DOCK/revoke")
    status, _ = await service.call("POST", "/v1/stations", json=asked)
    assert status == 201  # it is not in use


async def test_a_name_that_was_taken_after_the_code_was_made_is_refused(
    service: Service, tmp_path: Path
) -> None:
    codes = []
    for _ in range(2):
        _, made = await service.call("POST", "/v1/stations", json={"name": "DOCK"})
        codes.append(str(made["code"]))
    first, second = Machine(tmp_path / "a", "pi-a"), Machine(tmp_path / "b", "pi-b")
    await first.enter(service, codes[0])
    with pytest.raises(StartError, match="a station DOCK already on the machine pi-a"):
        await second.enter(service, codes[1])
    assert (await first.scan("P-1")).state is State.UP_TO_DATE
    assert await displaced(service) == []


async def test_who_is_pushed_out_is_named_and_loses_nothing(
    service: Service, tmp_path: Path
) -> None:
    first = await Machine(tmp_path / "a", "pi-a").join(service, "DOCK")
    assert (await first.scan("P-1")).state is State.UP_TO_DATE
    second = Machine(tmp_path / "b", "pi-b")
    await second.join(service, "DOCK", replaces=True)
    (text,) = await displaced(service)
    assert "The one before, pi-a, is refused since" in text
    assert (await second.scan("P-SECOND")).state is State.UP_TO_DATE

    status = await first.scan("P-2", "P-3")
    assert (status.state, status.waiting) == (State.DISPLACED, 2)
    assert status.problem.startswith("Another machine joined as DOCK (")
    assert status.problem.endswith("what waits here is sent then.")
    (text,) = await displaced(service)
    assert "The one before, pi-a (127.0.0.1), is refused since" in text
    assert (status.retry_in or 0) >= Pace().refused / 2  # slowly

    await first.join(service, "GATE")
    assert (await first.scan("P-4", times=3)).state is State.UP_TO_DATE
    assert await scans(service, "P-1") == ["DOCK"]
    for item in ("P-2", "P-3", "P-4"):
        assert await scans(service, item) == ["GATE"]
    assert await scans(service, "P-SECOND") == ["DOCK"]
    acts = await own_lines(service)
    assert ("a admin key", "code made, to replace") in acts
    assert ("(server)", "displaced") in acts
    service.now += WEEK + 60 * SECOND
    assert await displaced(service) == []


async def test_a_station_that_joins_again_pushes_nobody_out_but_its_copies(
    service: Service, tmp_path: Path
) -> None:
    first = await Machine(tmp_path / "a", "pi-a").join(service, "DOCK")
    await first.scan("P-1")
    copy = first.copied(tmp_path / "copy", "pi-a")
    await first.join(service, "DOCK", replaces=True)
    assert await displaced(service) == []
    assert (await first.scan("P-2")).state is State.UP_TO_DATE
    assert await displaced(service) == []
    assert (await copy.scan("P-3")).state is State.DISPLACED
    assert len(await displaced(service)) == 1


async def test_a_copy_that_joins_under_its_own_name_tells_nothing_twice(
    service: Service, tmp_path: Path
) -> None:
    """It has lines that the other one sent since, and lines of its own behind them."""
    first = await Machine(tmp_path / "a", "pi-a").join(service, "DOCK")
    await first.scan("P-1")
    box = await Outbox.open(tmp_path / "a" / "outbox.db")
    await box.append([draft("P-WAITED-1")])
    await box.append([draft("P-WAITED-2")])
    await box.close()
    copy = first.copied(tmp_path / "copy", "pi-copy")
    await first.scan("P-A-1", "P-A-2", "P-A-3", times=3)
    box = await Outbox.open(tmp_path / "copy" / "outbox.db")
    await box.append([draft("P-COPY-1")])
    await box.append([draft("P-COPY-2")])
    await box.close()
    await copy.join(service, "GATE")
    assert (await copy.scan(times=3)).state is State.UP_TO_DATE
    for item in ("P-1", "P-WAITED-1", "P-WAITED-2", "P-A-3"):
        assert await scans(service, item) == ["DOCK"]
    for item in ("P-COPY-1", "P-COPY-2"):
        assert await scans(service, item) == ["GATE"]


async def test_figures_and_pages_tell_of_who_was_pushed_out(
    service: Service, tmp_path: Path
) -> None:
    await Machine(tmp_path / "a", "pi-<b>a").join(service, "DOCK")
    second = Machine(tmp_path / "b", "pi-b")
    await second.join(service, "DOCK", replaces=True)
    asked = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}/metrics", headers=asked) as answer:
        assert (
            'scantrail_station_exceptions{code="displaced"} 1.0' in await answer.text()
        )
