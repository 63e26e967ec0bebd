"""Network and fixed-mount readers: we connect to them, or they connect to us."""

import asyncio
import ipaddress
import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.delivery import deliver
from edge.scanners.framing import Frame, Framer
from edge.scanners.intake import Arrived, Gone, Silence
from edge.scanners.profiles import PROFILES
from edge.scanners.reader_settings import (
    ListenSettings,
    ReaderSettings,
    TcpSettings,
)
from edge.scanners.sightings import Sightings
from edge.scanners.wire import Wire

__all__ = ["ListenScanner", "TcpScanner", "codes_of", "delay", "is_allowed"]

Sleep = Callable[[float], Awaitable[None]]

_FIRST_RETRY = 0.5  # seconds
_BIND_RETRY = 1.0
_MOST_KNOWN = 1024


def delay(attempt: int, limit: float, chance: float) -> float:
    """Return the seconds to wait before an attempt, from 0: backoff, full jitter.

    ``chance`` is a random number from 0 to 1. Source: M. Brooker, Exponential Backoff
    and Jitter, 2015.
    """
    growing = _FIRST_RETRY * 2.0 ** min(attempt, 16)
    return chance * min(limit, growing)


def codes_of(frame: Frame, settings: ReaderSettings) -> tuple[list[bytes], int]:
    """Return the codes of one message of a reader, in order, and its no-reads.

    A message that is damaged is one code, whole, so that nothing is made of its parts.
    """
    if frame.damaged:
        return [frame.raw], 0
    if frame.raw in settings.heartbeat_bytes:
        return [], 0
    separator = settings.separator_bytes
    parts = [part for part in _split(frame.raw, separator) if part]
    codes = [part for part in parts if part not in settings.no_read_bytes]
    return codes, len(parts) - len(codes)


def _split(raw: bytes, separator: bytes) -> list[bytes]:
    return raw.split(separator) if separator else [raw]


