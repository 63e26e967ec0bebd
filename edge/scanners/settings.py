"""What a scanner is, as written in the station's configuration or on its command line.

Each kind of scanner has a struct of its own; ``kind`` says which. What is not a field
is refused, and every number has bounds.
"""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from edge.scanners.hid_pos import HidPosSettings
from edge.scanners.keyboard import KeyboardSettings
from edge.scanners.port_settings import FramingSettings, SerialSettings, SsiSettings
from edge.scanners.reader_settings import ListenSettings, TcpSettings
from edge.scanners.terminal import TerminalSettings
from shared.errors import ConfigError

__all__ = [
    "FramingSettings",
    "HidPosSettings",
    "KeyboardSettings",
    "ListenSettings",
    "ScannerSettings",
    "SerialSettings",
    "SsiSettings",
    "TcpSettings",
    "TerminalSettings",
    "from_spec",
]


ScannerSettings: TypeAlias = (
    SerialSettings
    | SsiSettings
    | KeyboardSettings
    | HidPosSettings
    | TcpSettings
    | ListenSettings
    | TerminalSettings
)

_OPTION = "--scanner"
_SPEC_FORMS = (
    "serial:PATH, ssi:PATH, evdev:PATH, hidpos:PATH, tcp:HOST:PORT, "
    "listen:HOST:PORT or terminal"
)
_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})")


def _address(text: str) -> dict[str, Any]:
    found = _ADDRESS.fullmatch(text)
    if found is None:
        reason = "no address and port, or an IPv6 address without brackets"
        raise ValueError(reason)
    return {"host": found["v6"] or found["host"], "port": int(found["port"])}


_SPECS: dict[str, tuple[str, str, Callable[[str], dict[str, Any]]]] = {
    "serial": ("serial", "/dev/… or VENDOR:PRODUCT", lambda path: {"port": path}),
    "ssi": ("ssi", "/dev/… or VENDOR:PRODUCT", lambda path: {"port": path}),
    "evdev": ("keyboard", "/dev/input/… or VENDOR:PRODUCT", lambda at: {"path": at}),
    "hidpos": ("hid-pos", "/dev/hidraw… or VENDOR:PRODUCT", lambda at: {"path": at}),
    "tcp": ("tcp", "HOST:PORT", _address),
    "listen": ("listen", "HOST:PORT", _address),
    "terminal": ("terminal", "nothing", lambda _: {}),
}


def from_spec(text: str) -> ScannerSettings:
    """Read a scanner as the command line names it.

    Raises:
        ConfigError: It is none of the forms; the text says what was expected.
    """
    form, colon, rest = text.partition(":")
    if form not in _SPECS or bool(rest) == (form == "terminal") or (colon and not rest):
        raise ConfigError(_OPTION, 0, f"{text!r}; expected {_SPEC_FORMS}")
    kind, expected, fields = _SPECS[form]
    try:
        settings: ScannerSettings = msgspec.convert(
            {"kind": kind, **fields(rest)}, ScannerSettings
        )
    except ValueError as error:
        reason = f"{text!r}: {error}; expected {expected} after {form}:"
        raise ConfigError(_OPTION, 0, reason) from error
    return settings
