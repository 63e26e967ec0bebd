"""Scanners: what delivers codes. One interface, whatever the wire.

A driver turns its device into ``Read``s and hands each to the station's ``Sink``; it
survives the device's going and coming back, and tells the device what became of a read
where the device can be told. It never interprets a code: that is ``shared.keys``.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

import msgspec

from shared.protocol import ClockReading

__all__ = ["Read", "Scanner", "ScannerHealth", "Sink", "Tone"]


class Tone(Enum):
    """What the operator is told of a read, and the scanner where it can be told."""

    GOOD = "good"
    ATTENTION = "attention"
    ERROR = "error"
    WANTED = "wanted"


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a scanner delivered.

    ``raw`` is what it sent, without the framing (terminator, configured prefix and
    suffix) and otherwise unchanged; ``device`` the scanner's configured name; ``clock``
    the clocks when the last byte came. ``damaged``: characters were lost or may be
    wrong; such a read is recorded, and never taken for a code. ``unterminated``: it
    ended by silence, not by a terminator.
    """

    raw: bytes
    device: str
    clock: ClockReading
    damaged: bool = False
    unterminated: bool = False


class ScannerHealth(msgspec.Struct, kw_only=True):
    """How a scanner does; counted since the program started.

    ``problem`` is what an operator should know, and do, while it is not connected.
    ``last_read`` is a wall clock moment in microseconds since 1970.
    """

    device: str
    connected: bool = False
    problem: str = ""
    reads: int = 0
    damaged: int = 0
    no_reads: int = 0
    repeats: int = 0
    reconnects: int = 0
    last_read: int | None = None


Sink = Callable[[Read], Awaitable[None]]
"""Takes a read; awaiting it holds the driver back while the station is busy."""


class Scanner(Protocol):
    """A source of reads."""

    health: ScannerHealth

    async def run(self, sink: Sink) -> None:
        """Deliver reads until cancelled, or until a source that ends has ended.

        A device that is missing, busy or unplugged is waited for, never an error;
        ``health`` says so meanwhile.
        """

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Tell the scanner what became of a read. Called after the commit."""
