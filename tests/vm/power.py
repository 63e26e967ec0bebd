"""Power cuts at every block write: record a station's outbox at work, cut, and look.

A recording is made in a guest whose disk logs every write. Each possible disk is then
mounted on this machine (as root), and opened with the outbox of this checkout.
"""

import asyncio
import contextlib
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

from edge.outbox import Outbox
from shared.errors import ScantrailError
from tests.vm.block_log import BlockLog, Disk, Kept, length
from tests.vm.machine import Hardware, Machine
from tests.vm.outbox_load import draft
from tests.vm.prepare import Bench
from tests.vm.run_log import RunLog

__all__ = ["Found", "Recording", "blank_disk", "check", "record"]

_SIZE = 16 << 20
_LOG_SIZE = 1 << 30  # sparse
_PATIENCE = 300.0
_MEMORY = Path("/dev/shm")  # noqa: S108 - made there by tempfile, of its own
_OUTBOX = "outbox.db"
_DAMAGE = (OSError, subprocess.CalledProcessError, sqlite3.Error, ScantrailError)
"""What a disk says, or the outbox, that cannot be used: it has to be none of these."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox at work. ``saved``: log positions, and the last line that was durable
    there at the latest; ``safe`` was durable before it began.
    """

    before: bytes | bytearray
    log: Path
    saved: list[tuple[int, int]]
    safe: int = 0

    def needed(self, position: int) -> int:
        """Return the last line that has to be there after a cut."""
        return max([self.safe, *(n for at, n in self.saved if at <= position)])


class Found(msgspec.Struct, kw_only=True):
    """What was found on so many disks; ``worst`` is the most lines that were lost."""

    states: int = 0
    lost: int = 0
    worst: int = 0
    new_logs: int = 0
    damaged: Counter[str] = msgspec.field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        damage = "; ".join(
            f"{count} times {what}" for what, count in self.damaged.items()
        )
        return (
            f"{self.states} disks in {self.seconds:.0f} s: {self.lost} lacked a "
            f"confirmed line (the worst {self.worst}), {sum(self.damaged.values())} "
            f"were damaged{damage and f' ({damage})'}, {self.new_logs} in a new log"
        )


def blank_disk() -> bytes:
    """Return a disk with an empty ext4 file system, blocks of 4 KiB."""
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        image = Path(folder) / "disk"
        image.write_bytes(bytes(_SIZE))
        mkfs = ["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096"]
        subprocess.run([*mkfs, str(image)], check=True)
        return image.read_bytes()


def record(
    bench: Bench,
    log: RunLog,
    folder: Path,
    before: bytes | bytearray,
    *,
    lines: int,
    safe: int = 0,
    synchronous: str = "FULL",
    mount: str = "",
) -> Recording:
    """Save lines in a guest until so many are durable, and cut its power."""
    disk, writes = folder / "disk", folder / "writes"
    disk.write_bytes(before)
    writes.write_bytes(b"")
    with writes.open("r+b") as file:
        file.truncate(_LOG_SIZE)
    kept = bench.kept(Hardware(disks=(f"file={disk},format=raw",)), log)
    spec = (
        f"driver=blklogwrites,file.driver=raw,file.file.driver=file,"
        f"file.file.filename={disk},log.driver=raw,log.file.driver=file,"
        f"log.file.filename={writes},log-super-update-interval=1"
    )
    saved: list[tuple[int, int]] = []
    with Machine(bench.image, folder, Hardware(disks=(spec,)), kept=kept) as machine:
        guest = machine.guest
        guest.put(
            "/run/load.py", Path(__file__).with_name("outbox_load.py").read_bytes()
        )
        guest.run("mkdir /data; blockdev --flushbufs /dev/vdb")
        guest.run(f"mount {mount} /dev/vdb /data")
        guest.run(
            f"/opt/scantrail/bin/python /run/load.py /data/{_OUTBOX} {synchronous} "
            "</dev/null >/run/load.out 2>&1 &"
        )
        end = time.monotonic() + _PATIENCE
        while not saved or saved[-1][1] < saved[0][1] + lines:
            assert time.monotonic() < end, guest.read("/run/load.out").decode()
            if said := machine.events():
                saved.append((length(writes), int(said[-1])))
        machine.cut_power()
    return Recording(before=before, log=writes, saved=saved, safe=safe)


def check(recording: Recording, states: int, luck: Random) -> Found:
    """Build so many of the possible disks, spread over all positions, and look."""
    found, begun = Found(), time.monotonic()
    with contextlib.closing(BlockLog(recording.log)) as log:
        last = len(log.entries)
        every = [(at, kept) for at in range(last + 1) for kept in Kept]
        chosen = sorted(
            luck.sample(every, states)
            if states <= len(every)
            else [*every, *luck.choices(every, k=states - len(every))],
            key=lambda one: one[0],
        )
        whole = Disk(log, recording.before).after_cut(last, Kept.ALL, luck)
        reference, name = _opened(whole)
        disk = Disk(log, recording.before)
        for at, kept in chosen:
            state = disk.after_cut(at, kept, luck)
            _judge(found, state, reference, name, recording.needed(at))
    found.seconds = time.monotonic() - begun
    return found


def _judge(
    found: Found, disk: bytearray, reference: list[bytes], name: str, needed: int
) -> None:
    found.states += 1
    try:
        lines, log = _opened(disk)
    except _DAMAGE as error:
        found.damaged[type(error).__name__] += 1
        return
    if lines != reference[: len(lines)]:
        found.damaged["other lines"] += 1
    missing = needed - len(lines)
    found.lost += missing > 0
    found.worst = max(found.worst, missing)
    found.new_logs += bool(lines) and log != name


def _opened(disk: bytearray) -> tuple[list[bytes], str]:
    """Mount a disk, open the outbox on it, and save one more line.

    Returns:
        The lines that it had, and the log's name.
    """
    with _mounted(disk) as folder:
        return asyncio.run(_look(folder / _OUTBOX))


async def _look(path: Path) -> tuple[list[bytes], str]:
    box = await Outbox.open(path)
    try:
        rows = await box.file.execute(
            lambda db: db.execute("SELECT bytes FROM line ORDER BY position").fetchall()
        )
        log = box.log
        (event,) = await box.append([draft(0)])
        assert event.startswith(f"{box.log}:")
    finally:
        await box.close()
    return [bytes(row[0]) for row in rows], log


@contextlib.contextmanager
def _mounted(disk: bytearray) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        image, mount = Path(folder) / "disk", Path(folder) / "mount"
        image.write_bytes(disk)
        mount.mkdir()
        loop = ["/bin/mount", "-o", "loop", str(image), str(mount)]
        subprocess.run(loop, check=True, capture_output=True)
        try:
            yield mount
        finally:
            subprocess.run(["/bin/umount", mount], check=True)
