"""The station's watchdog: systemd is told that the station works, while it does.

It is fed only where the threads that read scanners live, and the outbox's thread has
answered just now: that it takes what is written, *or* that it does not, and why. A disk
that is full or broken is no reason to be killed. A restart makes no room; what waits
in memory for it would be lost by one, and the operator is told of it anyway. Killed is
what hangs: a loop that no longer turns, a thread that never comes back.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Protocol, TypeVar

from edge.storage import NotSavedError
from shared.sd_notify import WATCHDOG, notify, status, watchdog

__all__ = ["Pulse"]

_T = TypeVar("_T")
_SHOW = 10.0  # seconds between two words to systemd where it has no watchdog


class _File(Protocol):
    """The part of the outbox's file that is asked."""

    problem: str

    async def execute(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run something on its thread."""


class Pulse:
    """Feeds the watchdog.

    Args:
        file: Asked each time; it is waited for as long as it takes.
        lives: Whether every scanner's reader lives.
        words: Says in one line how the station does.
        tell: Sends assignments to systemd.
    """

    def __init__(
        self,
        file: _File,
        *,
        lives: Callable[[], bool],
        words: Callable[[], str],
        tell: Callable[..., object] = notify,
    ) -> None:
        self._file = file
        self._lives = lives
        self._words = words
        self._tell = tell

    async def run(self) -> None:
        """Feed it until cancelled."""
        every = watchdog()
        while True:
            await self.beat()
            await asyncio.sleep(_SHOW if every is None else every)

    async def beat(self) -> None:
        """Look once, and say what was seen."""
        problem = await self._problem()
        shown = f"cannot save: {problem}" if problem else self._words()
        if self._lives():
            self._tell(WATCHDOG, status(shown))
        else:
            self._tell(status("a scanner's reader has ended; waiting to be restarted"))

    async def _problem(self) -> str:
        """Return why nothing can be saved; without an answer, do not return."""
        try:
            await self._file.execute(_nothing)
        except NotSavedError as error:
            return str(error)
        return self._file.problem


def _nothing(_: sqlite3.Connection) -> None:
    """Be done at once: that it ran is the answer."""
