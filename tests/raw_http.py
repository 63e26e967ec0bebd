"""Raw sockets to a real server process, for what no HTTP library would send."""

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.programs import Server

PATIENCE = 20.0
SILENCE = 1.0
"""Seconds that a server may take to answer what it can already see is wrong."""
MIB = 1024 * 1024


def memory(server: Server) -> int:
    """Return the server's memory in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) * 1024


def told(server: Server, path: str, key: str) -> str:
    """Ask as an honest client does."""
    where = f"{server.url}{path}"
    send = {"Authorization": f"Bearer {key}"}
    asked = urllib.request.Request(where, headers=send)  # noqa: S310 # loopback
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
        assert answer.status == 200
        text: str = answer.read().decode()
    return text


def send(server: Server, pieces: Iterator[bytes]) -> bytes:
    """Send pieces on one connection, and return what comes until it ends."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as wire:
        wire.settimeout(SILENCE)
        # it was cut off, or nobody takes any more before answers are read: fine
        with contextlib.suppress(ConnectionError, TimeoutError):
            for piece in pieces:
                wire.sendall(piece)
        found = read(wire, SILENCE)
        with contextlib.suppress(OSError):
            wire.shutdown(socket.SHUT_WR)
            found += read(wire, PATIENCE)
        return found


def read(wire: socket.socket, patience: float) -> bytes:
    """Read until the other side ends it, is silent, or said more than enough."""
    wire.settimeout(patience)
    found = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while len(found) < 4 * MIB and (data := wire.recv(65536)):
            found += data
    return found


def statuses(answer: bytes) -> list[int]:
    return [
        int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()
    ]


def head(method: str, path: str, key: str, *headers: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: here",
        f"Authorization: Bearer {key}",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")


def post(key: str, body: bytes, *headers: str, path: str = "/v1/stations") -> bytes:
    length = f"Content-Length: {len(body)}"
    return head("POST", path, key, length, "Connection: close", *headers) + body
