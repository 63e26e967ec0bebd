"""What happens in the simulated warehouse, as a stream in the order of time. Pure.

The same seed and the same hour give the same day. A parcel's life is a generator: each
step waits for some seconds, and then is said by a station, or by the shop. Most lives
are orderly; some scans are missed, some codes misread, some parcels lost.
"""

import heapq
from collections.abc import Iterator
from itertools import count, cycle
from random import Random
from typing import Any

import msgspec

from server.client.living.places import (
    HOST,
    MARK,
    PLACES,
    RACKS,
    STATIONS,
    TITLES,
    people,
    team,
)

__all__ = ["Day", "Said", "spells"]

MINUTE, HOUR = 60.0, 3600.0
EVERY = 24.0
"""Seconds between two parcels that come in, on the average."""
TOTES = 36
"""Totes that go round."""
LOADS_EVERY = 40 * MINUTE
"""A lorry leaves so often; parcels are meant for one that leaves in an hour or so."""

Fields = dict[str, Any]


class Said(msgspec.Struct, frozen=True):
    """At ``when``, in seconds, a station said something.

    ``fields`` are those of its line. ``undoes``: it takes back what that station said
    last.
    """

    when: float
    station: str
    fields: Fields
    undoes: bool = False


class _Wait(msgspec.Struct, frozen=True):
    seconds: float


class _Load(msgspec.Struct):
    code: str
    gate: str
    leaves: float
    members: list[str] = []
    gone: bool = False


_Life = Iterator[Said | _Wait]


