"""What on this machine could be a scanner: found in /sys and /dev, nothing opened.

Devices are known by what the kernel says of them in sysfs, and by the links that udev
makes under /dev; who holds one, by the descriptors in /proc that this user may see.
Every function takes the root folder that it looks under.
"""

import grp
import os
import pwd
import stat
import struct
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path

import msgspec

from edge.scanners.hid_report import parse_descriptor

__all__ = [
    "ROOT",
    "Candidate",
    "Holder",
    "Kind",
    "find",
    "group_name",
    "hid_pos",
    "holders",
    "holding",
    "is_station",
    "keyboards",
    "look_alikes",
    "port_at",
    "processes",
    "scanners",
    "serial_ports",
]

ROOT = Path("/")
_WORD = struct.calcsize("l") * 8  # the kernel writes key bitmaps in longs
_TYPING_KEYS = (*range(2, 12), 28, 16, 30, 44)  # digits, Enter, and three letters
_MOST_LINKS = 4096
_NAME_LENGTH = 15
_STATION = "scantrail-station"
_AWAY = "end that one, or keep it from scanners with the udev rules"


class Kind(Enum):
    """How a device delivers codes."""

    KEYBOARD = "keyboard"
    HID_POS = "hid-pos"
    SERIAL = "serial"


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A device that could be a scanner.

    Attributes:
        kind: How it delivers codes.
        node: Its path under /dev, which may change when it is plugged in again.
        name: What it calls itself.
        vendor: Its USB vendor, four hex digits; empty where it is no USB device.
        product: Its USB product, likewise.
        serial: Its serial number; empty where it has none, as most scanners.
        port: Where it is plugged in, as in 1-1.2; empty where it is no USB device.
        by_id: Links under a by-id folder of udev.
        by_path: Links under a by-path folder of udev.
        openable: Whether this user may open it.
        access: Owner, group and mode of the node, as in ``root:input 0660``.
        number: Its device number, as in 13:69; empty where it is not known.
    """

    kind: Kind
    node: str
    name: str = ""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    port: str = ""
    by_id: tuple[str, ...] = ()
    by_path: tuple[str, ...] = ()
    openable: bool = False
    access: str = ""
    number: str = ""


class Holder(msgspec.Struct, frozen=True):
    """A process that has a device open."""

    pid: int
    name: str


def scanners(root: Path = ROOT) -> list[Candidate]:
    """Return everything that could be a scanner, by kind and node."""
    return [*keyboards(root), *hid_pos(root), *serial_ports(root)]


def keyboards(root: Path = ROOT) -> list[Candidate]:
    """Return the input devices that can type: scanners, and people's keyboards."""
    return [
        _candidate(root, Kind.KEYBOARD, f"input/{event.name}", event)
        for event in _entries(root / "sys/class/input", "event")
        if _types(_text(event / "device/capabilities/key"))
    ]


def hid_pos(root: Path = ROOT) -> list[Candidate]:
    """Return the hidraw devices whose descriptor has decoded bar code data."""
    return [
        _candidate(root, Kind.HID_POS, entry.name, entry)
        for entry in _entries(root / "sys/class/hidraw", "hidraw")
        if parse_descriptor(_bytes(entry / "device/report_descriptor"))
    ]


def serial_ports(root: Path = ROOT) -> list[Candidate]:
    """Return the serial ports that have a device: USB ones, and real UARTs."""
    return [
        _candidate(root, Kind.SERIAL, entry.name, entry)
        for entry in _entries(root / "sys/class/tty", "tty")
        if entry.name.startswith(("ttyUSB", "ttyACM"))
        or _text(entry / "type") not in {"", "0"}
    ]


def find(
    wanted: str, candidates: Iterable[Candidate], root: Path = ROOT
) -> list[Candidate]:
    """Return those that a configured path, or VENDOR:PRODUCT[:PORT], names."""
    if wanted.startswith("/"):
        node = _resolved(root, wanted)
        return [candidate for candidate in candidates if candidate.node == node]
    vendor, product, *port = wanted.lower().split(":", 2)
    return [
        candidate
        for candidate in candidates
        if (candidate.vendor, candidate.product) == (vendor, product)
        and port in ([], [candidate.port])
    ]


def look_alikes(
    candidate: Candidate, candidates: Iterable[Candidate]
) -> list[Candidate]:
    """Return others at another port that udev cannot tell apart, but by the port.

    Scanners without serial numbers share one by-id link: the latest to come has it.
    """
    return [
        other
        for other in candidates
        if other.port != candidate.port
        and candidate.vendor
        and _identity(other) == _identity(candidate)
    ]


def holders(root: Path = ROOT) -> dict[str, tuple[Holder, ...]]:
    """Return who has which node under /dev open, as far as this user may see."""
    found: dict[str, dict[int, Holder]] = {}
    for process in _entries(root / "proc", ""):
        if process.name.isdecimal():
            for node in _open_nodes(process):
                holder = Holder(int(process.name), _text(process / "comm"))
                found.setdefault(node, {})[holder.pid] = holder
    return {node: tuple(by_pid.values()) for node, by_pid in found.items()}


