"""Looking at a machine and a station: files are read, and one is written and removed.

/dev, /sys, /proc, /run and /etc are looked for under a root folder. No scanner is
opened.
"""

import contextlib
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwuid
from typing import Any

from edge.clock import Clock, read_clock
from edge.config import Config, load
from edge.doctor.devices import GROUP, RULES
from edge.doctor.facts import Disk, Facts, Person, Reads
from edge.doctor.naming import device_path
from edge.health import OUTBOX, overview
from edge.peeking import latest
from edge.scanners.discovery import (
    ROOT,
    Candidate,
    Kind,
    find,
    group_name,
    holders,
    port_at,
    processes,
    scanners,
)
from edge.scanners.settings import (
    HidPosSettings,
    KeyboardSettings,
    ScannerSettings,
    TerminalSettings,
)
from edge.vitals import free_bytes
from shared.errors import ConfigError, LineError, ScantrailError
from shared.lines import Line, decode

__all__ = ["gather", "measure", "who"]

_RULE_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d")
_APPLIED = "E:SCANTRAIL_SCANNER=1"
_LATEST = 500  # lines of the outbox that are looked at
_FLUSHES = 5


def gather(
    data: Path,
    *,
    root: Path = ROOT,
    config: Path | None = None,
    person: Person | None = None,
    clock: Clock = read_clock,
) -> Facts:
    """Look at everything but the server."""
    reading = clock()
    candidates = tuple(scanners(root))
    settings, problem = _config(config, data)
    named = settings.scanner if settings else ()
    lines = _lines(data)
    return Facts(
        now=reading.at,
        synced=reading.synced,
        person=person or who(root),
        candidates=candidates,
        named=_named(named, candidates, root),
        holders=holders(root),
        ruled=frozenset(one.node for one in candidates if _is_ruled(one, root)),
        rules=_rules(root),
        group=any(name == GROUP for name, _ in _groups(root)),
        processes=processes(root),
        evdev=find_spec("evdev") is not None,
        config=settings,
        config_problem=problem,
        **_status(data, clock),
        newest=max((line.moment for line in lines), default=None),
        reads=_reads(lines, _typed(named)),
        disk=measure(data),
    )


def who(root: Path = ROOT) -> Person:
    """Return who looks, with his groups."""
    try:
        name = getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = str(os.geteuid())
    return Person(
        name=name,
        groups=frozenset(map(group_name, {os.getegid(), *os.getgroups()})),
        written=_written(root, name),
        superuser=os.geteuid() == 0,
    )


def _written(root: Path, name: str) -> frozenset[str]:
    return frozenset(group for group, members in _groups(root) if name in members)


def _groups(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the groups that are written, each with the names of its members."""
    for line in _text(root / "etc/group").splitlines():
        name, colon, rest = line.partition(":")
        if colon:
            yield name, rest.rpartition(":")[2].split(",")


def measure(data: Path) -> Disk:
    """Look at the disk of the data folder; writes a small file and removes it."""
    try:
        read_only = bool(os.statvfs(data).f_flag & os.ST_RDONLY)
        flush = None if read_only else _flush(data)
    except OSError as error:
        return Disk(folder=str(data), problem=f"{error.strerror}")
    free = free_bytes(data) or 0
    return Disk(folder=str(data), free=free, read_only=read_only, flush=flush)


def _flush(data: Path) -> int:
    """Return what one flushed write takes, the middle one of a few."""
    spans = []
    with tempfile.TemporaryFile(dir=data) as file:
        for _ in range(_FLUSHES):
            begun = time.perf_counter_ns()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            spans.append(time.perf_counter_ns() - begun)
    return int(statistics.median(spans)) // 1000


def _config(path: Path | None, data: Path) -> tuple[Config | None, str]:
    try:
        return load(path, data), ""
    except ConfigError as error:
        return None, str(error)


def _status(data: Path, clock: Clock) -> dict[str, Any]:
    try:
        return {"status": overview(data, clock())}
    except ScantrailError as error:
        return {"status_problem": str(error)}


def _named(
    named: Iterable[ScannerSettings], candidates: Iterable[Candidate], root: Path
) -> Mapping[str, tuple[Candidate, ...]]:
    """Return what each configured path stands for."""
    found: dict[str, tuple[Candidate, ...]] = {}
    for settings in named:
        wanted = device_path(settings)
        if wanted is not None:
            kind = _kind(settings)
            mine = [one for one in candidates if one.kind is kind]
            found[wanted] = tuple(_found(wanted, kind, mine, root))
    return found


def _kind(settings: ScannerSettings) -> Kind:
    if isinstance(settings, KeyboardSettings):
        return Kind.KEYBOARD
    return Kind.HID_POS if isinstance(settings, HidPosSettings) else Kind.SERIAL


def _found(
    wanted: str, kind: Kind, mine: list[Candidate], root: Path
) -> list[Candidate]:
    found = find(wanted, mine, root)
    if found or kind is not Kind.SERIAL:
        return found
    if wanted.startswith("/"):
        port = port_at(wanted, root)
        return [port] if port else []
    vendor, product, *serial = wanted.lower().split(":", 2)
    return [
        one
        for one in mine
        if [one.vendor, one.product, one.serial.lower()] == [vendor, product, *serial]
    ]


def _rules(root: Path) -> str:
    """Return where our udev rules are; a link to /dev/null hides them."""
    for folder in _RULE_FOLDERS:
        path = root / folder / RULES
        if path.is_symlink() or path.exists():
            return f"/{folder}/{RULES}" if _text(path) else ""
    return ""


def _is_ruled(one: Candidate, root: Path) -> bool:
    """Whether udev's database says that our rules took the device for a scanner."""
    database = root / "run/udev/data" / f"c{one.number}"
    return bool(one.number) and _APPLIED in _text(database).splitlines()


def _lines(data: Path) -> list[Line]:
    found = []
    with contextlib.suppress(ScantrailError):
        for raw in latest(data / OUTBOX, _LATEST):
            with contextlib.suppress(LineError):
                found.append(decode(raw))
    return found


def _typed(named: Iterable[ScannerSettings]) -> frozenset[str]:
    """Return the devices at which a person types, so that nothing is to be expected."""
    terminals = [one for one in named if isinstance(one, TerminalSettings)]
    return frozenset(one.device for one in (TerminalSettings(), *terminals))


def _reads(lines: Iterable[Line], typed: frozenset[str]) -> tuple[Reads, ...]:
    scanned = [
        line
        for line in lines
        if line.device and line.raw is not None and line.device not in typed
    ]
    count = Counter(str(line.device) for line in scanned)
    identified = Counter(str(line.device) for line in scanned if line.symbology)
    damaged = Counter(str(line.device) for line in scanned if line.damaged)
    return tuple(
        Reads(
            device=device,
            reads=reads,
            identified=identified[device],
            damaged=damaged[device],
        )
        for device, reads in sorted(count.items())
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
