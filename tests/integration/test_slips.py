"""Slips of whoever sets it up: each is told, and none begins anything by itself."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge import run_command
from shared.errors import StartError
from tests.programs import BIN

PATIENCE = 60


def said(
    *words: str | Path, typed: str = "", status: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [BIN / words[0], *words[1:]],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == status, done.stderr
    return done


def test_who_has_read_enough_is_shown_no_trace_of_it() -> None:
    with subprocess.Popen(
        [BIN / "scantrail-server", "check-config", "--example"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.close()
        assert (shown.wait(PATIENCE), shown.stderr.read()) == (1, b"")


def test_a_server_that_never_served_leaves_no_folder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        serve = ("scantrail-server", "serve", "--port", port, "--data")
        done = said(*serve, tmp_path / "new", status=1)
        assert "cannot listen" in done.stderr
        assert not (tmp_path / "new").exists()
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "kept").touch()
        said(*serve, tmp_path / "old", status=1)
        assert (tmp_path / "old" / "kept").exists()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("typed", "begins"), [("yes", True), ("", False), ("no", False)]
)
def test_at_a_terminal_a_station_begins_only_when_it_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, *, begins: bool
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: typed)
    slip = tmp_path / "statoin"
    if begins:
        run_command._see_that_it_is_meant(slip, new=False)
    else:
        with pytest.raises(StartError, match="nothing was begun"):
            run_command._see_that_it_is_meant(slip, new=False)
    assert not slip.exists()
    run_command._see_that_it_is_meant(slip, new=True)
    slip.mkdir()
    (slip / "station.toml").touch()
    monkeypatch.setattr("builtins.input", lambda _: pytest.fail("asked"))
    run_command._see_that_it_is_meant(slip, new=False)


def test_where_nobody_can_be_asked_it_is_said_and_scans_are_taken(
    tmp_path: Path,
) -> None:
    slip = tmp_path / "statoin"
    run = ("scantrail-station", "run", "--data", slip)
    done = said(*run, typed="P-1\n")
    assert "there is no station in" in done.stderr
    assert "P-1" in done.stdout
    assert "there is no station in" not in said(*run, typed="P-2\n").stderr
    status = json.loads(said("scantrail-station", "status", "--json", *run[2:]).stdout)
    assert status["saved"] == 2
