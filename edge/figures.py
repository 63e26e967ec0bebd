"""A station's figures in the text format of Prometheus, from its status. Pure.

For node_exporter's textfile collector: the station opens no port for it.
"""

from collections.abc import Iterator

from edge.health import Status
from shared.moments import SECOND, to_moment

__all__ = ["NAMES", "figures"]

_HELP = {
    "running": "Whether the station runs",
    "joined": "Whether it has joined a server",
    "waiting_lines": "Lines saved here that the server has not acknowledged",
    "unsaved_scans": "Scans in memory only: its disk takes nothing",
    "owed_lines": "Lines on the second path only",
    "saved_lines": "The last line of the present log",
    "backed_up_lines": "The last line that is in a checked backup of the server",
    "last_contact_seconds": "When the server answered last, in seconds since 1970",
    "clock_synced": "Whether the kernel holds the clock to be synchronised",
    "problem": "Whether something is wrong that status names",
    "battery_percent": "Charge of its battery",
    "scanner_connected": "Whether a scanner is there",
    "scanner_reads": "What a scanner has read since the start",
    "scanner_damaged": "Of these, damaged",
}

NAMES = frozenset(_HELP)
"""The figures that there are, without what stands before each."""

_Row = tuple[str, float, str]


def figures(status: Status) -> str:
    """Return the text, one line a figure."""
    lines = []
    told: set[str] = set()
    for name, value, scanner in _rows(status):
        full = f"scantrail_station_{name}"
        if name not in told:
            told.add(name)
            lines += [f"# HELP {full} {_HELP[name]}.", f"# TYPE {full} gauge"]
        labels = _label("station", status.station or "")
        labels += f",{_label('scanner', scanner)}" if scanner else ""
        lines.append(f"{full}{{{labels}}} {value:.15g}")
    return "".join(f"{line}\n" for line in lines)


def _rows(status: Status) -> Iterator[_Row]:
    yield "running", status.running, ""
    yield "joined", status.joined, ""
    yield "waiting_lines", status.waiting, ""
    yield "unsaved_scans", status.unsaved, ""
    yield "owed_lines", status.owed, ""
    yield "saved_lines", status.saved, ""
    yield "backed_up_lines", status.backed_up, ""
    yield "problem", bool(status.problem or status.alarm), ""
    if status.last_contact is not None:
        yield "last_contact_seconds", to_moment(status.last_contact) / SECOND, ""
    if status.clock_synced is not None:
        yield "clock_synced", status.clock_synced, ""
    if status.battery is not None:
        yield "battery_percent", status.battery.percent, ""
    for name in ("connected", "reads", "damaged"):
        for scanner in status.scanners:
            yield f"scanner_{name}", getattr(scanner, name), scanner.device


def _label(name: str, value: str) -> str:
    """Write a label; controls have no place in it."""
    clean = "".join(c if c.isprintable() else "?" for c in value)
    safe = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{safe}"'
