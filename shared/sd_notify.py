"""Telling systemd how a program does: sd_notify(3), and nothing of its library.

Each call is one datagram. Where no systemd listens, nothing is sent; a failure to send
is never an error of the program.
"""

import contextlib
import os
import socket
from collections.abc import Mapping

__all__ = ["READY", "STOPPING", "WATCHDOG", "notify", "status", "watchdog"]

READY = "READY=1"
"""It does what it is for, from now on."""
STOPPING = "STOPPING=1"
"""It was told to end, and is about to."""
WATCHDOG = "WATCHDOG=1"
"""It still does what it is for."""

_LONGEST = 500  # characters of a status
_SECOND = 1_000_000
_BEATS = 3  # in the time after which systemd gives a program up


def status(text: str) -> str:
    """Return the assignment that ``systemctl status`` shows: one line, whatever it is.

    A line break in it would be another assignment, so that none is left.
    """
    shown = "".join(c if c.isprintable() else " " for c in text[:_LONGEST])
    return f"STATUS={shown}"


def notify(*assignments: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send assignments to whoever started this program; return whether they went."""
    where = environ.get("NOTIFY_SOCKET", "")
    if not where.startswith(("/", "@")):
        return False
    address = "\0" + where[1:] if where[0] == "@" else where
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as wire:
        wire.sendto("\n".join(assignments).encode(errors="replace"), address)
        return True
    return False


def watchdog(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return after how many seconds to say WATCHDOG again; None where nobody asks."""
    asked = environ.get("WATCHDOG_USEC", "")
    meant = environ.get("WATCHDOG_PID", str(os.getpid()))
    if not asked.isdecimal() or not int(asked) or meant != str(os.getpid()):
        return None
    return int(asked) / _SECOND / _BEATS
