"""Every confirmed scan is at the server once, unchanged, in order: real processes."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shared.lines import decode
from tests.programs import Server, at_server, station, told, until

CONFORM = Path(__file__).parents[3] / "shared" / "conform.py"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def _raws(lines: list[tuple[int, bytes]]) -> list[str]:
    return [decode(data).raw or "" for _, data in lines]


def test_f01_scans_of_an_offline_station_survive_its_kill(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "station"
    server.join(home)
    server.stop()
    first = [f"P-{number}" for number in range(20)]
    with station(home) as one:
        for code in first:
            one.scan(code)
        until(lambda: one.confirmed() == len(first), "the first are confirmed")
        one.kill()
    second = [f"P-{number}" for number in range(20, 30)]
    with station(home) as one:
        for code in second:
            one.scan(code)
        until(lambda: one.confirmed() == len(second), "the second are confirmed")
        assert one.status().waiting == len(first) + len(second)
        server.start()
        until(lambda: one.status().waiting == 0, "all are acknowledged")
    kept = at_server(server.data)
    assert [seq for seq, _ in kept] == list(range(1, 31))
    assert _raws(kept) == first + second


class CuttingProxy:
    """Passes requests on, and cuts the answers of the first appends off."""

    def __init__(self, to: str, cuts: int) -> None:
        host, port = to.removeprefix("http://").split(":")
        self._to = (host, int(port))
        self._cuts = cuts
        self.cut = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._to) as upstream:
            while asked := self._message(client):
                upstream.sendall(asked)
                answer = self._message(upstream)
                has_lines = b"/lines?" in asked and not asked.endswith(b"\r\n\r\n")
                if has_lines and self.cut < self._cuts and b" 200 " in answer[:20]:
                    self.cut += 1
                    return
                client.sendall(answer)

    @staticmethod
    def _message(peer: socket.socket) -> bytes:
        """Read one HTTP message with a Content-Length."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = peer.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += peer.recv(65536)
        return head + b"\r\n\r\n" + body


def test_f32_answers_cut_off_after_the_commit_double_nothing(
    server: Server, tmp_path: Path
) -> None:
    proxy = CuttingProxy(server.url, cuts=3)
    home = tmp_path / "station"
    server.join(home, proxy.url)
    codes = [f"P-{number}" for number in range(12)]
    with station(home) as one:
        for code in codes:
            one.scan(code)
        until(lambda: one.confirmed() == len(codes), "all are confirmed")
        until(lambda: one.status().waiting == 0, "all are acknowledged")
    proxy.close()
    assert proxy.cut == 3
    kept = at_server(server.data)
    assert [seq for seq, _ in kept] == list(range(1, 13))
    assert _raws(kept) == codes


@pytest.mark.parametrize("offline", [(), ("--offline",)])
def test_the_demo_shows_where_everything_is(
    tmp_path: Path, offline: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server.client.demo", "--data", tmp_path, *offline],
        input=b"X-RECEIVE\nP-1\nP-2\nX-STORE\nP-1\nL-A-02\n\x1b[31m\n",
        capture_output=True,
        timeout=60,
        check=True,
    )
    said = done.stdout.decode()
    assert ("the server is stopped" in said) == bool(offline)
    rows = {row.split()[0]: row.split() for row in said.splitlines() if row[:2] == "P-"}
    assert rows["P-1"][1] == "stored"
    assert "A-02" in rows["P-1"]
    assert rows["P-2"][1] == "received"
    assert "\x1b" not in said


def test_every_example_of_the_contract_holds(server: Server) -> None:
    if not CONFORM.exists():
        pytest.skip("the contract's examples are not beside this checkout")
    key = told("scantrail-server", "key", "--data", str(server.data), "--scope=admin")
    done = subprocess.run(
        [
            *(sys.executable, CONFORM, "--server", server.url, "--key", key),
            *sorted(CONFORM.parent.glob("scenarios/*.json")),
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def test_a_second_server_and_a_newer_database_are_refused(server: Server) -> None:
    program = Path(sys.executable).parent / "scantrail-server"
    serve: list[str | Path] = [program, "serve"]
    second = subprocess.run(
        [*serve, "--data", server.data, "--port", "0"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert "another server runs" in second.stderr.decode()
    assert len(second.stderr.splitlines()) == 1


def test_an_item_is_traced_in_a_terminal(server: Server, tmp_path: Path) -> None:
    home = tmp_path / "station"
    server.join(home)
    with station(home) as one:
        one.scan("X-RECEIVE")
        one.scan("P-77")
        until(lambda: one.confirmed() == 2, "both are confirmed")
        until(lambda: one.status().waiting == 0, "all are acknowledged")
    key = told("scantrail-server", "key", "--data", str(server.data), "--scope=read")
    to = ("--server", server.url, "--key", key)
    assert told("scantrail", "trace", "P-77", *to).startswith("P-77 is received since")
    found = msgspec.json.decode(told("scantrail", "find", "77", "--json", *to))
    assert [item["item"] for item in found["items"]] == ["P-77"]
    nobody = told("scantrail", "trace", "P-NEVER", *to)
    assert nobody.startswith("P-NEVER was never scanned")
