"""A scanner that sends text over a serial port: RS-232, or USB as a COM port."""

import asyncio
from functools import partial

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.delivery import deliver
from edge.scanners.framing import Frame, Framer, Unmark
from edge.scanners.intake import Arrived, Gone, Opened, Silence
from edge.scanners.port_settings import SerialSettings
from edge.scanners.profiles import PROFILES, is_resend
from edge.scanners.serial_port import Link, Sleep, hold_port

__all__ = ["SerialScanner"]


class SerialScanner:
    """A scanner that sends framed text over a serial port."""

    def __init__(
        self, settings: SerialSettings, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._profile = PROFILES[settings.profile]
        window = settings.resend_window_ms
        self._window = self._profile.resend_window if window is None else window * 1000
        self._link: Link | None = None
        self._latest: Read | None = None
        self._sent: Read | None = None
        self._tone: Tone | None = None
        self._answers = 0
        self.health = ScannerHealth(device=settings.device)

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled; see ``Scanner``."""
        await hold_port(
            self._settings,
            self._clock,
            self.health,
            partial(self._serve, sink),
            gap=self._settings.framing.idle_gap,
            sleep=self._sleep,
        )

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Answer the scanner as its profile says; see ``Scanner``."""
        if read == self._latest:
            self._tone = tone
        self._answer(read, tone)

    def _answer(self, read: Read, tone: Tone) -> None:
        if self._link is not None:
            self._answers += 1
            self._link.send(read, self._profile.answers[tone])

    async def _serve(self, sink: Sink, link: Link) -> None:
        framer, unmark = Framer(self._settings.framing.framing()), Unmark()
        self._link, self._sent = link, None
        try:
            while True:
                event = await link.get()
                for frame in _frames(framer, unmark, event):
                    await self._take(frame, sink)
                if isinstance(event, Gone):
                    return
        finally:
            self._link = None

    async def _take(self, frame: Frame, sink: Sink) -> None:
        read = frame.read(self.health.device)
        again = is_resend(self._window, self._sent, read)
        self._sent = read
        if again:
            self.health.repeats += 1
            if self._tone is not None and self._answers < self._profile.most_answers:
                self._answer(read, self._tone)
            return
        self._latest, self._tone, self._answers = read, None, 0
        await deliver(read, self.health, sink)


def _frames(
    framer: Framer, unmark: Unmark, event: Opened | Arrived | Silence | Gone
) -> list[Frame]:
    """Return the frames that an event ends."""
    if isinstance(event, Arrived | Silence) and event.lost:
        framer.lose(event.clock)
    match event:
        case Arrived(data, clock):
            return [
                frame
                for piece, noisy in unmark.feed(data)
                for frame in framer.feed(piece, clock, noisy=noisy)
            ]
        case Silence():
            return framer.silence()
        case Gone():
            return framer.cut()
        case Opened():
            return []
