"""The station, put together: the one place that knows all of its parts.

::

    scanners -> capture -> outbox -> sync -> server
                   |                   |
            display, screen        notices, status.json

One TaskGroup owns every task. Capture is never ended by another part (contract, I6):
a scanner or the sync that fails is shown, and started again.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge import health, identity, notices
from edge.ballast import MEBIBYTE
from edge.battery import read_battery
from edge.capture import Capture
from edge.care import DAY, Care, take_in
from edge.clock import Clock, asleep, read_clock
from edge.config import Config, rules, site
from edge.copying import Copying, adopt, take_in_journal
from edge.decisions import State
from edge.feedback import Feedback, Notice, Tone, Word
from edge.gpio import open_pins
from edge.identity import Identity
from edge.kiosk import DEVICE, Kiosk, Panel, page
from edge.knowledge import from_log, keep_told, settings_of
from edge.lights import Light
from edge.outbox import NotSavedError, Outbox
from edge.pulse import Pulse
from edge.reference import Copy, Reference
from edge.renewal import Tokens
from edge.scanners import Scanner
from edge.scanners.opening import open_scanner
from edge.scanners.settings import ScannerSettings
from edge.screen import Screen
from edge.sync import Sync, SyncStatus
from edge.texts import Texts, said
from edge.uplink import Uplink
from edge.vitals import Vitals
from edge.workflow import Told
from shared.errors import StartError
from shared.moments import SECOND
from shared.sd_notify import READY, STOPPING, notify

__all__ = ["Setup", "Station", "run"]

_log = logging.getLogger(__name__)

_AGAIN = 5.0  # seconds before a part that failed is started again
_WATCH = 1.0  # seconds between two reports
_LOOK = 0.2  # seconds between two looks at the scanners: within 1 s it is seen
_NOTICES = 20  # of the outbox that are reported, the latest
_LAST_SCANS = 3.0  # seconds to save what was scanned before the end


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What to run.

    ``drain``: at the end of a scanner's input, wait until the server has everything,
    and end. ``show`` and ``say`` are the display: a scan's outcome, and a notice;
    ``look`` takes the whole screen whenever it changes.
    """

    data: Path
    config: Config
    scanners: tuple[ScannerSettings, ...]
    drain: bool
    version: str
    texts: Texts
    show: Callable[[Feedback], None]
    say: Callable[[str], None]
    look: Callable[[Screen], None] | None = None


async def run(setup: Setup, stop: asyncio.Event, clock: Clock = read_clock) -> int:
    """Run a station until ``stop`` is set, or its scanners have come to their end.

    Returns:
        How many saved lines the server has not acknowledged.

    Raises:
        StartError: It cannot start; one sentence that says why and what to do.
    """
    me = identity.load(setup.data)
    if me is None and setup.drain:
        reason = (
            "this station has not joined a server, so nothing can be acknowledged; "
            "join first, or leave out --drain"
        )
        raise StartError(reason)
    async with contextlib.AsyncExitStack() as stack:
        kept = setup.config.storage
        outbox = await Outbox.open(
            setup.data / health.OUTBOX, ballast=kept.ballast_mb * MEBIBYTE
        )
        stack.push_async_callback(outbox.close)
        vitals = Vitals(
            setup.data, lambda: outbox.waiting, version=setup.version, clock=clock
        )
        sync, copy = None, Copy(setup.data, clock)
        if me is not None:
            link = Uplink(me, clock=clock, version=setup.version, health=vitals.header)
            await stack.enter_async_context(link)
            tokens = Tokens(setup.data, me, link, clock=clock)
            sync = Sync(outbox, link, reference=copy, tokens=tokens, clock=clock)
        copying = None
        if kept.journal is not None:
            copying = Copying(outbox, Path(kept.journal))
            await _adopt(outbox, Path(kept.journal))
        scanners = [open_scanner(settings, clock) for settings in setup.scanners]
        station = Station(
            setup,
            outbox,
            sync,
            scanners,
            me=me,
            copy=copy,
            copying=copying,
            clock=clock,
            observe=vitals.look,
        )
        await station.run(stop)
        return outbox.waiting


