"""How the station does: written by the one that runs, read by ``status``.

The running station keeps a small file up to date. Who reads it puts beside it what the
outbox and the identity say by themselves, so that a station that is not running, or
died, is told apart from one that runs.
"""

import contextlib
import os
from pathlib import Path

import msgspec

from edge import identity
from edge.battery import Battery
from edge.decisions import State
from edge.peeking import peek
from edge.scanners import ScannerHealth
from edge.sync import SyncStatus
from edge.terminal_display import clean
from shared.data_folders import OUTBOX
from shared.errors import StartError
from shared.moments import SECOND, to_text
from shared.protocol import ClockReading

__all__ = [
    "OUTBOX",
    "Report",
    "ScannerReport",
    "Status",
    "contact",
    "in_words",
    "overview",
    "scanner_report",
    "write",
]

_NAME = "status.json"
_FRESH = 15 * SECOND
"""A report that is older (boot clock) is of a station that no longer runs."""
_LONGEST = 400


class ScannerReport(msgspec.Struct, frozen=True, kw_only=True):
    """One scanner, for a person: counts since the start, ``last_read`` in UTC."""

    device: str
    connected: bool
    problem: str = ""
    reads: int = 0
    damaged: int = 0
    no_reads: int = 0
    repeats: int = 0
    reconnects: int = 0
    last_read: str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a running station says of itself; ``boot`` and ``mono`` date it.

    ``at`` is the wall clock. ``asleep`` is how long the machine was suspended since it
    booted, ``told_at`` when the server last said that the station's reference data are
    its present ones.
    """

    pid: int
    boot: str
    mono: int
    clock_synced: bool
    state: State
    problem: str = ""
    alarm: str = ""
    storage_problem: str = ""
    storage_notices: tuple[str, ...] = ()
    owed: int = 0
    last_contact: str | None = None
    unsaved: int = 0
    unsaved_problem: str = ""
    mode: str = ""
    scanners: tuple[ScannerReport, ...] = ()
    battery: Battery | None = None
    asleep: int = 0
    at: int = 0
    told_at: int | None = None
    ended: bool = False

    @property
    def told_age(self) -> float | None:
        """How old what the server told is, in seconds; None: it told nothing."""
        return None if self.told_at is None else max(0, self.at - self.told_at) / SECOND


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A station's state, as ``status --json`` prints it; times are RFC 3339, UTC.

    ``saved`` and ``acked`` are the last lines of the present ``log``; ``waiting`` are
    saved here and not yet acknowledged. ``unsaved`` are scans in memory only, ``owed``
    are saved on the second path only. ``storage`` says what became of the outbox and
    its disk since the start.
    """

    running: bool
    joined: bool
    pid: int | None = None
    station: str | None = None
    location: str | None = None
    server: str | None = None
    state: str = State.NOT_JOINED.value
    problem: str = ""
    alarm: str = ""
    storage: tuple[str, ...] = ()
    log: str | None = None
    saved: int = 0
    acked: int = 0
    waiting: int = 0
    backed_up: int = 0
    unsaved: int = 0
    owed: int = 0
    last_contact: str | None = None
    clock_synced: bool | None = None
    battery: Battery | None = None
    reference_at: str | None = None
    mode: str | None = None
    scanners: tuple[ScannerReport, ...] = ()


def scanner_report(health: ScannerHealth) -> ScannerReport:
    """Return what a person needs of a scanner's health."""
    last = health.last_read
    return ScannerReport(
        device=health.device,
        connected=health.connected,
        problem=health.problem,
        reads=health.reads,
        damaged=health.damaged,
        no_reads=health.no_reads,
        repeats=health.repeats,
        reconnects=health.reconnects,
        last_read=None if last is None else to_text(last),
    )


def contact(status: SyncStatus) -> str | None:
    """Return when the server answered last."""
    last = status.last_contact
    return None if last is None else to_text(last)


def write(data: Path, report: Report) -> None:
    """Replace the report in the data folder, whole but not durably: it ages anyway.

    Raises:
        OSError: It cannot be written.
    """
    beside = data / f"{_NAME}.new"
    beside.write_bytes(msgspec.json.encode(report))
    beside.replace(data / _NAME)


def _read(data: Path) -> Report | None:
    with contextlib.suppress(OSError, ValueError):
        return msgspec.json.decode((data / _NAME).read_bytes(), type=Report)
    return None


