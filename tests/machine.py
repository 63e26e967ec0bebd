"""A machine made of folders: /dev, /sys and /proc with scanners that are not there."""

from pathlib import Path

from tests.hid_scanner import descriptor

ALL_KEYS = "fe0000000000 0 0 fffffffffffffffe"
"""What the kernel writes of a keyboard with every usual key (64-bit words)."""
VOLUME_KEYS = "e000000000000 0"


class Machine:
    """Builds the folders under a root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("dev/input/by-id", "dev/input/by-path", "dev/serial/by-id"):
            (root / folder).mkdir(parents=True)
        for folder in ("sys/class/input", "sys/class/hidraw", "sys/class/tty", "proc"):
            (root / folder).mkdir(parents=True)

    def usb(
        self,
        port: str,
        *,
        vendor: str = "05e0",
        product: str = "1200",
        serial: str = "",
    ) -> Path:
        """Plug in a USB device; returns the folder of its interface."""
        device = self.root / f"sys/devices/pci0/usb1/{port}"
        files = {
            "idVendor": vendor,
            "idProduct": product,
            "product": "Bar Code Scanner",
        }
        for name, text in (files | ({"serial": serial} if serial else {})).items():
            self.write(device / name, text + "\n")
        return device / f"{port}:1.0"

    def write(self, path: Path, text: str | bytes = "") -> Path:
        """Write a file, with the folders above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def link(self, link: str, target: str) -> None:
        """Make a link, as udev does: relative, and in the place of an older one."""
        path = self.root / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        up = Path(*[".."] * (len(Path(link).parts) - 1))
        path.symlink_to(up / target)

    def _class(self, kind: str, name: str, place: Path) -> None:
        self.link(f"sys/class/{kind}/{name}", str(place.relative_to(self.root)))

    def keyboard(
        self,
        number: int,
        port: str,
        *,
        serial: str = "",
        keys: str = ALL_KEYS,
        by_id: str = "usb-Symbol_Scanner-event-kbd",
    ) -> str:
        """Plug in a scanner that imitates a keyboard; returns its node."""
        interface = self.usb(port, serial=serial)
        device = interface / f"input/input{number}"
        self.write(device / "name", "Symbol Bar Code Scanner\n")
        self.write(device / "capabilities/key", keys + "\n")
        event = device / f"event{number}"
        event.mkdir(parents=True)
        (event / "device").symlink_to("..")
        self._class("input", f"event{number}", event)
        node = f"dev/input/event{number}"
        self.write(self.root / node)
        self.link(f"dev/input/by-id/{by_id}", node)
        self.link(f"dev/input/by-path/pci-usb-{port}-event-kbd", node)
        return f"/{node}"

    def unplug(self, node: str) -> None:
        """Take a node away, with the links to it; sysfs forgets it too."""
        name = Path(node).name
        (self.root / node[1:]).unlink()
        for kind in ("input", "hidraw", "tty"):
            (self.root / f"sys/class/{kind}/{name}").unlink(missing_ok=True)
        for link in (self.root / "dev").rglob("*"):
            if link.is_symlink() and not link.exists():
                link.unlink()

    def hid(self, number: int, port: str, report: bytes | None = None) -> str:
        """Plug in a hidraw device, a point-of-sale scanner unless said otherwise."""
        interface = self.usb(port, product="1300")
        device = interface / "0003:05E0:1300.0001"
        self.write(device / "uevent", "DRIVER=hid-generic\nHID_NAME=Symbol HID POS\n")
        words = descriptor() if report is None else report
        self.write(device / "report_descriptor", words)
        hidraw = device / f"hidraw/hidraw{number}"
        hidraw.mkdir(parents=True)
        (hidraw / "device").symlink_to("../..")
        self._class("hidraw", hidraw.name, hidraw)
        self.write(self.root / f"dev/{hidraw.name}")
        return f"/dev/{hidraw.name}"

    def serial(self, name: str, port: str) -> str:
        """Plug in a scanner on a USB serial port."""
        interface = self.usb(port, vendor="0c2e", product="0b61", serial="S77")
        tty = interface / name / "tty" / name
        tty.mkdir(parents=True)
        (tty / "device").symlink_to("../..")
        self._class("tty", name, tty)
        self.write(self.root / f"dev/{name}")
        self.link(f"dev/serial/by-id/usb-Honeywell_S77-{name}", f"dev/{name}")
        return f"/dev/{name}"

    def uart(self, number: int, kind: int) -> None:
        """Have a UART; its kind is 0 where the chip is not there."""
        tty = self.root / f"sys/devices/platform/serial8250/tty/ttyS{number}"
        self.write(tty / "type", f"{kind}\n")
        self._class("tty", tty.name, tty)
        self.write(self.root / f"dev/{tty.name}")

    def ruled(self, node: str, number: str) -> None:
        """Let udev have applied our rules to a node, with its device number."""
        name = Path(node).name
        for kind in ("input", "hidraw", "tty"):
            entry = self.root / f"sys/class/{kind}/{name}"
            if entry.exists():
                self.write(entry / "dev", f"{number}\n")
        self.write(self.root / f"run/udev/data/c{number}", "E:SCANTRAIL_SCANNER=1\n")

    def process(self, pid: int, name: str, *open_files: str) -> None:
        """Run a process that has files open."""
        process = self.root / f"proc/{pid}"
        self.write(process / "comm", name + "\n")
        for number, target in enumerate(open_files):
            (process / "fd").mkdir(exist_ok=True)
            (process / f"fd/{number}").symlink_to(target)
