"""What networks do to requests: nothing is lost, doubled or disclosed."""

import asyncio
import random
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.answers import Answer, Sent
from edge.decisions import State, Wait
from edge.identity import Identity
from edge.joining import join
from edge.outbox import Outbox
from edge.sync import Sync, SyncStatus
from edge.sync_policy import Pace, Stance, react
from edge.uplink import Deadlines, Uplink
from shared import chain
from tests.edge_server import Model, ModelLink, Server, delivered_twice, instead
from tests.faults.checker import check, draft, sent
from tests.faults.proxy import Proxy, Way

SHORT = Deadlines(connect=0.5, read=0.3, total=1.0)


class Road:
    """A station, its way through the proxy, and the server behind it."""

    def __init__(self, box: Outbox, me: Identity, proxy: Proxy, server: Server) -> None:
        self.box = box
        self.me = me
        self.proxy = proxy
        self.server = server
        self.codes: list[str] = []

    async def scan(self, count: int = 1) -> None:
        for _ in range(count):
            self.codes.append(f"P-{len(self.codes)}")
            await self.box.append([draft(self.codes[-1])])

    async def step(self, way: Way | None = None) -> SyncStatus:
        """Make one exchange, on a connection of its own."""
        self.proxy.ways, self.proxy.fired = [way or Way()], 0
        async with Uplink(self.me, deadlines=SHORT) as link:
            sync = Sync(self.box, link, luck=lambda: 0.0)
            await sync.step()
        assert bool(self.proxy.fired) == (way is not None)
        return sync.status

    @property
    def fine(self) -> bool:
        return not self.box.waiting and check(self.codes, self.server.model.logs).fine


@asynccontextmanager
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    box = await Outbox.open(tmp_path / "outbox.db")
    async with Server().running() as server, Proxy(server.url).running() as proxy:
        me = await join(
            proxy.url, server.code, tmp_path, log=box.log, version="1", host="pi"
        )
        yield Road(box, me, proxy, server)
    await box.close()


@pytest.mark.parametrize("reset", [False, True])
async def test_f32_an_answer_cut_after_any_byte_doubles_nothing(
    tmp_path: Path, *, reset: bool
) -> None:
    async with road(tmp_path) as way:
        await way.scan()
        await way.step()
        length = way.proxy.seen[1]
        assert length > 300
        for place in range(length):
            await way.scan()
            status = await way.step(Way(down=place, reset=reset))
            assert status.state is State.UNREACHABLE
            assert way.box.waiting == 1
            await way.step()
            assert way.box.waiting == 0
        assert way.fine


async def test_f32_a_request_cut_after_any_byte_loses_nothing(tmp_path: Path) -> None:
    async with road(tmp_path) as way:
        await way.scan()
        await way.step()
        length = way.proxy.seen[0]
        assert length > 600
        for place in range(1, length):
            await way.scan()
            status = await way.step(Way(up=place))
            assert status.state is State.UNREACHABLE
            await way.step()
            assert way.box.waiting == 0
        assert way.fine


async def test_f33_a_request_that_a_proxy_repeats_changes_nothing(
    tmp_path: Path,
) -> None:
    async with road(tmp_path) as way:
        await way.scan(3)
        await way.step(Way(repeat=True))
        assert len([one for one in way.server.seen if "/lines" in one.path]) == 2
        assert way.fine


async def test_f33_two_sessions_at_once_double_nothing(tmp_path: Path) -> None:
    async with road(tmp_path) as way:
        for _ in range(10):
            await way.scan(5)
            async with (
                Uplink(way.me, deadlines=SHORT) as one,
                Uplink(way.me, deadlines=SHORT) as other,
            ):
                both = [Sync(way.box, link, luck=lambda: 0.0) for link in (one, other)]
                await asyncio.gather(*(sync.step() for sync in both))
        assert way.fine
        assert len(way.server.model.logs) == 1


