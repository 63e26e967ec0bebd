import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from edge.answers import Answer, NoAnswer, read
from edge.identity import Identity
from edge.joining import join
from edge.logs import Batch
from edge.uplink import Deadlines, Uplink
from shared import chain
from shared.protocol import Appended, ClockReading
from tests.edge_server import Server, cut, instead, silent

LOG = "0b7c6f4e-8a3f-4a52-9f4e-2b8f1d1c9a10"
NOW = ClockReading(at=1_772_359_200_000_000, boot="b1", mono=5, synced=True)


def batch(*lines: bytes, after: int = 0) -> Batch:
    base = chain.start(LOG)
    head = chain.walk(base, lines)[-1]
    return Batch(log=LOG, after=after, base=base, head=head, lines=lines)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server().running() as running:
        yield running


@pytest.fixture
async def me(server: Server, tmp_path: Path) -> Identity:
    me = await join(server.url, server.code, tmp_path, log=LOG, version="1", host="pi")
    server.seen.clear()
    return me


def uplink(me: Identity, **deadlines: float) -> Uplink:
    return Uplink(
        me, clock=lambda: NOW, version="1.2", deadlines=Deadlines(**deadlines)
    )


def acked(answer: Answer | NoAnswer) -> int:
    said = read(answer).said
    assert isinstance(said, Appended), answer
    return said.acked


async def test_lines_go_signed_with_the_clock_and_packed_when_it_pays(
    server: Server, me: Identity
) -> None:
    short, long = b'{"seq":1}', b'{"seq":2,"raw":"' + b"x" * 2000 + b'"}'
    async with uplink(me) as up:
        assert acked(await up.send(batch())) == 0
        assert acked(await up.send(batch(short))) == 1
        assert acked(await up.send(batch(short, long))) == 2
    assert server.model.logs[LOG] == [short, long]
    assert server.clocks == [NOW] * 3
    packed = [one.headers.get("Content-Encoding") for one in server.seen]
    assert packed == [None, None, "zstd"]
    assert int(server.seen[2].headers["Content-Length"]) < 200
    assert {one.headers["User-Agent"] for one in server.seen} == {
        "scantrail-station/1.2"
    }


async def test_the_health_goes_with_heartbeats_and_now_and_then_with_lines(
    server: Server, me: Identity
) -> None:
    line, now = b'{"seq":1}', NOW

    def told(batch: Batch) -> str:
        return f'{{"waiting":{len(batch.lines)}}}'

    async with Uplink(me, clock=lambda: now, health=told) as up:
        await up.send(batch(line))
        await up.send(batch(line))  # too soon to say it again
        await up.send(batch())
        now = msgspec.structs.replace(NOW, mono=NOW.mono + 30_000_000)
        await up.send(batch(line))
    said = [one.headers.get("Scantrail-Health") for one in server.seen]
    assert said == ['{"waiting":1}', None, '{"waiting":0}', '{"waiting":1}']


async def test_one_line_goes_raw(server: Server, me: Identity) -> None:
    async with uplink(me) as up:
        assert acked(await up.send_raw(batch(b"\xff\n\x00"))) == 1
    assert server.model.logs[LOG] == [b"\xff\n\x00"]
    assert server.model.quarantined == {(LOG, 1)}


async def test_reference_data_are_fetched_unless_they_are_here(
    server: Server, me: Identity
) -> None:
    server.model.etag = '"e1"'
    async with uplink(me) as up:
        first = await up.reference("")
        assert isinstance(first, Answer)
        assert (first.status, first.etag, first.body) == (
            200,
            '"e1"',
            server.reference,
        )
        again = await up.reference('"e1"')
        assert isinstance(again, Answer)
        assert again.status == 304


async def test_f35_a_redirect_is_not_followed(server: Server, me: Identity) -> None:
    async with Server().running() as other:
        place = f"{other.url}/v1/logs/{LOG}/lines?after=0"
        server.before.append(
            instead(lambda: web.Response(status=307, headers={"Location": place}))
        )
        async with uplink(me) as up:
            answer = await up.send(batch(b"{}"))
        assert isinstance(answer, Answer)
        assert (answer.status, answer.location) == (307, place)
        assert not other.seen


