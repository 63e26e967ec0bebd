"""A machine with a display: the station's package installed, and its screen's unit."""

import os
import subprocess
import tarfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.vm.devices import Gadget, Identity
from tests.vm.guest import Guest
from tests.vm.installed import DRIVERS, LINK, STATION
from tests.vm.machine import Hardware, Machine
from tests.vm.prepare import VERSIONS, Bench
from tests.vm.run_log import RunLog
from tests.vm.station import keyboard

__all__ = ["KIOSK", "Kiosk"]

KIOSK = "scantrail-kiosk.service"
PORT = 8090
_DATA = "/var/lib/scantrail/main"
_SHARE = "/usr/share/scantrail-station"
_SIZE = 3 << 30  # sparse
_BOOT = 600.0
_SLOW = 900.0
_OPEN = 240.0
_PIXMAN = "WLR_RENDERER=pixman\nWLR_LIBINPUT_NO_DEVICES=1\n"
"""For a machine without a graphics processor, and without mouse and keyboard."""


class Kiosk:
    """Made by installing; a context manager, which ends the machine."""

    def __init__(self, bench: Bench, log: RunLog, folder: Path) -> None:
        self._folder = folder
        packages = folder / "packages.tar"
        with tarfile.open(packages, "w") as tar:
            for file in bench.packages(log):
                tar.add(file, file.name)
        own = folder / "own"
        own.touch()
        os.truncate(own, _SIZE)
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", own], check=True)
        hardware = Hardware(
            own=own,
            disks=(f"file={packages},format=raw,readonly=on",),
            screen=True,
        )
        image = bench.with_screen(log)
        with log.step("a machine with a display, started as an installed one"):
            self._machine = Machine(image, folder, hardware)
        self.guest: Guest = self._machine.guest
        self._log = log
        self._shots = 0

    def __enter__(self) -> Self:
        try:
            with self._log.step("the station's package: installed and started"):
                self._install()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._machine.__exit__(kind, error, trace)

    def _install(self) -> None:
        run = self.guest.run
        run(f"date -s @{time.time():.3f}")
        for command in (*DRIVERS, "modprobe virtio_gpu"):
            run(command)
        self._scanner = Gadget(self.guest, 0, Identity(serial="DOCK"))
        self._scanner.plug()
        run("systemctl is-system-running --wait || true", limit=_BOOT)
        run("userdel scantrail; rm -rf /opt/scantrail")  # the image's own
        run(
            "mkdir -p /root/packages; tar -C /root/packages -xf /dev/vdc; "
            "dpkg --force-unsafe-io -i "
            f"/root/packages/scantrail-station_{VERSIONS[0]}_*.deb 2>&1",
            limit=_SLOW,
        )
        run(
            "install -D -m 644 "
            f"{_SHARE}/scantrail-kiosk.chromium.json "
            "/etc/chromium/policies/managed/scantrail.json"
        )
        self.guest.put("/etc/scantrail/kiosk.env", _PIXMAN)
        screen = f"[display]\nkiosk = {PORT}\n"
        self.guest.put(f"{_DATA}/station.toml", screen + keyboard(LINK, "dock"))
        run(f"chown -R scantrail: {_DATA}")
        self.start(STATION)

    def start(self, unit: str) -> None:
        """Enable a unit, and start it."""
        self.guest.run(f"systemctl enable --now {unit} 2>&1", limit=_SLOW)

    def shown(self, unit: str) -> dict[str, str]:
        """Return what systemd knows of a unit."""
        lines = self.guest.run(f"systemctl show {unit}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def wait_for_page(self) -> None:
        """Wait until the browser of the screen's user is connected with the station."""
        try:
            self.guest.until(self._connected, "the page is open", _OPEN, every=0.5)
        except AssertionError as error:
            said = self.guest.run(
                f"systemctl status --no-pager -n0 {KIOSK}; journalctl -u {KIOSK} -o cat"
                " --no-pager | tail -60; ls -l /dev/dri; ps axo user,args | tail -30",
                limit=_SLOW,
            )
            raise AssertionError(said) from error

    def _connected(self) -> bool:
        found = self.guest.run(
            f"ss -Htne state established dport = :{PORT} | grep -c "
            "uid:$(id -u scantrail-kiosk) || true"
        )
        return int(found.strip() or 0) > 0

    # --- what is on the display -------------------------------------------------------

    def picture(self) -> Path:
        """Take a picture of the display."""
        self._shots += 1
        path = self._folder / f"screen-{self._shots}.ppm"
        self._machine.qmp.tell("screendump", filename=str(path), device="screen")
        return path

    def settled(self) -> Path:
        """Wait until the display shows something, and two pictures of it are one."""
        end = time.monotonic() + _SLOW
        last = self.picture()
        while time.monotonic() < end:
            time.sleep(2.0)
            now = self.picture()
            if self.colours(now) > 1 and now.read_bytes() == last.read_bytes():
                return now
            last = now
        reason = f"the display never stood still; {last}"
        raise AssertionError(reason)

    def changed(self, before: Path) -> Path:
        """Wait until much of the display is another than in a picture of before."""
        end = time.monotonic() + _SLOW
        was = before.read_bytes()
        while time.monotonic() < end:
            now = self.picture()
            found = now.read_bytes()
            others = sum(a != b for a, b in zip(was[::97], found[::97], strict=False))
            if others > len(found) // 97 // 20:
                return now
            time.sleep(1.0)
        reason = "the display did not change"
        raise AssertionError(reason)

    @staticmethod
    def colours(picture: Path) -> int:
        """Count the different pixels of a picture, some of them; one: it is empty."""
        data = picture.read_bytes()[20:]
        return len({data[at : at + 3] for at in range(0, len(data) - 3, 3 * 101)})

    def type(self, text: str) -> None:
        """Type with the USB scanner."""
        self._scanner.type(text, pause=0.002).result()
