"""Stations and a server under a seeded scheduler; and the one checker of it all.

A seed repeats everything exactly. `World.live` lets time pass with faults,
`World.settle` lets everything be delivered without any, and `World.check` holds the
result to the promises: what was confirmed is at the server once, unchanged, in order,
and its true time lies in the interval that the server gives.
"""

import random
from collections import Counter

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.answers import Answer, NoAnswer
from shared.moments import SECOND
from tests.simulation.clocks import HOUR
from tests.simulation.faults import FAULTS, NETWORK, Way
from tests.simulation.servers import Server
from tests.simulation.stations import Request, StationSim

__all__ = ["World"]

_START = 1_777_000_000 * SECOND
_CAPTURED = 50
_SETTLE = 400  # exchanges of a station, at most, until all is delivered


class World:
    """One history. ``fired`` counts each kind of fault, ``events`` what was scanned."""

    def __init__(self, seed: int, stations: int = 3) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311 # a seed that repeats, no secret
        self.now = _START
        self.server = Server(self.chance)
        self.backups: list[bytes] = []
        self.delayed: list[tuple[int, Request]] = []
        self.captured: list[Request] = []
        self.fired: Counter[str] = Counter()
        self.truth: dict[str, int] = {}
        self.gone: set[str] = set()
        self.stations = [
            StationSim(f"S{n}", self.chance, self.now) for n in range(stations)
        ]
        for station in self.stations:
            self.join(station)

    @property
    def events(self) -> int:
        """How many scans were confirmed."""
        return len(self.truth)

    def join(self, station: StationSim) -> None:
        """Let a station join with its present log."""
        key = station.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        log = station.ledger.state.log
        station.joined = self.server.join(
            station.name.partition("c")[0], log, key, self.now
        )

    # --- requests ---------------------------------------------------------------------

    def reach(self, request: Request) -> Answer | NoAnswer:
        """Let a request reach the server, as it is."""
        self.captured = [*self.captured[-_CAPTURED:], request]
        return self.server.take(request.joined, request.delivery, self.now)

    def _arrive(self) -> None:
        """Let what was held back arrive, at its time."""
        now = self.now
        for due, request in sorted(self.delayed, key=lambda one: one[0]):
            if due <= now:
                self.now = due
                self.reach(request)
        self.now = now
        self.delayed = [one for one in self.delayed if one[0] > now]

    def _way(self, way: Way, request: Request) -> Answer | NoAnswer:
        return way(self, request)

    def _badly(self, station: StationSim, request: Request) -> Answer | NoAnswer:
        """Let something happen to a request."""
        del station
        name = self.chance.choice(tuple(NETWORK))
        self.fired[name] += 1
        return self._way(NETWORK[name], request)

    def _well(self, station: StationSim, request: Request) -> Answer | NoAnswer:
        del station
        return self.reach(request)

    # --- time -------------------------------------------------------------------------

    def live(self, hours: int) -> None:
        """Let so many hours pass, with work and with faults."""
        end = self.now + hours * HOUR
        while self.now < end:
            self.now += self.chance.randrange(60 * SECOND, 20 * HOUR)
            self._arrive()
            station = self.chance.choice(self.stations)
            self._work(station)
            if self.chance.random() < 0.4:
                self._harm(station)

    def _work(self, station: StationSim) -> None:
        for _ in range(self.chance.randrange(5)):
            self.now += self.chance.randrange(SECOND, 300 * SECOND)
            self.truth[station.scan(self.now)] = self.now
        for _ in range(self.chance.randrange(4)):
            self.now += self.chance.randrange(SECOND)
            self._arrive()
            good = self.chance.random() < 0.6
            station.exchange(self._well if good else self._badly, self.now)

    def _harm(self, station: StationSim) -> None:
        name = self.chance.choice(tuple(FAULTS))
        self.fired[name] += 1
        FAULTS[name](self, station)

    def settle(self) -> None:
        """Let everything that is anywhere come to the server.

        It has, once each station in turn has nothing to send, and its heartbeat finds
        that the server knows all of it.
        """
        self.now += 60 * SECOND
        self._arrive()
        rested = False
        for _ in range(_SETTLE):
            self.now += SECOND
            for station in self.stations:
                station.exchange(self._well, self.now)
            rest = not any(station.waiting for station in self.stations)
            if rest and rested:
                return
            rested = rest
        reason = f"seed {self.seed}: lines wait after {_SETTLE} exchanges without fault"
        raise AssertionError(reason)

    # --- the checker ------------------------------------------------------------------

    def destroyed(self) -> None:
        """Note what is nowhere any more, by a fault that no program can undo."""
        there = {kept.uid for kept in self.server.kept()}
        there.update(*(station.holds() for station in self.stations))
        self.gone |= set(self.truth) - there

    def check(self) -> None:
        """Hold what the server has to what was confirmed."""
        kept = self.server.kept()
        count = Counter(one.uid for one in kept)
        where = f"seed {self.seed}"
        assert not (set(count) - set(self.truth)), f"{where}: phantoms"
        twice = [uid for uid, times in count.items() if times > 1]
        assert not twice, f"{where}: twice: {twice[:5]}"
        lost = set(self.truth) - set(count) - self.gone
        assert not lost, f"{where}: lost: {sorted(lost)[:5]}"
        late = [one.uid for one in kept if not one.lo <= self.truth[one.uid] <= one.hi]
        assert not late, f"{where}: not in their intervals: {late[:5]}"
        self._check_orders(where)
        findings = self.server.report().findings
        assert not findings, f"{where}: {findings[:3]}"

    def _check_orders(self, where: str) -> None:
        """Each log tells each machine's scans in the order in which they were made."""
        for order in self.server.orders():
            by_machine: dict[str, list[int]] = {}
            for uid in order:
                machine, _, number = uid.rpartition(".")
                by_machine.setdefault(machine, []).append(int(number))
            for numbers in by_machine.values():
                assert numbers == sorted(numbers), f"{where}: out of order: {numbers}"
