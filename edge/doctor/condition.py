"""What is wrong with a station's machine, its outbox and its server. Pure."""

from collections.abc import Iterator

from edge.doctor import Area, Finding, Severity
from edge.doctor.facts import Disk, Facts, Reads, ServerSeen
from edge.health import Status
from shared.moments import SECOND, to_text

__all__ = ["condition_findings"]

_MB = 1_000_000
_FULL, _NEARLY_FULL = 100 * _MB, 1000 * _MB
_SLOW, _TOO_SLOW = SECOND // 4, 2 * SECOND
"""What a flush to the disk may take: an operator waits for it at every scan."""

_EARLIEST = 1_767_225_600 * SECOND
"""2026-01-01: no station of this program is older."""
_STEP = 5 * SECOND
"""How far two clocks may be apart; a request's way counts against it."""
_DAY = 86_400 * SECOND
_SOON = 21 * _DAY
"""How long before its end a certificate should be renewed."""

_FEW = 5
"""Reads from which on a scanner can be judged."""
_DAMAGED, _DAMAGED_SHARE = 3, 0.05

_TIME = "see its time service: timedatectl status; timedatectl set-ntp true"


def condition_findings(facts: Facts) -> list[Finding]:
    """Return what there is to say of the machine, the station and the server."""
    return [
        *_clock(facts),
        *_disk(facts.disk),
        *_config(facts),
        *_station(facts),
        *(one for reads in facts.reads for one in _labels(reads)),
        *_server(facts),
    ]


def _machine(severity: Severity, text: str, do: str = "") -> Finding:
    return Finding(area=Area.MACHINE, severity=severity, text=text, do=do)


def _of_station(severity: Severity, text: str, do: str = "") -> Finding:
    return Finding(area=Area.STATION, severity=severity, text=text, do=do)


def _of_server(severity: Severity, text: str, do: str = "") -> Finding:
    return Finding(area=Area.SERVER, severity=severity, text=text, do=do)


def _short(moment: int) -> str:
    return f"{to_text(moment)[:19]}Z"


# --- clock and disk -------------------------------------------------------------------


def _clock(facts: Facts) -> Iterator[Finding]:
    now = _short(facts.now)
    if facts.now < _EARLIEST:
        text = f"the clock shows {now}, which is long ago"
        yield _machine(Severity.WRONG, text, _TIME)
    elif facts.newest is not None and facts.newest > facts.now + _STEP:
        yield _machine(
            Severity.WRONG,
            f"the clock shows {now}, before the newest scan in the outbox "
            f"({_short(facts.newest)})",
            _TIME,
        )
    if facts.synced:
        yield _machine(Severity.FINE, f"clock: {now}, synchronised")
    else:
        text = f"the clock ({now}) is not synchronised"
        yield _machine(Severity.WARNING, text, _TIME)


def _disk(disk: Disk) -> Iterator[Finding]:
    if disk.read_only:
        text = f"{disk.folder} is on a disk that is mounted read-only"
        yield _machine(Severity.WRONG, text, "see dmesg; a worn card does this")
    elif disk.problem:
        text = f"{disk.folder}: {disk.problem}"
        yield _machine(Severity.WRONG, text, "see who owns it, and its disk: ls -ld")
        return
    free = f"{_size(disk.free)} free in {disk.folder}"
    if disk.free < _FULL:
        yield _machine(Severity.WRONG, f"the disk is full: {free}", "free some space")
    elif disk.free < _NEARLY_FULL:
        yield _machine(Severity.WARNING, f"little room: {free}", "free some space")
    else:
        yield _machine(Severity.FINE, f"disk: {free}")
    if disk.flush is not None:
        yield _flush(disk.flush)


def _size(size: int) -> str:
    return f"{size // _MB} MB" if size < _NEARLY_FULL else f"{size / 1e9:.1f} GB"


def _flush(flush: int) -> Finding:
    text = f"a write takes {flush / 1000:.0f} ms to be safe on the disk"
    if flush < _SLOW:
        return _machine(Severity.FINE, text)
    severity = Severity.WRONG if flush > _TOO_SLOW else Severity.WARNING
    return _machine(
        severity, text, "every scan waits for it: use an SSD, or a card for video"
    )


# --- configuration and outbox ---------------------------------------------------------


def _config(facts: Facts) -> Iterator[Finding]:
    if facts.config_problem:
        yield _of_station(
            Severity.WRONG,
            facts.config_problem,
            "correct it; scantrail-station check-config --example shows every setting",
        )
    elif facts.config is not None and not facts.config.scanner:
        yield _of_station(
            Severity.NOTE,
            "no scanner is configured",
            "scantrail-station identify writes the settings for one; or name it with "
            "run --scanner",
        )
    else:
        yield _of_station(Severity.FINE, "the configuration is right")
    if facts.config is not None and not facts.config.workflow.sheet:
        yield _of_station(
            Severity.NOTE,
            "any label that says X-… is followed as a command",
            "set sheet in [workflow] to a word of your own, and print commands with it",
        )


