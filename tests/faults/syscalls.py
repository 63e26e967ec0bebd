"""Faults at system calls of the program that scans: killed, failing, or lied to.

For each call, and for its first, second, … time, the program runs until the fault has
happened; then it is started again without it, and everything that it confirmed in both
runs has to reach a server once, unchanged, in order.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.care import take_in
from edge.outbox import Outbox
from tests.edge_server import Model
from tests.faults import scanned
from tests.faults.checker import Found, check, draft, sent
from tests.faults.mutations import NAME

STRACE = shutil.which("strace")
CODES = 6
_PATIENCE = 30.0

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename", "openat")
"""What changes the disk; and ``openat``, for one without inodes."""

KINDS = {
    "kill": "signal=KILL",
    "eio": "error=EIO",
    "enospc": "error=ENOSPC",
    "edquot": "error=EDQUOT",
    "erofs": "error=EROFS",
    "lie": "retval=0",
}


class Fault(NamedTuple):
    """What happens at a thread's ``when``-th call, and at ``often`` in all."""

    kind: str
    call: str
    when: int
    often: int = 1

    @property
    def inject(self) -> str:
        times = f"{self.when}..{self.when + self.often - 1}"
        when = str(self.when) if self.often == 1 else times
        return f"inject={self.call}:{KINDS[self.kind]}:when={when}"


class Outcome(NamedTuple):
    """What a fault led to; ``fired`` says whether it happened at all."""

    fault: Fault
    fired: bool
    ended: int
    confirmed: int
    found: Found


def _child(folder: Path, told: Path, go: int) -> None:
    """Wait until somebody watches; then scan, and end."""
    ended = 1
    try:
        os.read(go, 1)
        out = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        asyncio.run(scanned.main(folder, 0, CODES, out))
        ended = 0
    finally:
        os._exit(ended)


def scan(folder: Path, fault: Fault) -> tuple[int, list[str], bool]:
    """Scan under a fault; return its end, what it confirmed, if the fault fired."""
    told, trace = folder.with_name("told"), folder.with_name("trace")
    for path in (told, trace):
        path.unlink(missing_ok=True)
    wait, go = os.pipe()
    child = os.fork()
    if child == 0:
        _child(folder, told, wait)
    watch: list[str | Path] = [str(STRACE), "-f", "-o", trace, "-p", str(child)]
    watch += [part for name in _names(folder) for part in ("-P", name)]
    watch += ["-e", f"trace={fault.call}", "-e", fault.inject]
    with subprocess.Popen(watch, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        assert b"attached" in strace.stderr.readline()
        os.write(go, b"!")
        ended = _end_of(child)
    for descriptor in (wait, go):
        os.close(descriptor)
    said = trace.read_text()
    fired = "INJECTED" in said or "killed by SIGKILL" in said
    return ended, told.read_text().split() if told.exists() else [], fired


def _end_of(child: int) -> int:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGALRM


def _names(folder: Path) -> Iterator[Path]:
    yield folder
    for part in ("", "-wal", "-shm", "-journal", ".lock", ".mark", ".mark.new"):
        yield folder / f"{NAME}{part}"
    yield folder / f"{NAME}.ballast"


async def _again(folder: Path, code: str) -> Model:
    """Start again, scan once more, and send everything."""
    model = Model()
    box = await Outbox.open(folder / NAME)
    try:
        await box.append([draft(code)])
        await take_in(box, box.notices.append)
        await sent(box, model)
    finally:
        await box.close()
    return model


def outcome(folder: Path, fault: Fault) -> Outcome:
    """Let a fault happen, start again, and see what a server gets."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ended, confirmed, fired = scan(folder, fault)
    model = asyncio.run(_again(folder, "P-AGAIN"))
    tried = [f"P-{number}" for number in range(CODES)]
    found = check([*confirmed, "P-AGAIN"], model.logs, tried)
    return Outcome(fault, fired, ended, len(confirmed), found)


def faults(kind: str, call: str) -> Iterator[Fault]:
    """Yield the faults of a kind at one call, one time after another, without end."""
    when = 0
    while True:
        when += 1
        yield Fault(kind, call, when)
        if kind not in {"kill", "lie"}:
            yield Fault(kind, call, when, 3)


def main(*specs: str) -> None:
    """Try faults that are named as KIND:CALL:WHEN:OFTEN; print what came of each."""
    for spec in specs:
        kind, call, when, often = spec.split(":")
        with tempfile.TemporaryDirectory() as folder:
            one = outcome(
                Path(folder) / "station", Fault(kind, call, int(when), int(often))
            )
        sys.stdout.write(json.dumps([one.fired, one.confirmed, one.found]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
