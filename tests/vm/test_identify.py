"""``scantrail-station identify`` on real devices, down to a station that reads them."""

from collections.abc import Callable, Iterator

import pytest

from shared.selftest import PROBES
from tests.hid_scanner import descriptor
from tests.hid_scanner import reports as pos_reports
from tests.vm.devices import Gadget, Identity, UsbSerial
from tests.vm.guest import Guest, Job
from tests.vm.holders import hold_port
from tests.vm.keystrokes import CAPS_LOCK
from tests.vm.machine import Machine
from tests.vm.run_log import Step
from tests.vm.station import (
    BIN,
    DATA,
    GuestStation,
    as_user,
    keyboard,
    texts,
)

BY_PATH = "/dev/input/by-path/platform-dummy_hcd.{}-usb-0:1:1.0-event-kbd"
PORT = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SCN-1-if00-port0"
PACE = 0.002
RAW = [probe.raw for probe in PROBES]
BARE = [probe.data for probe in PROBES]


class Identify:
    """The command under way in the guest; what it says is in a file."""

    def __init__(self, guest: Guest, options: str) -> None:
        self._guest = guest
        guest.run("rm -f /run/said; touch /run/said; chmod 666 /run/said")
        guest.run(f"install -d -o scantrail {DATA}")
        command = f"{BIN}/scantrail-station identify {options} --data {DATA}"
        self._job = guest.start(
            f"{as_user(command, 'scantrail')} >/run/said 2>&1 || true", limit=300
        )

    @property
    def said(self) -> str:
        return self._guest.read("/run/said").decode()

    def wait(self, text: str) -> None:
        self._guest.until(
            lambda: text in self.said, f"{text!r}; it said: {self.said}", 120, every=0.1
        )

    def scan(self, codes: list[str], send: Callable[[str], Job | None]) -> None:
        """Scan codes as a person does: the next once the one before was taken."""
        self.wait("Scan the set-up sheet now")
        for number, code in enumerate(codes, 1):
            job = send(code)
            if job is not None:
                job.result()
            self._wait_for_codes(number)

    def _wait_for_codes(self, number: int) -> None:
        self._guest.until(
            lambda: self.said.count("(code ") >= number,
            f"code {number} of the sheet",
            120,
            every=0.1,
        )

    def result(self) -> str:
        """Wait until it has ended."""
        self._job.result()
        return self.said


def plugged(guest: Guest, port: int) -> Gadget:
    gadget = Gadget(guest, port, Identity())
    gadget.plug()
    guest.wait_for(BY_PATH.format(port))
    guest.run("udevadm settle")
    return gadget


