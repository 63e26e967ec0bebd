"""Time passes in the simulated warehouse: hours at once, then some times as fast."""

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

from server.client.api import Client
from server.client.living.day import Day, Said, spells
from server.client.living.places import HOST, STATIONS
from server.client.living.station import Station
from shared.errors import ScantrailError
from shared.moments import SECOND

__all__ = ["Living"]

_LOG = logging.getLogger("scantrail.demo")

BEFORE = 4 * 3600.0
"""Seconds that have passed in the warehouse when somebody begins to look."""
FORESEEN = 48 * 3600.0
"""Seconds for which spells out of reach are planned."""
STEP = 0.5
"""Seconds between two looks at what has happened meanwhile."""
HEARTBEAT = 15.0
"""Seconds after which a station with nothing to say says so."""


class Living:
    """The warehouse.

    Args:
        admin: Lets stations join.
        server: The server's address.
        seed: Of all that is left to chance.
        speed: How many times as fast time passes, once somebody looks.
    """

    def __init__(self, admin: Client, server: str, *, seed: int, speed: float) -> None:
        self._admin, self._server, self._speed = admin, server, speed
        now = datetime.now(UTC).astimezone()
        self.start = int(now.timestamp() * SECOND)
        hour = now.hour + now.minute / 60
        self._coming: Iterator[Said] = iter(Day(seed, -BEFORE, hour))
        self._away = {name: spells(seed, name, -BEFORE, FORESEEN) for name in STATIONS}
        self._spoke: dict[str, float] = {}
        self.stations = {
            post.name: Station(
                post.name,
                post.place,
                ahead=post.ahead,
                battery=post.battery,
                start=self.start,
            )
            for post in STATIONS.values()
        }
        shop = Station(HOST, None, ahead=0, battery=False, start=self.start)
        self.stations[HOST] = shop

    async def begin(self) -> int:
        """Let all stations join, and tell the hours before; return how many lines."""
        for station in self.stations.values():
            await station.join(self._admin, self._server)
        lines = self._until(0.0)
        for name in (HOST, *STATIONS):
            await self._send(name)
        return lines

    async def go_on(self) -> None:
        """Let time pass, until cancelled; a server that is away is waited for."""
        while True:
            await asyncio.sleep(STEP)
            self._until(self._now())
            for name, station in self.stations.items():
                quiet = self._now() - self._spoke.get(name, 0.0)
                if station.waiting or quiet > HEARTBEAT * self._speed:
                    await self._send(name)

    async def close(self) -> None:
        """Close all connections."""
        for station in self.stations.values():
            await station.close()

    def _until(self, now: float) -> int:
        """Let be said what is said up to a moment of the story."""
        number = 0
        for said in self._coming:
            if said.when > now:
                self._coming = chain([said], self._coming)
                break
            at = self._moment(said.when)
            self.stations[said.station].says(at, said.fields, undoes=said.undoes)
            number += 1
        return number

    def _now(self) -> float:
        """Return which moment of the story it is."""
        return (time.time() - self.start / SECOND) * self._speed

    async def _send(self, name: str) -> None:
        now = self._now()
        if any(begin <= now < end for begin, end in self._away.get(name, ())):
            return
        try:
            await self.stations[name].send(self._moment(now))
        except ScantrailError as error:
            _LOG.warning("%s waits: %s", name, error)
        else:
            self._spoke[name] = now

    def _moment(self, when: float) -> int:
        """Return when something happens by the clock on the wall."""
        passed = when if when < 0 else when / self._speed
        return self.start + round(passed * SECOND)