class _Readers:
    """What both directions share: messages of a connection become reads."""

    def __init__(self, settings: ReaderSettings, clock: Clock, name: str) -> None:
        self._settings = settings
        self._framing = settings.framing.framing()
        self._answers = PROFILES[settings.profile].answers
        self.sightings = Sightings(settings.same_code_ms * 1000)
        self._wires: dict[str, Wire] = {}
        self._answered: dict[str, tuple[bytes, Tone]] = {}
        self._clock = clock
        self.health = ScannerHealth(device=name)

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Answer the reader as its profile says; see ``Scanner``."""
        wire = self._wires.get(read.device)
        if wire is not None:
            self._answered[read.device] = (read.raw, tone)
            wire.send(self._answers[tone])

    async def _attend(self, wire: Wire, device: str, sink: Sink) -> bool:
        """Deliver what one connection sends, until it ends.

        Returns:
            Whether anything came.
        """
        self._wires[device] = wire
        framer, alive = Framer(self._framing), False
        try:
            while True:
                event = await wire.get(self._patience(framer))
                silent = isinstance(event, Silence) and not framer.pending
                for frame in _frames(framer, event):
                    await self._take(frame, device, sink)
                if silent or isinstance(event, Gone):
                    return alive
                alive = True
        finally:
            if self._wires.get(device) is wire:
                del self._wires[device]
                self._answered.pop(device, None)
            await wire.close()

    def _patience(self, framer: Framer) -> float | None:
        if framer.pending:
            return self._settings.framing.idle_gap
        return self._settings.idle_timeout_s or None

    async def _take(self, frame: Frame, device: str, sink: Sink) -> None:
        codes, no_reads = codes_of(frame, self._settings)
        self.health.no_reads += no_reads
        for read in _reads(frame, codes, device):
            mono = read.clock.mono
            if read.damaged or self.sightings.is_new(device, read.raw, mono):
                await deliver(read, self.health, sink)
            else:
                self.health.repeats += 1
                await self._repeat(read)

    async def _repeat(self, read: Read) -> None:
        """Answer a reader that may have sent its latest code again for an answer."""
        raw, tone = self._answered.get(read.device, (None, Tone.GOOD))
        if raw == read.raw:
            await self.confirm(read, tone)


def _reads(frame: Frame, codes: list[bytes], device: str) -> Iterator[Read]:
    for code in codes:
        yield Read(
            raw=code,
            device=device,
            clock=frame.clock,
            damaged=frame.damaged,
            unterminated=frame.unterminated,
        )


def _frames(framer: Framer, event: Arrived | Silence | Gone) -> list[Frame]:
    match event:
        case Arrived(data, clock):
            return framer.feed(data, clock)
        case Silence():
            return framer.silence()
        case Gone():
            return framer.cut()


class TcpScanner(_Readers):
    """A reader that we connect to, again and again."""

    def __init__(
        self,
        settings: TcpSettings,
        clock: Clock,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(settings, clock, settings.device)
        self._to = settings
        self._sleep = sleep
        self._chance = chance

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled; see ``Scanner``."""
        attempt, connections = 0, 0
        while True:
            wire = await self._connect()
            if wire is not None:
                self.health.reconnects += connections > 0
                connections += 1
                if await self._attend(wire, self.health.device, sink):
                    attempt = 0
            await self._sleep(delay(attempt, self._to.retry_limit_s, self._chance()))
            attempt += 1

    async def _connect(self) -> Wire | None:
        to, loop = self._to, asyncio.get_running_loop()
        make = partial(Wire, self._clock, made=self._note_made, lost=self._note_lost)
        try:
            async with asyncio.timeout(to.connect_timeout_s):
                _, wire = await loop.create_connection(make, to.host, to.port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no host name
            self.health.problem = (
                f"no connection to {to.host}:{to.port}; check the reader's power, "
                f"network and address ({str(error) or 'no answer'})"
            )
            return None
        return wire

    def _note_made(self, _wire: Wire) -> None:
        self.health.connected, self.health.problem = True, ""

    def _note_lost(self, _wire: Wire) -> None:
        self.health.connected = False
        self.health.problem = (
            f"{self._to.host}:{self._to.port} ended the connection or fell silent; "
            "check the reader"
        )


class ListenScanner(_Readers):
    """Readers that connect to us, from addresses that are allowed."""

    def __init__(
        self, settings: ListenSettings, clock: Clock, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        super().__init__(settings, clock, settings.device)
        self._at = settings
        self._networks = settings.networks
        self._sleep = sleep
        self._open: set[Wire] = set()
        self._known: set[str] = set()
        self.refused = 0
        self.port = settings.port

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled; see ``Scanner``."""
        async with asyncio.TaskGroup() as group:
            make = partial(
                Wire,
                self._clock,
                made=partial(self._admit, group, sink),
                lost=self._note_lost,
            )
            server = await self._listen(make)
            try:
                await asyncio.Event().wait()  # until cancelled, or a child fails
            finally:
                server.close()

    async def _listen(self, make: Callable[[], Wire]) -> asyncio.Server:
        loop, at = asyncio.get_running_loop(), self._at
        while True:
            try:
                server = await loop.create_server(make, at.host, at.port)
            except (OSError, UnicodeError) as error:
                self.health.problem = (
                    f"cannot listen on {at.host}:{at.port}; choose an address of this "
                    f"machine and a free port ({error})"
                )
                await self._sleep(_BIND_RETRY)
                continue
            self.port = server.sockets[0].getsockname()[1]
            self._note_none()
            return server

    def _admit(self, group: asyncio.TaskGroup, sink: Sink, wire: Wire) -> None:
        """Serve a connection in a task of the group, or end it at once."""
        full = len(self._open) >= self._at.max_connections
        if full or not is_allowed(wire.peer, self._networks):
            self._refuse(wire, "too many are connected" if full else "add it to allow")
            return
        self._open.add(wire)
        self.health.reconnects += wire.peer in self._known
        if len(self._known) < _MOST_KNOWN:
            self._known.add(wire.peer)
        self.health.connected, self.health.problem = True, ""
        device = f"{self.health.device}@{wire.peer}"
        group.create_task(self._attend(wire, device, sink))

    def _refuse(self, wire: Wire, why: str) -> None:
        self.refused += 1
        self.health.problem = f"a connection from {wire.peer} was refused: {why}"
        wire.drop()

    def _note_lost(self, wire: Wire) -> None:
        if wire in self._open:
            self._open.discard(wire)
            if not self._open:
                self._note_none()

    def _note_none(self) -> None:
        self.health.connected = False
        self.health.problem = (
            f"no reader is connected to {self._at.host}:{self.port}; check the reader"
        )


def is_allowed(
    peer: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
) -> bool:
    """Say whether an address is in one of the networks; IPv4 in IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
