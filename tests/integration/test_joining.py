import ssl
from pathlib import Path

import pytest
from aiohttp import web

from edge import identity
from edge.identity import Identity
from edge.joining import join, server_url
from shared.errors import ProtocolError, StartError
from tests.edge_server import Server, instead


async def joined(server: Server, data: Path, code: str = "ABCD-1234") -> Identity:
    return await join(server.url, code, data, log="log-1", version="1", host="pi")


async def test_a_station_joins_and_keeps_who_it_is(tmp_path: Path) -> None:
    async with Server().running() as server:
        me = await joined(server, tmp_path, " ABCD-1234\n")
        assert server.model.logs == {"log-1": []}
    assert (me.station, me.location, me.epoch) == ("DOCK-1", "DOCK", "e1")
    assert (me.url, me.token) == (server.url, server.token)
    assert server.key == me.key.public_key().public_bytes_raw()
    kept = identity.load(tmp_path)
    assert kept is not None
    assert (kept.token, kept.public_key) == (me.token, me.public_key)


async def test_f53_a_code_works_once(tmp_path: Path) -> None:
    async with Server().running() as server:
        await joined(server, tmp_path)
        with pytest.raises(StartError, match="does not let this station join: It is"):
            await joined(server, tmp_path / "other")
        assert identity.load(tmp_path / "other") is None


async def test_nobody_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^http://127\.0\.0\.1:1 cannot be reached: "):
        await join("http://127.0.0.1:1", "C", tmp_path, log="l", version="", host="")


def page() -> web.Response:
    return web.Response(text="<html>Welcome", content_type="text/html")


def elsewhere() -> web.Response:
    return web.Response(status=302, headers={"Location": "https://evil.example/"})


def nonsense() -> web.Response:
    return web.json_response({"station": 5})


def half_problem() -> web.Response:
    return web.Response(status=403, body=b"{", content_type="application/problem+json")


@pytest.mark.parametrize("answer", [page, elsewhere, nonsense, half_problem])
async def test_f34_what_is_no_scantrail_server_is_called_that(
    tmp_path: Path, answer: type[web.Response]
) -> None:
    async with Server(before=[instead(answer)]).running() as server:
        with pytest.raises(ProtocolError, match="is not a Scantrail server"):
            await joined(server, tmp_path)
        assert len(server.seen) == 1
    assert identity.load(tmp_path) is None


async def test_f36_tls_that_is_none_is_an_error_and_nothing_is_sent(
    tmp_path: Path,
) -> None:
    async with Server().running() as server:
        with pytest.raises(StartError, match="nothing was sent") as told:
            await join(
                server.url.replace("http:", "https:"),
                "ABCD-1234",
                tmp_path,
                log="l",
                version="",
                host="",
                tls=ssl.create_default_context(),
            )
        assert not server.seen
    assert "speaks plain HTTP, or is no TLS server" in str(told.value)
    assert "Try http://" in str(told.value)
    assert "certificate" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://scantrail.example.org/", "https://scantrail.example.org"),
        (" https://example.org:8443/scan/ ", "https://example.org:8443/scan"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.2:8080", "http://127.0.0.2:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_used_without_its_last_slash(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "scantrail.example.org",
        "ftp://example.org",
        "https://",
        "https://user:pass@example.org",
        "https://example.org/?a=1",
        "https://example.org/#a",
        "https://example.org:port",
        "https://[::1",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StartError, match=r"is not (an|the) address"):
        server_url(text)


@pytest.mark.parametrize("host", ["10.0.0.5", "example.org", "localhost.example.org"])
def test_plain_http_to_another_machine_has_to_be_allowed(host: str) -> None:
    with pytest.raises(StartError, match="is not encrypted"):
        server_url(f"http://{host}:8080")
    url = server_url(f"http://{host}:8080", insecure=True)
    assert url == f"http://{host}:8080"
