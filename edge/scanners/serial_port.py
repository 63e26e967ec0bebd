"""Serial ports that come and go; the only module that imports pyserial.

A port that has gone shows itself as SerialException, OSError or termios.error; all
three mean the same. It is closed at once, since a descriptor that is kept makes the
kernel name the returning port differently, and opened again by its stable name.
"""

import asyncio
import contextlib
import errno
import os
import re
import termios
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Never, Protocol

import serial
from serial.tools.list_ports import comports

from edge.clock import Clock
from edge.scanners import Read, ScannerHealth
from edge.scanners.discovery import holding
from edge.scanners.intake import Gone, Intake, Opened
from edge.scanners.port_settings import PortSettings
from shared.protocol import ClockReading

__all__ = [
    "Link",
    "PortInfo",
    "Sleep",
    "find_port",
    "hold_port",
    "open_port",
    "port_problem",
]

Sleep = Callable[[float], Awaitable[None]]

_RETRY = 0.5  # seconds between attempts; a port has to be back within 2 s
_SETTLE = 0.03  # seconds; longer than a serial converter collects bytes (16 ms)
_PIECE = 65_536

_PARITIES = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
    "mark": serial.PARITY_MARK,
    "space": serial.PARITY_SPACE,
}
_IDS = re.compile(r"([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::(.+))?")


class PortInfo(Protocol):
    """What is known of a port without opening it."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


def find_port(wanted: str, ports: Iterable[PortInfo]) -> str:
    """Return the path of the port ``wanted``: a path, or VENDOR:PRODUCT[:SERIAL].

    Raises:
        OSError: ENODEV if there is none such, ENOTUNIQ if there are several.
    """
    ids = _IDS.fullmatch(wanted)
    if ids is None:
        return wanted
    vendor, product = int(ids[1], 16), int(ids[2], 16)
    found = [
        port.device
        for port in ports
        if (port.vid, port.pid) == (vendor, product)
        and ids[3] in (None, port.serial_number)
    ]
    if len(found) != 1:
        code = errno.ENOTUNIQ if found else errno.ENODEV
        raise OSError(code, os.strerror(code), wanted)
    return found[0]


@contextlib.contextmanager
def _gone_as_oserror() -> Iterator[None]:
    """SerialException is an OSError already; termios.error is not."""
    try:
        yield
    except termios.error as error:
        raise OSError(*error.args) from error


class _Port:
    """An open port, as the source of an ``Intake``."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def fileno(self) -> int:
        return int(self._port.fileno())

    def read(self) -> bytes:
        with _gone_as_oserror():
            return bytes(self._port.read(_PIECE))

    def write(self, data: bytes) -> bool:
        """Send what the kernel takes at once: pyserial's own write would wait."""
        with _gone_as_oserror():
            return os.write(self._port.fileno(), data) == len(data)

    def close(self) -> None:
        # what was not sent yet would hold up close() for as long as 30 s
        with contextlib.suppress(OSError, termios.error):
            self._port.reset_output_buffer()
        with contextlib.suppress(OSError, termios.error):
            self._port.close()


def open_port(settings: PortSettings) -> _Port:
    """Open the port for this program alone, with bad bytes marked.

    Raises:
        OSError: It cannot be opened; its errno says why.
    """
    with _gone_as_oserror():
        port = serial.Serial(
            find_port(settings.port, comports() if settings.port[0] != "/" else ()),
            baudrate=settings.baud,
            bytesize=settings.data_bits,
            parity=_PARITIES[settings.parity],
            stopbits=settings.stop_bits,
            rtscts=settings.flow == "rts-cts",
            xonxoff=settings.flow == "xon-xoff",
            timeout=0,
            exclusive=True,
        )
        try:
            _mark_noise(port.fileno())
        except termios.error:
            port.close()
            raise
    return _Port(port)


def _mark_noise(fd: int) -> None:
    """Have parity and framing errors and breaks marked, as ``Unmark`` expects them."""
    attributes = termios.tcgetattr(fd)
    attributes[0] |= termios.INPCK | termios.PARMRK
    attributes[0] &= ~(termios.IGNPAR | termios.ISTRIP | termios.BRKINT)
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


_HELD = "{port} is held by {holders}"
_PROBLEMS = {
    errno.ENOENT: "{port} is not there; plug the scanner in, or correct its path",
    errno.ENODEV: "{port} is not there; plug the scanner in",
    errno.ENXIO: "{port} has no device behind it; plug the scanner in",
    errno.ENOTUNIQ: "several ports are {port}; name this one by its path under "
    "/dev/serial/by-path",
    errno.EACCES: "{port} may not be opened by this user; add the user to the group "
    "dialout, or install the udev rules",
    errno.EPERM: "{port} may not be opened by this service; allow it in the unit",
    errno.EAGAIN: _HELD,
    errno.EBUSY: _HELD,
    errno.EINVAL: "{port} does not take these settings; check baud, data_bits, parity "
    "and stop_bits",
}
_UNPLUGGED = "{port} stopped answering; check the scanner's cable"


def port_problem(settings: PortSettings, error: OSError | None) -> str:
    """Return what has become of a port, and what to do; nothing without an error."""
    if error is None:
        return ""  # the station has stopped reading
    text = _PROBLEMS.get(error.errno or 0, _UNPLUGGED)
    holders = holding(settings.port) if text is _HELD else ""
    return text.format(port=settings.port, holders=holders)


class Link:
    """One opening of a port, while it lasts: what is served, and written to."""

    def __init__(self, intake: Intake, since: ClockReading) -> None:
        self._intake = intake
        self._since = since
        self.get = intake.get

    def send(self, read: Read, data: bytes) -> bool:
        """Answer ``read``, without waiting; say whether the port took all of it.

        What came before the scanner was unplugged is not answered after its return.
        """
        fresh = read.clock.mono >= self._since.mono
        return fresh and bool(data) and self.write(data)

    def write(self, data: bytes) -> bool:
        """Send, without waiting; say whether the port took all of it."""
        return self._intake.write(data)


async def hold_port(
    settings: PortSettings,
    clock: Clock,
    health: ScannerHealth,
    serve: Callable[[Link], Awaitable[None]],
    *,
    gap: float,
    sleep: Sleep = asyncio.sleep,
) -> Never:
    """Keep a port open for ever: open it, have it served, wait for its return.

    Args:
        settings: Which port, and how.
        clock: Read for each piece that arrives.
        health: Told of each change within a moment.
        serve: Takes events until ``Gone``, for one opening.
        gap: Seconds of silence after which ``Silence`` is told.
        sleep: Waits between attempts.
    """
    openings = 0

    def note(change: Opened | Gone) -> None:
        nonlocal openings
        health.connected = isinstance(change, Opened)
        if isinstance(change, Gone):
            health.problem = port_problem(settings, change.error)
            return
        health.problem = ""
        health.reconnects += openings > 0
        openings += 1

    while True:
        async with Intake(
            partial(open_port, settings),
            clock,
            gap=gap,
            settle=_SETTLE,
            drops=settings.flow == "none",
            changed=note,
        ) as intake:
            first = await intake.get()
            if isinstance(first, Opened):
                await serve(Link(intake, first.clock))
        await sleep(_RETRY)
