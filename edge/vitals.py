"""What a station tells its server of itself: its reports become the HEALTH header.

The report says how things are; here it is remembered since when, and how many reads of
the last hour were damaged. Ages are counted on the boot clock, which nobody sets.
"""

import contextlib
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge.clock import Clock, read_clock
from edge.health import Report, ScannerReport
from edge.logs import Batch
from shared.errors import LineError
from shared.health import ScannerState, StationHealth
from shared.lines import Line, decode
from shared.moments import SECOND
from shared.protocol import ClockReading

__all__ = ["Vitals", "free_bytes"]

_MINUTE = 60 * SECOND
_SAMPLES = 61  # one a minute: an hour, and its beginning


def free_bytes(folder: Path) -> int | None:
    """Return how much this user may still write where the folder is, if it is there."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


class _Sample(msgspec.Struct, frozen=True):
    mono: int
    reads: int
    damaged: int


class _Track:
    """What is remembered of one scanner; moments are of the boot clock."""

    def __init__(self, scanner: ScannerReport, mono: int) -> None:
        self._scanner = scanner
        self._changed = mono
        self._read: int | None = None
        self._samples = deque([_Sample(mono, 0, 0)], maxlen=_SAMPLES)

    def look(self, scanner: ScannerReport, mono: int) -> None:
        """Take in how the scanner is now."""
        if scanner.connected != self._scanner.connected:
            self._changed = mono
        if scanner.reads != self._scanner.reads:
            self._read = mono
        if mono - self._samples[-1].mono >= _MINUTE:
            self._samples.append(_Sample(mono, scanner.reads, scanner.damaged))
        self._scanner = scanner

    def state(self, mono: int) -> ScannerState:
        """Write it for the server."""
        scanner, first = self._scanner, self._samples[0]
        return ScannerState(
            device=scanner.device,
            connected=scanner.connected,
            since=_seconds(mono - self._changed),
            problem=scanner.problem,
            reads=scanner.reads,
            damaged=scanner.damaged,
            no_reads=scanner.no_reads,
            repeats=scanner.repeats,
            reconnects=scanner.reconnects,
            lately=scanner.reads - first.reads,
            damaged_lately=scanner.damaged - first.damaged,
            last_read=None if self._read is None else _seconds(mono - self._read),
        )


class Vitals:
    """Remembers a running station's reports, and writes the header.

    Args:
        data: The station's data folder, whose disk is told of.
        waiting: Counts the lines that the server has not acknowledged.
        version: The station's.
        clock: Ages are counted by it.
    """

    def __init__(
        self,
        data: Path,
        waiting: Callable[[], int],
        *,
        version: str = "",
        clock: Clock = read_clock,
    ) -> None:
        self._data = data
        self._waiting = waiting
        self._version = version
        self._clock = clock
        self._tracks: dict[str, _Track] = {}
        self._report: Report | None = None

    def look(self, report: Report) -> None:
        """Take in a report; one a second comes while the station runs."""
        self._report = report
        for scanner in report.scanners:
            track = self._tracks.setdefault(
                scanner.device, _Track(scanner, report.mono)
            )
            track.look(scanner, report.mono)

    def header(self, batch: Batch) -> str:
        """Return the header's value, beside a batch that begins with what is oldest.

        What waits is what will once the server has taken the batch.
        """
        now, report = self._clock(), self._report
        waiting = max(0, self._waiting() - len(batch.lines))
        return StationHealth(
            version=self._version,
            waiting=waiting,
            oldest=_age(batch.lines[0], now) if batch.lines and waiting else None,
            unsaved=report.unsaved if report else 0,
            problem=_problem(report) if report else "",
            synced=now.synced,
            disk_free=free_bytes(self._data),
            battery=report.battery.percent if report and report.battery else None,
            scanners=tuple(track.state(now.mono) for track in self._tracks.values()),
        ).header()


def _problem(report: Report) -> str:
    return report.unsaved_problem or report.storage_problem


def _age(data: bytes, now: ClockReading) -> float | None:
    """Return how long ago a line was recorded, in seconds."""
    try:
        line = decode(data)
    except LineError:  # it is sent all the same, and quarantined
        return None
    return _seconds(now.mono - _mono(line, now))


def _mono(line: Line, now: ClockReading) -> int:
    """Return when a line was recorded, on the present boot clock."""
    if line.boot == now.boot and line.mono is not None:
        return line.mono
    return now.mono - (now.at - line.moment)


def _seconds(micros: int) -> float:
    return max(0, micros) // 100_000 / 10