@pytest.mark.parametrize(
    "way_", [Way(hole=True), Way(slow=0.05)], ids=["black hole", "trickle"]
)
async def test_f38_what_does_not_end_is_given_up_and_sent_again(
    tmp_path: Path, way_: Way
) -> None:
    async with road(tmp_path) as way:
        await way.scan(3)
        began = asyncio.get_running_loop().time()
        status = await way.step(way_)
        assert asyncio.get_running_loop().time() - began < SHORT.total + 1
        assert status.state is State.UNREACHABLE
        await way.step()
        assert way.fine


async def test_f34_a_portal_acknowledges_nothing(tmp_path: Path) -> None:
    def portal() -> web.Response:
        return web.Response(text="<html>Welcome</html>", content_type="text/html")

    async with road(tmp_path) as way:
        await way.scan(3)
        way.server.before = [instead(portal)]
        status = await way.step()
        assert (status.state, way.box.waiting) == (State.NOT_OURS, 3)
        await way.step()
        assert way.fine


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f35_a_redirect_takes_no_credentials_with_it(
    tmp_path: Path, status: int
) -> None:
    async with road(tmp_path) as way, Server().running() as other:

        def moved() -> web.Response:
            return web.Response(status=status, headers={"Location": other.url})

        await way.scan(3)
        way.server.before = [instead(moved)]
        told = await way.step()
        assert (told.state, way.box.waiting) == (State.NOT_OURS, 3)
        assert other.seen == []
        await way.step()
        assert way.fine


def certificate(folder: Path, name: str, days: int) -> ssl.SSLContext:
    """Make a certificate of our own authority; returns what trusts it as context."""
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_f37_another_server_acknowledges_nothing(tmp_path: Path) -> None:
    """As a name leads there that was given to another machine."""
    async with road(tmp_path) as way, Server().running() as other:
        other.key, other.token = way.server.key, ""
        await way.scan(3)
        astray = replace(way.me, url=other.url)
        async with Uplink(astray, deadlines=SHORT) as link:
            sync = Sync(way.box, link, luck=lambda: 0.0)
            await sync.step()
        assert sync.status.state is State.REFUSED
        assert len(other.seen) == 1
        assert other.model.logs == {}
        assert way.box.waiting == 3
        await way.scan()
        await way.step()
        assert way.fine


@pytest.mark.parametrize(
    ("name", "days", "trusted", "word"),
    [
        ("localhost", -1, True, "expired"),
        ("localhost", 9, False, "self-signed|self signed|unable to get"),
        ("other.example", 9, True, "mismatch|not valid for"),
    ],
    ids=["expired", "unknown", "other name"],
)
async def test_f36_a_certificate_that_is_not_right_sends_nothing(
    tmp_path: Path, name: str, days: int, word: str, *, trusted: bool
) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    context = certificate(tmp_path, name, days)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    trust = ssl.create_default_context()
    if trusted:
        trust.load_verify_locations(tmp_path / "cert.pem")
    async with road(tmp_path) as way:
        await way.scan()
        port = server.sockets[0].getsockname()[1]
        me = replace(way.me, url=f"https://localhost:{port}")
        async with Uplink(me, deadlines=SHORT, tls=trust) as link:
            sync = Sync(way.box, link, luck=lambda: 0.0)
            await sync.step()
        assert sync.status.state is State.UNREACHABLE
        assert "is not trusted" in sync.status.problem
        assert re.search(word, sync.status.problem)
        assert "nothing was sent" in sync.status.problem
        await way.scan()  # capture goes on
        assert way.box.waiting == 2
    server.close()
    assert asked == []


@pytest.mark.parametrize("status", [422, 500])
@pytest.mark.parametrize("place", [0, 1, 2600, 4999])
async def test_f42_one_poison_line_is_isolated_within_twenty_requests(
    tmp_path: Path, status: int, place: int
) -> None:
    class Stumbling(Model):
        def append(
            self, log: str, after: int, base: bytes, lines: list[bytes], head: bytes
        ) -> Answer:
            answer = super().append(log, after, base, lines, head)
            return Answer(status=500) if answer.status == status - 78 else answer

    box = await Outbox.open(tmp_path / "outbox.db")
    codes = [f"P-{number}-" for number in range(5000)]
    await box.append([draft(code) for code in codes])
    link = ModelLink(Stumbling(poison=f'"P-{place}-"'.encode()))
    sync = Sync(box, link, luck=lambda: 0.0)
    requests = 0
    while not link.model.quarantined:
        await sync.step()
        requests += 1
    assert requests <= 20
    await sent(box, link.model)
    await box.close()
    assert check(codes, link.model.logs).fine
    assert link.model.quarantined == {(box.log, place + 1)}


