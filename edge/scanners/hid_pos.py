"""Scanners in HID point-of-sale mode, over hidraw: the best of the USB modes.

They need no layout and no driver, and say which symbology a code comes from; that goes
in front of it as an AIM identifier.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from edge.clock import Clock
from edge.scanners.discovery import ROOT, hid_pos
from edge.scanners.hid_report import PosDecoder, parse_descriptor
from edge.scanners.intake import Source
from edge.scanners.keymap import DevicePath
from edge.scanners.plugged import (
    FileSource,
    Plugged,
    PluggedScanner,
    Sleep,
    choose,
    explained,
)

__all__ = ["HidPosScanner", "HidPosSettings", "open_hidraw"]


class HidPosSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="hid-pos",
):
    """A USB scanner in HID point-of-sale mode.

    Attributes:
        path: What to look for: VENDOR:PRODUCT or VENDOR:PRODUCT:PORT, as in
            05e0:1300:1-1.2; or a path that a udev rule made. /dev/hidraw… changes.
        name: What the scanner is called in events and messages; else the path.
        suffix: What the scanner puts after each code; taken off.
        idle_gap_ms: Silence after which the rest of a code will not come any more, in
            milliseconds.
        max_length: Bytes of one code that are kept; a longer one is damaged.
    """

    path: DevicePath
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    suffix: Annotated[str, msgspec.Meta(max_length=32, pattern="^[\\x00-\\xff]*$")] = ""
    idle_gap_ms: Annotated[int, msgspec.Meta(ge=20, le=10_000)] = 500
    max_length: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 8192

    @property
    def device(self) -> str:
        """The scanner's name."""
        return self.name or self.path


Opener = Callable[[str], Source]
"""Opens a node; raises OSError."""


def open_hidraw(node: str) -> Source:
    """Open a hidraw node for reading.

    Raises:
        OSError: It cannot be opened.
    """
    return FileSource(os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


class HidPosScanner(PluggedScanner):
    """A USB scanner in HID point-of-sale mode.

    Args:
        settings: Which device.
        clock: Read for each report that arrives.
        root: Where /dev, /sys and /proc are.
        opener: Opens the device's node.
        sleep: Waits between attempts to find it.
    """

    def __init__(
        self,
        settings: HidPosSettings,
        clock: Clock,
        *,
        root: Path = ROOT,
        opener: Opener = open_hidraw,
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
            OSError: It is missing, not the only one, or may not be opened; mostly an
                ``Unavailable`` that says what to do.
        """
        chosen = choose(self._settings.path, hid_pos(self._root), self._root)
        system = self._root / "sys/class/hidraw" / Path(chosen.node).name
        layout = parse_descriptor((system / "device/report_descriptor").read_bytes())
        if layout is None:
            raise OSError(chosen.node)  # another device took its place just now
        try:
            source = self._opener(chosen.node)
        except OSError as error:
            raise explained(error, chosen, self._root) from error
        decoder = PosDecoder(
            layout,
            suffix=self._settings.suffix.encode("latin-1"),
            max_length=self._settings.max_length,
        )
        return Plugged(source, decoder)
