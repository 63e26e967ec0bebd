"""What a server tells the local network of itself, and how it is read. Pure.

Anybody on the network can say it, so nothing of it is believed: each value is held to
its form and length, and what does not fit is left out.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address

import msgspec

from shared.fingerprint import digest

__all__ = ["MOST", "SERVICE", "Found", "properties", "read"]

SERVICE = "_scantrail._tcp.local."
MOST = 20
"""Servers that are listened to, at most."""

_VERSION = b"1"
_MODES = {b"off", b"own", b"files"}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_SERVER = re.compile(r"[0-9a-f-]{36}")
_LONGEST = 255  # bytes of a property: RFC 6763, section 6.1
_PORTS = range(1, 65_536)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A server that somebody announced: how it would be joined, and its identity.

    ``url`` has the fingerprint behind its ``#`` where a certificate was announced that
    no authority knows.
    """

    url: str
    server: str


def properties(*, server: str, fingerprint: str, tls: str, name: str) -> dict[str, str]:
    """Return what is announced beside address and port.

    Args:
        server: The server's identity.
        fingerprint: Of its own certificate; empty where it has another, or none.
        tls: The mode: off, own, files.
        name: What the server is called in a certificate that an authority knows.
    """
    told = {"v": _VERSION.decode(), "server": server, "tls": tls, "name": name}
    return {**told, "fp": fingerprint} if fingerprint else told


def read(
    address: IPv4Address, port: int, told: Mapping[bytes, bytes | None]
) -> Found | None:
    """Read an announcement; ``None`` where something of it is not as it has to be."""
    values = {key: value or b"" for key, value in list(told.items())[:MOST]}
    if any(len(value) > _LONGEST for value in values.values()):
        return None
    server = values.get(b"server", b"").decode("ascii", "replace")
    mode, known = values.get(b"tls", b""), values.get(b"v") == _VERSION
    if not (known and _SERVER.fullmatch(server) and mode in _MODES and port in _PORTS):
        return None
    url = _url(address, port, mode, values)
    return None if url is None else Found(url=url, server=server)


def _url(
    address: IPv4Address, port: int, mode: bytes, values: Mapping[bytes, bytes]
) -> str | None:
    if mode == b"off":
        return f"http://{address}:{port}"
    if mode == b"files":
        name = values.get(b"name", b"").decode("ascii", "replace")
        return f"https://{name}:{port}" if _NAME.fullmatch(name) else None
    try:
        mark = digest(values.get(b"fp", b"").decode("ascii", "replace")).hex()
    except ValueError:
        return None
    return f"https://{address}:{port}#sha256:{mark}"
