"""The unit that shows the screen: well-formed, and no wider open than need be."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "scantrail-kiosk.service"
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE = 45  # ten times what systemd-analyze calls it: Chromium needs namespaces, JIT


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program in it that every machine has."""
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    there = tmp_path / UNIT.name
    text = UNIT.read_text()
    assert "/usr/bin/cage" in text
    there.write_text(text.replace("/usr/bin/cage", "/bin/sh"))
    return there


def _analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ANALYZE or "", *arguments], capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_wrong_with_it(unit: Path) -> None:
    done = _analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_hardened(unit: Path) -> None:
    done = _analyze("security", "--offline=true", f"--threshold={EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_it_reaches_this_machine_only() -> None:
    text = UNIT.read_text()
    assert re.findall(r"^IPAddress.*", text, re.MULTILINE) == [
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
    ]
    assert re.findall(r"\w+://\S+", text) == ["http://127.0.0.1:8090/"]


def test_the_browser_may_open_the_screen_and_nothing_else() -> None:
    policy = json.loads((FOLDER / "scantrail-kiosk.chromium.json").read_text())
    assert policy["URLBlocklist"] == ["*"]
    assert policy["URLAllowlist"] == ["http://127.0.0.1:8090"]
