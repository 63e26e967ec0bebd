"""A machine's clocks in simulated time: what a station can read, and what is true."""

import random
from uuid import UUID

from shared.moments import SECOND
from shared.protocol import ClockReading

__all__ = ["HOUR", "Machine"]

HOUR = 3600 * SECOND


class Machine:
    """Wall clock, boot clock and boot id of one machine.

    ``offset`` is how far the wall clock is ahead of the truth, in microseconds; a
    machine says ``synced`` only while it is right.
    """

    def __init__(self, chance: random.Random, now: int) -> None:
        self._chance = chance
        self.offset = 0
        self.boot = ""
        self._started = 0
        self.reboot(now)

    @property
    def synced(self) -> bool:
        """Whether the kernel holds the wall clock to be right."""
        return self.offset == 0

    def reboot(self, now: int, offset: int = 0) -> None:
        """Begin a new boot, with the wall clock wherever it comes up."""
        self.boot = str(UUID(int=self._chance.getrandbits(128)))
        self._started = now - self._chance.randrange(SECOND, 60 * SECOND)
        self.offset = offset

    def read(self, now: int) -> ClockReading:
        """Read all clocks at one instant; suspended time counts (CLOCK_BOOTTIME)."""
        return ClockReading(
            at=max(0, now + self.offset),
            boot=self.boot,
            mono=now - self._started,
            synced=self.synced,
        )
