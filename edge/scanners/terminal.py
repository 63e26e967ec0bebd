"""Scans that are typed or piped on standard input: each line is one."""

import contextlib
import errno
import os
import sys
from functools import partial
from typing import Annotated

import msgspec

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.delivery import deliver
from edge.scanners.framing import Frame, Framer, Framing
from edge.scanners.intake import Arrived, Gone, Intake, Opened, Silence
from edge.scanners.port_settings import Name

__all__ = ["TerminalScanner", "TerminalSettings"]

_PIECE = 65_536
_STANDARD_INPUT = 0


class TerminalSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="terminal",
):
    """Scans that are typed or piped on standard input, one a line.

    Attributes:
        name: What it is called in events and messages.
        max_length: Bytes of one line that are kept; a longer one is damaged.
    """

    name: Name = "terminal"
    max_length: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 8192

    @property
    def device(self) -> str:
        """The scanner's name."""
        return self.name


class _Input:
    """A descriptor of any kind: a terminal, a pipe, a file, /dev/null."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes | None:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._fd, _PIECE) or None
        return b""  # who shares the descriptor has made it non-blocking

    def write(self, _data: bytes) -> bool:
        return False

    def close(self) -> None:
        """Leave it open: it was there before."""


def _open(fd: int | None) -> _Input:
    """Take a descriptor, or standard input, unless this program has none.

    Without one, number 0 is something else that was opened since.
    """
    if fd is None and sys.__stdin__ is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), "standard input")
    return _Input(_STANDARD_INPUT if fd is None else fd)


class TerminalScanner:
    """Reads lines from a descriptor until its end, in a thread.

    An event loop cannot wait for a file or for /dev/null, but a thread reads them all.
    """

    def __init__(
        self, settings: TerminalSettings, clock: Clock, *, fd: int | None = None
    ) -> None:
        self._clock = clock
        self._fd = fd
        self._framing = Framing(
            terminators=(b"\n", b"\r\n"),
            max_length=settings.max_length,
            keep_empty=True,
        )
        self.health = ScannerHealth(device=settings.device)

    async def run(self, sink: Sink) -> None:
        """Deliver each line; return at the end of the input. See ``Scanner``.

        An empty line is an empty read. A last line without its end is unterminated.
        """
        framer = Framer(self._framing)
        async with Intake(
            partial(_open, self._fd), self._clock, changed=self._note
        ) as intake:
            while True:
                event = await intake.get()
                for frame in _frames(framer, event):
                    await deliver(frame.read(self.health.device), self.health, sink)
                if isinstance(event, Gone):
                    return

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Do nothing: the screen has said it. See ``Scanner``."""

    def _note(self, change: Opened | Gone) -> None:
        self.health.connected = isinstance(change, Opened)
        self.health.problem = ""
        if isinstance(change, Gone):
            reason = f" ({change.error})" if change.error else ""
            self.health.problem = f"standard input has ended{reason}"


def _frames(framer: Framer, event: Opened | Arrived | Silence | Gone) -> list[Frame]:
    match event:
        case Arrived(data, clock):
            return framer.feed(data, clock)
        case Gone():
            return framer.end()
        case _:
            return []
