"""Webhooks: every event at least once, in order per item, signed, whatever fails."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from server import webhooks
from server.config import Webhook
from server.store import Entry
from server.webhooks import lanes, pause, signature
from shared.errors import ConfigError
from tests.serving import Log, Service, serving, until

SECRET = b"a secret of the shop's"


@dataclass
class Receiver:
    """Takes calls, and answers each as the plan says; then with 204.

    It notes those of items: the server tells of its own events, too.
    """

    plan: list[int] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    forged: int = 0
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        send = request.headers
        content = f"{send['webhook-id']}.{send['webhook-timestamp']}.".encode() + body
        digest = hmac.new(SECRET, content, sha256).digest()
        good = f"v1,{base64.b64encode(digest).decode()}" == send["webhook-signature"]
        self.forged += not good
        status = self.plan.pop(0) if self.plan else 204
        item = json.loads(body)["data"]["line"].get("item")
        if status < 300 and item is not None:
            self.ids.append(send["webhook-id"])
            self.items.append(item)
        headers = {"Location": self.url} if status == 302 else {}
        return web.Response(status=status, headers=headers)


@asynccontextmanager
async def _receiving() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield found
    finally:
        await runner.cleanup()


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE", 0.001)
    async with _receiving() as found:
        yield found


def _hook(folder: Path, receiver: Receiver, *actions: str) -> tuple[Webhook, ...]:
    secret = folder / "secret"
    secret.write_bytes(SECRET + b"\n")
    return (
        Webhook(
            name="shop", url=receiver.url, secret_file=str(secret), actions=actions
        ),
    )


async def _joined(service: Service) -> Log:
    log = Log(service, "DOCK")
    await log.join()
    return log


async def test_every_event_is_told_signed_and_in_order(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with serving(tmp_path, _hook(tmp_path, receiver)) as service:
        log = await _joined(service)
        log.add(*["P-1"] * 150)
        await log.send(0)
        await until(lambda: len(receiver.ids) == 150)
    assert receiver.ids == [f"{log.id}:{n}" for n in range(1, 151)]
    assert receiver.forged == 0


async def test_what_is_not_taken_is_told_again_until_it_is(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.plan = [500, 302, 429, 404]
    async with serving(tmp_path, _hook(tmp_path, receiver)) as service:
        log = await _joined(service)
        log.add("P-1", "P-1", "P-1")
        await log.send(0)
        await until(lambda: len(receiver.ids) == 3)
    assert receiver.plan == []
    assert receiver.ids == [f"{log.id}:{n}" for n in (1, 2, 3)]


async def test_a_server_that_starts_again_goes_on_where_it_was(
    tmp_path: Path, receiver: Receiver
) -> None:
    hook = _hook(tmp_path, receiver)
    async with serving(tmp_path, hook) as service:
        log = await _joined(service)
        log.add("P-1")
        await log.send(0)
        await until(lambda: len(receiver.ids) == 1)
    async with serving(tmp_path, ()) as service:
        log.service = service
        log.add("P-2")
        await log.send(1)
    async with serving(tmp_path, hook) as service:
        log.service = service
        log.add("P-3")
        await log.send(2)
        await until(lambda: "P-3" in receiver.items)
    assert set(receiver.items) == {"P-1", "P-2", "P-3"}
    assert [i for i in receiver.items if i != "P-1"] == ["P-2", "P-3"]


async def test_a_receiver_that_is_away_holds_nothing_else_up(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.plan = [503] * 1000
    async with serving(tmp_path, _hook(tmp_path, receiver)) as service:
        log = await _joined(service)
        log.add("P-1")
        await log.send(0)
        await until(lambda: len(receiver.plan) < 990)
        log.add("P-2")
        async with asyncio.timeout(5):
            assert (await log.send(1))[0] == 200
    assert receiver.ids == []


async def test_only_the_actions_that_are_asked_for_are_told(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with serving(tmp_path, _hook(tmp_path, receiver, "store")) as service:
        log = await _joined(service)
        log.add("P-1", "P-2")
        log.add("P-3", action="store")
        await log.send(0)
        await until(lambda: receiver.items == ["P-3"])


@pytest.mark.parametrize("secret", ["short", "whsec_***", "whsec_AAAA"])
async def test_a_secret_that_is_none_is_told_at_the_start(
    tmp_path: Path, receiver: Receiver, secret: str
) -> None:
    hook = _hook(tmp_path, receiver)
    (tmp_path / "secret").write_text(secret)
    with pytest.raises(ConfigError) as error:
        async with serving(tmp_path, hook):
            pass
    assert f"{secret!r}" not in str(error.value)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_pauses_grow_and_have_an_end() -> None:
    always: list[float] = [pause(n, 1.0) for n in range(100)]
    assert always == sorted(always)
    assert always[-1] == webhooks.LONGEST_PAUSE
    assert pause(3, 0.0) == pause(3, 1.0) / 2


_NAMES = st.sampled_from("ABCDE")
_EVENTS = st.lists(st.tuples(_NAMES, st.none() | _NAMES), max_size=12)


def _entry(position: int, item: str, container: str | None) -> Entry:
    line = {"action": "pack", "item": item, "container": container}
    return Entry(
        position=position,
        event=f"log:{position}",
        station="S",
        occurred=0,
        lo=0,
        hi=0,
        received=0,
        quarantined=None,
        line=json.dumps({k: v for k, v in line.items() if v}).encode(),
    )


@given(_EVENTS)
def test_no_two_lanes_name_one_item_and_each_is_in_order(
    events: list[tuple[str, str | None]],
) -> None:
    found = lanes(_entry(n, *names) for n, names in enumerate(events, 1))
    positions = [[entry.position for entry in lane] for lane in found]
    assert all(lane == sorted(lane) for lane in positions)
    assert sorted(chain(*positions)) == list(range(1, len(events) + 1))
    named = [
        {name for n in lane for name in events[n - 1] if name} for lane in positions
    ]
    assert len(set().union(*named)) == sum(map(len, named))
