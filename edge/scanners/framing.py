"""Bytes in, frames out: where one code ends and the next begins. Pure.

A frame ends at a terminator of a configured set, or by silence. However the same bytes
were split on their way, the same frames come out; what cannot be trusted comes out
marked ``damaged``, never shortened in silence. One ``Framer`` serves one connection.

Silence is told to the framer, not computed from the times of the bytes: when a busy or
stopped process reads late, the times tell of the reading, not of the arrival.
"""

import re

import msgspec

from edge.scanners import Read
from shared.protocol import ClockReading

__all__ = ["Frame", "Framer", "Framing", "Unmark"]

_CR, _LF, _CRLF = b"\r", b"\n", b"\r\n"


class Framing(msgspec.Struct, frozen=True, kw_only=True):
    r"""How a device marks its frames.

    Attributes:
        terminators: Each of them ends a frame; of several that match, the longest.
            Where LF or CR LF is one, an LF right after a CR ends nothing again.
        start: One byte that begins a frame (STX), or none. Where there is one, a frame
            without it has lost its head.
        prefix: What the device puts before each code, to be taken off, or none.
        suffix: What it puts between the code and the terminator, or none.
        max_length: Bytes of a frame that are kept, the first ones.
        tail: Microseconds. A terminated frame that begins so soon after one that
            silence ended may be its rest, so it is damaged.
        keep_empty: Whether a terminator after nothing is a frame.
    """

    terminators: tuple[bytes, ...] = (_CR, _LF, _CRLF)
    start: bytes = b""
    prefix: bytes = b""
    suffix: bytes = b""
    max_length: int = 8192
    tail: int = 480_000
    keep_empty: bool = False


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What came between two ends; ``clock`` is that of its last byte."""

    raw: bytes
    clock: ClockReading
    damaged: bool = False
    unterminated: bool = False

    def read(self, device: str) -> Read:
        """Return it as what the scanner ``device`` delivered."""
        return Read(
            raw=self.raw,
            device=device,
            clock=self.clock,
            damaged=self.damaged,
            unterminated=self.unterminated,
        )


class Framer:
    """Cuts one connection's bytes into frames."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self._ends = sorted(framing.terminators, key=len, reverse=True)
        self._reach = max(map(len, self._ends), default=1)
        self._stops = _stop_pattern(framing)
        self._joins_crlf = _LF in self._ends or _CRLF in self._ends
        self._after_cr = False
        self._terminates = False
        self._was_cut = False
        self._silenced: int | None = None
        self._clock: ClockReading | None = None
        self._begin(started=False)

    @property
    def pending(self) -> bool:
        """Whether a frame has begun, which silence would end."""
        return self._length > 0 or self._started or self._damaged

    def feed(
        self, data: bytes, clock: ClockReading, *, noisy: bool = False
    ) -> list[Frame]:
        """Take bytes that came at ``clock``, and return the frames that they end.

        ``noisy``: these bytes came with parity or framing errors.
        """
        frames: list[Frame] = []
        at = 0
        for stop in self._stops.finditer(data):
            self._take(data[at : stop.end()], clock, noisy=noisy)
            frames += self._stop(stop[0])
            at = stop.end()
        self._take(data[at:], clock, noisy=noisy)
        return frames

    def lose(self, clock: ClockReading) -> None:
        """Note that bytes were lost here: the frame around this point is damaged."""
        self._clock = clock
        self._damaged = True

    def silence(self) -> list[Frame]:
        """Note that nothing came for the idle gap: it ends a frame, unterminated.

        Where the frame before ended with a terminator, silence fell within a code:
        what came lacks its end, and what follows soon lacks its beginning.
        """
        if not self.pending:
            return []
        self._was_cut = self._terminates or (self._late and self._was_cut)
        self._terminates = False
        frames = self._end(unterminated=True, lost=self._was_cut or not self._length)
        if self._ends and self._clock is not None:
            self._silenced = self._clock.mono
        return frames

    def end(self) -> list[Frame]:
        """Note that the input has ended as it should: its last frame may be open."""
        return self._end(unterminated=True) if self.pending else []

    def cut(self) -> list[Frame]:
        """Note that the device has gone: half a frame becomes a damaged one."""
        return self._end(unterminated=True, lost=True) if self.pending else []

    def _begin(self, *, started: bool) -> None:
        self._kept = bytearray()
        self._latest = b""
        self._length = 0
        self._late = False
        self._damaged = False
        self._started = started

    def _take(self, data: bytes, clock: ClockReading, *, noisy: bool) -> None:
        if not data:
            return
        if not self._length:
            self._late = self._follows_silence(clock)
        self._clock = clock
        self._damaged |= noisy
        self._length += len(data)
        room = self._framing.max_length + self._reach - len(self._kept)
        self._kept += data[:room]
        self._latest = (self._latest + data)[-self._reach :]

    def _follows_silence(self, clock: ClockReading) -> bool:
        since, self._silenced = self._silenced, None
        return since is not None and clock.mono - since < self._framing.tail

    def _stop(self, byte: bytes) -> list[Frame]:
        if byte == self._framing.start:
            return self._restart()
        if byte == _LF and self._length == 1 and self._after_cr and not self._damaged:
            self._begin(started=False)
            self._after_cr = False
            return []
        end = next((end for end in self._ends if self._latest.endswith(end)), None)
        if end is None:
            return []
        frames = self._end(cut=len(end))
        self._terminates, self._was_cut = True, False
        self._after_cr = end == _CR and self._joins_crlf
        return frames

    def _restart(self) -> list[Frame]:
        """Begin a frame at its start byte; what came before it never ended."""
        frames = self._end(cut=1, unterminated=True, lost=self._started)
        self._begin(started=True)
        return frames

    def _end(
        self, *, cut: int = 0, unterminated: bool = False, lost: bool = False
    ) -> list[Frame]:
        """End the frame before its last ``cut`` bytes; return it if it says a thing."""
        framing = self._framing
        length = self._length - cut
        content = bytes(self._kept[: min(length, framing.max_length)])
        headless = bool(framing.start) and not self._started
        if headless and not content.strip(_CRLF):
            content = b""  # line ends between frames are no data
        suspect = headless or (self._late and not unterminated)
        raw, whole = _strip(content, framing)
        damaged = lost or self._damaged or length > framing.max_length
        damaged = damaged or bool(content and (suspect or not whole))
        wanted = content or damaged or (framing.keep_empty and not headless)
        self._begin(started=False)
        self._after_cr = False
        if not wanted or self._clock is None:
            return []
        frame = Frame(
            raw=raw, clock=self._clock, damaged=damaged, unterminated=unterminated
        )
        return [frame]


