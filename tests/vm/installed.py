"""A machine with both packages installed: server and station under systemd, joined.

Its guest starts as an installed Debian does, keeps what it writes on a disk of its own,
and can be started again.
"""

import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.vm.devices import Gadget, Identity
from tests.vm.guest import Guest
from tests.vm.machine import Hardware, Machine
from tests.vm.prepare import VERSIONS, Bench
from tests.vm.run_log import RunLog, Step
from tests.vm.station import as_user, keyboard

__all__ = ["DRIVERS", "LINK", "SERVER", "STATION", "InstalledSite"]

SERVER, STATION = "scantrail-server.service", "scantrail-station@main.service"
LINK = "/dev/scantrail/by-id/Symbol_Bar_Code_Scanner_DOCK-keyboard"
_DATA = "/var/lib/scantrail/main"
_SIZE = 2 << 30  # sparse
_BOOT = 600.0
_SLOW = 300.0
DRIVERS = (
    "modprobe -a usbhid hid_generic libcomposite usb_f_hid",
    "modprobe dummy_hcd num=4",
    "mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config",
)
_ASK = """
import json, ssl, sys, time, urllib.parse, urllib.request
url, key, item, limit = sys.argv[1:]
context = ssl._create_unverified_context()
ask = urllib.request.Request(url + "/v1/items/" + urllib.parse.quote(item, safe=""))
ask.add_header("Authorization", "Bearer " + key)
print("asking", flush=True)
end = time.monotonic() + float(limit)
while time.monotonic() < end:
    try:
        with urllib.request.urlopen(ask, context=context, timeout=5) as answer:
            told = json.load(answer)
    except OSError as error:
        told = {"error": str(error)}
    if told.get("known"):
        print(time.monotonic(), told["status"], flush=True)
        sys.exit()
    time.sleep(0.02)
sys.exit(f"no answer: {told}")
"""
"""For the guest: asks the server of an item until it knows it, and says when it did."""


