"""What a real server tells a real station, which then works without the server."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import PATIENCE, Server, at_server, station, told, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def _ask(server: Server, key: str, method: str, path: str, body: object = None) -> None:
    request = urllib.request.Request(  # noqa: S310 - of a server in this test
        server.url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        assert answer.status < 300


def _knows(home: Path, *items: str) -> bool:
    copy = home / "reference.json"
    return copy.exists() and all(item in copy.read_text() for item in items)


def test_a_station_warns_refuses_and_finds_what_is_wanted_without_its_server(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "DOCK-7"
    key = told("scantrail-server", "key", "--data", str(server.data), "--scope=admin")
    server.join(home)
    _ask(server, key, "PUT", "/v1/wanted/P-WANTED", {"reason": "a customer waits"})
    rows = [{"location": "A-01", "kind": "shelf"}]
    _ask(server, key, "POST", "/v1/import/locations", rows)
    rows = [{"item": item, "load": "M-3"} for item in ("P-1", "P-2")]
    _ask(server, key, "POST", "/v1/import/expect", rows)
    with station(home) as dock:
        until(lambda: _knows(home, "P-WANTED", "A-01", "M-3"), "the station was told")
        server.stop()
        for code in ("X-STORE", "L-NOWHERE", "X-LOAD", "M-3", "P-1", "P-X", "P-WANTED"):
            dock.scan(code)
        out = home / "stdout"
        until(lambda: "P-WANTED" in out.read_text(), "all was scanned")
        shown = out.read_text()
        server.start()
        until(lambda: dock.status().waiting == 0, "all is at the server")
    assert "NOWHERE is not in the list of locations" in shown
    assert "P-1 loaded: 1 of 2" in shown
    assert "P-X is not expected on M-3; it is recorded as seen only" in shown
    assert "WANTED!" in shown
    lines = [json.loads(line) for _, line in at_server(server.data)]
    scanned = {line["raw"]: line for line in lines if "raw" in line}
    assert scanned["P-X"]["refused"] == "not_on_manifest"
    assert scanned["P-1"].get("refused") is None
    assert scanned["L-NOWHERE"].get("refused") is None


def test_a_packing_table_knows_what_another_station_packed_also_without_its_server(
    server: Server, tmp_path: Path
) -> None:
    floor, table = tmp_path / "PACK-1", tmp_path / "TABLE-1"
    server.join(floor)
    server.join(table)
    with station(floor) as packing, station(table) as taking:
        for code in ("X-PACK", "C-1", "P-1", "P-2"):
            packing.scan(code)

        def told_of_it() -> bool:
            taking.scan("P-BETWEEN")  # what is acknowledged brings news
            time.sleep(1.0)
            return _knows(table, "C-1", "P-2")

        until(told_of_it, "the table was told")
        server.stop()
        for code in ("X-HANDOFF", "B-CAS", "B-ANA", "C-1", "P-2", "X-DONE", "X-LATER"):
            taking.scan(code)
        out = table / "stdout"
        until(lambda: "closed without" in out.read_text(), "the list is closed")
        shown = out.read_text()
    assert "C-1 accepted from B-ANA; 2 expected" in shown
    assert "P-2 accepted: 1 of 2" in shown
    assert "C-1 closed without 1 of 2: comes later" in shown
