"""What stands at places, as the floor map and its table show it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from server.console.plan import group_of, natural
from server.console.weights import tone, worst
from server.floor import Here
from shared.api.stations import StationState

__all__ = ["ORDERS", "Area", "Place", "areas", "in_order"]

_TONES = ("", "attention", "error")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place: what stands there, and its stations. ``level``: how full, to 4."""

    code: str
    title: str
    here: Here | None
    stations: list[StationState]
    level: int

    @property
    def count(self) -> int:
        """How many items stand there."""
        return self.here.count if self.here else 0

    @property
    def trouble(self) -> str:
        """How what is wrong with a station there is drawn; "" where all is well."""
        code = worst(found for one in self.stations for found in one.exceptions)
        return tone(code) if code else ""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """Places whose codes begin alike, with what stands at all of them."""

    name: str
    places: list[Place]

    @property
    def number(self) -> int:
        """How many places that are."""
        return len(self.places)

    @property
    def count(self) -> int:
        """How many items stand there."""
        return sum(one.count for one in self.places)

    @property
    def oldest(self) -> int | None:
        """Since when the oldest has."""
        return min((one.here.oldest for one in self.places if one.here), default=None)

    @property
    def trouble(self) -> str:
        """How what is wrong with a station there is drawn: as the worst of it is."""
        return max((one.trouble for one in self.places), key=_TONES.index, default="")


def areas(places: Iterable[Place]) -> list[Area]:
    """Put together what a table shows of places, by what their codes begin with."""
    found: dict[str, list[Place]] = {}
    for one in places:
        if one.here or one.stations:
            found.setdefault(group_of(one.code), []).append(one)
    return [Area(name=name, places=some) for name, some in found.items()]


_KEYS: Mapping[str, Callable[[Place], tuple[int, int]]] = {
    "count": lambda one: (-one.count, 0),
    "oldest": lambda one: (0, one.here.oldest) if one.here else (1, 0),
    "median": lambda one: (0, one.here.median) if one.here else (1, 0),
    "stations": lambda one: (-_TONES.index(one.trouble), -len(one.stations)),
}
ORDERS = ("place", *_KEYS)
"""By what places are put in order: most first, longest first, what is wrong first."""


def in_order(places: Sequence[Place], order: str) -> list[Place]:
    """Put places in one of the orders; those that are alike by their codes."""
    by_code = sorted(places, key=lambda one: natural(one.code))
    return sorted(by_code, key=_KEYS[order]) if order in _KEYS else by_code
