"""A simulated station: it writes a log, signs it, and sends it as real ones do.

Lines are written and chained ahead, as far as it is known when they are due; they are
signed and packed when they are sent, by what real stations use for it.
"""

import asyncio
import base64
import random
import sys
import time
from collections import Counter
from itertools import count

import msgspec

from bench.shifts import OUTAGE, PEAK, STORM, Hours, Post, day, post, scan
from bench.stations import Sending
from bench.wire import Wire
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import BASE, CLOCK, HEAD, SIGNATURE, Appended, ClockReading

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["Clock", "Habits", "Simulated"]

AT_ONCE = 5_000
"""Lines in a request, at most."""
PACKED_FROM = 1_024
"""Bytes of a body from which it is packed."""
BACK_WITHIN = 2.0
"""Seconds in which all stations that were cut off are back."""
_UP = 86_400 * SECOND
_BOOT = "7f3c1d2e-0000-4000-8000-000000000001"
_GOOD = 200


class Habits(msgspec.Struct, kw_only=True):
    """What all stations do alike.

    ``backlog``: the scans of a station while its site is cut off. ``every``: seconds
    between two scans of a station at work. ``unheard``: of a hundred requests, those
    whose answer is lost.
    """

    backlog: int
    every: float
    unheard: float


class Clock:
    """Seconds of the day, and moments by the clock on the wall."""

    def __init__(self, begins: float) -> None:
        self.start = int(begins * SECOND)
        self._zero = time.perf_counter() + begins - time.time()

    def now(self) -> float:
        """Return the second of the day."""
        return time.perf_counter() - self._zero

    async def until(self, second: float) -> None:
        """Wait for a second of the day."""
        await asyncio.sleep(max(0.0, second - self.now()))

    def line(self, second: float) -> tuple[str, int]:
        """Return the wall clock and the boot clock as a line has them."""
        passed = round(second * SECOND)
        return to_text(self.start + passed), _UP + passed

    def header(self, second: float) -> str:
        """Return both as a request has them."""
        passed = round(second * SECOND)
        reading = ClockReading(
            at=self.start + passed, boot=_BOOT, mono=_UP + passed, synced=True
        )
        return reading.header()


class Outage:
    """When a station has no network: the whole site of every second one has none.

    A fork lift at every fourth site is out of reach from the beginning of the shift on,
    so that what it did comes after what others did with the same parcels.
    """

    def __init__(self, where: Post, backlog: int, every: float, luck: float) -> None:
        site = where.site % 2 == 1
        handheld = where.site % 4 == 0 and where.role == "FORK"
        self.phases = day(backlog if site else 0, every)
        hours = Hours(self.phases)
        self.cut = site or handheld
        self.begins = hours.begins(OUTAGE if site else PEAK)
        self.ends = hours.begins(STORM) + luck * BACK_WITHIN

    def holds(self, second: float) -> bool:
        """Whether there is none at a second of the day."""
        return self.cut and self.begins <= second < self.ends


