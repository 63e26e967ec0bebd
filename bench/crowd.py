"""Many stations in one process, which live a day against real servers.

Started as ``python -m bench.crowd``, it reads a `Task` from the first line of its
input, lets the stations join, and says ``ready``; the second line is the moment at
which the day begins, in seconds since 1970. At the end it prints a `Told`.
"""

import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

import aiohttp
import msgspec

from bench.shifts import OUTAGE, PEAK, STORM, day
from bench.simulated import Clock, Habits, Simulated
from bench.stations import joined

__all__ = ["Task", "Told"]

AT_A_TIME = 32
"""Stations that join, or are looked at, at the same time."""
PATIENCE = 120.0
"""Seconds after the end of the day within which everything has to be there."""
_POLL = 0.02

T = TypeVar("T")


class Task(msgspec.Struct, kw_only=True):
    """What a process does: ``first`` and ``stations`` count over all processes."""

    urls: list[str]
    key: str
    first: int
    stations: int
    habits: Habits


class Told(msgspec.Struct, kw_only=True):
    """What came of it.

    ``took``: by phase, how many milliseconds after it was due each scan of a station
    that was never cut off was acknowledged, where no answer was lost. ``lasted``:
    seconds from the beginning of the storm until no station had a backlog (``gone``),
    or until the day was over. ``brought``: lines acknowledged meanwhile; ``peak``:
    those of a second of the shift's peak. ``late``: milliseconds by which this process
    was late itself, the 99th of a hundred times; ``busy``: the part of the time that it
    computed.
    """

    written: int
    differ: int
    unheard: int
    refused: dict[str, int]
    took: dict[str, list[float]]
    lasted: float
    gone: bool
    brought: int
    peak: float
    late: float
    busy: float


class _Storm(NamedTuple):
    lasted: float
    gone: bool
    brought: int


class Crowd:
    """All stations of a process."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.stations: list[Simulated] = []
        self._late: list[float] = []

    async def join(self) -> None:
        """Let all stations join; some at a time."""
        numbers = range(self._task.first, self._task.first + self._task.stations)
        urls, waiting = self._task.urls, iter(numbers)
        found: dict[int, Simulated] = {}

        async def some(session: aiohttp.ClientSession) -> None:
            for number in waiting:
                url = urls[number % len(urls)]
                sending = await joined(session, url, self._task.key)
                found[number] = Simulated(number, sending, url, self._task.habits)

        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(some(session) for _ in range(AT_A_TIME)))
        self.stations = [found[number] for number in numbers]

    async def live(self, clock: Clock) -> Told:
        """Live the day, and look at what the server has of it."""
        hours = self.stations[0].hours
        for one in self.stations:
            one.write(hours.begins(STORM), clock)
        gc.freeze()
        await clock.until(0.0)
        computed, began = time.process_time(), time.perf_counter()
        alive = [asyncio.create_task(one.live(clock)) for one in self.stations]
        alive.append(asyncio.create_task(self._watch()))
        peak = await self._brought(clock, hours.begins(PEAK), hours.begins(OUTAGE))
        await clock.until(hours.begins(STORM))
        before = self._acked()
        gone = await self._until_gone(hours.begins(STORM), clock)
        storm = _Storm(clock.now() - hours.begins(STORM), gone, self._acked() - before)
        busy = (time.process_time() - computed) / (time.perf_counter() - began)
        await _end(alive)
        async with asyncio.timeout(PATIENCE):
            await self._each(lambda one: one.finish(clock))
        differ = sum(await self._each(lambda one: one.differs()))
        return self._told(storm, peak=peak, busy=busy, differ=differ)

    async def _brought(self, clock: Clock, begin: float, end: float) -> float:
        """Return lines a second that were acknowledged between two seconds."""
        await clock.until(begin)
        before = self._acked()
        await clock.until(end)
        return (self._acked() - before) / (end - begin)

    async def _each(self, act: Callable[[Simulated], Awaitable[T]]) -> list[T]:
        """Do something with all stations, some at a time."""
        waiting, found = iter(self.stations), list[T]()

        async def some() -> None:
            for one in waiting:
                found.append(await act(one))  # several share it

        await asyncio.gather(*(some() for _ in range(AT_A_TIME)))
        return found

    def _acked(self) -> int:
        return sum(one.acked for one in self.stations)

    async def _until_gone(self, storm: float, clock: Clock) -> bool:
        last = sum(phase.seconds for phase in day())
        while clock.now() < last:
            if not any(one.backlog(storm) for one in self.stations):
                return True
            await asyncio.sleep(_POLL)
        return False

    async def _watch(self) -> None:
        """Note by how much this process is late for what it has to do."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_POLL)
            self._late.append((time.perf_counter() - began - _POLL) * 1000)

    def _told(self, storm: "_Storm", *, peak: float, busy: float, differ: int) -> Told:
        took: dict[str, list[float]] = {}
        for one in self.stations:
            for moment, milliseconds in one.took:
                took.setdefault(one.hours.phase(moment), []).append(milliseconds)
        late = sorted(self._late)
        return Told(
            written=self._acked(),
            differ=differ,
            unheard=sum(one.lost for one in self.stations),
            refused=dict(sum((one.refused for one in self.stations), Counter())),
            took=took,
            lasted=storm.lasted,
            gone=storm.gone,
            brought=storm.brought,
            peak=peak,
            late=late[len(late) * 99 // 100],
            busy=busy,
        )


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """End what goes on; raise what one of them failed with."""
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome


async def _main() -> None:
    crowd = Crowd(msgspec.json.decode(sys.stdin.readline(), type=Task))
    await crowd.join()
    print("ready", flush=True)
    told = await crowd.live(Clock(float(sys.stdin.readline())))
    print(msgspec.json.encode(told).decode())


if __name__ == "__main__":
    asyncio.run(_main())