def holding(path: str, root: Path = ROOT) -> str:
    """Say who has a device open, and what to do; others than this user's are unseen."""
    found = holders(root).get(_resolved(root, path), ())
    if not found:
        return f"another program (root sees which: fuser -v); {_AWAY}"
    names = " and ".join(f"{one.name} (pid {one.pid})" for one in found)
    if all(is_station(one) for one in found):
        return f"a station that runs: {names}; stop that first"
    return f"{names}; {_AWAY}"


def is_station(holder: Holder) -> bool:
    """Whether a process is a station's; the kernel keeps 15 characters of its name."""
    return holder.name == _STATION[:_NAME_LENGTH]


def processes(root: Path = ROOT) -> frozenset[str]:
    """Return the names of the programs that run; the kernel keeps 15 characters."""
    return frozenset(
        _text(process / "comm")
        for process in _entries(root / "proc", "")
        if process.name.isdecimal()
    )


def port_at(wanted: str, root: Path = ROOT) -> Candidate | None:
    """Return a device that is there, whatever /sys says of it: a path to a port."""
    path = root / wanted.lstrip("/")
    if not path.exists():
        return None
    return Candidate(
        kind=Kind.SERIAL,
        node=wanted,
        openable=os.access(path, os.R_OK | os.W_OK),
        access=_access(path),
    )


def group_name(number: int) -> str:
    """Return a group's name, or its number where it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _identity(candidate: Candidate) -> tuple[Kind, str, str, str, str]:
    return (
        candidate.kind,
        candidate.vendor,
        candidate.product,
        candidate.serial,
        candidate.name,
    )


def _candidate(root: Path, kind: Kind, node: str, entry: Path) -> Candidate:
    device = entry / "device"
    usb = _usb_device(device, root)
    path = root / "dev" / node
    return Candidate(
        kind=kind,
        node=f"/dev/{node}",
        name=_name(device) or (_text(usb / "product") if usb else ""),
        vendor=_text(usb / "idVendor") if usb else _text(device / "id/vendor"),
        product=_text(usb / "idProduct") if usb else _text(device / "id/product"),
        serial=_text(usb / "serial") if usb else _text(device / "uniq"),
        port=usb.name if usb else "",
        by_id=_links(root, "by-id", path),
        by_path=_links(root, "by-path", path),
        openable=os.access(path, os.R_OK),
        access=_access(path),
        number=_text(entry / "dev"),
    )


def _name(device: Path) -> str:
    """Return what an input device, or a HID device's uevent, calls it."""
    for line in _text(device / "uevent").splitlines():
        if line.startswith("HID_NAME="):
            return line.removeprefix("HID_NAME=")
    return _text(device / "name")


def _usb_device(device: Path, root: Path) -> Path | None:
    """Return the USB device that a device is a part of."""
    try:
        place = device.resolve()
    except (OSError, RuntimeError):
        return None
    above = [place, *place.parents]
    inside = [folder for folder in above if folder.is_relative_to(root.resolve())]
    return next((folder for folder in inside if (folder / "idVendor").exists()), None)


def _types(bitmap: str) -> bool:
    """Whether a key bitmap of sysfs has the keys that a scanner presses."""
    try:
        words = [int(word, 16) for word in bitmap.split()]
    except ValueError:
        return False
    keys = sum(word << _WORD * place for place, word in enumerate(reversed(words)))
    return all(keys >> code & 1 for code in _TYPING_KEYS)


def _links(root: Path, folder: str, node: Path) -> tuple[str, ...]:
    """Return udev's links of one folder name to a node, as paths from /."""
    target = os.path.realpath(node)
    return tuple(
        f"/{link.relative_to(root)}"
        for group in ("scantrail", "input", "serial")
        for link in _entries(root / "dev" / group / folder, "")
        if os.path.realpath(link) == target
    )


def _resolved(root: Path, wanted: str) -> str:
    """Return the node that a path leads to, as a path from /."""
    target = Path(os.path.realpath(root / wanted.lstrip("/")))
    real_root = Path(os.path.realpath(root))
    inside = target.is_relative_to(real_root)
    return f"/{target.relative_to(real_root)}" if inside else ""


def _access(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{_user(status.st_uid)}:{group_name(status.st_gid)} {_mode(status.st_mode)}"


def _mode(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _open_nodes(process: Path) -> Iterator[str]:
    """Yield the nodes under /dev that a process has open."""
    for link in _entries(process / "fd", ""):
        try:
            target = str(link.readlink())
        except OSError:  # it has closed it, or it is not ours to see
            continue
        if target.startswith("/dev/"):
            yield target


def _entries(folder: Path, prefix: str) -> list[Path]:
    """Return what is in a folder, in the order of numbers; nothing where it is not."""
    try:
        names = [name for name in os.listdir(folder) if name.startswith(prefix)]  # noqa: PTH208 - names only: no stat of what may vanish
    except OSError:
        return []
    return [folder / name for name in sorted(names[:_MOST_LINKS], key=_natural)]


def _natural(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or -1)


def _bytes(path: Path) -> bytes:
    """Return a file's bytes; nothing where it is gone or not ours to read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", errors="replace").strip()
