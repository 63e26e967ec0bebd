"""What ``scantrail-station doctor`` says of real devices with something wrong."""

import msgspec

from edge.doctor import Area, Finding, Severity, is_wrong
from tests.vm.devices import Gadget, Identity, UsbSerial
from tests.vm.guest import Guest
from tests.vm.holders import hold_keyboard
from tests.vm.machine import Machine
from tests.vm.run_log import Step
from tests.vm.station import (
    BIN,
    DATA,
    GuestStation,
    as_user,
    configure,
    install_rules,
    keyboard,
    serial_port,
)

BY_ID = "/dev/input/by-id"
BY_PATH = "/dev/input/by-path"
PORT = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SCN-1-if00-port0"
DOCTOR = f"{BIN}/scantrail-station doctor --data {DATA}"
SITE = 'ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", ENV{SCANTRAIL_SCANNER}="1"\n'
SHEET = '[workflow]\nsheet = "K7Q2"\n'

_IN_TIME = """
import ctypes
import struct
# struct timex begins with modes, offset, freq, maxerror, esterror, status
begin = struct.pack("IxxxxllllI", 0x10 | 0x04 | 0x08, 0, 0, 0, 0, 0)
timex = bytearray(begin + bytes(256))
buffer = (ctypes.c_char * len(timex)).from_buffer(timex)
assert ctypes.CDLL(None).adjtimex(buffer) >= 0
"""
"""For the guest: tells the kernel that its clock is right, as a time service does."""


class Report(msgspec.Struct):
    fine: bool
    findings: list[Finding]

    def one(self, text: str) -> Finding:
        found = [finding for finding in self.findings if text in finding.text]
        assert len(found) == 1, (text, [finding.text for finding in self.findings])
        return found[0]

    def says(self, severity: Severity, text: str, do: str = "") -> None:
        """Check that it says so, and what to do about it."""
        finding = self.one(text)
        assert finding.severity is severity, finding
        assert do in " ".join(finding.do.split()), finding

    def silent_of(self, text: str) -> None:
        assert not any(text in finding.text for finding in self.findings)


def doctor(guest: Guest, user: str = "scantrail") -> Report:
    said = guest.run(f"{as_user(f'{DOCTOR} --json', user)} || true")
    return msgspec.json.decode(said, type=Report)


def played(guest: Guest, port: int, serial: str = "") -> str:
    """Plug in a scanner that the kernel plays; return its by-path link."""
    gadget = Gadget(guest, port, Identity(serial=serial))
    gadget.plug()
    link = f"{BY_PATH}/platform-dummy_hcd.{port}-usb-0:1:1.0-event-kbd"
    guest.wait_for(link)
    return link


def test_doctor_tells_what_is_wrong_with_keyboards(guest: Guest, step: Step) -> None:
    one, two = played(guest, 0), played(guest, 1)
    guest.run("udevadm settle")
    shared = f"{BY_ID}/usb-Symbol_Bar_Code_Scanner-event-kbd"
    node = guest.run(f"realpath {one}").strip()
    gone = f"{BY_PATH}/platform-dummy_hcd.3-usb-0:1:1.0-event-kbd"
    config = [(shared, "dock"), (node, "gate"), (gone, "belt"), ("05e0:1200", "any")]
    guest.run("useradd --system visitor")
    configure(
        guest, "".join(keyboard(path, name) for path, name in config), user="visitor"
    )
    told = doctor(guest, "visitor")
    assert not told.fine
    told.says(
        Severity.WRONG,
        f"dock: {shared} stands for 2 scanners without serial numbers",
        "name each by where it is plugged in: ",
    )
    assert all(path in told.one("dock: /dev/input/by-id").do for path in (one, two))
    told.says(
        Severity.WRONG,
        f"gate: visitor may not open {node} (root:input 0660)",
        "usermod -aG input visitor",
    )
    told.says(
        Severity.WARNING,
        f"gate: {node} may be another device after the next plugging in",
        f"name it {one}",
    )
    told.says(Severity.WRONG, f"belt: {gone} is not there", f"{one}, {two}")
    told.says(Severity.WRONG, "any: 2 devices are meant by it", f"{one} or {two}")
    told.says(Severity.WARNING, "udev rules for scanners are not installed", "udevadm")
    told.says(Severity.WARNING, "is not synchronised", "timedatectl")
    step.note(f"{sum(f.severity is Severity.WRONG for f in told.findings)} wrong")
    step.show(guest.run(f"{as_user(DOCTOR, 'visitor')} || true"))


