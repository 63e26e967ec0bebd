"""This machine's clock, as everything of the server reads it."""

import time

__all__ = ["now"]


def now() -> int:
    """Return the present moment, in microseconds since 1970."""
    return time.time_ns() // 1000
