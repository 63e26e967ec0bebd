"""Looks after the station's parts, and keeps the report of how they do.

The report is what ``scantrail-station status``, the screen and the server are told
from; what has changed between two of them is said to the person who is there.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edge import health, notices
from edge.battery import Battery, read_battery
from edge.capture import Capture
from edge.care import Care
from edge.clock import Clock, asleep
from edge.copying import Copying
from edge.outbox import Outbox
from edge.reference import Copy
from edge.scanners import Scanner
from edge.sync import SyncStatus
from edge.texts import Texts
from shared.moments import SECOND

__all__ = ["Machine", "Parts", "Watch"]

_EVERY = 1.0  # seconds between two reports
_LOOK = 0.2  # seconds between two looks at the scanners: within 1 s it is seen
_NOTICES = 20  # of the outbox that are reported, the latest


class Parts(NamedTuple):
    """What is looked after. ``status`` returns how the server stands now."""

    outbox: Outbox
    care: Care
    capture: Capture
    scanners: Sequence[Scanner]
    status: Callable[[], SyncStatus]
    copying: Copying | None = None
    copy: Copy | None = None


class Machine(NamedTuple):
    """How the machine is asked for its clocks, its battery, and how long it slept."""

    clock: Clock
    battery: Callable[[], Battery | None] = read_battery
    asleep: Callable[[], int] = asleep


class Watch:
    """Keeps the report; ``report`` is the latest."""

    def __init__(
        self,
        parts: Parts,
        machine: Machine,
        *,
        data: Path,
        texts: Texts,
        say: Callable[[str], None],
        awake: Callable[[], None],
    ) -> None:
        """Prepare it; ``run`` looks.

        Args:
            parts: What is looked after.
            machine: What they run on.
            data: The data folder, in which the report is written.
            texts: The language.
            say: Says what has changed.
            awake: Called after the machine has slept: the network may be another one.
        """
        self._parts = parts
        self._machine = machine
        self._data = data
        self._texts = texts
        self._say = say
        self._awake = awake
        self._observers: list[Callable[[health.Report], None]] = []
        self.report: health.Report | None = None

    def observe(self, callback: Callable[[health.Report], None]) -> None:
        """Call ``callback`` with every new report."""
        self._observers.append(callback)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._until_the_next(self.look())

    def look(self) -> health.Report:
        """Make a report, and say what is otherwise than in the one before."""
        before, after, texts = self.report, self.write(), self._texts
        known = before.scanners if before else ()
        if before and after.asleep > before.asleep + SECOND:
            self._awake()
        for text in [
            *notices.of_storage(before, after, texts),
            *notices.of_scanners(known, after.scanners, texts),
            *notices.of_clock(before, after, texts),
            *notices.of_battery(before, after, texts),
            *notices.of_sleep(before, after, texts),
        ]:
            self._say(text)
        return after

    async def _until_the_next(self, latest: health.Report) -> None:
        """Wait; less long where a scanner has gone or come since."""
        end = asyncio.get_running_loop().time() + _EVERY
        before = [(one.connected, one.problem) for one in latest.scanners]
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK)
            now = [one.health for one in self._parts.scanners]
            if before != [(one.connected, one.problem) for one in now]:
                return

    def write(self, *, ended: bool = False) -> health.Report:
        """Write the report, and return it."""
        self.report = report = self._made(ended=ended)
        with contextlib.suppress(OSError):  # a full disk is told by the outbox
            health.write(self._data, report)
        for callback in self._observers:
            callback(report)
        return report

    def _made(self, *, ended: bool) -> health.Report:
        parts, now, status = self._parts, self._machine.clock(), self._parts.status()
        return health.Report(
            pid=os.getpid(),
            boot=now.boot,
            mono=now.mono,
            clock_synced=now.synced,
            state=status.state,
            problem=status.problem,
            alarm=notices.alarm_of(status, self._texts),
            storage_problem=parts.outbox.file.problem
            or parts.care.problem
            or (parts.copying.problem if parts.copying else ""),
            storage_notices=tuple(parts.outbox.file.notices[-_NOTICES:]),
            owed=parts.outbox.owed,
            last_contact=health.contact(status),
            unsaved=parts.capture.held,
            unsaved_problem=parts.capture.problem,
            mode=parts.capture.state.scene.mode,
            scanners=tuple(health.scanner_report(s.health) for s in parts.scanners),
            battery=self._machine.battery(),
            asleep=self._machine.asleep(),
            at=now.at,
            told_at=parts.copy.checked if parts.copy else None,
            ended=ended,
        )
