"""When things were received, as the one thread that writes gives it out."""

import threading
from collections.abc import Callable

__all__ = ["Received"]


class Received:
    """Moments that only grow, and the present as of which everything is known.

    What is received later than a present that was given out gets a later moment, and
    what is still being written is not known yet: so the same question about that
    present gives the same answer, whenever it is asked.
    """

    def __init__(self, now: Callable[[], int], last: int) -> None:
        self._now = now
        self._lock = threading.Lock()  # the writer's thread, and the loop's
        self._last = last
        self._given = last
        self._writing = False

    def begin(self) -> int:
        """Return the moment of what is written from here on, until `end`."""
        with self._lock:
            self._last = max(self._now(), self._last + 1, self._given + 1)
            self._writing = True
            return self._last

    def end(self) -> None:
        """Note that it is durable, or that it was not written."""
        with self._lock:
            self._writing = False

    def present(self) -> int:
        """Return now, before what is being written, and not before what was."""
        with self._lock:
            now = max(self._now(), self._given)
            moment = min(now, self._last - 1) if self._writing else max(now, self._last)
            self._given = max(self._given, moment)
            return moment
