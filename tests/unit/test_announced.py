"""What is heard on the local network is held to its form."""

from ipaddress import IPv4Address

import pytest

from shared.announced import properties, read

HERE = IPv4Address("192.0.2.5")
SERVER = "29e51112-4275-4d17-ad3e-d4fdbfd177cd"
MARK = "sha256:" + "ab" * 32


def told(mode: str, mark: str = "", **other: str) -> dict[bytes, bytes | None]:
    said = properties(server=SERVER, fingerprint=mark, tls=mode, name="dock.example")
    return {k.encode(): v.encode() for k, v in {**said, **other}.items()}


@pytest.mark.parametrize(
    ("said", "url"),
    [
        (told("own", MARK), f"https://192.0.2.5:8443#{MARK}"),
        (told("files"), "https://dock.example:8443"),
        (told("off"), "http://192.0.2.5:8443"),
    ],
)
def test_what_a_server_says_is_read_as_an_address(
    said: dict[bytes, bytes | None], url: str
) -> None:
    found = read(HERE, 8443, said)
    assert found is not None
    assert (found.url, found.server) == (url, SERVER)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {b"v": b"1"},
        {b"v": None, b"server": None},
        told("own"),
        told("own", fp="sha256:ab"),
        told("own", fp="\x1b[2J" * 20),
        told("files", name="dock.example/#x"),
        told("files", name="-"),
        told("files", name="a" * 254),
        told("files", name="user@dock"),
        told("files", name="d\u00f6ck"),
        told("else"),
        told("own", MARK, v="2"),
        told("own", MARK, server="../../etc"),
        told("own", MARK, more="x" * 256),
    ],
)
def test_what_is_not_as_it_has_to_be_is_left_out(
    said: dict[bytes, bytes | None],
) -> None:
    assert read(HERE, 8443, said) is None


@pytest.mark.parametrize("port", [-1, 0, 65_536])
def test_a_port_is_one(port: int) -> None:
    assert read(HERE, port, told("own", MARK)) is None
