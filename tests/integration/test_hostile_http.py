"""What no honest client sends, over raw sockets, to a real server process.

Whatever comes: an answer of 4xx or the end of the connection, never a 5xx; nothing of
it is stored; the server's memory stays bounded, and the others are served.
"""

import gzip
from collections.abc import Callable, Iterator

import pytest

from tests import programs
from tests.programs import Server
from tests.raw_http import MIB, head, memory, post, send, statuses, told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("server"))
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return programs.told(
        "scantrail-server", "key", "--data", str(server.data), "--scope=admin"
    )


_JSON = {
    "half an object": b'{"name": "A"',
    "a list": b"[]",
    "no utf-8": b'{"name": "\xff"}',
    "deep nesting": b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "NaN": b'{"name": NaN}',
    "2^63": b'{"name": 9223372036854775808}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"name": "A"}',
    "a NUL": b'{"name": "A\x00"}',
    "an unknown field": b'{"name": "A", "admin": true}',
    "a huge number": b'{"name": 1e999999999}',
    "nothing": b"",
    "a name of blanks": b'{"name": "   "}',
    "too long": b'{"name": "' + b"A" * 100_000 + b'"}',
}


@pytest.mark.parametrize("body", _JSON.values(), ids=_JSON.keys())
def test_f46_json_that_is_none_is_refused(
    server: Server, key: str, body: bytes
) -> None:
    (status,) = statuses(send(server, iter([post(key, body)])))
    assert 400 <= status < 500


def test_f46_of_a_field_that_is_there_twice_one_counts(
    server: Server, key: str
) -> None:
    body = b'{"name": "ONE", "name": "TWO"}'
    assert statuses(send(server, iter([post(key, body)]))) == [201]


_HEADERS = {
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "a length and chunks": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "a length that is no number": ("Content-Length: five",),
    "a length below zero": ("Content-Length: -1",),
    "a length with a plus": ("Content-Length: +5",),
    "chunks twice": ("Transfer-Encoding: chunked, chunked",),
    "chunks of something": ("Transfer-Encoding: xchunked",),
    "a name with a blank": ("Content-Length : 5",),
    "a folded line": ("X-One: a", " b", "Content-Length: x"),
    "a value with a NUL": ("X-One: a\x00b", "Content-Length: x"),
    "a line of 100 KB": ("X-One: " + "a" * 100_000,),
    "10,000 lines": tuple(f"X-{n}: a" for n in range(10_000)),
    "a secret of 7 KB": ("X-Secret: " + "a" * 9_000,),
}


@pytest.mark.parametrize("headers", _HEADERS.values(), ids=_HEADERS.keys())
def test_f47_heads_that_can_be_read_in_two_ways_are_refused(
    server: Server, key: str, headers: tuple[str, ...]
) -> None:
    request = head("POST", "/v1/stations", key, *headers) + b"0\r\n\r\n"
    smuggled = head("GET", "/healthz", key, "Connection: close")
    found = statuses(send(server, iter([request + smuggled])))
    assert all(400 <= status < 500 for status in found)
    assert len(found) <= 1, "a second request was smuggled in"


_TARGETS = {
    "a NUL": "/v1/items/%00",
    "no utf-8": "/v1/items/%FF%FE",
    "a surrogate": "/v1/items/%ED%A0%80",
    "4 KB": "/v1/items/" + "A" * 4096,
    "20 KB": "/v1/items/" + "A" * 20_000,
    "up and up": "/v1/items/..%2F..%2F..%2Fetc%2Fpasswd",
    "a percent sign alone": "/v1/items/%",
    "markup": "/v1/items/%3Cscript%3E",
    "unicode digits": "/v1/events?after=%D9%A1",
    "a huge number": "/v1/events?after=" + "9" * 400,
    "below zero": "/v1/items?limit=-1",
    "a far year": "/v1/items/P-1?at=99999-01-01T00:00:00Z",
    "a time zone of a day": "/v1/items/P-1?at=0001-01-01T00:00:00%2B23:59",
    "an end of time": "/v1/items/P-1?at=9999-12-31T23:59:59-23:59",
    "a cursor of nonsense": "/v1/items?cursor=////",
    "a cursor of another list": "/v1/exceptions?cursor=MQ==",
    "a cursor beyond all": "/v1/items?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "a filter of a surrogate": "/v1/items?q=%ED%A0%80",
    "a status of a NUL": "/v1/items?status=%00",
}


@pytest.mark.parametrize("target", _TARGETS.values(), ids=_TARGETS.keys())
def test_f46_targets_of_nonsense_never_break_the_server(
    server: Server, key: str, target: str
) -> None:
    request = head("GET", target, key, "Connection: close")
    found = statuses(send(server, iter([request])))
    assert len(found) <= 1
    assert all(status < 500 for status in found), found


def _tiny_chunks() -> Iterator[bytes]:
    for _ in range(200_000):
        yield b"1\r\nA\r\n"
    yield b"0\r\n\r\n"


def _endless(piece: bytes) -> Iterator[bytes]:
    for _ in range(512):
        yield b"10000\r\n" + piece * 65536 + b"\r\n"


_FLOODS: dict[str, Callable[[str], Iterator[bytes]]] = {
    "many tiny chunks": lambda key: iter(
        [
            head("POST", "/v1/stations", key, "Transfer-Encoding: chunked"),
            b"".join(_tiny_chunks()),
        ]
    ),
    "chunks without end": lambda key: _before(
        head("POST", "/v1/stations", key, "Transfer-Encoding: chunked"),
        _endless(b"A"),
    ),
    "a table without end": lambda key: _before(
        head("POST", "/v1/import/titles", key, "Transfer-Encoding: chunked"),
        _endless(b"A"),
    ),
    "a bomb for a table": lambda key: iter(
        [
            post(
                key,
                gzip.compress(b"A" * 64 * MIB),
                "Content-Encoding: gzip",
                path="/v1/import/titles",
            )
        ]
    ),
    "a chunk of a size beyond all": lambda key: iter(
        [
            head("POST", "/v1/stations", key, "Transfer-Encoding: chunked"),
            b"F" * 100 + b"\r\n",
        ]
    ),
    "100,000 requests at once": lambda key: iter(
        [head("GET", "/nowhere", key) * 1000 for _ in range(100)]
    ),
}


def _before(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others


@pytest.mark.parametrize("flood", _FLOODS.values(), ids=_FLOODS.keys())
def test_f47_floods_cost_no_memory(
    server: Server, key: str, flood: Callable[[str], Iterator[bytes]]
) -> None:
    before = memory(server)
    found = statuses(send(server, flood(key)))
    assert all(400 <= status < 500 for status in found), set(found)
    assert memory(server) - before < 64 * MIB
    assert "alive" in told(server, "/healthz", key)


def test_f47_a_body_shorter_than_it_says_is_not_stored(
    server: Server, key: str
) -> None:
    body = b'{"name": "SHORT"}'
    first = head("POST", "/v1/stations", key, f"Content-Length: {len(body) + 1}")
    found = statuses(send(server, iter([first + body])))
    assert all(400 <= status < 500 for status in found)
    assert "SHORT" not in told(server, "/v1/stations", key)


def test_f46_nothing_of_all_this_was_stored_or_failed(server: Server, key: str) -> None:
    figures = told(server, "/metrics", key)
    assert "scantrail_requests_total" in figures
    assert 'status="5' not in figures
    assert "scantrail_lines_total{" not in figures
