"""From settings to a driver: the one table of all kinds of scanner."""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from edge.clock import Clock
from edge.scanners import Scanner
from edge.scanners.settings import (
    HidPosSettings,
    KeyboardSettings,
    ListenSettings,
    ScannerSettings,
    SerialSettings,
    SsiSettings,
    TcpSettings,
    TerminalSettings,
)

__all__ = ["DRIVERS", "open_scanner"]

DRIVERS: Mapping[type, tuple[str, str]] = MappingProxyType(
    {
        SerialSettings: ("edge.scanners.serial_scanner", "SerialScanner"),
        SsiSettings: ("edge.scanners.ssi_scanner", "SsiScanner"),
        KeyboardSettings: ("edge.scanners.input_device", "InputDeviceScanner"),
        HidPosSettings: ("edge.scanners.hid_pos", "HidPosScanner"),
        TcpSettings: ("edge.scanners.tcp_reader", "TcpScanner"),
        ListenSettings: ("edge.scanners.tcp_reader", "ListenScanner"),
        TerminalSettings: ("edge.scanners.terminal", "TerminalScanner"),
    }
)
"""Module and class of each kind's driver. A module is imported when its kind is used:
a station without keyboard scanners does not need evdev."""


def open_scanner(settings: ScannerSettings, clock: Clock) -> Scanner:
    """Make the driver of a scanner; nothing is opened before it is run."""
    module, name = DRIVERS[type(settings)]
    driver: Callable[[Any, Clock], Scanner] = getattr(import_module(module), name)
    return driver(settings, clock)
