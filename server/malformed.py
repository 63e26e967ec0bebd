"""What is no HTTP at all, in the log: a line a minute, whoever sends how much of it.

aiohttp writes an error with its stack for every such request. Whoever can reach the
server could fill the log with it, and nobody has to do anything about it.
"""

import logging
import time
from collections.abc import Callable

from aiohttp.http_exceptions import HttpProcessingError

__all__ = ["Malformed", "begin"]

EVERY = 60.0
"""Seconds between two lines."""


class Malformed(logging.Filter):
    """Makes a warning of a request that could not be read, now and then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._next = 0.0
        self._untold = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record goes on; one that does has no stack any more."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        now = self._clock()
        if now < self._next:
            self._untold += 1
            return False
        said = error.message.partition("\n")[0][:100]
        record.msg = f"{record.getMessage()}: {said} ({self._untold} more before)"
        record.args, record.exc_info, record.exc_text = (), None, None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        self._next, self._untold = now + EVERY, 0
        return True


def begin() -> None:
    """Let it be so from now on."""
    logging.getLogger("aiohttp.server").addFilter(Malformed())
