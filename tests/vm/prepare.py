"""Everything that a run needs, made once: the image, the wheel, a guest to go on from.

The cache is a folder outside the checkout. The image's name in it tells what it was
made from, so that a change makes a new one; the same holds for the guest that was kept
with the wheel under test installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.vm.machine import QEMU, Hardware, Image, kvm_works, run_kept
from tests.vm.run_log import RunLog

__all__ = [
    "PREPARED",
    "TREE",
    "VERSIONS",
    "Bench",
    "NotReadyError",
    "cache",
    "prepare",
]

VERSIONS: Final = ("0.0.1", "0.0.2")
"""Of the packages: one to install, and one to upgrade to."""

TREE: Final = Path(__file__).parents[2]
_HERE: Final = Path(__file__).parent / "image"
_PYTHON: Final = (3, 11)  # the guest's; wheels with compiled parts have to fit it
_PROGRAMS: Final = {
    QEMU: "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "mke2fs": "e2fsprogs",
    "gcc": "gcc",
}
_FILES: Final = {
    "/usr/include/linux/input.h": "linux-libc-dev",
    "/usr/include/python3.11/Python.h": "python3-dev",
}
_PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
_INSTALLED: Final = "/opt/scantrail/bin"
_INSTALL: Final = (
    f"{_INSTALLED}/pip install --quiet --no-index --no-deps "
    "--disable-pip-version-check /run/*.whl"
)
_IMPORT: Final = (
    f"{_INSTALLED}/python -c 'import edge.station, edge.scanners.input_device, evdev, "
    "edge.scanners.serial_scanner'"
)
_WARM: Final = (
    _INSTALL,
    "modprobe -a xhci_pci usbhid hid_generic evdev ftdi_sio libcomposite usb_f_hid",
    "modprobe dummy_hcd num=4",
    "mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config",
    _IMPORT,
    f"{_INSTALLED}/scantrail-station --help",
    "udevadm settle",
)
"""What is done once for all tests: later it is there, in the guest's memory."""


class Bench(msgspec.Struct, frozen=True):
    """What machines are made from; ``states``: disks to look at after power cuts."""

    image: Image
    wheel: Path
    states: int

    def kept(self, hardware: Hardware, log: RunLog) -> Path:
        """Return a booted guest with the wheel under test installed; make it once.

        One goes with all hardware that has as many disks, and a network card or none.
        """
        disks, card = len(hardware.disks), hardware.network is not None
        made_from = [self.wheel, Path(__file__), Path(__file__).with_name("machine.py")]
        name = f"{_digest(made_from)}-{self.image.folder.name}-{self.image.accelerator}"
        folder = cache()
        kept = folder / f"guest-{disks}-{card:d}-{name}"
        if not (kept / "state").exists():
            _remove_others(folder, f"guest-{disks}-{card:d}-", kept.name)
            what = f"{disks} disks, {'a' if card else 'no'} network card"
            with log.step(f"guest with {what}: booted, wheel installed, kept"):
                wheel = {f"/run/{self.wheel.name}": self.wheel}
                run_kept(self.image, kept, hardware, wheel, _WARM)
        return kept

    def packages(self, log: RunLog) -> list[Path]:
        """Return the Debian packages of this checkout, of two versions; build once."""
        parts = [path for name in ("packaging", "systemd") for path in _below(name)]
        name = f"packages-{_digest([self.wheel, *parts])}"
        folder = cache() / name
        if not folder.exists():
            _remove_others(cache(), "packages-", name)
            making = folder.with_suffix(".new")
            making.mkdir(parents=True, exist_ok=True)
            for part in ("server", "station"):
                with log.step(f"package of the {part}, of two versions"):
                    _build(part, making)
            making.replace(folder)
        return sorted(folder.iterdir())


PREPARED: Final = pytest.StashKey[tuple[Bench, RunLog]]()
"""Under this the fixtures find what was prepared."""


class NotReadyError(Exception):
    """Something is missing on this machine; the text says what to do."""


