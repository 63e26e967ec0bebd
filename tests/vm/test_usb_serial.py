"""Scanners on USB serial ports, on real /dev/ttyUSB nodes."""

from collections.abc import Iterator

import pytest

from tests.vm.devices import Identity, SerialGadget, UsbSerial
from tests.vm.guest import Guest
from tests.vm.machine import Machine
from tests.vm.run_log import Step
from tests.vm.station import GuestStation, serial_port, texts

ACM = "/dev/serial/by-id/usb-Symbol_Bar_Code_Scanner_SN1-if00"
LINK = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SCN-1-if00-port0"
MISSING, BACK = 1.0, 2.0


@pytest.fixture
def scanner(machine: Machine) -> Iterator[UsbSerial]:
    made = UsbSerial(machine, "serial", "SCN-1")
    made.plug()
    machine.guest.wait_for(LINK)
    yield made
    made.wire.close()


def test_codes_come_whole_over_a_serial_port(
    scanner: UsbSerial, station: GuestStation, step: Step
) -> None:
    station.start(serial_port(LINK, idle_gap_ms=2000))
    station.connected()
    codes = [f"P-{'x' * 24}-{number:03}" for number in range(200)]
    scanner.send("".join(f"{code}\r\n" for code in codes).encode())
    assert texts(station.settled(len(codes))) == [(code, False) for code in codes]
    step.note(f"{len(codes)} codes of {len(codes[0])} characters")


def test_f22_a_serial_scanner_unplugged_in_mid_read_comes_back(
    scanner: UsbSerial, guest: Guest, station: GuestStation, step: Step
) -> None:
    station.start(serial_port(LINK, idle_gap_ms=10_000))
    station.connected()
    scanner.send(b"P-whole\r")
    station.reads(1)
    scanner.send(b"P-ha")
    guest.run("sleep 0.5")
    scanner.unplug()
    gone = guest.wait_for(LINK, gone=True)
    missing = station.missing()
    station.reads(2)
    scanner.plug()
    there = guest.wait_for(LINK)
    back = station.connected()
    scanner.send(b"P-next\r")
    lines = texts(station.settled(3))
    assert lines == [("P-whole", False), ("P-ha", True), ("P-next", False)]
    assert guest.run(f"realpath {LINK}").strip() == "/dev/ttyUSB0"
    step.note(f"missing after {missing.clock - gone:.2f} s")
    step.note(f"back after {back.clock - there:.2f} s")
    assert missing.clock - gone <= MISSING
    assert back.clock - there <= BACK


def test_a_serial_scanner_is_found_by_each_of_its_names(
    scanner: UsbSerial, guest: Guest, station: GuestStation, step: Step
) -> None:
    path = guest.run("ls -d /dev/serial/by-path/*").split()[0]
    names = [path, "0403:6001", "0403:6001:SCN-1"]
    for number, name in enumerate(names, 1):
        station.start(serial_port(name))
        station.connected()
        scanner.send(b"P-%d\r" % number)
        assert len(station.settled(number)) == number
        station.stop()
    step.note(", ".join(names))


def test_f22_a_scanner_with_a_port_of_its_own_is_read_and_comes_back(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    """CDC-ACM, as most scanners have it: no converter, and the port goes with them."""
    guest.run("modprobe -a cdc_acm usb_f_acm")
    gadget = SerialGadget(guest, 0, Identity(product="1701", serial="SN1"))
    gadget.plug()
    guest.wait_for(ACM)
    station.start(serial_port(ACM, idle_gap_ms=10_000))
    station.connected()
    codes = [f"P-{'x' * 24}-{number:03}" for number in range(200)]
    gadget.send("".join(f"{code}\r" for code in codes).encode())
    assert texts(station.settled(len(codes))) == [(code, False) for code in codes]
    gadget.send(b"P-ha")
    gadget.unplug()
    gone = guest.wait_for(ACM, gone=True)
    missing = station.missing()
    station.reads(len(codes) + 1)
    gadget.plug()
    there = guest.wait_for(ACM)
    back = station.connected()
    gadget.send(b"P-next\r")
    lines = texts(station.settled(len(codes) + 2))
    assert lines[len(codes) :] == [("P-ha", True), ("P-next", False)]
    step.note(f"missing after {missing.clock - gone:.2f} s")
    step.note(f"back after {back.clock - there:.2f} s")
    assert missing.clock - gone <= MISSING
    assert back.clock - there <= BACK
