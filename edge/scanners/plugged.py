"""A scanner that is plugged in, unplugged, and plugged in again.

What USB keyboards and HID point-of-sale scanners have in common: the device is looked
for, opened and read by the thread of an ``Intake``; a decoder turns its bytes into
reads; when it goes, it is closed at once and waited for.
"""

import asyncio
import errno
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.decoded import Damage, Decoded, Decoder
from edge.scanners.delivery import deliver
from edge.scanners.discovery import Candidate, find, holding, look_alikes
from edge.scanners.intake import Arrived, Gone, Intake, Opened, Silence, Source
from shared.protocol import ClockReading

__all__ = [
    "FileSource",
    "Plugged",
    "PluggedScanner",
    "Sleep",
    "Unavailable",
    "choose",
    "explained",
    "shared_link",
]

Sleep = Callable[[float], Awaitable[None]]

_RETRY = 0.5  # seconds between attempts; a device has to be back within 2 s
_SETTLE = 0.12  # seconds; what comes sooner after opening began before it
_CAPACITY = 4 << 20  # bytes; some 600 codes that wait for a station that is stuck
_PIECE = 16_384  # bytes; the longest report of hidraw, and hundreds of input events
_MOST_EMPTY = 100


class Unavailable(OSError):  # noqa: N818 - it is a state of the device, waited for
    """A device cannot be had; the text says why, and what to do."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)


class FileSource:
    """An open descriptor, as the source of an ``Intake``; it is only read.

    Args:
        fd: The descriptor, which does not block.
        close: Lets go of it; may raise OSError.
    """

    def __init__(self, fd: int, close: Callable[[], None] | None = None) -> None:
        self._fd = fd
        self._close = close
        self._empty = 0

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._fd

    def read(self) -> bytes | None:
        """Return what is there; ``None`` at the end.

        Raises:
            OSError: The device has gone. One that is ready for ever and has nothing
                to read has gone, too.
        """
        try:
            data = os.read(self._fd, _PIECE)
        except BlockingIOError:
            self._empty += 1
            if self._empty > _MOST_EMPTY:
                raise
            return b""
        self._empty = 0
        return data or None

    def write(self, data: bytes) -> bool:  # noqa: ARG002 - part of the interface
        """Send nothing: the device is open for reading only."""
        return False

    def close(self) -> None:
        """Let go of the device."""
        try:
            if self._close is None:
                os.close(self._fd)
            else:
                self._close()
        except OSError:
            pass  # it has gone; the descriptor is released all the same


class Plugged(NamedTuple):
    """A device just opened, with a decoder of its own for as long as it is open.

    ``warning`` is what an operator should know although it works; mostly empty.
    """

    source: Source
    decoder: Decoder
    warning: str = ""


class PluggedScanner:
    """Delivers what a device sends, whenever it is there.

    Args:
        device: The scanner's name.
        clock: Read for each piece that arrives.
        plug: Finds and opens the device; raises OSError, best ``Unavailable``. Called
            in a thread.
        gap: Seconds of silence that end a read.
        sleep: Waits between attempts.

    Attributes:
        health: How the scanner does.
        damage: How often a read was damaged, by what.
    """

    def __init__(
        self,
        device: str,
        clock: Clock,
        plug: Callable[[], Plugged],
        *,
        gap: float,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._plug = plug
        self._gap = gap
        self._sleep = sleep
        self._plugged: Plugged | None = None
        self._openings = 0
        self.health = ScannerHealth(device=device)
        self.damage: Counter[Damage] = Counter()

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled; see ``Scanner``."""
        while True:
            async with Intake(
                self._open,
                self._clock,
                gap=self._gap,
                settle=_SETTLE,
                drops=True,
                changed=self._changed,
                capacity=_CAPACITY,
            ) as intake:
                await self._serve(intake, sink)
            await self._sleep(_RETRY)

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Do nothing: these devices cannot be told what became of a read."""

    def _open(self) -> Source:
        """Open the device, in the thread; the loop takes the decoder after Opened."""
        self._plugged = self._plug()
        return self._plugged.source

    def _changed(self, change: Opened | Gone) -> None:
        self.health.connected = isinstance(change, Opened)
        if isinstance(change, Gone):
            self.health.problem = _problem(self.health.device, change.error)
            return
        self.health.problem = self._plugged.warning if self._plugged else ""
        self.health.reconnects += self._openings > 0
        self._openings += 1

    async def _serve(self, intake: Intake, sink: Sink) -> None:
        first = await intake.get()
        if isinstance(first, Gone) or self._plugged is None:
            return
        decoder, latest = self._plugged.decoder, self._clock()
        event: Opened | Arrived | Silence | Gone = first
        while not isinstance(event, Gone):
            event = await intake.get()
            latest = event.clock if isinstance(event, Arrived) else latest
            for decoded in _decoded(decoder, event):
                await self._deliver(decoded, latest, sink)

    async def _deliver(self, decoded: Decoded, at: ClockReading, sink: Sink) -> None:
        if decoded.damage:
            self.damage[decoded.damage] += 1
        read = Read(
            raw=decoded.raw,
            device=self.health.device,
            clock=at,
            damaged=decoded.damage is not None,
            unterminated=decoded.unterminated,
        )
        await deliver(read, self.health, sink)


def _decoded(
    decoder: Decoder, event: Opened | Arrived | Silence | Gone
) -> list[Decoded]:
    """Return the reads that an event completes."""
    if isinstance(event, Arrived | Silence) and event.lost:
        decoder.overrun()
    match event:
        case Arrived(data):
            return decoder.feed(data)
        case Silence():
            return decoder.silence()
        case Gone():
            return decoder.gone()
        case Opened():
            return []


def _problem(device: str, error: OSError | None) -> str:
    if isinstance(error, Unavailable):
        return str(error.strerror)
    detail = f" ({error.strerror})" if error and error.strerror else ""
    return f"{device} was unplugged{detail}; plug it in again"


def choose(wanted: str, candidates: list[Candidate], root: Path) -> Candidate:
    """Return the device that a setting names.

    Of several nodes of one scanner it is the first; scanners at several ports are a
    question that only a person can answer.

    Raises:
        Unavailable: There is none, or there are several.
    """
    found = find(wanted, candidates, root)
    if not found:
        raise Unavailable(errno.ENODEV, _absence(wanted, root))
    if len({one.port for one in found}) > 1:
        ports = " or ".join(f"{wanted[:9]}:{one.port}" for one in found)
        text = f"several scanners are {wanted}; name this one by its port: {ports}"
        raise Unavailable(errno.ENOTUNIQ, text)
    return found[0]


def _absence(wanted: str, root: Path) -> str:
    if wanted.startswith("/") and (root / wanted[1:]).exists():
        return f"{wanted} is no scanner of this kind; correct its path"
    return f"{wanted} is not there; plug the scanner in, or correct its path"


def shared_link(wanted: str, chosen: Candidate, candidates: Iterable[Candidate]) -> str:
    """Return what to say where a by-id link stands for several scanners, else nothing.

    The link leads to the one that came last, and to another after the next start.
    """
    others = look_alikes(chosen, candidates)
    if wanted not in chosen.by_id or not others:
        return ""
    paths = ", ".join(path for one in (chosen, *others) for path in one.by_path)
    return (
        f"{wanted} stands for {1 + len(others)} scanners that have no serial numbers, "
        f"and only one of them is read; name each by its port: {paths}"
    )


_OPENING_PROBLEMS = {
    errno.EBUSY: "{node} is held by {holders}",
    errno.EACCES: "{node} ({access}) may not be opened by this user; add the user to "
    "that group, or install the udev rules",
    errno.EPERM: "{node} may not be opened by this service; allow it in the unit",
}
_OTHER_PROBLEM = "{node} could not be opened ({error}); plug the scanner in again"


def explained(error: OSError, chosen: Candidate, root: Path) -> Unavailable:
    """Return why a device could not be opened, and what to do."""
    code = error.errno or 0
    text = _OPENING_PROBLEMS.get(code, _OTHER_PROBLEM).format(
        node=chosen.node,
        access=chosen.access,
        error=error.strerror,
        holders=holding(chosen.node, root) if code == errno.EBUSY else "",
    )
    return Unavailable(code, text)
