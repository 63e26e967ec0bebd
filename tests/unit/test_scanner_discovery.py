import os
from pathlib import Path

import pytest

from edge.scanners.discovery import (
    Candidate,
    Holder,
    Kind,
    find,
    hid_pos,
    holders,
    keyboards,
    look_alikes,
    scanners,
    serial_ports,
)
from tests.hid_scanner import item
from tests.machine import VOLUME_KEYS, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def test_a_machine_without_anything_has_no_scanners(tmp_path: Path) -> None:
    assert scanners(tmp_path) == []
    assert holders(tmp_path) == {}


def test_a_keyboard_scanner_is_described(machine: Machine) -> None:
    machine.keyboard(5, "1-1.2", serial="S1")
    (found,) = keyboards(machine.root)
    status = (machine.root / "dev/input/event5").stat()
    assert found.access.endswith(f"{status.st_mode & 0o7777:04o}")
    assert found == Candidate(
        kind=Kind.KEYBOARD,
        node="/dev/input/event5",
        name="Symbol Bar Code Scanner",
        vendor="05e0",
        product="1200",
        serial="S1",
        port="1-1.2",
        by_id=("/dev/input/by-id/usb-Symbol_Scanner-event-kbd",),
        by_path=("/dev/input/by-path/pci-usb-1-1.2-event-kbd",),
        openable=True,
        access=found.access,
    )


def test_what_cannot_type_is_no_keyboard(machine: Machine) -> None:
    machine.keyboard(5, "1-1", keys=VOLUME_KEYS)
    machine.keyboard(6, "1-2", keys="")
    machine.keyboard(7, "1-3", keys="no number")
    assert keyboards(machine.root) == []


def test_a_point_of_sale_scanner_is_known_by_its_descriptor(machine: Machine) -> None:
    machine.hid(0, "1-1", item(0x05, 7) + item(0x09, 6))
    machine.hid(1, "1-2")
    machine.hid(2, "1-3", b"")
    (found,) = hid_pos(machine.root)
    assert (found.node, found.name) == ("/dev/hidraw1", "Symbol HID POS")
    assert (found.vendor, found.product, found.port) == ("05e0", "1300", "1-2")


def test_serial_ports_are_usb_ones_and_uarts_that_are_there(machine: Machine) -> None:
    machine.serial("ttyACM0", "1-1")
    machine.uart(0, 4)
    machine.uart(1, 0)
    usb, uart = sorted(serial_ports(machine.root), key=lambda one: one.node)
    assert (usb.vendor, usb.serial, usb.by_id) == (
        "0c2e",
        "S77",
        ("/dev/serial/by-id/usb-Honeywell_S77-ttyACM0",),
    )
    assert (uart.node, uart.vendor) == ("/dev/ttyS0", "")


def test_nodes_come_in_the_order_of_their_numbers(machine: Machine) -> None:
    for number in (10, 9, 2):
        machine.keyboard(number, f"1-{number}")
    nodes = [one.node for one in keyboards(machine.root)]
    assert nodes == [f"/dev/input/event{number}" for number in (2, 9, 10)]


def test_every_kind_is_listed(machine: Machine) -> None:
    machine.serial("ttyUSB0", "1-1")
    machine.hid(0, "1-2")
    machine.keyboard(3, "1-3")
    kinds = [one.kind for one in scanners(machine.root)]
    assert kinds == [Kind.KEYBOARD, Kind.HID_POS, Kind.SERIAL]


@pytest.mark.parametrize(
    ("wanted", "nodes"),
    [
        ("/dev/input/by-path/pci-usb-1-2-event-kbd", ["/dev/input/event4"]),
        ("/dev/input/event3", ["/dev/input/event3"]),
        ("/dev/input/event9", []),
        ("/dev/../../etc/passwd", []),
        ("05E0:1200", ["/dev/input/event3", "/dev/input/event4"]),
        ("05e0:1200:1-2", ["/dev/input/event4"]),
        ("05e0:1200:1-3", []),
        ("05e0:1201", []),
    ],
)
def test_a_setting_finds_its_devices(
    machine: Machine, wanted: str, nodes: list[str]
) -> None:
    machine.keyboard(3, "1-1")
    machine.keyboard(4, "1-2")
    found = find(wanted, keyboards(machine.root), machine.root)
    assert [one.node for one in found] == nodes


def test_scanners_without_serial_numbers_look_alike(machine: Machine) -> None:
    machine.keyboard(3, "1-1")
    machine.keyboard(4, "1-2")
    machine.keyboard(5, "1-3", serial="S3", by_id="usb-Symbol_Scanner_S3-event-kbd")
    first, second, third = keyboards(machine.root)
    assert (first.by_id, bool(second.by_id)) == ((), True)
    everything = [first, second, third]
    assert look_alikes(first, everything) == [second]
    assert look_alikes(third, everything) == []


def test_two_nodes_of_one_scanner_do_not_look_alike(machine: Machine) -> None:
    machine.keyboard(3, "1-1")
    machine.keyboard(4, "1-1")
    first, second = keyboards(machine.root)
    assert look_alikes(first, [first, second]) == []


def test_who_holds_a_device_is_named(machine: Machine) -> None:
    machine.process(812, "Xorg", "/dev/input/event3", "/dev/input/event3", "/tmp/x")  # noqa: S108 - a name, never opened
    machine.process(7, "brltty", "/dev/input/event3", "/dev/ttyUSB0")
    machine.process(9, "idle")
    (machine.root / "proc/self").symlink_to("812")
    assert holders(machine.root) == {
        "/dev/input/event3": (Holder(7, "brltty"), Holder(812, "Xorg")),
        "/dev/ttyUSB0": (Holder(7, "brltty"),),
    }


def test_this_machine_can_be_looked_at_without_an_error() -> None:
    assert isinstance(scanners(), list)
    with Path(os.devnull).open("rb"):
        mine = [one.pid for one in holders().get(os.devnull, ())]
    assert os.getpid() in mine


def test_discovery_opens_no_device(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.keyboard(3, "1-1")
    machine.hid(1, "1-2")
    opened: list[str] = []
    plain = Path.read_bytes

    def noted(path: Path) -> bytes:
        opened.append(str(path.relative_to(machine.root)))
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    assert len(scanners(machine.root)) == 2
    assert opened
    assert not [path for path in opened if path.startswith("dev")]
