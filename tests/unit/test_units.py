"""The units of server, station and backup: well-formed, and closed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "systemd"
ANALYZE = shutil.which("systemd-analyze")
UNITS = {
    # ten times what systemd-analyze calls the exposure, at most
    "scantrail-server.service": 12,
    "scantrail-station@.service": 13,
    "scantrail-backup.service": 12,
}


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The units, with a program in them that every machine has."""
    if ANALYZE is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    for name in (*UNITS, "scantrail-backup.timer"):
        text = re.sub(r"/usr/bin/scantrail\S*", "/bin/sh", _text(name))
        (tmp_path / name.replace("@", "@main")).write_text(text)
    return tmp_path


def _text(name: str) -> str:
    return (FOLDER / name).read_text()


def _analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ANALYZE or "", *arguments], capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_wrong_with_them(there: Path) -> None:
    """An unknown key is only a line on stderr: the status would be 0."""
    for unit in sorted(there.iterdir()):
        done = _analyze("verify", "--man=no", unit)
        assert (done.returncode, done.stderr) == (0, ""), unit.name


def test_an_unknown_key_would_be_seen(there: Path) -> None:
    unit = there / "scantrail-server.service"
    unit.write_text(unit.read_text().replace("PrivateTmp=", "PrivateTemp="))
    assert "PrivateTemp" in _analyze("verify", "--man=no", unit).stderr


@pytest.mark.parametrize(("name", "most"), UNITS.items())
def test_they_are_closed(there: Path, name: str, most: int) -> None:
    unit = there / name.replace("@", "@main")
    done = _analyze("security", "--offline=true", f"--threshold={most}", unit)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_a_station_may_open_scanners_and_nothing_else() -> None:
    allowed = re.findall(
        r"^DeviceAllow=(\S+)", _text("scantrail-station@.service"), re.MULTILINE
    )
    assert set(allowed) == {
        f"char-{kind}"
        for kind in ("gpiochip", "hidraw", "input", "ttyACM", "ttyS", "ttyUSB")
    }


@pytest.mark.parametrize(
    "name", ["scantrail-server.service", "scantrail-station@.service"]
)
def test_they_come_back_for_as_long_as_it_takes(name: str) -> None:
    text = _text(name)
    for line in ("Restart=always", "StartLimitIntervalSec=0", "Type=notify"):
        assert re.search(f"^{line}$", text, re.MULTILINE), line
    assert int(re.findall(r"^WatchdogSec=(\d+)$", text, re.MULTILINE)[0]) >= 30


def test_what_is_backed_up_is_what_is_served() -> None:
    """Wherever the settings keep events: on PostgreSQL, too, and over the network."""
    served, backup = map(
        _text, ("scantrail-server.service", "scantrail-backup.service")
    )
    (settings,) = re.findall(
        r"^ExecStart=.* serve --config (\S+)$", served, re.MULTILINE
    )
    assert f" backup --config {settings} " in backup
    for line in ("RestrictAddressFamilies", "PrivateNetwork", "IPAddressDeny"):
        said = [
            re.findall(f"^{line}=.*$", text, re.MULTILINE) for text in (served, backup)
        ]
        assert said[0] == said[1], line


def test_no_secret_is_in_a_unit() -> None:
    for name in UNITS:
        assert not re.search(r"Environment=.*(KEY|TOKEN|CODE|PASSWORD)", _text(name))
