"""A Zebra scanner in SSI mode: it beeps only when its host says that the scan is saved.

The scanner has to be set up for SSI, with software handshaking, and with its own good
decode beep off; then a packet that nobody answers is an error that it tells itself.
"""

import asyncio
from functools import partial

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.delivery import deliver
from edge.scanners.intake import Arrived, Gone, Opened, Silence
from edge.scanners.port_settings import SsiSettings
from edge.scanners.serial_port import Link, Sleep, hold_port
from edge.scanners.zebra_ssi import (
    ANSWERS,
    Again,
    Conversation,
    Garbled,
    Message,
    Outcome,
    Reply,
)

__all__ = ["SsiScanner"]

_GAP = 0.1  # seconds; bytes of one packet follow each other within 99 ms


class SsiScanner:
    """A scanner that speaks Zebra's Simple Serial Interface."""

    def __init__(
        self, settings: SsiSettings, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._link: Link | None = None
        self._latest: Read | None = None
        self._tone: Tone | None = None
        self.health = ScannerHealth(device=settings.device)

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled; see ``Scanner``."""
        await hold_port(
            self._settings,
            self._clock,
            self.health,
            partial(self._serve, sink),
            gap=_GAP,
            sleep=self._sleep,
        )

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Acknowledge or refuse the packet, and beep; see ``Scanner``."""
        if read == self._latest:
            self._tone = tone
        if self._link is not None:
            self._link.send(read, ANSWERS[tone])

    async def _serve(self, sink: Sink, link: Link) -> None:
        talk = Conversation(
            window=self._settings.resend_window_ms * 1000,
            max_length=self._settings.max_length,
        )
        self._link = link
        try:
            while True:
                event = await link.get()
                for outcome in _outcomes(talk, event, self._clock):
                    await self._take(outcome, link, sink)
                if isinstance(event, Gone):
                    return
        finally:
            self._link = None

    async def _take(self, outcome: Outcome, link: Link, sink: Sink) -> None:
        match outcome:
            case Reply(data):
                link.write(data)
            case Garbled():
                self.health.damaged += 1
            case Again():
                self.health.repeats += 1
                if self._tone is not None:
                    link.write(ANSWERS[self._tone])
            case Message(raw, clock, damaged):
                device = self.health.device
                read = Read(raw=raw, device=device, clock=clock, damaged=damaged)
                self._latest, self._tone = read, None
                await deliver(read, self.health, sink)


def _outcomes(
    talk: Conversation, event: Opened | Arrived | Silence | Gone, clock: Clock
) -> list[Outcome]:
    """Return what an event leads to."""
    match event:
        case Arrived(data, came):
            return talk.feed(data, came)
        case Silence(came):
            return talk.silence(came)
        case Gone():
            return talk.cut(clock())
        case Opened():
            return []