class Station:
    """A station's running parts."""

    def __init__(
        self,
        setup: Setup,
        outbox: Outbox,
        sync: Sync | None,
        scanners: Sequence[Scanner],
        *,
        me: Identity | None = None,
        copy: Copy | None = None,
        copying: Copying | None = None,
        clock: Clock = read_clock,
        observe: Callable[[health.Report], None] = lambda _: None,
    ) -> None:
        """Put it together; ``run`` runs it. Without ``sync`` it only captures.

        ``copy`` is what the server told; ``observe`` is told of each report.
        """
        self._setup = setup
        self._outbox = outbox
        self._sync = sync
        self._scanners = tuple(scanners)
        self._clock = clock
        self._observe = observe
        self._copying = copying
        self._care = Care(
            outbox, retention=setup.config.storage.retention_days * DAY, clock=clock
        )
        self._told = sync.status if sync else SyncStatus(state=State.NOT_JOINED)
        self._progress = asyncio.Event()
        self._report: health.Report | None = None
        self._reading: list[asyncio.Task[None]] = []
        self._copy = copy
        self._facts = Told()
        if copy is not None:
            keep_told(self._facts, copy)
            self._settings = settings_of(copy.present)
            copy.observe(self._set)
        allowed = rules(
            setup.config.workflow,
            checks=setup.config.checks,
            enrolled_at=me.location if me else None,
            scanners=setup.scanners,
        )
        allowed = msgspec.structs.replace(allowed, typed=allowed.typed | {DEVICE})
        self._capture = Capture(
            outbox,
            allowed,
            show=self._show,
            facts=self._facts,
            site=site(setup.config.labels),
            online=lambda: notices.is_online(self._told),
            clock=clock,
        )
        self._panel = Panel(
            setup.texts,
            self._capture,
            station=me.station if me else "",
            rules=allowed,
            waiting=lambda: outbox.waiting,
            clock=clock,
        )
        light = setup.config.light
        self._light = Light(light, open_pins) if light.chip else None
        if setup.look is not None:
            self._panel.observe(setup.look)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to stop, or until there is nothing more to do."""
        await from_log(self._facts, self._outbox)
        async with asyncio.TaskGroup() as group:
            reading = self._reading = [
                group.create_task(self._read(scanner)) for scanner in self._scanners
            ]
            others = [group.create_task(part) for part in self._parts()]
            if self._sync is None:
                self._say(Notice.NOT_JOINED)
            notify(READY)
            await _first(stop.wait(), self._over(reading))
            notify(STOPPING)
            await _cancelled(reading)
            await self._save_the_last()
            await _cancelled(others)
        self._write(ended=True)

    def _parts(self) -> list[Coroutine[None, None, None]]:
        parts = [
            self._capture.run(),
            self._watch(),
            _kept_up("outbox", self._care.run, self._say),
            _kept_up("salvage", self._take_in, self._say),
            _kept_up("watchdog", self._pulse().run, self._say),
        ]
        if self._copying is not None:
            parts.append(_kept_up("journal", self._copying.run, self._say))
        if self._sync is not None:
            self._sync.observe(self._synced)
            parts.append(_kept_up("sync", self._sync.run, self._say))
        if self._light is not None:
            parts.append(_kept_up("stack light", self._light.run, self._say))
        port = self._setup.config.display.kiosk
        if port != "off":
            parts.append(_kept_up("screen", self._kiosk(port).run, self._say))
        return parts

    def _pulse(self) -> Pulse:
        """Return what tells systemd that readers live and the outbox answers."""

        def lives() -> bool:
            over = [task for task in self._reading if task.done()]
            return not any(task.cancelled() or task.exception() for task in over)

        def words() -> str:
            there = sum(scanner.health.connected for scanner in self._scanners)
            return (
                f"{there} of {len(self._scanners)} scanners; "
                f"{self._outbox.waiting} lines wait; server: {self._told.state.value}"
            )

        return Pulse(self._outbox, lives=lives, words=words)

    def _kiosk(self, port: int) -> Kiosk:
        """Return the screen's server, which is told of every new screen."""
        texts, look = self._setup.texts, self._setup.config.display
        kiosk = Kiosk(
            page(look.language, texts),
            port=port,
            touch=self._panel.touch,
            ready=lambda url: self._say(Notice.SCREEN_AT, address=url),
            trouble=lambda problem: self._say(
                Notice.SCREEN_AWAY, number=str(port), problem=problem
            ),
        )
        self._panel.observe(kiosk.show)
        return kiosk

    async def _read(self, scanner: Scanner) -> None:
        """Take a scanner's reads until its input ends."""
        sink = self._capture.sink(scanner)
        await _kept_up(scanner.health.device, lambda: scanner.run(sink), self._say)

    async def _over(self, reading: Sequence[asyncio.Task[None]]) -> None:
        """Wait until nothing more can come, and all that came is where it should be."""
        when = asyncio.FIRST_COMPLETED if self._setup.drain else asyncio.ALL_COMPLETED
        await asyncio.wait(reading, return_when=when)
        await self._capture.settled()
        while self._setup.drain and self._outbox.waiting:
            self._progress.clear()
            await self._progress.wait()

    async def _save_the_last(self) -> None:
        """Save what was delivered before the end, if the disk still takes it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SCANS):
                await self._capture.settled()
        if self._capture.held:
            self._say(
                Notice.LEFT_UNSAVED,
                number=str(self._capture.held),
                problem=self._capture.problem,
            )

    def _show(self, feedback: Feedback) -> None:
        if feedback.tone is Tone.WANTED and self._sync is not None:
            self._sync.retry()  # the server should know at once, whatever it waits for
        if self._light is not None and feedback.word is not Word.READY:
            self._light.call(feedback.tone)
        self._panel.scanned(feedback)
        self._panel.refresh(self._told, self._report)
        self._setup.show(feedback)

    def _say(self, notice: Notice, **names: str) -> None:
        self._setup.say(said(notice, self._setup.texts, **names))

    def _set(self, told: Reference) -> None:
        """Say that the server has set something else than the station runs with."""
        settings = settings_of(told)
        if settings != self._settings:
            self._settings = settings
            self._say(Notice.SETTINGS_NEW)

    def _synced(self, status: SyncStatus) -> None:
        """Say what has changed between the station and its server."""
        before, self._told = self._told, status
        for text in notices.of_sync(before, status, self._setup.texts):
            self._setup.say(text)
        self._panel.refresh(status, self._report)
        self._progress.set()

    async def _take_in(self) -> None:
        """Take in what was set aside, now and whenever more is; and the journal.

        The journal has what a file had that is gone, or is damaged.
        """
        known = -1
        while True:
            if self._outbox.anew and self._setup.config.storage.journal:
                folder = Path(self._setup.config.storage.journal)
                lines = await take_in_journal(self._outbox, folder)
                self._outbox.anew = False
                self._outbox.notices.append(f"{lines} lines are in {folder}, and kept")
            if known != len(self._outbox.notices):
                known = len(self._outbox.notices)
                await take_in(self._outbox, self._outbox.notices.append)
            await asyncio.sleep(_WATCH)

    async def _watch(self) -> None:
        """Look after scanners and clock, and keep the report up to date."""
        texts = self._setup.texts
        while True:
            before, after = self._report, self._write(ended=False)
            known = before.scanners if before else ()
            if self._sync and before and after.asleep > before.asleep + SECOND:
                self._sync.retry()  # the network may be another one
            for text in [
                *notices.of_storage(before, after, texts),
                *notices.of_scanners(known, after.scanners, texts),
                *notices.of_clock(before, after, texts),
                *notices.of_battery(before, after, texts),
                *notices.of_sleep(before, after, texts),
            ]:
                self._setup.say(text)
            await self._until_the_next_report(after)

    async def _until_the_next_report(self, latest: health.Report) -> None:
        """Wait; less long where a scanner has gone or come since."""
        end = asyncio.get_running_loop().time() + _WATCH
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_LOOK)
            before = [(one.connected, one.problem) for one in latest.scanners]
            if before != [
                (s.health.connected, s.health.problem) for s in self._scanners
            ]:
                return

    def _write(self, *, ended: bool) -> health.Report:
        """Write the report, and return it."""
        now = self._clock()
        self._report = health.Report(
            pid=os.getpid(),
            boot=now.boot,
            mono=now.mono,
            clock_synced=now.synced,
            state=self._told.state,
            problem=self._told.problem,
            alarm=notices.alarm_of(self._told, self._setup.texts),
            storage_problem=self._outbox.problem
            or self._care.problem
            or (self._copying.problem if self._copying else ""),
            storage_notices=tuple(self._outbox.notices[-_NOTICES:]),
            owed=self._outbox.owed,
            last_contact=health.contact(self._told),
            unsaved=self._capture.held,
            unsaved_problem=self._capture.problem,
            mode=self._capture.state.scene.mode,
            scanners=tuple(health.scanner_report(s.health) for s in self._scanners),
            battery=read_battery(),
            asleep=asleep(),
            at=now.at,
            told_at=self._copy.checked if self._copy else None,
            ended=ended,
        )
        with contextlib.suppress(OSError):  # a full disk is told by the outbox
            health.write(self._setup.data, self._report)
        self._panel.refresh(self._told, self._report)
        self._observe(self._report)
        return self._report


async def _adopt(outbox: Outbox, folder: Path) -> None:
    """Take over what an earlier run could only save on the second path."""
    try:
        if lines := await adopt(outbox, folder):
            text = f"{lines} lines that were on the second path only are in the outbox"
            outbox.notices.append(text)
    except (OSError, NotSavedError) as error:
        _log.warning("the second path cannot be read: %s", error)


async def _kept_up(
    name: str, part: Callable[[], Awaitable[None]], say: Callable[..., None]
) -> None:
    """Run a part to its end; where it fails, say so and start it again."""
    while True:
        try:
            return await part()
        except Exception as error:  # noqa: BLE001 - contract, I6: capture goes on
            _log.exception("%s has failed", name)
            say(Notice.PART_FAILED, device=name, problem=str(error))
        await asyncio.sleep(_AGAIN)


async def _first(*awaited: Coroutine[None, None, object]) -> None:
    """Wait for whichever is over first, and see it fail if it does; end the others."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        over, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled(tasks)
    for task in over:
        task.result()


async def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