def cache() -> Path:
    """Return the folder for what is made once: SCANTRAIL_VM_CACHE, or the user's."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SCANTRAIL_VM_CACHE") or Path(home) / "scantrail-vm")


def prepare(log: RunLog, states: int) -> Bench:
    """Make what is not there yet.

    Raises:
        NotReadyError: The machine lacks something.
    """
    _check()
    folder = cache()
    built = _image(folder, log)
    with log.step("KVM: does a kernel boot?") as step:
        works = kvm_works(built / "vmlinux", folder / "kvm.log")
        step.note("yes, it is used" if works else "no; everything is emulated (TCG)")
    image = Image(built, "kvm" if works else "tcg")
    return Bench(image, _wheel(folder, log), states)


def _check() -> None:
    """Say what to install, all of it at once."""
    missing = [
        package
        for program, package in _PROGRAMS.items()
        if shutil.which(program, path=_PATH) is None
    ]
    missing += [package for file, package in _FILES.items() if not Path(file).exists()]
    if missing:
        reason = (
            "this needs some Debian packages; as root: apt-get install "
            f"--no-install-recommends {' '.join(sorted(missing))}"
        )
        raise NotReadyError(reason)
    if sys.version_info[:2] != _PYTHON:
        reason = (
            "the guest is Debian 12 and has Python 3.11, and packages are built for "
            "it here: make clean test-vm PYTHON=python3.11"
        )
        raise NotReadyError(reason)


def _image(folder: Path, log: RunLog) -> Path:
    requirements = TREE / "constraints-edge.txt"
    name = f"image-{_digest([*sorted(_HERE.iterdir()), requirements])}"
    built = folder / name
    if (built / "ready").exists():
        log.say(f"image: {name} is there")
        return built
    if os.geteuid() != 0:
        reason = (
            "the image is built as root, for the owners of its files; run this once "
            "as root, with SCANTRAIL_VM_CACHE set to a folder that both may use"
        )
        raise NotReadyError(reason)
    _remove_others(folder, "image-", name)
    wheels = built / "wheels"
    with log.step("image: wheels of what a station needs"):
        _pip("wheel", "--require-hashes", "-r", requirements, "-w", wheels)
    with log.step("image: Debian, kernel, file system") as step:
        _call([_HERE / "build.sh", built, wheels])
        step.note(f"{(built / 'root.img').stat().st_size >> 20} MiB")
    shutil.rmtree(wheels)
    (built / "ready").touch()
    return built


def _wheel(folder: Path, log: RunLog) -> Path:
    """Build the wheel under test."""
    wheels = folder / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    with log.step("wheel: built from this checkout") as step:
        _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", wheels)
        (wheel,) = wheels.glob("scantrail-*.whl")
        step.note(wheel.name)
    return wheel


def _pip(*arguments: str | Path) -> None:
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--quiet", *arguments]
    _call(pip if "-r" in arguments else [*pip, TREE])


def _call(command: list[str | Path], **env: str) -> str:
    """Run a program; return what it said, which is shown where it fails."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": _PATH, **env},
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        reason = f"{command[0]} failed:\n{said[-4000:]}"
        raise NotReadyError(reason)
    return said


def _build(part: str, folder: Path) -> None:
    """Build a package into a folder, and the same under the next version."""
    script = TREE / "packaging" / "build.sh"
    quick = {"DPKG_DEB_COMPRESSOR_TYPE": "gzip", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
    env = {"VERSION": VERSIONS[0], "PIP": f"{sys.executable} -m pip", **quick}
    built = Path(_call([script, part], **env).splitlines()[-1])
    first = folder / built.name
    shutil.move(built, first)
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        _call(["dpkg-deb", "--raw-extract", first, inside])
        control = Path(inside) / "DEBIAN" / "control"
        control.write_text(control.read_text().replace(*VERSIONS))
        second = folder / first.name.replace(*VERSIONS)
        _call(["dpkg-deb", "--root-owner-group", "--build", inside, second], **quick)


def _below(folder: str) -> list[Path]:
    return sorted(path for path in (TREE / folder).rglob("*") if path.is_file())


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _remove_others(folder: Path, prefix: str, name: str) -> None:
    """Keep one of each kind: they are large."""
    for other in folder.glob(f"{prefix}*"):
        if other.name != name:
            shutil.rmtree(other)