async def test_a_cookie_is_not_kept(server: Server, me: Identity) -> None:
    server.before.append(
        instead(lambda: web.Response(headers={"Set-Cookie": "portal=1; Path=/"}))
    )
    async with uplink(me) as up:
        await up.send(batch())
        await up.send(batch())
    assert "Cookie" not in server.seen[1].headers


async def test_headers_of_a_busy_server_come_through(
    server: Server, me: Identity
) -> None:
    server.before.append(
        instead(lambda: web.Response(status=503, headers={"Retry-After": "9"}))
    )
    async with uplink(me) as up:
        answer = await up.send(batch())
    assert isinstance(answer, Answer)
    assert (answer.status, answer.retry_after) == (503, "9")
    assert answer.date.endswith("GMT")


async def test_f32_a_cut_connection_is_a_value(server: Server, me: Identity) -> None:
    server.before.append(cut)
    async with uplink(me) as up:
        assert await up.send(batch()) == NoAnswer(
            problem=f"{server.url} cannot be reached: the connection was cut"
        )


async def test_f38_a_black_hole_is_given_up(server: Server, me: Identity) -> None:
    server.before.append(silent)
    async with uplink(me, read=0.05) as up:
        answer = await up.send(batch())
    assert answer == NoAnswer(
        problem=f"{server.url} did not answer in time", timed_out=True
    )


async def test_f38_an_answer_in_trickles_is_given_up(me: Identity) -> None:
    trickled = asyncio.Event()

    async def trickle(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                trickled.set()
                await asyncio.sleep(0.01)
        except ConnectionError:
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(trickle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        elsewhere = Identity(
            url=url, server="", station="", epoch="", token="", key=me.key
        )
        async with uplink(elsewhere, total=0.2) as up:
            answer = await up.send(batch())
    assert trickled.is_set()
    assert isinstance(answer, NoAnswer)
    assert answer.timed_out


async def test_nobody_there_is_a_value(server: Server, me: Identity) -> None:
    del server
    gone = Identity(
        url="http://127.0.0.1:1", server="", station="", epoch="", token="", key=me.key
    )
    async with uplink(gone) as up:
        answer = await up.send(batch())
    assert answer == NoAnswer(
        problem="http://127.0.0.1:1 cannot be reached: Connection refused"
    )


async def test_f37_a_name_that_is_not_known_is_a_value(me: Identity) -> None:
    lost = Identity(
        url="http://scantrail.invalid",
        server="",
        station="",
        epoch="",
        token="",
        key=me.key,
    )
    async with uplink(lost) as up:
        answer = await up.send(batch())
    assert isinstance(answer, NoAnswer)
    assert "http://scantrail.invalid" in answer.problem


async def test_f36_an_untrusted_certificate_sends_nothing(
    server: Server, me: Identity
) -> None:
    tls = Identity(
        url=server.url.replace("http:", "https:"),
        server="",
        station="",
        epoch="",
        token="",
        key=me.key,
    )
    async with Uplink(tls, tls=ssl.create_default_context()) as up:
        answer = await up.send(batch(b"{}"))
    assert isinstance(answer, NoAnswer)
    assert "nothing was sent" in answer.problem
    assert not server.seen


async def test_an_answer_without_end_is_cut_off(server: Server, me: Identity) -> None:
    server.before.append(instead(lambda: web.Response(body=b" " * (1024 * 1024 + 1))))
    async with uplink(me) as up:
        answer = await up.send(batch())
    assert isinstance(answer, Answer)
    assert answer.body == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br"])
async def test_f47_a_compressed_answer_is_not_unpacked(
    server: Server, me: Identity, encoding: str
) -> None:
    server.before.append(
        instead(
            lambda: web.Response(body=b"bomb", headers={"Content-Encoding": encoding})
        )
    )
    async with uplink(me) as up:
        answer = await up.send(batch())
    assert isinstance(answer, Answer)
    assert answer.body == b"bomb"


async def test_no_token_is_in_what_is_shown(server: Server, me: Identity) -> None:
    server.before.append(cut)
    async with uplink(me) as up:
        answer = await up.send(batch())
    assert server.token not in msgspec.json.encode(answer).decode()