def overview(data: Path, now: ClockReading) -> Status:
    """Return the state of the station whose data folder this is.

    Raises:
        StartError: There is no station, or its files cannot be read.
    """
    me, kept, report = identity.load(data), peek(data / OUTBOX), _read(data)
    if kept is None:
        missing = "" if data.is_dir() else ": there is no such folder"
        reason = (
            f"there is no station in {data}{missing}; see --data, or "
            "make one with: scantrail-station join URL CODE --data DIR"
        )
        raise StartError(reason)
    running = report is not None and _runs(report, now)
    status = Status(
        running=running,
        joined=me is not None,
        station=me.station if me else None,
        location=me.location if me else None,
        server=me.url if me else None,
        state=_last_state(report, joined=me is not None).value,
        log=kept.log,
        saved=kept.last,
        acked=kept.acked,
        waiting=kept.waiting,
        backed_up=kept.backed_up,
        last_contact=report.last_contact if report else None,
        alarm=report.alarm if report else "",
        storage=report.storage_notices if report else (),
    )
    return _live(status, report) if report and running else status


def _last_state(report: Report | None, *, joined: bool) -> State:
    if not joined:
        return State.NOT_JOINED
    return report.state if report else State.SENDING


def _live(status: Status, report: Report) -> Status:
    """Add what only a running station knows."""
    return msgspec.structs.replace(
        status,
        pid=report.pid,
        problem=report.unsaved_problem or report.storage_problem or report.problem,
        unsaved=report.unsaved,
        owed=report.owed,
        clock_synced=report.clock_synced,
        battery=report.battery,
        reference_at=None if report.told_at is None else to_text(report.told_at),
        mode=report.mode,
        scanners=report.scanners,
    )


def _runs(report: Report, now: ClockReading) -> bool:
    """Whether the report is of this boot, recent, and its process is there."""
    age = now.mono - report.mono
    return (
        not report.ended
        and report.boot == now.boot
        and 0 <= age < _FRESH
        and _is_there(report.pid)
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def in_words(status: Status) -> list[str]:
    """Return the status as lines for a person."""
    rows = [
        ("station", _who(status)),
        ("running", "yes" if status.running else "no"),
        ("server", _server(status)),
        ("saved", f"{status.saved} lines in log {status.log}"),
        ("waiting", _waiting(status)),
        ("last contact", status.last_contact or "never, as far as is known"),
        ("clock", _CLOCKS[status.clock_synced]),
        ("battery", _battery(status.battery)),
        (
            "server's data",
            f"as of {status.reference_at}" if status.reference_at else "",
        ),
        *(("scanner", _scanner(scanner)) for scanner in status.scanners),
        ("problem", status.problem),
        ("alarm", status.alarm),
        *(("storage", text) for text in status.storage),
    ]
    return [f"{name:<13} {clean(text, _LONGEST)}" for name, text in rows if text]


_CLOCKS = {
    True: "synchronised",
    False: "NOT synchronised; see this machine's time service (timedatectl)",
    None: "",
}


def _who(status: Status) -> str:
    if not status.joined:
        return "not joined; scantrail-station join URL CODE --data DIR"
    return f"{status.station} at {status.location or 'no place of its own'}"


def _server(status: Status) -> str:
    if not status.joined:
        return ""
    return f"{status.server}: {status.state}" if status.running else f"{status.server}"


def _waiting(status: Status) -> str:
    unsaved = f"; {status.unsaved} NOT saved yet" if status.unsaved else ""
    unsaved += f"; {status.owed} on the second path only" if status.owed else ""
    safe = f"{status.waiting}, safe here" if status.waiting else "0"
    if not status.joined:
        return f"{safe}; it has not joined a server, so nothing is sent{unsaved}"
    if status.waiting == 0:
        return f"0; the server has acknowledged everything{unsaved}"
    return f"{safe}{unsaved}"


def _battery(battery: Battery | None) -> str:
    if battery is None:
        return ""
    return f"{battery.percent} %, {'charging' if battery.charging else 'in use'}"


def _scanner(scanner: ScannerReport) -> str:
    state = "connected" if scanner.connected else scanner.problem or "not connected"
    counts = (
        f", {number} {what}"
        for number, what in (
            (scanner.damaged, "damaged"),
            (scanner.no_reads, "no-reads"),
            (scanner.repeats, "repeats"),
        )
        if number
    )
    return f"{scanner.device}: {state}, {scanner.reads} reads{''.join(counts)}"
