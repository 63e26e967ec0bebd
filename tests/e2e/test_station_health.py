"""A real station is seen at a real server, and by its own doctor."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.programs import BIN, PATIENCE, Server, station, told, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "server")
    running.start()
    yield running
    running.stop()


def _told(server: Server, key: str, name: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - of a server in this test
        f"{server.url}/v1/stations", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        stations: list[dict[str, Any]] = json.load(answer)["stations"]
    (found,) = [one for one in stations if one["station"] == name]
    return found


def _doctor(home: Path) -> list[dict[str, str]]:
    done = subprocess.run(
        [BIN / "scantrail-station", "doctor", "--data", home, "--json"],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["fine"] else 1)
    assert done.stderr == b""
    findings: list[dict[str, str]] = found["findings"]
    return findings


def test_what_a_station_says_of_itself_is_shown_at_the_server(
    server: Server, tmp_path: Path
) -> None:
    home = tmp_path / "DOCK-1"
    server.join(home)
    data = ("--data", str(server.data))
    key = told("scantrail-server", "key", *data, "--scope=read")
    with station(home) as one:
        until(
            lambda: bool(_told(server, key, "DOCK-1")["scanners"]),
            "a heartbeat tells of it",
        )
        seen = _told(server, key, "DOCK-1")
        assert seen["backlog"] == 0
        assert seen["disk_free"] > 0
        assert seen["scanners"][0]["device"].startswith("/dev/pts/")
        assert {one["code"] for one in seen["exceptions"]} <= {"clock_wrong"}
        wanted = {"it runs", f"{server.url} answers, and knows this station"}
        until(
            lambda: wanted <= {found["text"] for found in _doctor(home)},
            "the doctor finds both as they should be",
        )
        server.stop()
        one.scan("P-1")
        until(lambda: one.confirmed() == 1, "the scan is confirmed")
        (down,) = [f for f in _doctor(home) if f["area"] == "server"]
        assert down["severity"] == "WRONG"
        assert "cannot be reached" in down["text"]