class InstalledSite:
    """Made by installing; a context manager, which ends the machine."""

    def __init__(self, bench: Bench, log: RunLog, folder: Path) -> None:
        self._bench = bench
        self._log = log
        self._folder = folder
        packages = folder / "packages.tar"
        with tarfile.open(packages, "w") as tar:
            for file in bench.packages(log):
                tar.add(file, file.name)
        own = folder / "own"
        own.touch()
        os.truncate(own, _SIZE)
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", own], check=True)
        self._hardware = Hardware(
            own=own, disks=(f"file={packages},format=raw,readonly=on",)
        )
        self._machine: Machine | None = None
        self._scanner: Gadget | None = None
        self.key = self.url = ""

    def __enter__(self) -> Self:
        try:
            with self._log.step("a machine that starts as an installed one") as step:
                self._boot(step)
            with self._log.step("both packages: installed, set up, joined, started"):
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
        if self._machine is not None:
            self._machine.__exit__(kind, error, trace)

    @property
    def guest(self) -> Guest:
        """The guest, since its latest start."""
        assert self._machine is not None
        return self._machine.guest

    @property
    def machine(self) -> Machine:
        """The machine, since its latest start."""
        assert self._machine is not None
        return self._machine

    @property
    def scanner(self) -> Gadget:
        """The scanner, since it was plugged in."""
        assert self._scanner is not None
        return self._scanner

    # --- starting, installing ---------------------------------------------------------

    def restart(self, step: Step) -> None:
        """Shut the machine down and start it again, as `systemctl reboot` does."""
        begun = time.monotonic()
        self.guest.start("systemctl reboot")
        self.machine.wait_for_end(_SLOW)
        self.machine.__exit__(None, None, None)
        step.note(f"shut down in {time.monotonic() - begun:.0f} s")
        self._boot(step)

    def _boot(self, step: Step) -> None:
        begun = time.monotonic()
        self._machine = Machine(self._bench.image, self._folder, self._hardware)
        self.guest.run(f"date -s @{time.time():.3f}")
        for command in DRIVERS:
            self.guest.run(command)
        self._scanner = Gadget(self.guest, 0, Identity(serial="DOCK"))
        self._scanner.plug()
        self.guest.run("systemctl is-system-running --wait || true", limit=_BOOT)
        step.note(f"started in {time.monotonic() - begun:.0f} s")

    def install(self, version: str) -> str:
        """Install both packages of a version; return what that printed."""
        return self.guest.run(
            "rm -rf /root/packages; mkdir -p /root/packages; "
            "tar -C /root/packages -xf /dev/vdc; "
            f"dpkg --force-unsafe-io -i /root/packages/*_{version}_*.deb 2>&1",
            limit=_SLOW,
        )

    def _install(self) -> None:
        run = self.guest.run
        run("userdel scantrail; rm -rf /opt/scantrail")  # the image's own
        self.install(VERSIONS[0])
        self.key = run(
            "scantrail-server init --host 127.0.0.1 --port 8443 --tls own "
            "--data /var/lib/scantrail-server 2>/run/init | tail -1",
            limit=_SLOW,
        ).strip()
        self.start(SERVER)
        mark = run(
            f"journalctl -u {SERVER} -o cat | grep -o '#sha256:[0-9a-f]*' | tail -1"
        )
        self.url = f"https://127.0.0.1:8443{mark.strip()}"
        code = run(
            f"scantrail-server station-code DOCK-1 --location DOCK-1 "
            f"--server '{self.url}' --key {self.key}",
            limit=_SLOW,
        ).strip()
        join = f"scantrail-station join '{self.url}' {code} --data {_DATA}"
        run(as_user(join, "scantrail"), limit=_SLOW)
        self.configure(keyboard(LINK, "dock"))
        self.start(STATION)

    def configure(self, config: str) -> None:
        """Write the station's configuration."""
        self.guest.put(f"{_DATA}/station.toml", config)
        self.guest.run(f"chown scantrail: {_DATA}/station.toml")

    # --- units ------------------------------------------------------------------------

    def start(self, unit: str) -> None:
        """Enable a unit, start it, and wait until it has said that it is ready."""
        self.guest.run(f"systemctl enable --now {unit} 2>&1", limit=_SLOW)

    def shown(self, unit: str) -> Mapping[str, str]:
        """Return what systemd knows of a unit."""
        lines = self.guest.run(f"systemctl show {unit}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def is_up(self, unit: str, not_pid: str = "") -> bool:
        """Whether a unit is ready, in another process than one before."""
        shown = self.shown(unit)
        up = (shown["ActiveState"], shown["SubState"]) == ("active", "running")
        return up and shown["MainPID"] != not_pid

    def wait_until_up(self, unit: str, not_pid: str = "") -> None:
        """Wait until a unit is ready."""
        self.guest.until(
            lambda: self.is_up(unit, not_pid), f"{unit} is up", _SLOW, every=0.2
        )

    def wait_for_scanner(self) -> None:
        """Wait until the station has its scanner; its status line says so."""
        self.guest.until(
            lambda: "1 of 1" in self.shown(STATION)["StatusText"],
            f"the scanner; {self.shown(STATION)['StatusText']}",
            _SLOW,
            every=0.2,
        )

    def clock_synced(self) -> bool:
        """Whether the station's latest report says that its clock is synchronised."""
        return bool(json.loads(self.guest.read(f"{_DATA}/status.json"))["clock_synced"])

    # --- scanning ---------------------------------------------------------------------

    def scan(self, item: str) -> float:
        """Type an item's code; return the seconds from Enter to the server's answer."""
        return self.answered(item, lambda: self.type(f"{item}\n"))

    def type(self, text: str) -> float:
        """Type with the USB scanner; return when, by the guest's clock."""
        done = self.scanner.type(text, pause=0.002).result()
        return done.begun + done.took

    def answered(self, item: str, scan: Callable[[], float]) -> float:
        """Scan while the server is asked; return the seconds until it knew the item."""
        self.guest.put("/run/ask.py", _ASK)
        self.guest.run("rm -f /run/asked")
        url = self.url.partition("#")[0]
        job = self.guest.start(
            f"python3 /run/ask.py {url} {self.key} {item} {_SLOW} >/run/asked 2>&1",
            limit=_SLOW,
        )
        self.guest.wait_for("/run/asked")
        self.guest.until(lambda: bool(self.guest.read("/run/asked")), "it asks")
        scanned = scan()
        job.result()
        told = self.guest.read("/run/asked").decode().split()
        return float(told[1]) - scanned
