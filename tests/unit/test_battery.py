"""A handheld's battery, on a machine made of folders."""

from pathlib import Path

import pytest

from edge.battery import Battery, read_battery


def _supply(root: Path, name: str, **files: str) -> None:
    (root / name).mkdir()
    for file, text in files.items():
        (root / name / file).write_text(text + "\n")


def test_a_machine_without_a_battery_has_none(tmp_path: Path) -> None:
    assert read_battery(tmp_path / "none") is None
    _supply(tmp_path, "AC", type="Mains", online="1")
    assert read_battery(tmp_path) is None


@pytest.mark.parametrize(
    ("status", "charging"),
    [("Discharging", False), ("Charging", True), ("Full", True), ("Unknown", False)],
)
def test_how_full_it_is_and_whether_it_is_charged(
    tmp_path: Path,
    status: str,
    charging: bool,  # noqa: FBT001
) -> None:
    _supply(tmp_path, "BAT0", type="Battery", capacity="81", status=status)
    assert read_battery(tmp_path) == Battery(percent=81, charging=charging)


def test_of_several_the_emptiest_counts_and_a_mouses_does_not(tmp_path: Path) -> None:
    _supply(tmp_path, "BAT0", type="Battery", capacity="81", scope="System")
    _supply(tmp_path, "BAT1", type="Battery", capacity="40")
    _supply(tmp_path, "mouse", type="Battery", capacity="3", scope="Device")
    found = read_battery(tmp_path)
    assert found is not None
    assert found.percent == 40


@pytest.mark.parametrize("capacity", ["", "-1", "full", "٣", "9" * 200])
def test_nonsense_of_a_driver_is_no_battery_or_a_bounded_one(
    tmp_path: Path, capacity: str
) -> None:
    _supply(tmp_path, "BAT0", type="Battery", capacity=capacity)
    found = read_battery(tmp_path)
    assert found is None or found.percent == 100
