"""Scanners that imitate a keyboard, on Linux; the only module that imports evdev.

evdev opens the device and takes it for this program alone; the events are read and
unpacked here, so that the same loop runs over a pipe. Only the configured device is
opened: what people type elsewhere is never read.
"""

import asyncio
import contextlib
import errno
import fcntl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.clock import Clock
from edge.scanners.decoded import Decoded
from edge.scanners.discovery import ROOT, keyboards
from edge.scanners.intake import Source
from edge.scanners.keyboard import LED_CAPSL, Event, KeyboardDecoder, KeyboardSettings
from edge.scanners.plugged import (
    FileSource,
    Plugged,
    PluggedScanner,
    Sleep,
    Unavailable,
    choose,
    explained,
    shared_link,
)

__all__ = ["NO_EVDEV", "RECORD", "EventDecoder", "InputDeviceScanner", "open_grabbed"]

RECORD: Final = struct.Struct("llHHi")
"""``struct input_event`` of linux/input.h: seconds, microseconds, type, code, value."""

_EVIOCSCLOCKID: Final = 0x400445A0  # linux/input.h: _IOW('E', 0xa0, int)
_EVIOCSMASK: Final = 0x40104593  # _IOW('E', 0x93, struct input_mask)
_NO_SCAN_CODES: Final = struct.pack("IIQ", 4, 0, 0)  # none of the codes of EV_MSC
NO_EVDEV = (
    "keyboard scanners need evdev, which is not installed; run pip install "
    "'scantrail[edge]' (it is built here: a C compiler, python3-dev and "
    "linux-libc-dev have to be there), or set the scanner to USB serial or HID POS"
)

Opener = Callable[[str, KeyboardSettings], tuple[Source, bool]]
"""Opens a node; returns it, and whether its Caps Lock light is on.

Raises OSError, or ImportError where evdev is missing.
"""


def open_grabbed(node: str, settings: KeyboardSettings) -> tuple[Source, bool]:
    """Open an input device for reading, for this program alone unless set otherwise.

    Its events carry CLOCK_MONOTONIC, which no one sets, and lack the scan codes that
    fill a third of the kernel's small buffer.

    Raises:
        OSError: It cannot be opened, or another program has it (EBUSY).
        ImportError: evdev is not installed.
    """
    from evdev import InputDevice  # noqa: PLC0415 - most stations have no need of it

    device = InputDevice(node, readonly=True)
    try:
        if settings.grab:
            device.grab()
        clock = struct.pack("i", time.CLOCK_MONOTONIC)
        fcntl.ioctl(device.fd, _EVIOCSCLOCKID, clock)
        with contextlib.suppress(OSError):  # before Linux 4.4
            fcntl.ioctl(device.fd, _EVIOCSMASK, _NO_SCAN_CODES)
        caps_light = LED_CAPSL in device.leds()
    except BaseException:
        device.close()
        raise
    return FileSource(device.fd, device.close), caps_light


class EventDecoder:
    """Unpacks the bytes of an input device for a ``KeyboardDecoder``.

    A record that comes in parts is put together; the kernel never splits one.
    """

    def __init__(self, keyboard: KeyboardDecoder) -> None:
        self._keyboard = keyboard
        self._part = b""
        self.silence = keyboard.silence
        self.gone = keyboard.gone

    def feed(self, data: bytes) -> list[Decoded]:
        """Take bytes; return the reads that they complete."""
        data = self._part + data
        whole = len(data) - len(data) % RECORD.size
        self._part = data[whole:]
        return [
            decoded
            for seconds, micros, kind, code, value in RECORD.iter_unpack(data[:whole])
            for decoded in self._keyboard.feed(
                Event(seconds * 1_000_000 + micros, kind, code, value)
            )
        ]

    def overrun(self) -> None:
        """Hear that events before those that come next are missing."""
        self._part = b""
        self._keyboard.overrun()


class InputDeviceScanner(PluggedScanner):
    """A USB scanner that imitates a keyboard.

    Args:
        settings: Which device, and how it types.
        clock: Read for each piece that arrives.
        root: Where /dev, /sys and /proc are.
        opener: Opens the device's node.
        sleep: Waits between attempts to find it.
    """

    def __init__(
        self,
        settings: KeyboardSettings,
        clock: Clock,
        *,
        root: Path = ROOT,
        opener: Opener = open_grabbed,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._root = root
        self._opener = opener
        gap = settings.idle_gap_ms / 1000
        super().__init__(settings.device, clock, self._find, gap=gap, sleep=sleep)

    def _find(self) -> Plugged:
        """Find and open the configured device.

        Raises:
            Unavailable: It is missing, not the only one, held, or may not be opened.
        """
        path, candidates = self._settings.path, keyboards(self._root)
        chosen = choose(path, candidates, self._root)
        try:
            source, caps_light = self._opener(chosen.node, self._settings)
        except ImportError as error:
            raise Unavailable(errno.ENOPKG, NO_EVDEV) from error
        except OSError as error:
            raise explained(error, chosen, self._root) from error
        decoder = KeyboardDecoder(self._settings, caps_light=caps_light)
        warning = shared_link(path, chosen, candidates)
        return Plugged(source, EventDecoder(decoder), warning)
