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
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path

import msgspec

from edge import health, identity, notices
from edge.ballast import MEBIBYTE
from edge.capture import Capture
from edge.care import DAY, Care
from edge.clock import Clock, read_clock
from edge.config import Config, rules, site
from edge.copying import Copying
from edge.decisions import State
from edge.feedback import Feedback, Notice, Tone, Word
from edge.found import from_second_path, take_in_found
from edge.gpio import open_pins
from edge.identity import Identity
from edge.kiosk import DEVICE, Kiosk, Panel, page
from edge.knowledge import from_log, keep_told, settings_of
from edge.lights import Light
from edge.outbox import Outbox
from edge.pulse import Pulse
from edge.reference import Copy, Reference
from edge.renewal import Tokens
from edge.scanners import Scanner
from edge.scanners.opening import open_scanner
from edge.scanners.settings import ScannerSettings
from edge.screen import Screen
from edge.sync import Sync, SyncStatus
from edge.tasks import cancelled, first, kept_up
from edge.texts import Texts, said
from edge.uplink import Uplink
from edge.vitals import Vitals
from edge.watch import Machine, Parts, Watch
from edge.workflow import Rules, Told
from shared.errors import StartError
from shared.sd_notify import READY, STOPPING, notify

__all__ = ["Setup", "Station", "run"]

_LAST_WORD = 5.0  # seconds for one heartbeat more
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
            await from_second_path(outbox, Path(kept.journal))
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


def _allowed(setup: Setup, me: Identity | None) -> Rules:
    """Return what may be scanned here, and typed: at the screen, too."""
    found = rules(
        setup.config.workflow,
        checks=setup.config.checks,
        enrolled_at=me.location if me else None,
        scanners=setup.scanners,
    )
    return msgspec.structs.replace(found, typed=found.typed | {DEVICE})


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
        self._copying = copying
        self._care = Care(
            outbox, retention=setup.config.storage.retention_days * DAY, clock=clock
        )
        self._told = sync.status if sync else SyncStatus(state=State.NOT_JOINED)
        self._progress = asyncio.Event()
        self._reading: list[asyncio.Task[None]] = []
        self._copy = copy
        self._facts = Told()
        if copy is not None:
            keep_told(self._facts, copy)
            self._settings = settings_of(copy.present)
            copy.observe(self._set)
        allowed = _allowed(setup, me)
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
        self._watch = self._watched()
        self._watch.observe(lambda report: self._panel.refresh(self._told, report))
        self._watch.observe(observe)
        light = setup.config.light
        self._light = Light(light, open_pins) if light.chip else None
        if setup.look is not None:
            self._panel.observe(setup.look)

    def _watched(self) -> Watch:
        """Return what looks at the parts, and reports of them."""
        return Watch(
            Parts(
                outbox=self._outbox,
                care=self._care,
                capture=self._capture,
                scanners=self._scanners,
                status=lambda: self._told,
                copying=self._copying,
                copy=self._copy,
            ),
            Machine(self._clock),
            data=self._setup.data,
            texts=self._setup.texts,
            say=self._setup.say,
            awake=self._sync.retry if self._sync else lambda: None,
        )

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
            await first(stop.wait(), self._over(reading))
            notify(STOPPING)
            await cancelled(reading)
            await self._save_the_last()
            await cancelled(others)
        self._watch.write(ended=True)

    def _parts(self) -> list[Coroutine[None, None, None]]:
        parts = [
            self._capture.run(),
            self._watch.run(),
            self._kept_up("outbox", self._care.run),
            self._kept_up("salvage", self._take_in),
            self._kept_up("watchdog", self._pulse().run),
        ]
        if self._copying is not None:
            parts.append(self._kept_up("journal", self._copying.run))
        if self._sync is not None:
            self._sync.observe(self._synced)
            parts.append(self._kept_up("sync", self._sync.run))
        if self._light is not None:
            parts.append(self._kept_up("stack light", self._light.run))
        port = self._setup.config.display.kiosk
        if port != "off":
            parts.append(self._kept_up("screen", self._kiosk(port).run))
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

        return Pulse(self._outbox.file, lives=lives, words=words)

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
        await self._kept_up(scanner.health.device, lambda: scanner.run(sink))

    async def _kept_up(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part to its end, and again where it fails."""
        await kept_up(
            name,
            part,
            lambda device, problem: self._say(
                Notice.PART_FAILED, device=device, problem=problem
            ),
        )

    async def _take_in(self) -> None:
        journal = self._setup.config.storage.journal
        await take_in_found(self._outbox, Path(journal) if journal else None)

    async def _over(self, reading: Sequence[asyncio.Task[None]]) -> None:
        """Wait until nothing more can come, and all that came is where it should be."""
        when = asyncio.FIRST_COMPLETED if self._setup.drain else asyncio.ALL_COMPLETED
        await asyncio.wait(reading, return_when=when)
        await self._capture.settled()
        while self._setup.drain and self._outbox.waiting:
            self._progress.clear()
            await self._progress.wait()
        if self._setup.drain and self._sync is not None:
            await self._say_that_nothing_waits(self._sync)

    async def _say_that_nothing_waits(self, sync: Sync) -> None:
        """Let the server know before the end, if it hears."""
        before = self._told.last_contact
        sync.speak()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD):
                while self._told.last_contact == before:
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
        self._panel.refresh(self._told, self._watch.report)
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
        self._panel.refresh(status, self._watch.report)
        self._progress.set()
