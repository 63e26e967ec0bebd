"""Tokens of stations: replaced by themselves, never a lock-out, a copy's tale."""

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from edge import identity
from edge.answers import Answer, NoAnswer
from edge.clock import read_clock
from edge.decisions import State
from edge.identity import Identity
from edge.joining import join
from edge.outbox import Outbox
from edge.renewal import Tokens
from edge.sync import Sync
from edge.uplink import Uplink
from server.api.tokens import LIFETIME
from shared.moments import SECOND
from tests.faults.checker import draft
from tests.serving import Log, Service, serving

LATER = LIFETIME + SECOND


class Lossy(Uplink):
    """An uplink whose answers about tokens are lost."""

    lost = 0

    async def offer(self, station: str, token_hash: str) -> Answer | NoAnswer:
        await super().offer(station, token_hash)
        self.lost += 1
        return NoAnswer(problem="lost")


class Machine:
    """A station's folder, and what runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def join(self, service: Service) -> "Machine":
        new = {"name": "DOCK", "location": "DOCK-1"}
        _, made = await service.call("POST", "/v1/stations", json=new)
        box = await Outbox.open(self.folder / "outbox.db")
        code, name = str(made["code"]), box.log
        await box.close()
        await join(
            service.url, code, self.folder, log=name, version="1", host="machine"
        )
        return self

    def copied(self, folder: Path) -> "Machine":
        shutil.copytree(self.folder, folder)
        return Machine(folder)

    @property
    def me(self) -> Identity:
        found = identity.load(self.folder)
        assert found is not None
        return found

    async def exchange(
        self, times: int = 1, *, scan: str = "", link: type[Uplink] = Uplink
    ) -> tuple[Sync, Uplink]:
        box = await Outbox.open(self.folder / "outbox.db")
        try:
            if scan:
                await box.append([draft(scan)])
            async with link(self.me) as uplink:
                tokens = Tokens(self.folder, self.me, uplink, clock=read_clock)
                sync = Sync(box, uplink, tokens=tokens, luck=lambda: 0.0)
                for _ in range(times):
                    await sync.step()
                return sync, uplink
        finally:
            await box.close()


async def codes(service: Service) -> list[tuple[str, str]]:
    _, said = await service.call("GET", "/v1/stations")
    stations = said["stations"]
    assert isinstance(stations, list)
    (found,) = [one for one in stations if one["station"] == "DOCK"]
    return [
        (one["code"], one["text"])
        for one in found["exceptions"]
        if one["code"] in {"copied", "fork", "rollback"}  # the clock here leaps
    ]


async def test_a_token_is_replaced_when_it_is_old_and_not_before(
    service: Service, tmp_path: Path
) -> None:
    station = await Machine(tmp_path / "a").join(service)
    first = station.me.token
    await station.exchange(3)
    assert station.me.token == first
    service.now += LATER
    sync, _ = await station.exchange(3, scan="P-1")
    assert sync.status.state is State.UP_TO_DATE
    assert station.me.token != first
    assert (station.me.following, station.me.earlier) == ("", (first,))
    status, _ = await service.call("GET", "/v1/reference", first)
    assert status == 401
    assert await codes(service) == []


async def test_f50_an_answer_that_is_lost_locks_nobody_out(
    service: Service, tmp_path: Path
) -> None:
    station = await Machine(tmp_path / "a").join(service)
    first = station.me.token
    service.now += LATER
    _, lossy = await station.exchange(2, link=Lossy)
    assert isinstance(lossy, Lossy)
    assert lossy.lost == 1
    following = station.me.following
    assert following
    assert station.me.token == first
    for secret in (first, first):  # holds until the other is used
        assert (await service.call("GET", "/v1/reference", secret))[0] == 200
    sync, _ = await station.exchange(2, scan="P-1")
    assert sync.status.state is State.UP_TO_DATE
    assert station.me.token == following
    assert await codes(service) == []


async def test_f50_a_cut_before_the_new_token_was_kept_locks_nobody_out(
    service: Service, tmp_path: Path
) -> None:
    """The disk lied: the server has seen the new token, the file has the old one."""
    station = await Machine(tmp_path / "a").join(service)
    service.now += LATER
    await station.exchange(1, link=Lossy)
    lied = (tmp_path / "a" / "identity.json").read_bytes()
    await station.exchange(3)
    used = station.me.token
    (tmp_path / "a" / "identity.json").write_bytes(lied)
    assert station.me.token != used
    service.now += 31 * SECOND
    sync, _ = await station.exchange(3, scan="P-2")
    assert sync.status.state is State.UP_TO_DATE
    assert station.me.token == used


async def test_f50_an_old_token_tells_of_a_copy_and_both_keep_their_scans(
    service: Service, tmp_path: Path
) -> None:
    station = await Machine(tmp_path / "a").join(service)
    copy = station.copied(tmp_path / "b")
    service.now += LATER
    await station.exchange(3, scan="P-OURS")
    service.now += 31 * SECOND
    sync, _ = await copy.exchange(2, scan="P-THEIRS")
    assert sync.status.state is State.REFUSED
    assert "copy of its disk" in sync.status.problem
    assert sync.status.waiting == 1
    ((code, text),) = await codes(service)
    assert code == "copied"
    assert "127.0.0.1" in text
    _, fed = await service.call("GET", "/v1/events?after=0")
    events = fed["events"]
    assert isinstance(events, list)
    noted = [one["line"] for one in events if one["line"].get("text") == "copied"]
    assert [(line["station"], line["by"]) for line in noted] == [("DOCK", "(server)")]
    sync, _ = await station.exchange(1, scan="P-OURS-TOO")
    assert sync.status.state is State.UP_TO_DATE


async def test_f54_a_server_restored_from_before_knows_an_earlier_token(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path / "server") as service:
        station = await Machine(tmp_path / "a").join(service)
        await station.exchange(1, scan="P-1")
    shutil.copytree(tmp_path / "server", tmp_path / "backup")
    async with serving(tmp_path / "server") as service:
        await _moved(station, service.url)
        for day in range(1, 4):
            service.now += day * LATER
            await station.exchange(3)
        assert len(station.me.earlier) == 3
    async with serving(tmp_path / "backup") as service:
        await _moved(station, service.url)
        service.now += 5 * LATER
        sync, _ = await station.exchange(8, scan="P-2")
        assert sync.status.state is State.UP_TO_DATE
        assert await codes(service) == []
        assert (await station.exchange(1))[0].status.state is State.UP_TO_DATE


async def _moved(station: Machine, url: str) -> None:
    kept = vars(station.me)
    identity.save(station.folder, Identity(**{**kept, "url": url}))


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


_Offer = Callable[[Log, Log], tuple[str, str]]


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (lambda _, one: (_hash("new"), one.token_signature(_hash("new"))), 403),
        (lambda log, _: (_hash("new"), log.token_signature(_hash("other"))), 403),
        (
            lambda log, one: (_hash(one.token), log.token_signature(_hash(one.token))),
            409,
        ),
        (lambda log, _: (_hash(log.token), log.token_signature(_hash(log.token))), 409),
        (lambda _, __: ("abc", ""), 400),
    ],
    ids=["another's key", "another hash", "another's", "the present", "no hash"],
)
async def test_a_token_is_offered_only_by_whoever_has_the_key(
    service: Service, log: Log, offer: _Offer, status: int
) -> None:
    other = Log(service, "OTHER")
    await other.join()
    token_hash, signature = offer(log, other)
    asked = {"token_hash": token_hash, "signature": signature}
    found, _ = await service.call("POST", "/v1/token", log.token, json=asked)
    assert found == status
    assert (await service.call("GET", "/v1/reference", log.token))[0] == 200
