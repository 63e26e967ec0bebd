"""Folders of somebody else, and a station that never joined: a sentence that helps."""

import asyncio
from pathlib import Path

import pytest

from edge import config, identity
from server import cli
from server.keys import Keys
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
