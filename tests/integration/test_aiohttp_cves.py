"""A case for each published CVE of aiohttp, on the real server: docs/advisories.md.

The server runs with ``-O``, so that no check of its libraries rests on an ``assert``
(CVE-2025-69227). What the project does not use at all is looked for in its source.
"""

import asyncio
import contextlib
import gzip
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import edge
import server as server_package
import shared
from edge.answers import NoAnswer
from edge.joining import server_url
from edge.uplink import look
from shared.errors import StartError
from tests import programs
from tests.edge_server import Server as EdgeServer
from tests.programs import Server
from tests.raw_http import MIB, head, memory, post, send, statuses, told

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONOPTIMIZE", "1")
        found = Server(tmp_path_factory.mktemp("server"))
        found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    where = ("--data", str(server.data))
    return programs.told("scantrail-server", "key", *where, "--scope=admin")


def _chunked(key: str, *headers: str) -> bytes:
    return head("POST", "/v1/stations", key, "Transfer-Encoding: chunked", *headers)


def _form(body: bytes, kind: str = "multipart/form-data; boundary=b") -> bytes:
    origin = ("Origin: http://here", f"Content-Type: {kind}")
    return post("", body, *origin, path="/sign-in").replace(
        b"Host: here", b"Host: [::1]"
    )


_TWO_WAYS: dict[str, Callable[[str], bytes]] = {
    "2023_37276_a_cr_in_a_value": lambda key: (
        head("POST", "/v1/stations", key, "X-A: \rxTransfer-Encoding: chunked")
        + b"1\r\nA\r\n0\r\n\r\n"
        + SMUGGLED
    ),
    "2023_47627_lengths_and_names_that_are_none": lambda key: (
        head("POST", "/v1/stations", key, "Content-Length: 0_1") + b"A" + SMUGGLED
    ),
    "2023_47641_a_length_and_chunks": lambda key: (
        _chunked(key, "Content-Length: 5") + b"0\r\n\r\n" + SMUGGLED
    ),
    "2024_23829_a_version_and_a_name_with_odd_bytes": lambda key: (
        head("POST", "/v1/stations", key, "Content-Length\x0b: 5").replace(
            b"HTTP/1.1", b"HTTP/1.\xb2"
        )
        + SMUGGLED
    ),
    "2024_52304_a_newline_in_the_extension_of_a_chunk": lambda key: (
        _chunked(key) + b"2;\nxx\r\n4c\r\n0\r\n\r\n" + SMUGGLED
    ),
    "2025_69224_digits_that_are_not_ascii": lambda key: (
        head("POST", "/v1/stations", key, "Content-Length: \xb2") + b"AA" + SMUGGLED
    ),
    "2026_34520_a_nul_in_a_value": lambda key: (
        head("POST", "/v1/stations", key, "X-A: a\x00b", "Content-Length: 0") + SMUGGLED
    ),
    "2026_34525_two_hosts": lambda key: (
        head("GET", "/healthz", key, "Host: elsewhere") + SMUGGLED
    ),
    "2026_69243_an_upgrade_with_a_body": lambda key: (
        head(
            *("POST", "/v1/stations", key, "Connection: Upgrade", "Upgrade: websocket"),
            *(
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Key: {22 * 'A'}==",
            ),
            f"Content-Length: {len(SMUGGLED)}",
        )
        + SMUGGLED
    ),
}


@pytest.mark.parametrize("case", _TWO_WAYS.values(), ids=_TWO_WAYS.keys())
def test_cve_what_can_be_read_in_two_ways(
    server: Server, key: str, case: Callable[[str], bytes]
) -> None:
    found = statuses(send(server, iter([case(key)])))
    assert len(found) <= 1, "a second request was smuggled in"
    assert all(400 <= status < 500 for status in found)
    assert "/smuggled" not in told(server, "/metrics", key)


def test_cve_2025_53643_a_trailer_is_no_request(server: Server, key: str) -> None:
    body = b'7\r\n{"a":1}\r\n0\r\nX-T: GET /smuggled HTTP/1.1\r\n\r\n'
    last = head("GET", "/healthz", key, "Connection: close")
    found = statuses(send(server, iter([_chunked(key) + body + last])))
    assert found in ([400, 200], [400])


