"""Scanners in HID point-of-sale mode, on real /dev/hidraw nodes."""

from tests.hid_scanner import descriptor, reports
from tests.vm.devices import Gadget, Identity
from tests.vm.guest import Guest
from tests.vm.run_log import Step
from tests.vm.station import GuestStation, install_rules, point_of_sale, texts

IDS = "05e0:1300"
LONG = b"]d2" + b"7" * 150
SSCC = b"00340123450000000017"


def test_f22_a_point_of_sale_scanner_delivers_is_unplugged_and_comes_back(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    install_rules(guest)
    gadget = Gadget(
        guest,
        0,
        Identity(product="1300"),
        descriptor=descriptor(),
        length=len(reports(b"")[0]),
    )
    gadget.plug()
    guest.wait_for("/dev/hidraw0")
    guest.run("udevadm settle")
    station.start(point_of_sale(IDS))
    station.connected()
    gadget.send(reports(SSCC)).result()
    gadget.send(reports(LONG[3:], LONG[:3])).result()
    station.reads(2)
    gadget.send(reports(b"8" * 150)[:2]).result()
    gadget.unplug()
    gone = guest.wait_for("/dev/hidraw0", gone=True)
    missing = station.missing()
    gadget.plug()
    there = guest.wait_for("/dev/hidraw0")
    back = station.connected()
    gadget.send(reports(SSCC)).result()
    first, second, half, last = station.settled(4)
    sscc = (f"]C1{SSCC.decode()}", False)
    assert texts([first, second, last]) == [sscc, (LONG.decode(), False), sscc]
    assert half.damaged
    assert last.item == "(00)340123450000000017"
    step.note(f"missing after {missing.clock - gone:.2f} s")
    step.note(f"back after {back.clock - there:.2f} s")
    assert missing.clock - gone <= 1.0
    assert back.clock - there <= 2.0
