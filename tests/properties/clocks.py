"""A station whose clocks go wrong in every way, and a server; the true time is known.

Moments are microseconds since 1970. The boot clock drifts, the wall clock is anything,
steps and is sometimes synchronised; requests take their time, or none get through.
"""

import random
from collections import Counter
from typing import NamedTuple

from server.timing import (
    Anchor,
    BootClock,
    Span,
    When,
    boot_clock,
    place_all,
    stands_for,
)
from shared.lines import Line
from shared.moments import SECOND, to_text
from shared.protocol import ClockReading

HOUR = 3600 * SECOND
START = 1_777_000_000 * SECOND
_YEARS = 10 * 365 * 24 * HOUR
_WALLS = {
    "right": (0, SECOND // 2),
    "1970": (-START, 0),
    "2000": (946_684_800 * SECOND - START, HOUR),
    "ten years ahead": (_YEARS, HOUR),
    "ten years behind": (-_YEARS, HOUR),
    "hours ahead": (3 * HOUR, HOUR),
    "hours behind": (-3 * HOUR, HOUR),
    "seconds off": (0, 20 * SECOND),
    "as at its last end": (-6 * HOUR, 5 * HOUR),
}


class Told(NamedTuple):
    """A line, its true moment, and when it reached the server."""

    truth: int
    line: Line


class Server:
    """Keeps exchanges, and places lines as they come."""

    def __init__(self) -> None:
        self.wrong: tuple[Span, int] | None = None
        self.anchors: dict[str, list[Anchor]] = {}
        self._received = 0

    def now(self, truth: int) -> int:
        """Return what the server's clock shows."""
        if self.wrong is not None and self.wrong[0].lo <= truth <= self.wrong[0].hi:
            return truth + self.wrong[1]
        return truth

    def hear(self, reading: ClockReading, truth: int) -> Anchor:
        """Keep an exchange, as the store does."""
        heard = self.now(truth)
        self._received = max(heard, self._received + 1)
        new = Anchor(clock=reading, heard=heard, received=self._received)
        kept = self.anchors.setdefault(reading.boot, [])
        before = kept[-2] if len(kept) > 1 else None
        if kept and stands_for(before, kept[-1], new):
            kept.pop()
        kept.append(new)
        return new

    def clock(self, boot: str, doubtful: list[Span]) -> BootClock | None:
        return boot_clock(self.anchors.get(boot, ()), doubtful)


class Batch(NamedTuple):
    """What one request brought."""

    told: list[Told]
    request: Anchor


class Station:
    """A machine that scans, is switched off and on, and reaches the server or not."""

    def __init__(self, rng: random.Random, server: Server, fired: Counter[str]) -> None:
        self.rng, self.server, self.fired = rng, server, fired
        self.truth = START + rng.randrange(24) * HOUR
        self.waiting: list[Told] = []
        self.batches: list[Batch] = []
        self.boots = self.seq = 0
        self.boot()

    def boot(self) -> None:
        """Switch it on, some time after it was switched off."""
        rng = self.rng
        self.boots += 1
        self.name = f"boot-{self.boots}-{rng.random()}"
        self.truth += rng.randrange(8 * HOUR)
        self.begun = self.truth - rng.randrange(1, 60) * SECOND
        self.rate = 1 + rng.uniform(-1, 1) / 10_000  # 100 ppm
        kind = rng.choice(list(_WALLS))
        self.fired[kind] += 1
        middle, width = _WALLS[kind]
        self.wall = middle + (rng.randrange(-width, width) if width else 0)
        self.synced = kind == "right" and rng.random() < 0.7
        self.online = rng.random() < 0.7
        self.slowest = rng.choice((SECOND // 5, SECOND, 30 * SECOND))
        if not self.online:
            self.fired["a boot that never met the server"] += 1

    def mono(self) -> int:
        return int((self.truth - self.begun) * self.rate)

    def at(self) -> int:
        return max(0, self.truth + self.wall)

    def scan(self) -> None:
        self.seq += 1
        line = Line(
            seq=self.seq,
            at=to_text(self.at()),
            boot=self.name,
            mono=self.mono(),
            synced=self.synced,
            action="see",
        )
        self.waiting.append(Told(self.truth, line))

    def step(self) -> None:
        """Let something happen to it."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.03:
            self.boot()
        elif kind < 0.05:
            self.wall += rng.choice((-2, -1, 1, 2)) * HOUR
            self.synced = False
            self.fired["a step"] += 1
        elif kind < 0.07:
            self.wall, self.synced = rng.randrange(-SECOND, SECOND), True
            self.fired["synchronised"] += 1
        elif kind < 0.09:
            self.truth += rng.randrange(10) * HOUR
            self.fired["suspended"] += 1
        elif kind < 0.25 and self.online:
            self.exchange()
        else:
            self.truth += rng.randrange(2 * 60 * SECOND)
            self.scan()

    def exchange(self) -> None:
        """Send everything, slowly."""
        reading = ClockReading(
            at=self.at(), boot=self.name, mono=self.mono(), synced=self.synced
        )
        told, self.waiting = self.waiting, []
        self.truth += self.rng.randrange(self.slowest)
        request = self.server.hear(reading, self.truth)
        self.batches.append(Batch(told, request))


def placed(
    station: Station, batch: Batch, before: When | None, doubtful: list[Span]
) -> list[When]:
    """Place a batch by all exchanges that are known now."""
    received = batch.request.received
    sure = not any(lo <= received <= hi for lo, hi in doubtful)
    return place_all(
        [told.line for told in batch.told],
        clocks=lambda boot: station.server.clock(boot, doubtful),
        request=batch.request,
        before=before,
        received=received if sure else 2**62,
    )
