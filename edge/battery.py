"""The battery of a handheld, as the kernel tells of it.

Source: Documentation/ABI/testing/sysfs-class-power in the Linux sources.
"""

from pathlib import Path

import msgspec

__all__ = ["Battery", "read_battery"]

_ROOT = Path("/sys/class/power_supply")
_FULL = 100


class Battery(msgspec.Struct, frozen=True, kw_only=True):
    """How full it is, from 0 to 100, and whether it is at the mains."""

    percent: int
    charging: bool = False


def read_battery(root: Path = _ROOT) -> Battery | None:
    """Return this machine's battery; of several the emptiest. None: there is none.

    The batteries of what is connected to it (a mouse, a scanner) are not its own.
    """
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return None
    found = [battery for folder in folders if (battery := _read(folder)) is not None]
    return min(found, key=lambda battery: battery.percent, default=None)


def _read(folder: Path) -> Battery | None:
    if _text(folder / "type") != "Battery" or _text(folder / "scope") == "Device":
        return None
    percent = _text(folder / "capacity")
    if not (percent.isascii() and percent.isdigit()):
        return None
    charging = _text(folder / "status") in {"Charging", "Full", "Not charging"}
    return Battery(percent=min(int(percent), _FULL), charging=charging)


def _text(path: Path) -> str:
    """Return the first line of a file of the kernel; empty where there is none."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return file.readline(64).strip()
    except OSError:
        return ""
