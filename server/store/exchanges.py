"""What tells the time of a station's boots: the exchanges of each. Pure."""

from collections.abc import Callable

from server.timing import Anchor, BootClock, boot_clock, stands_for
from shared.protocol import ClockReading

__all__ = ["Clocks"]

_MOST = 200
"""Exchanges of a boot that are looked at: those of a week and more."""


class Clocks:
    """What tells the time of a station's boots, the present exchange included.

    ``fresh``: no later moment of its boot has been heard of, as it has where somebody
    sends again what was sent before.

    Args:
        latest: Returns the latest exchanges of a boot that are kept, so many of them,
            the last one first.
        clock: What the station's clocks showed, if it said so.
        heard: What this server's clock showed when the request came.
        received: The moment that the request was given.
    """

    def __init__(
        self,
        latest: Callable[[str, int], list[Anchor]],
        clock: ClockReading | None,
        *,
        heard: int,
        received: int,
    ) -> None:
        self._latest = latest
        self.request = (
            None
            if clock is None
            else Anchor(clock=clock, heard=heard, received=received)
        )
        self._known: dict[str, BootClock | None] = {}
        self.fresh = clock is None or not self._is_past(clock)

    def _is_past(self, clock: ClockReading) -> bool:
        return any(one.clock.mono >= clock.mono for one in self._latest(clock.boot, 1))

    def of(self, boot: str) -> BootClock | None:
        """Return what tells a boot's time, if the boot ever reached this server."""
        if boot not in self._known:
            anchors = self._latest(boot, _MOST)
            now = self.request
            if now is not None and now.clock.boot == boot:
                again = any(one.clock.mono == now.clock.mono for one in anchors)
                anchors += [] if again else [now]
            self._known[boot] = boot_clock(anchors)
        return self._known[boot]

    def to_keep(self, *, brought: bool) -> tuple[Anchor, Anchor | None] | None:
        """Return the present exchange, and the last one where it stands for that, too.

        ``None``: there is nothing to keep. One that is not fresh is kept only if it
        ``brought`` lines: else it was sent again, and says nothing of the time at
        which it came.
        """
        new = self.request
        if new is None or not new.clock.boot or not (self.fresh or brought):
            return None
        last, before = (*self._latest(new.clock.boot, 2), None, None)[:2]
        replaces = self.fresh and last is not None and stands_for(before, last, new)
        return new, last if replaces else None
