"""A device that is listened to: opened, read and analysed, whatever its kind.

Opening one takes it for this program alone; nothing but what was named is opened.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from edge.doctor.naming import best_path, what
from edge.identify import Analysis, keys, port, pos
from edge.identify.port import Piece
from edge.scanners.discovery import ROOT, Candidate, Kind, hid_pos, keyboards
from edge.scanners.hid_pos import HidPosSettings, open_hidraw
from edge.scanners.hid_report import PosDecoder, parse_descriptor
from edge.scanners.input_device import NO_EVDEV, RECORD, open_grabbed
from edge.scanners.intake import Source
from edge.scanners.keyboard import Event
from edge.scanners.keymap import KeyboardSettings
from edge.scanners.plugged import choose, explained
from edge.scanners.port_settings import SerialSettings
from edge.scanners.serial_port import open_port, port_problem
from edge.terminal_display import clean
from shared.errors import StartError

__all__ = ["Ear", "Listenable", "Openers", "open_ear"]

Listenable = KeyboardSettings | HidPosSettings | SerialSettings
_LONGEST = 300


class Openers(msgspec.Struct, frozen=True, kw_only=True):
    """How devices are opened; each raises OSError, the first also ImportError."""

    keyboard: Callable[[str, KeyboardSettings], tuple[Source, bool]] = open_grabbed
    pos: Callable[[str], Source] = open_hidraw
    serial: Callable[[SerialSettings], Source] = open_port


class Ear(ABC):
    """One open device, and all that came from it.

    Attributes:
        name: What the device is called.
        source: Where it is read.
    """

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self._open = True

    def close(self) -> None:
        """Let go of the device; it may have been let go of before."""
        if self._open:
            self._open = False
            self.source.close()

    @abstractmethod
    def take(self, data: bytes, time: int) -> None:
        """Take what the device sent at a moment (microseconds, any steady clock)."""

    @abstractmethod
    def heard(self) -> str:
        """Return what came since this was asked last, as keys or bytes."""

    @abstractmethod
    def analysis(self) -> Analysis:
        """Return what is known so far."""


class _Keys(Ear):
    """A scanner that imitates a keyboard."""

    def __init__(self, name: str, path: str, source: Source, *, caps: bool) -> None:
        super().__init__(name, source)
        self._path = path
        self._caps = caps
        self._events: list[Event] = []
        self._told = 0
        self._part = b""

    def take(self, data: bytes, time: int) -> None:
        """Unpack events, which bring their own times."""
        del time
        data = self._part + data
        whole = len(data) - len(data) % RECORD.size
        self._part = data[whole:]
        self._events += [
            Event(seconds * 1_000_000 + micros, kind, code, value)
            for seconds, micros, kind, code, value in RECORD.iter_unpack(data[:whole])
        ]

    def heard(self) -> str:
        """Return the keys that were pressed."""
        new, self._told = self._events[self._told :], len(self._events)
        return f"keys  {clean(keys.shown(new), _LONGEST)}"

    def analysis(self) -> Analysis:
        """Try every layout."""
        return keys.analyse(self._path, self._events, caps_light=self._caps)


class _Port(Ear):
    """A scanner on a serial port."""

    def __init__(self, settings: SerialSettings, source: Source) -> None:
        super().__init__(settings.port, source)
        self._settings = settings
        self._pieces: list[Piece] = []
        self._told = 0

    def take(self, data: bytes, time: int) -> None:
        """Keep the bytes."""
        self._pieces.append(Piece(time, data))

    def heard(self) -> str:
        """Return the bytes."""
        new, self._told = self._pieces[self._told :], len(self._pieces)
        return _bytes(b"".join(piece.data for piece in new))

    def analysis(self) -> Analysis:
        """Find what stands around the codes."""
        return port.analyse(self._settings, self._pieces)


class _Pos(Ear):
    """A scanner in HID point-of-sale mode."""

    def __init__(
        self, name: str, settings: HidPosSettings, source: Source, decoder: PosDecoder
    ) -> None:
        super().__init__(name, source)
        self._settings = settings
        self._decoder = decoder
        self._codes: list[bytes] = []
        self._told = 0

    def take(self, data: bytes, time: int) -> None:
        """Decode a report."""
        del time
        self._codes += [decoded.raw for decoded in self._decoder.feed(data)]

    def heard(self) -> str:
        """Return the bytes of the codes."""
        new, self._told = self._codes[self._told :], len(self._codes)
        return _bytes(b" ".join(new))

    def analysis(self) -> Analysis:
        """Find what stands behind the codes."""
        return pos.analyse(self._settings, self._codes)


def _bytes(data: bytes) -> str:
    return f"bytes {clean(data.decode('latin-1'), _LONGEST)}"


def open_ear(
    settings: Listenable, *, root: Path = ROOT, openers: Openers | None = None
) -> Ear:
    """Open the device that settings name.

    Raises:
        StartError: It is missing, held, or may not be opened; says what to do.
    """
    how = openers or Openers()
    if isinstance(settings, SerialSettings):
        try:
            return _Port(settings, how.serial(settings))
        except OSError as error:
            raise StartError(port_problem(settings, error)) from error
    try:
        if isinstance(settings, KeyboardSettings):
            return _open_keys(settings, root, how)
        return _open_pos(settings, root, how)
    except OSError as error:
        raise StartError(str(error.strerror)) from error


def _open_keys(settings: KeyboardSettings, root: Path, how: Openers) -> Ear:
    candidates = keyboards(root)
    chosen = choose(settings.path, candidates, root)
    try:
        source, caps = how.keyboard(chosen.node, settings)
    except ImportError as error:
        raise StartError(NO_EVDEV) from error
    except OSError as error:
        raise explained(error, chosen, root) from error
    path = _stable(settings.path, chosen, candidates)
    return _Keys(what(chosen), path, source, caps=caps)


def _open_pos(settings: HidPosSettings, root: Path, how: Openers) -> Ear:
    candidates = hid_pos(root)
    chosen = choose(settings.path, candidates, root)
    system = root / "sys/class/hidraw" / Path(chosen.node).name
    layout = parse_descriptor((system / "device/report_descriptor").read_bytes())
    if layout is None:
        reason = f"{chosen.node} was unplugged; plug it in again"
        raise StartError(reason)
    try:
        source = how.pos(chosen.node)
    except OSError as error:
        raise explained(error, chosen, root) from error
    path = _stable(settings.path, chosen, candidates)
    named = msgspec.structs.replace(settings, path=path)
    return _Pos(what(chosen), named, source, PosDecoder(layout))


def _stable(wanted: str, chosen: Candidate, candidates: Sequence[Candidate]) -> str:
    """Return a name that stays, where the given one may mean another device later."""
    passing = wanted == chosen.node or wanted in chosen.by_id
    if chosen.kind is not Kind.SERIAL and passing:
        return best_path(chosen, candidates)
    return wanted
