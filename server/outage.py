"""Something that fails for a while: the log is told once of it, and once of its end."""

import logging
import threading

__all__ = ["Outage"]


class Outage:
    """Whether something fails; several threads may tell of it.

    Args:
        log: Where it is told.
        lost: What is told where it begins, before why.
        back: What is told at its end.
    """

    def __init__(self, log: logging.Logger, lost: str, back: str) -> None:
        self._log, self._lost, self._back = log, lost, back
        self._lock = threading.Lock()
        self._lasts = False

    def met(self, error: object) -> None:
        """Note that it fails."""
        with self._lock:
            if not self._lasts:
                self._log.warning("%s: %s", self._lost, error)
            self._lasts = True

    def over(self) -> None:
        """Note that it works."""
        with self._lock:
            if self._lasts:
                self._log.warning("%s", self._back)
            self._lasts = False
