"""A virtual machine: QEMU, its guest, and a guest that was kept to go on from.

What differs from test to test (disks, network, clock) is in ``Hardware``. A power cut
is a SIGKILL of QEMU: whatever was only in the guest's memory is gone.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.vm.guest import Guest
from tests.vm.qmp import Qmp, connected

__all__ = ["QEMU", "Hardware", "Image", "Machine", "kvm_works", "run_kept"]

QEMU = "qemu-system-x86_64"
_BOOT_LIMIT = 300.0
_MEMORY = "512M"
_KERNEL_LINE = (
    "console=ttyS0 quiet panic=-1 mitigations=off nokaslr clocksource=hpet "
    "no_timer_check random.trust_cpu=on cryptomgr.notests systemd.show_status=0 "
    "net.ifnames=0"
)
"""Its clock is the HPET: how fast the TSC is a kernel finds out by trying, which on a
busy machine went wrong by factors, and every time that is measured with it."""
_INSTALLED = "own-disk systemd.unit=multi-user.target systemd.wants=agent.service"
_ACCELERATORS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    "tcg": ("-accel", "tcg,thread=multi,tb-size=256", "-cpu", "Nehalem"),
}


class Image(msgspec.Struct, frozen=True):
    """A built guest: a folder with vmlinux, initrd and root.img."""

    folder: Path
    accelerator: str


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine has besides USB ports and the way to its guest.

    Attributes:
        own: A disk, /dev/vdb, that keeps all that the guest writes, and with which it
            starts as an installed machine does; none: it forgets, and starts little.
        disks: Data disks, the next ones: what QEMU's -drive takes, without if and id.
        network: Options of QEMU's user network; none: no network card.
        clock: What QEMU's -rtc takes, as in base=2031-01-01.

    A guest that was kept goes on only with the same number of disks, and a card or
    none as before.
    """

    own: Path | None = None
    disks: tuple[str, ...] = ()
    network: str | None = None
    clock: str = ""

    def options(self) -> list[str]:
        """Return them for QEMU's command line."""
        line = _KERNEL_LINE if self.own is None else f"{_KERNEL_LINE} {_INSTALLED}"
        options = ["-append", line, *(["-rtc", self.clock] if self.clock else [])]
        own = [] if self.own is None else [f"file={self.own},format=raw"]
        for number, disk in enumerate([*own, *self.disks]):
            options += ["-drive", f"if=none,id=data{number},{disk}"]
            options += ["-device", f"virtio-blk-pci,drive=data{number}"]
        if self.network is not None:
            # By way of a hub: the far side can go silent (set_link up) with the
            # guest's carrier still on (set_link card).
            options += ["-netdev", ",".join(filter(None, ["user,id=up", self.network]))]
            options += ["-netdev", "hubport,id=near,hubid=0"]
            options += ["-netdev", "hubport,id=far,hubid=0,netdev=up"]
            options += ["-device", "virtio-net-pci,netdev=near,id=card"]
        return options