async def test_f43_a_long_backlog_goes_in_bounded_batches_with_scans_between(
    tmp_path: Path,
) -> None:
    box = await Outbox.open(tmp_path / "outbox.db")
    for first in range(0, 30_000, 5000):
        await box.append([draft(f"P-{n}") for n in range(first, first + 5000)])
    link, live = ModelLink(Model()), list[str]()
    sync = Sync(box, link, luck=lambda: 0.0, pace=Pace())
    while box.waiting:
        await sync.step()
        if len(live) < 5:
            live.append(f"L-{len(live)}")
            await box.append([draft(live[-1])])
    await box.close()
    assert max(len(batch.lines) for batch in link.batches) <= Pace().max_lines
    assert max(len(batch.body) for batch in link.batches) <= Pace().max_bytes
    confirmed = [f"P-{n}" for n in range(30_000)] + live
    assert check(confirmed, link.model.logs).fine


def test_f44_stations_that_come_back_together_do_not_come_at_once() -> None:
    luck = random.Random(44)  # noqa: S311 - has to be repeated, not secret
    pace, rests = Pace(), list[float]()
    down = Wait(state=State.UNREACHABLE, problem="down")
    for _ in range(500):
        stance, rest = Stance(limit=pace.max_lines), None
        for _ in range(12):
            sent_ = Sent(after=0, last=1)
            stance, rest = react(stance, down, sent_, pace, luck.random())
        rests.append(rest or 0.0)
    assert max(rests) <= 30
    busiest = max(Counter(int(rest) for rest in rests).values())
    assert busiest <= 3 * len(rests) / pace.longest


async def test_f45_an_answer_of_a_newer_server_counts(tmp_path: Path) -> None:
    class Newer(Model):
        def _appended(self, log: str, lines: int, already: int) -> Answer:
            old = msgspec.json.decode(super()._appended(log, lines, already).body)
            new = {**old, "moon": {"phase": 3}, "outcomes": {**old["outcomes"], "x": 1}}
            return Answer(
                status=200,
                content_type="application/json; v=9",
                body=msgspec.json.encode(new),
            )

    box = await Outbox.open(tmp_path / "outbox.db")
    await box.append([draft("P-1")])
    model = Newer()
    await sent(box, model)
    await box.close()
    assert check(["P-1"], model.logs).fine


async def test_f41_a_part_that_was_taken_counts_as_far_as_it_goes(
    tmp_path: Path,
) -> None:
    box = await Outbox.open(tmp_path / "outbox.db")
    codes = [f"P-{number}" for number in range(10)]
    await box.append([draft(code) for code in codes])
    link = ModelLink(Model())

    def only_four(_deliver: Callable[[], Answer]) -> Answer:
        batch = link.batches[-1]
        heads = chain.walk(batch.base, batch.lines[:4])
        return link.model.append(
            batch.log, batch.after, batch.base, list(batch.lines[:4]), heads[-1]
        )

    link.plan = [only_four]
    sync = Sync(box, link, luck=lambda: 0.0)
    await sync.step()
    assert (box.acked, box.waiting) == (4, 6)
    await sync.step()
    await box.close()
    assert check(codes, link.model.logs).fine


async def test_f52_a_captured_request_that_is_sent_again_has_no_effect(
    tmp_path: Path,
) -> None:
    box = await Outbox.open(tmp_path / "outbox.db")
    await box.append([draft("P-1"), draft("P-2")])
    link = ModelLink(Model())
    link.plan = [delivered_twice, delivered_twice]
    sync = Sync(box, link, luck=lambda: 0.0)
    await sync.step()
    await sync.step()
    await box.close()
    assert check(["P-1", "P-2"], link.model.logs).fine
