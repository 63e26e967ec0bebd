"""USB devices of a guest: QEMU's keyboard and serial port, and the kernel's gadgets.

A gadget is a device that the guest's own kernel plays (dummy_hcd, configfs): the whole
way from enumeration to the node is real, at any speed, under any identity.
"""

import shlex
import socket
import time
from collections.abc import Iterable

import msgspec

from tests.vm.guest import Guest, Job
from tests.vm.keystrokes import KEYBOARD_REPORTS, for_qemu, reports
from tests.vm.machine import Machine
from tests.vm.qmp import connected

__all__ = ["Gadget", "Identity", "SerialGadget", "UsbKeyboard", "UsbSerial"]

_PACE = 0.03  # seconds from event to event; QEMU drops what its keyboard cannot queue
_CONFIG = "/sys/kernel/config"


class _Emulated:
    """A USB device that QEMU emulates; it goes with the machine."""

    def __init__(self, machine: Machine, name: str, **options: str) -> None:
        self._machine = machine
        self._name = name
        self._options = options

    def plug(self) -> None:
        """Plug it in."""
        self._machine.qmp.tell(
            "device_add", id=self._name, bus="xhci.0", **self._options
        )

    def unplug(self) -> None:
        """Pull it out."""
        self._machine.qmp.tell("device_del", id=self._name)
        self._machine.qmp.wait_for("DEVICE_DELETED", device=self._name)


class UsbKeyboard(_Emulated):
    """QEMU's keyboard: 0627:0001, at about 30 characters a second."""

    def __init__(self, machine: Machine, name: str, serial: str) -> None:
        super().__init__(machine, name, driver="usb-kbd", serial=serial)

    def type(self, text: str) -> None:
        """Type; the keyboard plugged in last gets it."""
        for event in for_qemu(text):
            self._machine.qmp.tell("input-send-event", events=[event])
            time.sleep(_PACE)


class UsbSerial(_Emulated):
    """QEMU's USB serial port, an FTDI converter: 0403:6001. Close it in the end."""

    def __init__(self, machine: Machine, name: str, serial: str) -> None:
        path = machine.folder / f"{name}.wire"
        address = {"type": "unix", "data": {"path": str(path)}}
        wire = {"addr": address, "server": True, "wait": False}
        machine.qmp.tell(
            "chardev-add", id=f"{name}-wire", backend={"type": "socket", "data": wire}
        )
        self.wire: socket.socket = connected(path, machine.alive)
        super().__init__(
            machine,
            name,
            driver="usb-serial",
            chardev=f"{name}-wire",
            serial=serial,
        )

    def send(self, data: bytes) -> None:
        """Have the scanner send bytes."""
        self.wire.sendall(data)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What a gadget says it is."""

    vendor: str = "05e0"
    product: str = "1200"
    maker: str = "Symbol"
    name: str = "Bar Code Scanner"
    serial: str = ""


_UP = """
set -e
cd {config}/usb_gadget
mkdir {gadget}
cd {gadget}
echo 0x{vendor} >idVendor
echo 0x{product} >idProduct
echo 0x0200 >bcdUSB
mkdir strings/0x409 configs/c.1 functions/{function}
echo {maker} >strings/0x409/manufacturer
echo {name} >strings/0x409/product
[ -z {serial} ] || echo {serial} >strings/0x409/serialnumber
"""
_HID = """
cd functions/hid.0
echo {protocol} >protocol
echo {protocol} >subclass
echo {length} >report_length
cat /run/{gadget}.descriptor >report_desc
cd ../..
"""


_DRAIN = """
import os, termios
termios.tcdrain(os.open("/dev/ttyGS0", os.O_WRONLY | os.O_NOCTTY))
"""


class _Played:
    """A USB device that the guest's kernel plays, with one function.

    ``more`` sets that function up, in the shell.
    """

    def __init__(
        self, guest: Guest, port: int, identity: Identity, function: str, more: str = ""
    ) -> None:
        self._guest = guest
        self._port = port
        self._name = f"g{port}"
        words = {
            name: shlex.quote(text)
            for name, text in msgspec.structs.asdict(identity).items()
        }
        up = _UP.format(config=_CONFIG, gadget=self._name, function=function, **words)
        guest.run(f"{up}{more}ln -s functions/{function} configs/c.1")

    def plug(self) -> None:
        """Plug it in."""
        self._guest.run(f"echo dummy_udc.{self._port} >{self._folder}/UDC")

    def unplug(self) -> None:
        """Pull it out."""
        self._guest.run(f"echo >{self._folder}/UDC")

    @property
    def _folder(self) -> str:
        return f"{_CONFIG}/usb_gadget/{self._name}"


class SerialGadget(_Played):
    """A scanner with a USB serial port as most have one (CDC-ACM): /dev/ttyACM0."""

    def __init__(self, guest: Guest, port: int, identity: Identity) -> None:
        super().__init__(guest, port, identity, "acm.0")

    def send(self, data: bytes) -> None:
        """Have the scanner send bytes, and wait until they are on the bus."""
        self._guest.write("/dev/ttyGS0", [data]).result()
        self._guest.run(f"python3 -c '{_DRAIN}'")


class Gadget(_Played):
    """A USB device that the guest's kernel plays; it has one HID function.

    Args:
        guest: Where.
        port: From 0 to 3: the port that it is plugged into.
        identity: What it says it is.
        descriptor: Its report descriptor; a boot keyboard unless said otherwise.
        length: The bytes of its longest report.
    """

    def __init__(
        self,
        guest: Guest,
        port: int,
        identity: Identity,
        *,
        descriptor: bytes = KEYBOARD_REPORTS,
        length: int = 8,
    ) -> None:
        boot = descriptor == KEYBOARD_REPORTS
        guest.put(f"/run/g{port}.descriptor", descriptor)
        more = _HID.format(gadget=f"g{port}", protocol=int(boot), length=length)
        super().__init__(guest, port, identity, "hid.0", more)
        # its number follows the order in which gadgets are made
        number = guest.run(f"cat {self._folder}/functions/hid.0/dev").strip()
        self._node = f"/dev/hidg{number.partition(':')[2]}"

    def send(
        self, given: Iterable[bytes], *, start: float = 0.0, pause: float = 0.0
    ) -> Job:
        """Begin to send reports, as fast as they are taken, from a moment on."""
        return self._guest.write(self._node, list(given), start=start, pause=pause)

    def type(
        self,
        text: str,
        *,
        layout: str = "us",
        start: float = 0.0,
        pause: float = 0.0,
    ) -> Job:
        """Begin to type, as fast as the host polls, from a moment on."""
        return self.send(reports(text, layout), start=start, pause=pause)
