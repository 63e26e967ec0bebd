"""A server that announces itself, and a station that looks for one: on loopback."""

import socket
import sys
from contextlib import AsyncExitStack
from ipaddress import IPv4Address

import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from edge import join_command, nearby
from server.announcing import announced
from server.config import ServerConfig, TlsSettings
from shared.announced import MOST, SERVICE, Found
from shared.errors import StartError

LO = ("127.0.0.1",)
MARK = "sha256:" + "ab" * 32
SERVER = "29e51112-4275-4d17-ad3e-d4fdbfd177cd"
OWN = ServerConfig(host="127.0.0.1", announce=True, tls=TlsSettings(mode="own"))


@pytest.fixture(autouse=True)
def multicast() -> None:
    """Skip where this machine's loopback carries no multicast."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        here = socket.inet_aton("127.0.0.1")
        group = socket.inet_aton("224.0.0.251") + here
        try:
            asked.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, here)
            asked.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
            asked.sendto(b"", ("224.0.0.251", 9))
        except OSError as error:
            pytest.skip(f"no multicast on loopback: {error}")


async def test_a_server_is_found_by_what_it_announces_and_not_after_it() -> None:
    async with announced(
        OWN, server=SERVER, fingerprint=MARK, port=8443, interfaces=LO
    ):
        found = await nearby.look(1.5, interfaces=LO)
    assert Found(url=f"https://127.0.0.1:8443#{MARK}", server=SERVER) in found
    later = await nearby.look(0.5, interfaces=LO)
    assert SERVER not in {one.server for one in later}


async def test_it_says_nothing_unless_it_shall() -> None:
    quiet = ServerConfig(host="127.0.0.1", tls=TlsSettings(mode="own"))
    async with announced(
        quiet, server=SERVER, fingerprint=MARK, port=8443, interfaces=LO
    ):
        found = await nearby.look(0.5, interfaces=LO)
    assert SERVER not in {one.server for one in found}


async def test_a_server_that_nobody_reaches_is_not_announced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with announced(OWN, server=SERVER, fingerprint=MARK, port=8443):
        assert "other machines cannot reach 127.0.0.1" in caplog.text


async def test_a_flood_of_servers_and_nonsense_is_bounded() -> None:
    """So many names as one likes are announced; some with values that are none."""
    async with AsyncExitStack() as stack:
        zeroconf = AsyncZeroconf(interfaces=list(LO))
        stack.push_async_callback(zeroconf.async_close)
        for number in range(2 * MOST):
            info = AsyncServiceInfo(
                SERVICE,
                f"flood-{number}.{SERVICE}",
                addresses=[IPv4Address("192.0.2.9").packed],
                port=1 + number,
                properties={"v": "1", "server": SERVER, "tls": "off"}
                if number % 2
                else {"v": "\x1b[2J", "server": "x" * 200},
                server=f"flood-{number}.local.",
            )
            await (
                await zeroconf.async_register_service(info, cooperating_responders=True)
            )
        found = await nearby.look(1.5, interfaces=LO)
    flood = [one.url for one in found if "192.0.2.9" in one.url]
    assert 0 < len(found) <= MOST
    assert all(url.startswith("http://192.0.2.9:") for url in flood)


# --- choosing -------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Found]:
    other = "sha256:" + "cd" * 32
    urls = (f"https://192.0.2.5:8443#{MARK}", f"https://192.0.2.6:8443#{other}")
    found = [Found(url=url, server=SERVER) for url in urls]

    async def look(seconds: float = 0, **_: object) -> list[Found]:
        del seconds
        return found

    monkeypatch.setattr(nearby, "look", look)
    return found


def test_a_person_chooses_and_is_told_to_compare(
    heard: list[Found],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "2")
    assert join_command._nearby("") == heard[1].url
    said = capsys.readouterr().err
    assert heard[0].url in said
    assert "Anybody on this network can announce a server" in said


@pytest.mark.parametrize("typed", ["", "0", "3", "x", "\u0662"])
def test_nothing_is_sent_to_a_server_that_nobody_chose(
    heard: list[Found], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    assert heard
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: typed)
    with pytest.raises(StartError, match="nothing was sent"):
        join_command._nearby("")


def test_where_nobody_can_choose_a_fingerprint_does(
    heard: list[Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    with pytest.raises(StartError, match="nothing was sent"):
        join_command._nearby("")
    assert join_command._nearby(MARK.removeprefix("sha256:").upper()) == heard[0].url
    with pytest.raises(StartError, match="with that fingerprint"):
        join_command._nearby("ef" * 32)
    with pytest.raises(StartError, match="hexadecimal"):
        join_command._nearby("abc")
