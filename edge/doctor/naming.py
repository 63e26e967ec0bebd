"""What a device is called: for a person, and for the configuration. Pure."""

from collections.abc import Iterable

from edge.scanners.discovery import Candidate, Kind, look_alikes
from edge.scanners.settings import (
    HidPosSettings,
    KeyboardSettings,
    ScannerSettings,
    SerialSettings,
    SsiSettings,
)
from edge.terminal_display import clean

__all__ = ["best_path", "device_path", "spec", "what"]

_SPEC = {Kind.KEYBOARD: "evdev", Kind.HID_POS: "hidpos", Kind.SERIAL: "serial"}
_LONGEST_NAME = 40


def spec(candidate: Candidate, candidates: Iterable[Candidate] = ()) -> str:
    """Return how the device is best named on the command line."""
    return f"{_SPEC[candidate.kind]}:{best_path(candidate, candidates)}"


def best_path(candidate: Candidate, candidates: Iterable[Candidate] = ()) -> str:
    """Return a path that stays, or else VENDOR:PRODUCT:PORT, or else the node.

    By its serial number, where it has one that no other of ``candidates`` has; else by
    where it is plugged in.
    """
    if candidate.serial and candidate.by_id and not look_alikes(candidate, candidates):
        return candidate.by_id[0]
    if candidate.by_path:
        return candidate.by_path[0]
    if candidate.vendor and candidate.port and candidate.kind is not Kind.SERIAL:
        return f"{candidate.vendor}:{candidate.product}:{candidate.port}"
    return (*candidate.by_id, candidate.node)[0]


def device_path(settings: ScannerSettings) -> str | None:
    """Return which device of this machine is meant, if it is one."""
    match settings:
        case KeyboardSettings(path=path) | HidPosSettings(path=path):
            return path
        case SerialSettings(port=port) | SsiSettings(port=port):
            return port
        case _:
            return None


def what(one: Candidate) -> str:
    """Describe a device in a few words."""
    ids = f"{one.vendor}:{one.product}" if one.vendor else ""
    port = f"port {one.port}" if one.port else ""
    about = ", ".join(part for part in (ids, port) if part)
    name = f" {clean(one.name, _LONGEST_NAME)}" if one.name else ""
    return f"{one.kind.value} {one.node}{name}{f' ({about})' if about else ''}"