class Simulated:
    """One station: its log, what of it is acknowledged, and its connection.

    Args:
        number: Counted over all sites.
        sending: What it joined with.
        url: The server that it talks to.
        habits: What it does as all others.
    """

    def __init__(self, number: int, sending: Sending, url: str, habits: Habits) -> None:
        chance = random.Random(number)  # noqa: S311 # a simulation, which repeats
        self._post = post(number)
        self.outage = Outage(self._post, habits.backlog, habits.every, chance.random())
        self.hours = Hours(self.outage.phases, chance.random())
        self._sending, self._wire = sending, Wire(url)
        self._path = f"/v1/logs/{sending.log}"
        self._chance, self._unheard = chance, habits.unheard
        self._turns = count()
        self._next = self.hours.moment(next(self._turns))
        self._lines: list[bytes] = []
        self._heads = [chain.start(sending.log)]
        self._due: list[float] = []
        self.acked = 0
        self.lost = 0
        self._unsure = False
        self.refused: Counter[str] = Counter()
        self.took: list[tuple[float, float]] = []

    @property
    def written(self) -> int:
        """How many lines it has."""
        return len(self._lines)

    def write(self, until: float, clock: Clock) -> None:
        """Write what is due up to a second of the day."""
        while self._next is not None and self._next <= until:
            turn = len(self._lines)
            what, (at, mono) = scan(self._post, turn), clock.line(self._next)
            line = Line(
                seq=turn + 1,
                at=at,
                boot=_BOOT,
                mono=mono,
                synced=True,
                action=what.action,
                item=what.item,
                location=what.location,
                container=what.container,
                operator=f"B-{self._post.site:04}",
                raw=what.item,
                symbology="]C1",
                device="bench",
            )
            self._lines.append(encode(line))
            self._heads.append(chain.link(self._heads[-1], self._lines[-1]))
            self._due.append(self._next)
            self._next = self.hours.moment(next(self._turns))

    async def live(self, clock: Clock) -> None:
        """Send what is due as soon as it is, until cancelled."""
        failures = 0
        while True:
            second = clock.now()
            if self.outage.holds(second):
                self._wire.cut()
                await clock.until(self.outage.ends)
                continue
            self.write(second, clock)
            if self._waiting(second) == self.acked:
                if self._next is None:
                    return
                await clock.until(self._coming())
                continue
            rest = await self._send(second, clock, failures)
            failures = 0 if rest is None else failures + 1
            await asyncio.sleep(rest or 0)

    def _coming(self) -> float:
        """Return when the next line is due."""
        if self.acked < len(self._due):
            return self._due[self.acked]
        return self._next or 0.0

    def _waiting(self, second: float) -> int:
        """Return the last line that may be sent now."""
        last = self.acked
        while (
            last < len(self._due)
            and self._due[last] <= second
            and last - self.acked < AT_ONCE
        ):
            last += 1
        return last

    async def _send(self, second: float, clock: Clock, failures: int) -> float | None:
        """Send what waits; return how long to rest where that failed."""
        last = self._waiting(second)
        path = f"{self._path}/lines?after={self.acked}"
        headers, body = self._request(last, clock.header(second))
        rest = min(20.0, 0.5 * 2.0**failures) * self._chance.random()
        try:
            if self._chance.random() * 100 < self._unheard:
                self.lost, self._unsure = self.lost + 1, True
                await self._wire.tell("POST", path, headers, body)
                return rest
            reply = await self._wire.ask("POST", path, headers, body)
        except OSError as error:
            self.refused[type(error).__name__] += 1
            return rest
        if reply.status != _GOOD:
            self.refused[str(reply.status)] += 1
            return reply.retry_after + rest
        self._take(msgspec.json.decode(reply.body, type=Appended), last, clock.now())
        return None

    def _request(self, last: int, clock: str) -> tuple[dict[str, str], bytes]:
        lines, head = self._lines[self.acked : last], self._heads[last]
        message = chain.signed_message(self._sending.log, last, head)
        headers = {
            **self._sending.bearer,
            "Content-Type": "application/x-ndjson",
            BASE: self._heads[self.acked].hex(),
            HEAD: head.hex(),
            SIGNATURE: base64.b64encode(self._sending.sign(message)).decode(),
            CLOCK: clock,
        }
        body = b"\n".join(lines) + b"\n"
        if len(body) < PACKED_FROM:
            return headers, body
        packed = zstd.compress(body, level=1)
        return {**headers, "Content-Encoding": "zstd"}, packed

    def _take(self, answer: Appended, last: int, second: float) -> None:
        if answer.acked != last or answer.head != self._heads[last].hex():
            reason = f"{self._sending.log}: line {last} was sent, {answer} came back"
            raise RuntimeError(reason)
        if not (self.outage.cut or self._unsure):
            due = self._due[self.acked : last]
            self.took += [(moment, (second - moment) * 1000) for moment in due]
        self.acked = last

    async def differs(self) -> bool:
        """Whether the server has anything else than what was acknowledged."""
        reply = await self._wire.ask("GET", self._path, self._sending.bearer)
        found = msgspec.json.decode(reply.body)
        self._wire.cut()
        return bool(
            found["acked"] != self.acked
            or found["head"] != self._heads[self.acked].hex()
        )

    async def finish(self, clock: Clock) -> None:
        """Send what is due and was not acknowledged, whatever was under way."""
        second, failures = clock.now(), 0
        self._wire.cut()
        while self._waiting(second) != self.acked:
            rest = await self._send(second, clock, failures)
            failures = 0 if rest is None else failures + 1
            await asyncio.sleep(rest or 0)

    def backlog(self, storm: float) -> bool:
        """Whether anything waits that was written before the storm."""
        return self.acked < len(self._due) and self._due[self.acked] < storm