def _before(first: bytes, piece: bytes, times: int) -> Iterator[bytes]:
    yield first
    for _ in range(times):
        yield piece


_BOMB = gzip.compress(b"A" * 64 * MIB)
_PART = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
_FLOODS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "2025_69223_a_bomb": lambda key: iter([post(key, _BOMB, "Content-Encoding: gzip")]),
    "2026_54278_a_bomb_that_nobody_reads": lambda key: iter(
        [post(key, _BOMB, "Content-Encoding: gzip", path="/v1/wanted")]
    ),
    "2025_69228_a_form_of_any_size": lambda _: iter(
        [_form(_PART + b"A" * 32 * MIB + b"\r\n--b--\r\n")]
    ),
    "2026_34517_a_field_of_any_size": lambda _: iter([_form(_PART + b"A" * 8 * MIB)]),
    "2026_34516_a_part_with_headers_without_end": lambda _: iter(
        [_form(b"--b\r\n" + b"X-A: a\r\n" * 500_000)]
    ),
    "2024_30251_a_form_that_never_gets_anywhere": lambda _: iter(
        [_form(b"--b" * 1000 + b"\r\n\r\n--b\r\n--", "multipart/form-data; boundary=b")]
    ),
    "2025_69227_a_form_that_ends_too_early": lambda _: iter(
        [_form(b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--")]
    ),
    "2026_22815_trailers_without_end": lambda key: _before(
        _chunked(key) + b"0\r\n", b"X-A: a\r\n" * 8000, 100
    ),
    "2026_54277_a_line_in_fragments": lambda key: _before(
        head("GET", "/healthz", key)[:-4] + b"\r\nX-A: ", b"a" * 4096, 4000
    ),
    "2025_69229_many_tiny_chunks": lambda key: iter(
        [_chunked(key), b"1\r\nA\r\n" * 200_000, b"0\r\n\r\n"]
    ),
    "2026_54273_more_requests_than_are_answered": lambda key: _before(
        b"", head("GET", "/v1/stations/none/none", key) * 1000, 50
    ),
    "2024_52303_paths_that_lead_nowhere": lambda key: iter(
        [b"".join(head("GET", f"/nowhere/{n}", key) for n in range(20_000))]
    ),
}


@pytest.mark.parametrize("case", _FLOODS.values(), ids=_FLOODS.keys())
def test_cve_floods_cost_neither_memory_nor_time(
    server: Server, key: str, case: Callable[[str], Iterator[bytes]]
) -> None:
    before, began = memory(server), time.monotonic()
    found = statuses(send(server, case(key)))
    assert all(400 <= status < 500 for status in found), set(found)
    assert memory(server) - before < 48 * MIB
    assert "alive" in told(server, "/healthz", key)
    assert time.monotonic() - began < 60


def test_cve_2025_69225_a_range_of_other_digits(server: Server, key: str) -> None:
    asked = head("GET", "/healthz", key, "Range: bytes=\xb2-", "Connection: close")
    (status,) = statuses(send(server, iter([asked])))
    assert status < 500


def test_cve_2025_69230_odd_cookies_fill_no_log(server: Server, key: str) -> None:
    log = server.data.with_name("server.log")
    before = log.stat().st_size
    cookies = "; ".join(f"a{n}[\x01]=b" for n in range(700))
    for _ in range(20):
        asked = head("GET", "/sign-in", key, f"Cookie: {cookies}", "Connection: close")
        assert all(status < 500 for status in statuses(send(server, iter([asked]))))
    assert log.stat().st_size - before < 64 * 1024


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/%2f..",
        "/assets/1/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%2f../server/cli.py",
        "/assets/1/console.css.gz",
        "/assets/",
        "/assets/1/%5c%5cevil.example%5cshare",
    ],
    ids=[
        "2021_21330_a_path_that_leads_elsewhere",
        "2024_23334_a_path_out_of_the_folder",
        "2025_69226_is_there_such_a_file",
        "2024_42367_a_packed_file_beside_it",
        "2024_27306_a_list_of_the_folder",
        "2026_34515_a_file_on_another_machine",
    ],
)
def test_cve_files_are_served_by_name_alone(
    server: Server, key: str, path: str
) -> None:
    answer = send(server, iter([head("GET", path, key, "Connection: close")]))
    (status,) = statuses(answer)
    assert status in {400, 404}
    assert b"evil.example" not in answer.partition(b"\r\n\r\n")[0]
    assert b"root:" not in answer