def _stop_pattern(framing: Framing) -> re.Pattern[bytes]:
    """Match each byte at which something may begin or end."""
    stops = {end[-1:] for end in framing.terminators} | {framing.start} - {b""}
    return re.compile(b"|".join(map(re.escape, sorted(stops))) or b"(?!)")


def _strip(content: bytes, framing: Framing) -> tuple[bytes, bool]:
    """Take prefix and suffix off if both are there, and say whether they were."""
    whole = (
        content.startswith(framing.prefix)
        and content.endswith(framing.suffix)
        and len(content) >= len(framing.prefix) + len(framing.suffix)
    )
    end = len(content) - len(framing.suffix)
    return (content[len(framing.prefix) : end], True) if whole else (content, False)


_TOKEN = re.compile(
    rb"[^\xff]+|\xff\xff|\xff\x00.|(?P<unfinished>\xff\x00?\Z)|\xff", re.DOTALL
)


class Unmark:
    """Undoes the marks that a terminal with PARMRK puts into the bytes.

    termios(3): a byte with a parity or framing error X is read as FF 00 X, a break as
    FF 00 00, and a true FF as FF FF.
    """

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """Return the bytes in pieces, each with whether it came with an error."""
        tokens = list(_TOKEN.finditer(self._held + data))
        self._held = (tokens[-1]["unfinished"] if tokens else None) or b""
        whole = tokens[:-1] if self._held else tokens
        return [_unmarked(token[0]) for token in whole]


def _unmarked(token: bytes) -> tuple[bytes, bool]:
    if token.startswith(b"\xff\x00"):
        return token[2:], True
    return (b"\xff" if token == b"\xff\xff" else token), False