class Day:
    """The warehouse from ``since`` on, in seconds; it never ends.

    Args:
        seed: Of all that is left to chance.
        since: When it begins; 0 is when somebody begins to look.
        hour: Of the day at 0: who works then, and how much is done.
    """

    def __init__(self, seed: int, since: float, hour: float) -> None:
        self._chance = Random(seed)  # noqa: S311 # a simulation, which can be repeated
        self._hour = hour
        self._since = since
        self.now = since
        self._waiting: list[tuple[float, int, _Life]] = []
        self._order = count()
        self._parcels, self._loads = count(1001), count(1)
        self._totes = cycle(range(101, 101 + TOTES))
        self._open: list[_Load] = []
        self._shelved: dict[str, list[str]] = {}
        for life in (self._site(), self._arrivals(), self._lorries(), self._counts()):
            self._begin(life)

    def __iter__(self) -> Iterator[Said]:
        """Give what is said, in the order of time."""
        while self._waiting:
            self.now, _, life = heapq.heappop(self._waiting)
            for step in life:
                if isinstance(step, _Wait):
                    self._begin(life, step.seconds)
                    break
                yield step

    def _begin(self, life: _Life, after: float = 0.0) -> None:
        entry = (self.now + after, next(self._order), life)
        heapq.heappush(self._waiting, entry)

    # --- what everybody says ----------------------------------------------------------

    def _said(self, station: str, action: str, **fields: object) -> Said:
        return Said(self.now, station, {"action": action, **fields})

    def _scan(
        self, station: str, action: str, item: str, location: str, **more: object
    ) -> Said:
        known = {"item": item, "location": location, "raw": item, **more}
        return self._said(station, action, **known)

    def _wait(self, least: float, most: float) -> _Wait:
        return _Wait(self._chance.uniform(least, most) * MINUTE)

    def _happens(self, per_hundred: float) -> bool:
        return self._chance.random() * 100 < per_hundred

    def _who(self, role: int) -> str:
        return team((self._hour + self.now / HOUR) % 24)[role]

    def _picked_one(self, *stations: str) -> str:
        return self._chance.choice(stations)

    # --- the site, and what comes in --------------------------------------------------

    def _site(self) -> _Life:
        """What the shop says of places and people."""
        for place in PLACES:
            named = {"location": place.code, "title": place.title, "kind": place.kind}
            drawn = {"x": place.x, "y": place.y, "w": place.w, "h": place.h}
            yield self._said(HOST, "note", **named, **drawn)
        for badge, name in people():
            yield self._said(HOST, "note", operator=badge, title=name)

    def _arrivals(self) -> _Life:
        while True:
            night = not 6 <= (self._hour + self.now / HOUR) % 24 < 22  # noqa: PLR2004 # of the clock
            yield _Wait(self._chance.expovariate(1 / EVERY) * (3 if night else 1))
            self._begin(self._parcel(f"P-{MARK}-{next(self._parcels)}"))

    def _lorries(self) -> _Life:
        """Announce loads, and let each leave in its time."""
        for number in self._loads:
            load = _Load(
                code=f"M-{MARK}-{number}",
                gate=f"GATE-{1 + number % 2}",
                leaves=self.now + 3 * LOADS_EVERY,
            )
            self._open.append(load)
            title = f"Lorry {number}"
            named = {"item": load.code, "kind": "load", "title": title}
            yield self._said(HOST, "note", **named)
            self._begin(self._departure(load), load.leaves - self.now)
            yield _Wait(LOADS_EVERY)

    def _departure(self, load: _Load) -> _Life:
        load.gone = True
        self._open.remove(load)
        who = self._who(5)
        yield self._scan(load.gate, "depart", load.code, load.gate, operator=who)
        yield self._wait(1, 3)
        for item in load.members:
            yield self._said(HOST, "claim", item=item, status="shipped")

    def _counts(self) -> _Life:
        """Count a shelf now and then; seldom, something is not where it was."""
        while True:
            yield self._wait(15, 25)
            full = sorted(code for code, items in self._shelved.items() if items)
            if not full:
                continue
            shelf = self._chance.choice(full)
            seen = list(self._shelved[shelf])
            if len(seen) > 1 and self._happens(10):
                self._begin(self._misplaced(shelf, seen.pop()))
            said = {"location": shelf, "items": seen, "operator": self._who(2)}
            yield self._said("PICK-1", "count", **said)

    def _misplaced(self, shelf: str, item: str) -> _Life:
        """It stands elsewhere, and is seen there later."""
        self._shelved[shelf].remove(item)
        yield self._wait(20, 60)
        where = self._chance.choice(RACKS).code
        yield self._scan("PICK-2", "see", item, where, operator=self._who(3))

    # --- a parcel's life --------------------------------------------------------------

    def _parcel(self, item: str) -> _Life:
        dock = self._picked_one("DOCK-1", "DOCK-2")
        yield self._scan(dock, "receive", item, dock, operator=self._who(0))
        if self._happens(12):
            title = self._chance.choice(TITLES)
            yield self._said(HOST, "note", item=item, title=title)
        yield self._wait(2, 9)
        shelf = self._chance.choice(RACKS).code
        yield from self._shelve(item, shelf)
        yield self._wait(10, 45)
        load = self._load_in(35 * MINUTE)
        load.members.append(item)
        yield self._said(HOST, "expect", item=item, container=load.code)
        yield self._wait(1, 12)
        if self._gone_from(shelf, item):
            return
        picker = self._picked_one("PICK-1", "PICK-2")
        who = self._who(2 if picker == "PICK-1" else 3)
        yield from self._misread(picker, shelf, who)
        yield self._scan(picker, "pick", item, shelf, operator=who)
        yield self._wait(2, 8)
        if self._happens(0.5):
            yield from self._lost(item)
            return
        yield from self._handed_over(item, who)
        yield from self._sent(item, load)

    def _shelve(self, item: str, shelf: str) -> _Life:
        fork, who = self._picked_one("FORK-1", "FORK-2"), self._who(1)
        if self._happens(2):
            wrong = self._chance.choice(RACKS).code
            yield self._scan(fork, "store", item, wrong, operator=who)
            undone = {"action": "void", "reason": "wrong shelf", "operator": who}
            yield Said(self.now, fork, undone, undoes=True)
        yield self._scan(fork, "store", item, shelf, operator=who)
        self._shelved.setdefault(shelf, []).append(item)

    def _gone_from(self, shelf: str, item: str) -> bool:
        """Take it from its shelf; whether somebody did before."""
        there = self._shelved.get(shelf, [])
        if item not in there:
            return True
        there.remove(item)
        return False

    def _misread(self, station: str, location: str, who: str) -> _Life:
        """Some labels are torn, some are of somebody else."""
        if self._happens(3):
            raw = f"P-{MARK}-1{'~' * self._chance.randint(1, 4)}"
            said = {"item": raw, "raw": raw, "refused": "unknown_item"}
            yield self._said(
                station, "see", **said, damaged=True, location=location, operator=who
            )

    def _lost(self, item: str) -> _Life:
        """Nobody scans it for a long time; half of those turn up."""
        if self._happens(50):
            yield self._wait(90, 240)
            where = self._picked_one("CANTEEN", "RETURNS", "LANE-2")
            yield self._scan("RETURNS", "see", item, where, operator=self._who(4))

    def _handed_over(self, item: str, giver: str) -> _Life:
        """At the packing table; seldom, that is not scanned."""
        if self._happens(1):
            yield self._wait(15, 40)
            return
        table = self._picked_one("PACK-1", "PACK-2", "PACK-3")
        known = {"operator": self._who(4), "giver": giver}
        yield self._scan(table, "accept", item, table, **known)
        yield self._wait(1, 5)
        if self._happens(25):
            tote = f"C-{MARK}-{next(self._totes)}"
            more = {"container": tote, "operator": self._who(4)}
            yield self._scan(table, "pack", item, table, **more)
            yield self._wait(1, 3)
            yield self._scan(table, "unpack", item, table, operator=self._who(4))

    def _sent(self, item: str, load: _Load) -> _Life:
        """Onto its lorry, or onto the next where that has left."""
        lane = f"LANE-{load.gate[-1]}"
        yield self._scan(load.gate, "stage", item, lane, operator=self._who(5))
        yield self._wait(2, 10)
        if load.gone:
            load.members.remove(item)
            load = self._load_in(5 * MINUTE)
            load.members.append(item)
            yield self._said(HOST, "expect", item=item, container=load.code)
            yield self._wait(1, 4)
        if self._happens(1):
            who = self._who(5)
            refused = {"refused": "not_on_manifest", "operator": who}
            other = "GATE-2" if load.gate == "GATE-1" else "GATE-1"
            yield self._scan(other, "load", item, other, **refused)
            yield self._wait(1, 3)
        if self._happens(0.5) or load.gone:
            return  # it stays in the lane, and nobody notices
        more = {"container": load.code, "operator": self._who(5)}
        yield self._scan(load.gate, "load", item, load.gate, **more)
        if self._happens(0.4):
            yield _Wait(load.leaves - self.now + self._chance.uniform(5, 30) * MINUTE)
            yield self._scan("RETURNS", "see", item, "RETURNS", operator=self._who(1))

    def _load_in(self, seconds: float) -> _Load:
        """Return the first load that does not leave before some time."""
        fitting = (one for one in self._open if one.leaves >= self.now + seconds)
        return next(fitting, self._open[-1])


def spells(
    seed: int, station: str, since: float, until: float
) -> list[tuple[float, float]]:
    """Return when a station is out of reach: from one second to another."""
    away = STATIONS[station].away * MINUTE
    chance = Random(f"{seed} {station}")  # noqa: S311 # a simulation
    found, at = list[tuple[float, float]](), since
    while away and at < until:
        begin = at + chance.uniform(0.5, 1.5) * away
        at = begin + chance.uniform(4, 11) * MINUTE
        found.append((begin, at))
    return found
