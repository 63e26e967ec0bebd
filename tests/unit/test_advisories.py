"""What is known to be dangerous is neither locked, nor allowed, nor passed over."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from shared.advisories import KNOWN, affected
from tests.programs import BIN

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("constraints*.txt"))


def test_f78_an_old_version_is_told_and_a_mended_one_is_not() -> None:
    old = {"aiohttp": "3.9.5", "jinja2": "3.1.6", "cryptography": "50.0.0rc1"}
    (said,) = affected(old.get)
    assert said.startswith("aiohttp 3.9.5 is installed")
    assert "3.14.3 or newer" in said
    assert list(affected({"aiohttp": "3.14.10"}.get)) == []
    assert list(affected({"aiohttp": "4"}.get)) == []
    assert len(list(affected({"aiohttp": "3.14"}.get))) == 1


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_f78_no_lock_holds_a_version_with_a_known_weakness(lock: Path) -> None:
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock.read_text(), re.MULTILINE))
    assert {one.package for one in KNOWN} <= set(pins)
    assert list(affected(pins.get)) == []


def test_f78_no_version_with_a_known_weakness_may_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least = dict(
        re.findall(r"([a-z0-9-]+)>=([0-9.]+)", "\n".join(project["dependencies"]))
    )
    assert list(affected(least.get)) == []


@pytest.mark.parametrize(
    "command",
    [("scantrail-server", "serve", "--port=99999"), ("scantrail-station", "run")],
    ids=["server", "station"],
)
def test_f78_a_program_with_a_weak_package_says_so_when_it_starts(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    described = tmp_path / "lib" / "aiohttp-3.8.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: aiohttp\nVersion: 3.8.0\n"
    )
    program, *arguments = command
    if program == "scantrail-server":
        arguments = ["serve", "--port=0"]
    started = subprocess.Popen(
        [BIN / program, *arguments, "--data", tmp_path / "data"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stderr is not None
        first = started.stderr.readline()
    finally:
        started.kill()
        started.communicate()
    assert "aiohttp 3.8.0 is installed, which has known weaknesses" in first


def test_f78_every_published_cve_of_aiohttp_has_its_case() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in (ROOT / "docs/advisories.md").read_text().splitlines()
        if line.startswith("| CVE-")
    ]
    source = (ROOT / "tests/integration/test_aiohttp_cves.py").read_text()
    (locked,) = re.findall(r"^aiohttp==([0-9.]+)", LOCKS[0].read_text(), re.MULTILINE)
    for cve, _, fixed, case in rows:
        if case == "none":
            continue
        names = re.findall(r"`(test_\w+)`", case)
        assert names, cve
        assert all(f"def {name}(" in source for name in names), cve
        assert cve.removeprefix("CVE-").replace("-", "_") in source, cve
        parts = [int(part) for part in locked.split(".")]
        assert [int(part) for part in fixed.split(".")] <= parts, cve
    assert len(rows) == len({row[0] for row in rows}) == 47
