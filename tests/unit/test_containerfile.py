"""packaging/Containerfile: what can be known of it without building it."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from server.cli import main
from server.config import ServerConfig
from shared.settings_file import parse_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "packaging/Containerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line for line in TEXT.splitlines() if re.match(r"[A-Z]+ ", line)]


def test_its_base_has_a_version_and_no_host() -> None:
    bases = [step.split()[1] for step in STEPS if step.startswith("FROM ")]
    assert set(bases) == {"${BASE}"}
    (version,) = re.findall(r"^ARG BASE=python:(.+)$", TEXT, re.MULTILINE)
    assert re.fullmatch(r"3\.1[1-4]-slim-[a-z]+", version)
    assert "://" not in TEXT


def test_what_it_copies_is_there() -> None:
    for step in STEPS:
        if step.startswith("COPY ") and "--from" not in step:
            for name in step.split()[1:-1]:
                assert (ROOT / name).exists(), name


def test_everything_comes_by_hash_and_it_ends_without_rights() -> None:
    installs = re.findall(r"pip install ([^&]+)", TEXT)
    assert len(installs) == 2
    for one in installs:
        assert "--require-hashes" in one or "--no-deps --no-index" in one
    after = STEPS[max(n for n, s in enumerate(STEPS) if s.startswith("USER ")) :]
    assert after[0] == "USER scantrail"
    assert not any(step.startswith(("RUN ", "COPY ", "ADD ")) for step in after)


def test_its_settings_and_its_command_are_right(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (written,) = re.findall(r"printf ('[^']+')", TEXT)
    text = shlex.split(written)[0].replace("\\n", "\n")
    config = parse_settings(text, "Containerfile", ServerConfig)
    assert (config.data, config.tls.mode) == ("/data", "own")
    assert tomllib.loads(text)["port"] == config.port == 8443
    (tmp_path / "server.toml").write_text(text)
    assert main(("check-config", str(tmp_path / "server.toml"))) == 0
    assert "TLS: own" in capsys.readouterr().err
    assert f"EXPOSE {config.port}" in TEXT
