"""The files for udev and systemd: as well-formed as can be told without a scanner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
RULES = sorted(FOLDER.glob("*.rules"))

_PART = re.compile(
    r"(?P<key>[A-Z]+)(\{(?P<name>[^{}]+)\})?(?P<op>==|!=|\+=|-=|:=|=)"
    r'"(?P<value>[^"]*)"'
)
_MATCHES = {
    "ACTION",
    "ATTR",
    "ATTRS",
    "ENV",
    "KERNEL",
    "SUBSYSTEM",
    "TEST",
}
_SETS = {"ATTR", "ENV", "GOTO", "GROUP", "IMPORT", "LABEL", "MODE", "SYMLINK"}


def _rules(text: str) -> list[list[re.Match[str]]]:
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            parts = [_PART.fullmatch(part) for part in line.split(", ")]
            assert all(parts), line
            found.append([part for part in parts if part])
    return found


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_rules_are_of_known_keys_and_lead_somewhere(path: Path) -> None:
    labels, jumps = set(), set()
    for rule in _rules(path.read_text()):
        for part in rule:
            known = _MATCHES if part["op"] in {"==", "!="} else _SETS
            assert part["key"] in known, part[0]
            if part["key"] == "LABEL":
                labels.add(part["value"])
            if part["key"] == "GOTO":
                jumps.add(part["value"])
    assert jumps == labels


def test_other_programs_are_told_to_keep_away() -> None:
    text = "".join(path.read_text() for path in RULES)
    for wanted in ("ID_MM_DEVICE_IGNORE", "ID_MM_PORT_IGNORE", "BRLTTY_BRAILLE_DRIVER"):
        assert f"ENV{{{wanted}}}=" in text
    assert 'ENV{LIBINPUT_IGNORE_DEVICE}="1"' in text


def test_only_scanners_are_given_away() -> None:
    """No rule gives the group a device before it is known to be a scanner."""
    rules = _rules((FOLDER / "61-scantrail.rules").read_text())
    guard = next(
        number
        for number, rule in enumerate(rules)
        if [part[0] for part in rule]
        == ['ENV{SCANTRAIL_SCANNER}!="1"', 'GOTO="scantrail_end"']
    )
    gives = [
        n for n, rule in enumerate(rules) if any(p["key"] == "GROUP" for p in rule)
    ]
    assert gives
    assert min(gives) > guard


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_udev_itself_finds_nothing_wrong(path: Path) -> None:
    udevadm = shutil.which("udevadm")
    if udevadm is None:
        pytest.skip("udevadm is not installed (Debian: udev)")
    version = subprocess.run(
        [udevadm, "--version"], capture_output=True, text=True, check=True
    )
    if int(version.stdout.split()[0]) < 254:
        pytest.skip("this udev has no 'udevadm verify' (254 and later have)")
    done = subprocess.run(
        [udevadm, "verify", "--resolve-names=never", "--no-style", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_user_and_its_group_can_be_made(tmp_path: Path) -> None:
    sysusers = shutil.which("systemd-sysusers")
    if sysusers is None:
        pytest.skip("systemd-sysusers is not installed (Debian: systemd)")
    file = FOLDER / "scantrail.sysusers.conf"
    made = subprocess.run(
        [sysusers, "--dry-run", f"--root={tmp_path}", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert "Creating user 'scantrail'" in made.stdout + made.stderr


def test_drivers_are_named_one_a_line() -> None:
    text = (FOLDER / "scantrail.modules-load.conf").read_text()
    drivers = [line for line in text.splitlines() if line and line[0] != "#"]
    assert {"cdc_acm", "ftdi_sio"} <= set(drivers)
    assert all(re.fullmatch(r"[a-z0-9_]+", driver) for driver in drivers)
