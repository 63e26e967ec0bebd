"""Folders of somebody else, and a station that never joined: a sentence that helps."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from edge import config, identity
from edge.cli import main as station
from server import cli
from server.keys import Keys
from shared.data_folders import DATABASE, OUTBOX, for_server, for_station
from shared.errors import ConfigError, StartError
from tests.programs import BIN


def _denied(*_: object, **__: object) -> bool:
    raise PermissionError(13, "Permission denied")


def test_a_configuration_that_may_not_be_read_says_who_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", _denied)
    with pytest.raises(ConfigError, match="run it as the user whose folder it is"):
        config.load(None, tmp_path)


def test_an_identity_that_may_not_be_read_is_not_to_be_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "read_bytes", _denied)
    with pytest.raises(StartError, match="run it as the user") as told:
        identity.load(tmp_path)
    assert "join" not in str(told.value)


def test_a_key_in_a_folder_of_somebody_else_is_refused_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Keys, "create", _denied)
    assert cli.main(["key", "--data", str(tmp_path), "--scope", "read"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "run it as the user who runs the server" in told.err


def _database(folder: Path, name: str) -> None:
    sqlite3.connect(folder / name).close()


@pytest.mark.parametrize(
    "command",
    [
        ("serve", "--port", "0"),
        ("key", "--scope", "read"),
        ("person", "add", "Ana", "--role", "viewer"),
    ],
)
def test_a_stations_folder_is_no_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    _database(tmp_path, OUTBOX)
    assert cli.main([*command, "--data", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{tmp_path} is a station's folder" in told.err
    assert "name another with --data" in told.err
    assert [one.name for one in tmp_path.iterdir()] == [OUTBOX]


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--scanner", "terminal"),
        ("join", "http://127.0.0.1:1", "CODE"),
        ("recover", "nowhere"),
        ("status",),
    ],
)
def test_a_servers_folder_is_no_stations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    _database(tmp_path, DATABASE)
    assert station([*command, "--data", str(tmp_path)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{tmp_path} is a server's folder" in told.err
    assert [one.name for one in tmp_path.iterdir()] == [DATABASE]


def test_a_folder_that_both_have_long_used_is_left_to_both(tmp_path: Path) -> None:
    _database(tmp_path, DATABASE)
    _database(tmp_path, OUTBOX)
    for_server(tmp_path)
    for_station(tmp_path)


async def test_a_station_that_has_not_joined_says_so_at_its_start(
    tmp_path: Path,
) -> None:
    program = await asyncio.create_subprocess_exec(
        *(
            str(BIN / "scantrail-station"),
            "run",
            "--data",
            str(tmp_path),
            "--scanner",
            "terminal",
        ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    assert "has NOT joined a server" in said.decode()
