"""The project's udev rules, in a real udev."""

from tests.vm.devices import Gadget, Identity, UsbSerial
from tests.vm.guest import Guest
from tests.vm.machine import Machine
from tests.vm.run_log import Step
from tests.vm.station import GuestStation, install_rules, keyboard, texts

SITE = 'ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", ENV{SCANTRAIL_SCANNER}="1"\n'
FTDI = "/dev/scantrail/by-id/QEMU_QEMU_USB_SERIAL_SCN-1-serial"


def owner(guest: Guest, link: str) -> str:
    guest.wait_for(link)
    guest.run("udevadm settle")
    return guest.run(f"stat -L -c '%G %a' {link}").strip()


def test_a_scanner_has_a_name_of_its_own_and_belongs_to_the_stations_group(
    guest: Guest, station: GuestStation, step: Step
) -> None:
    install_rules(guest)
    gadget = Gadget(guest, 0, Identity(serial="SN1"))
    gadget.plug()
    link = "/dev/scantrail/by-id/Symbol_Bar_Code_Scanner_SN1-keyboard"
    assert owner(guest, link) == "scantrail 660"
    station.start(keyboard(link))
    station.connected()
    gadget.type("P-1\n").result()
    assert texts(station.settled(1)) == [("P-1", False)]
    step.note(link)


def test_a_serial_chip_that_is_not_only_a_scanners_is_one_where_the_site_says_so(
    machine: Machine, step: Step
) -> None:
    guest = machine.guest
    install_rules(guest)
    port = UsbSerial(machine, "serial", "SCN-1")
    try:
        port.plug()
        by_id = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_SCN-1-if00-port0"
        assert owner(guest, by_id) == "dialout 660"
        port.unplug()
        guest.wait_for(by_id, gone=True)
        install_rules(guest, SITE)
        port.plug()
        assert owner(guest, FTDI) == "scantrail 660"
    finally:
        port.wire.close()
    step.note(FTDI)
