"""A day at many sites, in seconds instead of hours: who scans what, and when. Pure.

A site has ten stations: two lanes of a dock, a fork lift, a picker, a packing table and
a gate. Every station does one scan in a turn; a parcel comes to the next station in the
next turn, is packed into a carton of ten, and leaves with a lorry of five cartons. So
the stations of a lane speak of the same parcels, cartons and lorries.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

__all__ = [
    "CALM",
    "DAY",
    "OUTAGE",
    "PEAK",
    "POSTS",
    "STORM",
    "Hours",
    "Phase",
    "Post",
    "Scan",
    "day",
    "post",
    "scan",
]

ROLES = {"DOCK": 0, "FORK": 1, "PICK": 2, "PACK": 3, "GATE": 14}
"""What is done at a site, and how many turns after the dock: a carton has to be full
before it comes to the gate."""
LANES = 2
POSTS = len(ROLES) * LANES
"""Stations of a site."""
_CARTON, _LORRY = 10, 50
"""Parcels in a carton, and in a lorry."""

CALM, PEAK, OUTAGE, STORM = "night", "peak", "outage", "storm"


class Phase(NamedTuple):
    """A part of the day: how long, and the seconds between two scans of a station."""

    name: str
    seconds: float
    every: float


DAY = (
    Phase(CALM, 2, 40),
    Phase(PEAK, 6, 5),
    Phase(OUTAGE, 3, 5),
    Phase(STORM, 40, 5),
)
"""Hours in which little happens are short, those in which much does have their rate."""


def day(backlog: int = 0, every: float = 5.0) -> tuple[Phase, ...]:
    """Return the day of a station.

    Args:
        backlog: Scans during the outage, of a station that is cut off; else as ever.
        every: Seconds between two scans of a station at work.
    """
    phases = [
        phase._replace(every=every) if phase.name != CALM else phase for phase in DAY
    ]
    if backlog:
        phases[2] = phases[2]._replace(every=phases[2].seconds / backlog)
    return tuple(phases)


class Hours:
    """When a station does its scans.

    Args:
        phases: Its day.
        offset: How much later than others it does them, as a part of a turn.
    """

    def __init__(self, phases: Sequence[Phase], offset: float = 0.0) -> None:
        self._phases = phases
        self._offset = offset
        self._begins = (0.0, *accumulate(phase.seconds for phase in phases))
        turns = accumulate(phase.seconds / phase.every for phase in phases)
        self._turns = (0.0, *turns)

    def moment(self, turn: int) -> float | None:
        """Return the second of the day at which it does a scan; ``None``: never."""
        done = turn + self._offset
        for phase, begin, first, last in zip(
            self._phases, self._begins, self._turns, self._turns[1:], strict=False
        ):
            if done < last:
                return begin + (done - first) * phase.every
        return None

    def begins(self, name: str) -> float:
        """Return when a phase begins."""
        names = [phase.name for phase in self._phases]
        return self._begins[names.index(name)]

    def phase(self, moment: float) -> str:
        """Return which phase it is at a moment of the day."""
        for phase, end in zip(self._phases, self._begins[1:], strict=True):
            if moment < end:
                return phase.name
        return self._phases[-1].name


class Post(NamedTuple):
    """A station: which site, what is done there, and for which of its lanes."""

    site: int
    role: str
    lane: int

    @property
    def place(self) -> str:
        """The location at which it scans."""
        return f"S{self.site:04}.{self.role}-{self.lane}"


def post(number: int) -> Post:
    """Return the station of a number, counted over all sites."""
    site, rest = divmod(number, POSTS)
    return Post(site, tuple(ROLES)[rest // LANES], rest % LANES)


class Scan(NamedTuple):
    """What a station does in a turn."""

    action: str
    item: str
    location: str
    container: str | None = None


def scan(where: Post, turn: int) -> Scan:
    """Return what a station does in a turn, counted from 0."""
    lane = f"{where.site:04}{where.lane}"
    number = turn - ROLES[where.role]
    parcel = f"P-{lane}{number % 10**7:07}"
    carton = f"C-{lane}{number // _CARTON % 10**6:06}"
    lorry = f"M-{lane}{number // _LORRY % 10**6:06}"
    shelf = f"S{where.site:04}.A-{number % 40:02}"
    if number < 0:  # nothing has come this far yet
        return Scan("see", f"P-{lane}-{where.role}", where.place)
    match where.role:
        case "DOCK":
            return Scan("receive", parcel, where.place)
        case "FORK":
            return Scan("store", parcel, shelf)
        case "PICK":
            return Scan("pick", parcel, shelf)
        case "PACK":
            return Scan("pack", parcel, where.place, carton)
        case _:
            return _at_gate(where.place, number, carton, lorry)


def _at_gate(place: str, number: int, carton: str, lorry: str) -> Scan:
    """Each full carton is staged and loaded; a lorry with five of them leaves."""
    if number % _LORRY == _LORRY - 1:
        return Scan("depart", lorry, place)
    match number % _CARTON:
        case 0:
            return Scan("stage", carton, place)
        case 8:
            return Scan("load", carton, place, lorry)
        case _:
            return Scan("see", carton, place)