def test_f28_doctor_names_who_has_a_scanner(guest: Guest, step: Step) -> None:
    link = played(guest, 0)
    pid = hold_keyboard(guest, link)
    configure(guest, keyboard(link, "dock"), user="root")
    node = guest.run(f"realpath {link}").strip()
    told = doctor(guest, "root")
    told.says(
        Severity.WRONG,
        f"dock: {node} is open in python (pid {pid})",
        "end python, if it is not meant to have the scanner",
    )
    step.note(told.one("is open in").text)


def test_doctor_sees_from_reads_how_a_scanner_is_set_up(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget = Gadget(guest, 0, Identity())
    gadget.plug()
    link = f"{BY_PATH}/platform-dummy_hcd.0-usb-0:1:1.0-event-kbd"
    guest.wait_for(link)
    station.start(keyboard(link, "dock"))
    station.connected()
    # set to a layout that is not the station's: the key beside the left Shift, and ö
    wrong = [gadget.type("P-<ö\n", layout="de").result() for _ in range(4)]
    gadget.type("P-1\n96385074\n").result()
    station.reads(len(wrong) + 2)
    told = doctor(guest)
    told.says(Severity.WARNING, "dock sends no AIM identifiers", "labels setup")
    told.says(
        Severity.WARNING,
        "dock: 4 of its latest 6 reads are damaged",
        "identify shows what arrives; see layout",
    )
    told.says(Severity.FINE, "it runs")
    told.silent_of("is open in")
    step.note(told.one("reads are damaged").text)


def test_doctor_tells_who_takes_serial_ports_away(
    machine: Machine, station: GuestStation, step: Step
) -> None:
    guest = machine.guest
    port = UsbSerial(machine, "serial", "SCN-1")
    try:
        port.plug()
        guest.wait_for(PORT)
        for name, redirected in (("ModemManager", f"<>{PORT}"), ("brltty", "")):
            guest.run(f"cp /bin/sleep /run/{name}")
            guest.run(f"/run/{name} 600 {redirected} >/dev/null 2>&1 &")
        guest.put("/run/synced.py", _IN_TIME)
        guest.run("python3 /run/synced.py")
        configure(guest, serial_port(PORT) + SHEET, user="root")
        told = doctor(guest, "root")
        told.says(
            Severity.WRONG,
            "/dev/ttyUSB0 is open in ModemManager",
            "systemctl mask --now ModemManager",
        )
        told.says(Severity.WARNING, "ModemManager runs, and writes to new serial ports")
        told.says(Severity.WARNING, "brltty runs", "systemctl mask --now brltty")
        step.show(guest.run(f"{as_user(DOCTOR, 'root')} || true"))
        guest.run("pkill -x ModemManager; pkill -x brltty")

        install_rules(guest)
        told = doctor(guest, "root")
        told.says(
            Severity.WARNING,
            "the udev rules do not take /dev/ttyUSB0 for a scanner",
            SITE.split(", ENV", maxsplit=1)[0],
        )
        install_rules(guest, SITE)
        guest.run("udevadm trigger --settle")
        guest.run(f"rm -r {DATA}")
        station.start(serial_port(PORT) + SHEET)
        station.connected()
        told = doctor(guest)
        assert not [
            finding.text
            for finding in told.findings
            if finding.area is Area.SCANNERS and is_wrong(finding)
        ]
        step.show(guest.run(f"{as_user(DOCTOR, 'scantrail')} || true"))
    finally:
        port.wire.close()
