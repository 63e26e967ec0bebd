"""Keeps the screen as the station is, and turns a touch into a read.

A touch is the same as a scan of the command that it names: one way in, one line. It
counts only while nothing else waits to be saved, and only if the screen still shows
the scan that the person saw; what was touched too late does nothing.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from edge.clock import Clock
from edge.feedback import Feedback
from edge.health import Report
from edge.packing import packing
from edge.scanners import Read, Sink, Tone
from edge.screen import NOTHING_YET, Screen, Standing, remember, screen
from edge.sync import SyncStatus
from edge.texts import Texts
from edge.workflow import Rules, State

__all__ = ["DEVICE", "Panel", "Workflow"]

DEVICE = "screen"
"""The scanner's name in the lines of what was touched."""


class Workflow(Protocol):
    """What the screen needs of ``edge.capture``."""

    state: State

    @property
    def held(self) -> int:
        """How many reads are not saved yet."""

    def sink(self, scanner: "_Finger") -> Sink:
        """Return where reads are delivered."""


class _Finger:
    """Touches, as a scanner."""

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Do nothing: the screen says what became of it. See ``Scanner``."""


class Panel:
    """The screen of one station, from its start on."""

    def __init__(
        self,
        texts: Texts,
        workflow: Workflow,
        *,
        station: str,
        rules: Rules,
        waiting: Callable[[], int],
        clock: Clock,
    ) -> None:
        """Begin with an empty screen.

        Args:
            texts: The language.
            workflow: What the station remembers, and where a touch goes.
            station: Its name; empty where it has none yet.
            rules: What the workflow allows.
            waiting: How many lines wait for the server.
            clock: Dates scans and touches.
        """
        self._texts = texts
        self._workflow = workflow
        self._station = station
        self._rules = rules
        self._waiting = waiting
        self._clock = clock
        self._sink = workflow.sink(_Finger())
        self._memory = NOTHING_YET
        self._observers: list[Callable[[Screen], None]] = []
        self._screen: Screen | None = None

    def observe(self, callback: Callable[[Screen], None]) -> None:
        """Call ``callback`` with every new screen, and at once if there is one."""
        self._observers.append(callback)
        if self._screen:
            callback(self._screen)

    def scanned(self, feedback: Feedback) -> None:
        """Take note of what became of a scan."""
        self._memory = remember(
            self._memory,
            feedback,
            self._workflow.state,
            self._clock().at,
            self._texts,
        )

    def refresh(self, sync: SyncStatus, report: Report | None) -> None:
        """Show how the station stands now, if it stands otherwise than before."""
        standing = Standing(
            station=self._station,
            rules=self._rules,
            state=self._workflow.state,
            sync=msgspec.structs.replace(sync, waiting=self._waiting()),
            report=report,
        )
        listed = packing(self._rules, self._workflow.state, self._texts)
        made = screen(self._memory, standing, self._texts, listed)
        if made == self._screen:
            return
        self._screen = made
        for callback in self._observers:
            callback(made)

    async def touch(self, code: str, number: int) -> bool:
        """Do what was touched on the screen of a scan; False where it is too late."""
        shown = self._screen
        if self._workflow.held or not shown or not shown.offers(code, number):
            return False
        read = Read(raw=code.encode("ascii"), device=DEVICE, clock=self._clock())
        await self._sink(read)
        return True