def _station(facts: Facts) -> Iterator[Finding]:
    status = facts.status
    if status is None:
        yield _of_station(Severity.WRONG, facts.status_problem)
        return
    if not status.joined:
        yield _of_station(
            Severity.WARNING,
            "the station has not joined a server; its scans stay here",
            "scantrail-station join URL CODE",
        )
    else:
        text = f"station {status.station} at {status.location or 'no place of its own'}"
        yield _of_station(Severity.FINE, text)
    yield _runs(status)
    yield from _outbox(status)


def _runs(status: Status) -> Finding:
    if status.running:
        return _of_station(Severity.FINE, "it runs")
    return _of_station(Severity.NOTE, "it does not run", "scantrail-station run")


def _outbox(status: Status) -> Iterator[Finding]:
    if status.unsaved:
        yield _of_station(
            Severity.WRONG,
            f"{status.unsaved} scans are in memory only: {status.problem}",
            "keep the station running until they are saved",
        )
    if status.owed:
        yield _of_station(
            Severity.WARNING,
            f"{status.owed} scans are saved beside the outbox only: {status.problem}",
            "see the disk; they go into the outbox by themselves once it is back",
        )
    for text in status.storage:
        yield _of_station(Severity.WARNING, text, "see the disk: dmesg")
    if status.alarm:
        do = "tell whoever looks after the server"
        yield _of_station(Severity.WARNING, status.alarm, do)
    text = f"outbox: {status.saved} lines in log {status.log}"
    if not status.waiting:
        yield _of_station(Severity.FINE, text)
    elif status.joined:
        severity = Severity.NOTE if status.running else Severity.WARNING
        do = "they go by themselves while the station runs and the server answers"
        yield _of_station(severity, f"{text}, {status.waiting} not sent yet", do)
    else:
        yield _of_station(Severity.NOTE, f"{text}, all of them only here")


def _labels(reads: Reads) -> Iterator[Finding]:
    device = reads.device
    if reads.reads >= _FEW and not reads.identified:
        yield _of_station(
            Severity.WARNING,
            f"{device} sends no AIM identifiers, so that 96385074 may be a product's "
            "number (EAN-8) or a field of GS1 (96)",
            "switch them on: scantrail labels setup --output setup.pdf prints the "
            "sheet that says how, and scantrail-station identify tests it",
        )
    share = reads.damaged / max(1, reads.reads)
    if reads.damaged >= _DAMAGED and share >= _DAMAGED_SHARE:
        yield _of_station(
            Severity.WARNING,
            f"{device}: {reads.damaged} of its latest {reads.reads} reads are damaged",
            "scantrail-station identify shows what arrives; see layout and cable",
        )


# --- the server -----------------------------------------------------------------------


def _server(facts: Facts) -> Iterator[Finding]:
    seen = facts.server
    if seen is None:
        return
    yield from _certificate(seen, facts.now)
    if seen.problem:
        do = "scans are safe here meanwhile; see the network, and whether it runs"
        yield _of_server(Severity.WRONG, seen.problem, do)
        return
    if seen.server != seen.enrolled:
        yield _of_server(
            Severity.WRONG,
            f"{seen.url} is another server ({seen.server or 'it does not say which'}) "
            f"than the one that this station joined ({seen.enrolled})",
            "correct its address, or let the station join anew: scantrail-station join",
        )
        return
    if seen.refusal:
        do = "an administrator can let it join again, with a new code"
        yield _of_server(Severity.WRONG, seen.refusal, do)
    else:
        yield _of_server(Severity.FINE, f"{seen.url} answers, and knows this station")
    if seen.offset is not None and abs(seen.offset) > _STEP:
        way = "ahead of" if seen.offset > 0 else "behind"
        yield _of_server(
            Severity.WARNING,
            f"this clock is {abs(seen.offset) // SECOND} s {way} the server's",
            f"times are corrected there; {_TIME}",
        )


def _certificate(seen: ServerSeen, now: int) -> Iterator[Finding]:
    shown = seen.certificate
    if shown is None:
        return
    until, names = _short(shown.expires), ", ".join(shown.names) or "no name"
    text = f"the server's certificate (for {names}) ends {until}"
    if shown.expires < now:
        text = f"the server's certificate ended {until}"
        yield _of_server(Severity.WRONG, text, f"renew it there; or {_TIME}")
    elif shown.expires < now + _SOON:
        yield _of_server(Severity.WARNING, text, "renew it there")
    else:
        yield _of_server(Severity.FINE, text)