class Machine:
    """A running machine; a context manager, which ends it.

    Args:
        image: What it boots.
        folder: Where its sockets and logs go; short, for the sockets' sake.
        hardware: What it has.
        kept: A folder of ``keep``, to go on from there instead of booting.
        memory: A file for the guest's memory, which makes it one that can be kept.
    """

    def __init__(
        self,
        image: Image,
        folder: Path,
        hardware: Hardware,
        *,
        kept: Path | None = None,
        memory: Path | None = None,
    ) -> None:
        self.folder = folder
        self._memory = memory
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("qmp", "agent", "events"):
            (folder / name).unlink(missing_ok=True)
        command = [QEMU, *_ACCELERATORS[image.accelerator], *_fixed(image, folder)]
        command += [*_ram(kept, memory), *hardware.options()]
        command += ["-incoming", "defer"] if kept else []
        self._process = _started(command, folder / "qemu.log")
        try:
            self._connect(kept)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _connect(self, kept: Path | None) -> None:
        self.qmp = Qmp(self.folder / "qmp", self.alive)
        self.guest = Guest(connected(self.folder / "agent", self.alive))
        self._events = connected(self.folder / "events", self.alive)
        self._events.settimeout(0)
        self._part = b""
        if kept is None:
            self.guest.answer(0, _BOOT_LIMIT)
            return
        self._migrate("migrate-incoming", f"cat {shlex.quote(str(kept / 'state'))}")
        self.qmp.tell("cont")
        self.guest.run(f"date -s @{time.time():.3f}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut_power()
        self.qmp.close()
        self.guest.close()
        self._events.close()

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether QEMU runs."""
        return self._process.poll() is None

    def wait_for_end(self, limit: float) -> None:
        """Wait until the guest has switched itself off, or wants to start again."""
        self._process.wait(limit)

    def cut_power(self) -> None:
        """End the machine at once."""
        self._process.kill()
        self._process.wait()

    def keep(self, folder: Path) -> None:
        """Stop the guest, and keep it: machines can go on from ``folder``."""
        if self._memory != folder / "ram":
            reason = "its memory is not in that folder"
            raise ValueError(reason)
        self.qmp.tell("stop")
        self._migrate("migrate", f"cat > {shlex.quote(str(folder / 'state'))}")
        self.qmp.tell("quit")
        self._process.wait()

    def events(self) -> list[str]:
        """Return the lines that programs wrote to the port ``events`` since last asked.

        Those that came out of the machine before a power cut can be read after it.
        """
        with contextlib.suppress(BlockingIOError):
            while data := self._events.recv(1 << 16):
                self._part += data
        *lines, self._part = self._part.split(b"\n")
        return [line.decode() for line in lines]

    def _migrate(self, command: str, program: str) -> None:
        """Save or load the state of the devices; the memory is a file as it is."""
        shared = {"capability": "x-ignore-shared", "state": True}
        self.qmp.tell("migrate-set-capabilities", capabilities=[shared])
        self.qmp.tell(command, uri=f"exec:{program}")
        while (status := self.qmp.tell("query-migrate").get("status")) != "completed":
            if status in {"failed", "cancelled"}:
                raise RuntimeError((self.folder / "qemu.log").read_text())
            time.sleep(0.02)


def run_kept(
    image: Image,
    folder: Path,
    hardware: Hardware,
    files: Mapping[str, Path],
    commands: Iterable[str],
) -> None:
    """Boot a machine, give it files, run commands in it, and keep it in ``folder``.

    Args:
        image: What it boots.
        folder: Made anew.
        hardware: What it has.
        files: From the guest's path to the file on this machine.
        commands: For the guest's shell, one after the other.
    """
    making = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    with Machine(image, making, hardware, memory=making / "ram") as machine:
        for path, file in files.items():
            machine.guest.put(path, file.read_bytes())
        for command in commands:
            machine.guest.run(command, limit=300)
        machine.keep(making)
    making.replace(folder)


def _fixed(image: Image, folder: Path) -> list[str]:
    """Return the options of every machine."""
    root = f"if=none,id=root,file={image.folder}/root.img,format=raw,readonly=on"
    return [
        *("-name", "scantrail-bench", "-M", "pc", "-smp", "2", "-m", _MEMORY),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", str(image.folder / "vmlinux")),
        *("-initrd", str(image.folder / "initrd")),
        *("-qmp", f"unix:{folder}/qmp,server=on,wait=off"),
        *("-chardev", f"file,id=console,path={folder}/console.log"),
        *("-serial", "chardev:console"),
        *("-drive", root, "-device", "virtio-blk-pci,drive=root"),
        *("-device", "virtio-serial-pci,id=wires"),
        *_port("agent", folder),
        *_port("events", folder),
        *("-object", "rng-random,id=rng,filename=/dev/urandom"),
        *("-device", "virtio-rng-pci,rng=rng"),
        *("-device", "qemu-xhci,id=xhci,p2=8,p3=8"),
    ]


def _port(name: str, folder: Path) -> list[str]:
    return [
        *("-chardev", f"socket,id={name},path={folder}/{name},server=on,wait=off"),
        *("-device", f"virtserialport,bus=wires.0,chardev={name},name={name}"),
    ]


def _ram(kept: Path | None, memory: Path | None) -> list[str]:
    """Put the memory in a file: shared to keep it, private to go on from it."""
    if kept is not None:
        path, share = kept / "ram", "off"
    elif memory is not None:
        path, share = memory, "on"
    else:
        return []
    backend = f"memory-backend-file,id=ram,size={_MEMORY},mem-path={path},share={share}"
    return ["-object", backend, "-machine", "memory-backend=ram"]


def _started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )


def kvm_works(kernel: Path, log: Path, limit: float = 8.0) -> bool:
    """Whether a kernel really boots with KVM: a node that opens is not enough."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    options = ["-M", "pc", "-m", "256M", "-nodefaults", "-display", "none"]
    options += ["-serial", f"file:{log}", "-no-reboot", "-kernel", str(kernel)]
    options += ["-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"]
    log.unlink(missing_ok=True)
    process = _started(
        [QEMU, *_ACCELERATORS["kvm"], *options], log.with_suffix(".qemu.log")
    )
    end = time.monotonic() + limit
    try:
        while time.monotonic() < end and process.poll() is None:
            if log.exists() and b"Linux version" in log.read_bytes():
                return True
            time.sleep(0.05)
        return log.exists() and b"Linux version" in log.read_bytes()
    finally:
        process.kill()
        process.wait()
