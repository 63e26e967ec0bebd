"""The station's clocks, read together: wall clock, boot clock, boot id, synced."""

import ctypes
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from shared.protocol import ClockReading

__all__ = ["Clock", "asleep", "boot_id", "read_clock", "told_by_timesyncd"]

Clock = Callable[[], ClockReading]
"""Reads all clocks at one instant; a parameter wherever time matters."""

_TIMEX_SIZE = 256  # struct timex is 208 bytes on 64-bit, less on 32-bit
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_FRESH = 2 * 3600  # seconds; systemd-timesyncd asks at least every 34 minutes


@cache
def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """Return the kernel's id of this boot; empty where the kernel has none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


@cache
def _adjtimex() -> Callable[[ctypes.Array[ctypes.c_char]], int]:
    function = ctypes.CDLL(None).adjtimex
    function.argtypes = [ctypes.c_char_p]
    function.restype = ctypes.c_int
    return function


def _synced() -> bool:
    """Ask adjtimex(2), without changing anything, whether the clock is synchronised.

    A sandbox that keeps the clock from being set refuses that, too.
    """
    state = _adjtimex()(ctypes.create_string_buffer(_TIMEX_SIZE))
    return state < _TIME_ERROR if state >= 0 else told_by_timesyncd(time.time())


def told_by_timesyncd(now: float, path: Path = _TIMESYNCD) -> bool:
    """Whether systemd-timesyncd set the clock lately, by the file that it touches."""
    try:
        return 0 <= now - path.stat().st_mtime < _FRESH
    except OSError:
        return False


def read_clock() -> ClockReading:
    """Read the clocks of this machine."""
    return ClockReading(
        at=time.time_ns() // 1000,
        boot=boot_id(),
        mono=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000,
        synced=_synced(),
    )


def asleep() -> int:
    """Return how long this machine was suspended since it booted, in microseconds."""
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return (boot - time.clock_gettime_ns(time.CLOCK_MONOTONIC)) // 1000
