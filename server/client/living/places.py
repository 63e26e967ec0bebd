"""The simulated site: places on the plan, stations, and who works there. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "HOST",
    "MARK",
    "PLACES",
    "RACKS",
    "SHIFTS",
    "STATIONS",
    "TITLES",
    "Place",
    "Post",
    "people",
    "team",
]

MARK = "SIM"
"""Stands in every code that the simulation makes."""


class Place(NamedTuple):
    """A place on the plan, in metres from its upper left."""

    code: str
    title: str
    kind: str
    x: float
    y: float
    w: float
    h: float


class Post(NamedTuple):
    """A station.

    Every ``away`` minutes or so it is out of reach for some minutes; 0: never.
    ``ahead`` is by how many seconds its clock is wrong. ``battery``: it is carried.
    """

    name: str
    place: str
    away: float = 0
    ahead: float = 0
    battery: bool = False


def _rack(aisle: int, letter: str) -> list[Place]:
    return [
        Place(
            f"{letter}-{bay:02d}-{level}",
            f"Rack {letter}, bay {bay}, level {level}",
            "shelf",
            12 + bay * 4.0,
            4 + aisle * 7.0 + level * 2.0,
            3.6,
            1.8,
        )
        for bay in range(1, 9)
        for level in (1, 2)
    ]


RACKS = [place for n, letter in enumerate("ABCD") for place in _rack(n, letter)]

PLACES = [
    Place("DOCK-1", "Goods in, dock 1", "dock", 1, 4, 8, 5),
    Place("DOCK-2", "Goods in, dock 2", "dock", 1, 11, 8, 5),
    Place("RETURNS", "Returns desk", "desk", 1, 20, 8, 4),
    *RACKS,
    Place("PACK-1", "Packing table 1", "table", 50, 4, 4, 4),
    Place("PACK-2", "Packing table 2", "table", 50, 10, 4, 4),
    Place("PACK-3", "Packing table 3", "table", 50, 16, 4, 4),
    Place("LANE-1", "Staging lane 1", "lane", 57, 4, 6, 8),
    Place("LANE-2", "Staging lane 2", "lane", 57, 14, 6, 8),
    Place("GATE-1", "Goods out, gate 1", "dock", 66, 4, 6, 8),
    Place("GATE-2", "Goods out, gate 2", "dock", 66, 14, 6, 8),
    Place("CANTEEN", "Canteen", "room", 50, 24, 8, 5),
]

STATIONS: Mapping[str, Post] = MappingProxyType(
    {
        post.name: post
        for post in (
            Post("DOCK-1", "DOCK-1"),
            Post("DOCK-2", "DOCK-2", ahead=41),
            Post("FORK-1", "DOCK-1", away=55, battery=True),
            Post("FORK-2", "DOCK-2", away=80, battery=True),
            Post("PICK-1", "PACK-1", away=120, battery=True),
            Post("PICK-2", "PACK-2", away=90, battery=True),
            Post("PACK-1", "PACK-1"),
            Post("PACK-2", "PACK-2"),
            Post("PACK-3", "PACK-3", away=200),
            Post("GATE-1", "GATE-1"),
            Post("GATE-2", "GATE-2", away=150),
            Post("RETURNS", "RETURNS"),
        )
    }
)
"""Every simulated station, by the short name that it has in the story."""

HOST = "SHOP"
"""The simulated shop, which says what should happen."""

SHIFTS = (
    ("ANA", "BEN", "CEM", "DORA", "EMIL", "FINA"),
    ("GRETA", "HUGO", "IDA", "JONAS", "KAYA", "LEON"),
    ("MILA", "NOAH", "OLGA", "PAUL", "QUINN", "ROSA"),
)
"""Who works from 6 to 14, from 14 to 22, and at night: two at the docks, two who pick,
one who packs, one at the gates."""

TITLES = (
    "Engagement ring, size 54",
    "Espresso machine",
    "Children's books, 6",
    "Running shoes 42",
    "Garden shears",
    "Insulin, keep cool",
    "Guitar strings",
    "Passport, courier",
    "Wedding dress",
    "Spare part 88-104",
)


def team(hour: float) -> tuple[str, ...]:
    """Return the badges of who works at an hour of the day."""
    shift = int((hour - 6) % 24 // 8)
    return tuple(f"B-{name}" for name in SHIFTS[shift])


def people() -> list[tuple[str, str]]:
    """Return each badge with the name of who wears it."""
    return [(f"B-{name}", name.title()) for shift in SHIFTS for name in shift]