def test_a_keyboard_scanner_is_identified_and_the_station_reads_it(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget, link = plugged(guest, 0), BY_PATH.format(0)
    identify = Identify(guest, f"evdev:{link} --write --name dock")
    identify.scan(RAW, lambda code: gadget.type(f"{code}\n", layout="de", pause=PACE))
    said = identify.result()
    for text in (
        "the keyboard layout is de",
        "AIM identifiers come with the codes",
        "the GS1 separator arrives",
        "a code ends with one of: enter",
        f"{DATA}/station.toml was written",
    ):
        assert text in said, said
    step.show(said)
    station.start(guest.read(f"{DATA}/station.toml").decode())
    station.connected()
    code = "]C1010952123454321310LOT7\x1d21S-1"
    gadget.type(f"{code}\n", layout="de", pause=PACE).result()
    assert texts(station.settled(1)) == [(code, False)]


def test_what_is_wrong_with_a_scanner_is_said_and_what_to_do(
    guest: Guest, step: Step
) -> None:
    """French layout, no Enter, no identifiers, and Caps Lock is on."""
    gadget, link = plugged(guest, 0), BY_PATH.format(0)
    gadget.send(CAPS_LOCK).result()
    guest.until(
        lambda: "1" in guest.run("cat /sys/class/leds/*capslock/brightness"),
        "Caps Lock is on",
    )
    identify = Identify(guest, f"evdev:{link} --seconds 20")
    identify.scan(
        [*BARE[:3], BARE[4]], lambda code: gadget.type(code, layout="fr", pause=PACE)
    )
    said = identify.result()
    for text in (
        "the keyboard layout is fr",
        "Caps Lock is on",
        "no key ends a code; only silence does",
        "set a suffix of CR (Enter) in the scanner",
        "no AIM identifiers come",
        "switch on 'AIM identifiers'",
        "scan the others: 4",
        "Nothing was written; --write puts this into",
    ):
        assert text in said, said
    step.show(said)


def test_of_two_that_are_alike_the_one_that_is_scanned_with_is_meant(
    guest: Guest, step: Step
) -> None:
    gadgets = [plugged(guest, port) for port in range(2)]
    specs = " ".join(f"evdev:{BY_PATH.format(port)}" for port in range(2))
    identify = Identify(guest, f"{specs} --write --seconds 20")
    identify.scan(RAW[:1], lambda code: gadgets[1].type(f"{code}\n", pause=PACE))
    said = identify.result()
    assert f'path = "{BY_PATH.format(1)}"' in said, said
    step.note(next(line for line in said.splitlines() if "This one" in line))


def test_a_scanner_that_the_station_holds_is_said_to_be_held(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    plugged(guest, 0)
    station.start(keyboard(BY_PATH.format(0), "dock"))
    station.connected()
    said = Identify(guest, f"evdev:{BY_PATH.format(0)}").result()
    assert f"a station that runs: scantrail-stati (pid {station.pid})" in said, said
    assert "stop that first" in said, said
    step.note(said.strip())


def test_a_point_of_sale_scanner_is_identified(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    gadget = Gadget(
        guest,
        0,
        Identity(product="1300"),
        descriptor=descriptor(),
        length=len(pos_reports(b"")[0]),
    )
    gadget.plug()
    guest.wait_for("/dev/hidraw0")
    guest.run("udevadm settle; chgrp scantrail /dev/hidraw0; chmod 660 /dev/hidraw0")

    def send(code: str) -> Job:
        return gadget.send(pos_reports(code[3:].encode("latin-1"), code[:3].encode()))

    identify = Identify(guest, "hidpos:/dev/hidraw0 --write")
    identify.scan(RAW, send)
    said = identify.result()
    assert 'kind = "hid-pos"' in said, said
    assert 'path = "05e0:1300:' in said, said
    station.start(guest.read(f"{DATA}/station.toml").decode())
    station.connected()
    send("]C1010952123454321310LOT7\x1d21S-1").result()
    assert texts(station.settled(1)) == [("]C1010952123454321310LOT7\x1d21S-1", False)]
    step.show(said)


@pytest.fixture
def port(machine: Machine) -> Iterator[UsbSerial]:
    made = UsbSerial(machine, "serial", "SCN-1")
    made.plug()
    machine.guest.wait_for(PORT)
    machine.guest.run("udevadm settle")
    yield made
    made.wire.close()


@pytest.mark.parametrize(
    ("frame", "told"),
    [("\x02{}\x03", 'start = "STX"'), ("{}\r", "a code ends with one of: CR")],
)
def test_a_serial_scanner_is_identified(
    guest: Guest, port: UsbSerial, station: GuestStation, frame: str, told: str
) -> None:
    def send(code: str) -> None:
        port.send(frame.format(code).encode("latin-1"))

    identify = Identify(guest, f"serial:{PORT} --write")
    identify.scan(RAW, send)
    said = identify.result()
    assert told in said, said
    station.start(guest.read(f"{DATA}/station.toml").decode())
    station.connected()
    send("]C0P-1")
    assert texts(station.settled(1)) == [("]C0P-1", False)]


@pytest.mark.usefixtures("port")
def test_f28_a_port_that_another_program_has_names_it(guest: Guest, step: Step) -> None:
    pid = hold_port(guest, PORT)
    said = Identify(guest, f"serial:{PORT}").result()
    assert f"{PORT} is held by python (pid {pid})" in said, said
    step.note(said.strip())