def test_cve_2026_34519_no_answer_has_a_line_too_many(server: Server, key: str) -> None:
    asked = head(
        *("GET", "/sign-in?to=/%0d%0aX-Evil:%201", key, "Connection: close"),
        "Accept: text/html",
    )
    first, _, _ = send(server, iter([asked])).partition(b"\r\n\r\n")
    assert b"evil" not in first.lower()


def test_cve_2026_54274_nothing_becomes_a_websocket(server: Server, key: str) -> None:
    asked = head(
        *("GET", "/v1/events", key, "Connection: Upgrade", "Upgrade: websocket"),
        *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {22 * 'A'}=="),
    )
    assert 101 not in statuses(send(server, iter([asked])))


def test_cve_2026_54280_who_hangs_up_leaves_nothing_open(
    server: Server, key: str
) -> None:
    assert server.process is not None
    folder = Path(f"/proc/{server.process.pid}/fd")
    host, port = server.url.removeprefix("http://").split(":")
    asked = head("GET", "/v1/export/items", key)

    def hang_up() -> None:
        with socket.create_connection((host, int(port)), 10) as wire:
            wire.sendall(asked)
            with contextlib.suppress(OSError):
                wire.recv(1)

    for _ in range(10):
        hang_up()
    before = len(list(folder.iterdir()))
    for _ in range(100):
        hang_up()
    programs.until(
        lambda: len(list(folder.iterdir())) <= before + 2, "everything closed again"
    )


# --- the client: the station ----------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1\r\nX-Evil: 1", "http://127.0.0.1 HTTP/1.0\r\n\r\n"]
)
def test_cve_2023_49081_2023_49082_an_address_is_one_line(url: str) -> None:
    with pytest.raises(StartError):
        server_url(url)


async def test_cve_2026_69244_chunks_that_are_none_are_no_answer() -> None:
    malformed = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"FFFFFFFFFFFFFFFFF;" + b"\xff" * 5000 + b"\r\n"
    )

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(malformed)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        assert isinstance(await look(f"http://127.0.0.1:{port}"), NoAnswer)
    async with EdgeServer().running() as running:  # it works with another one
        assert not isinstance(await look(running.url), NoAnswer)


_UNUSED = {
    "2021_21330_normalizing_paths": r"normalize_path_middleware",
    "2024_23334_2024_27306_2024_42367_2025_69226_static": r"add_static|web\.static\b",
    "2026_34513_many_hosts_of_one_client": r"ttl_dns_cache",
    "2026_34514_2026_50269_writing_multipart": r"MultipartWriter|FormData",
    "2026_34993_2026_54279_kept_cookies": r"\bCookieJar\(",
    "2026_34518_2026_47265_following": r"allow_redirects=True",
    "2026_54275_another_name_for_tls": r"server_hostname",
    "2026_54276_digest": r"DigestAuth",
    "2026_59881_websockets_of_a_client": r"ws_connect",
    "2026_54274_websockets_of_the_server": r"WebSocketResponse",
    "2024_30251_reading_multipart": r"request\.multipart",
}


def _source() -> Iterator[tuple[str, str]]:
    for package in (edge, server_package, shared):
        for path in Path(package.__path__[0]).rglob("*.py"):
            yield str(path), path.read_text("utf-8")


@pytest.mark.parametrize("pattern", _UNUSED.values(), ids=_UNUSED.keys())
def test_cve_what_is_not_used_at_all(pattern: str) -> None:
    used = [path for path, text in _source() if re.search(pattern, text)]
    assert used == []


def test_cve_2026_34518_2026_47265_no_request_follows_anything() -> None:
    """Every request of a client says so; aiohttp would follow by itself."""
    asks = re.compile(
        r"session\.(request|get|post|put|delete)\(((?:[^()]|\([^()]*\))*)\)"
    )
    found = [
        (path, one[0])
        for path, text in _source()
        for one in asks.finditer(text)
        if "allow_redirects=False" not in one[2]
    ]
    assert found == []


def test_cve_2025_69227_nothing_here_rests_on_an_assert() -> None:
    asserts = re.compile(r"^\s+assert ", re.MULTILINE)
    assert [path for path, text in _source() if asserts.search(text)] == []
