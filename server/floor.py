"""What stood where during a stretch of time, and how long already. Pure.

Most items do not move on a given day: of them only place and since when are counted.
Of those that were told of something the spans are kept in which they stood at a place,
so that any moment of the stretch can be looked at without telling anything anew.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from server.history import Telling

__all__ = ["Floor", "Here", "Span", "spans"]

_END = 2**63 - 1


class Span(NamedTuple):
    """An item stood at a place from ``start`` until ``until``, since ``since``.

    It can have been there before it left the site and came back to the same place:
    then ``since`` is before ``start``.
    """

    place: str
    since: int
    start: int
    until: int


class Here(msgspec.Struct, frozen=True, kw_only=True):
    """What stood at a place: how many, since when the oldest and the middle one."""

    place: str
    count: int
    oldest: int
    median: int


def spans(telling: Telling, item: str) -> Iterator[Span]:
    """Tell in which spans an item stood where, the last one without an end."""
    place: str | None = None
    since = start = 0
    gone = False
    for moment in telling.world.story(item):
        shown = moment.shown
        now, was_gone, was_at = shown.order.occurred, gone, place
        gone = gone if shown.gone is None else shown.gone
        place = place if shown.location is None else shown.location
        if (place, gone) == (was_at, was_gone):
            continue
        if was_at is not None and not was_gone and start < now:
            yield Span(was_at, since, start, now)
        since, start = now if place != was_at else since, now
    if place is not None and not gone:
        yield Span(place, since, start, _END)


class Floor:
    """What stood where from one moment on.

    Args:
        begin: The moment. What is told with `stands` was told of nothing since.
        every: One of so many of the items that moved was looked at so far.
    """

    def __init__(self, begin: int, every: int = 1) -> None:
        self.begin, self.every = begin, every
        self._standing: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._moving: list[tuple[str, Span]] = []
        self._moved: set[str] = set()

    def stands(self, place: str, since: int) -> None:
        """Take in an item that has stood at a place all the time."""
        self._standing[place].append(since)

    def moves(self, item: str, found: Iterable[Span]) -> None:
        """Take in the spans of an item that was told of something since."""
        self._moved.add(item)
        self._moving += ((item, span) for span in found if span.until > self.begin)

    def estimate(self, every: int) -> "Floor":
        """Return the same as an estimate, from one of so many of those that moved."""
        found = Floor(self.begin, every)
        found._standing, found._moving = self._standing, list(self._moving)
        found._moved = set(self._moved)
        return found

    @property
    def looked(self) -> int:
        """How many of the items that moved were looked at."""
        return len(self._moved)

    def moved(self, item: str) -> bool:
        """Whether an item was told of something since."""
        return item in self._moved

    def at(self, moment: int) -> list[Here]:
        """Return what stood where at a moment, by place; places of nothing left out."""
        moving: defaultdict[str, list[int]] = defaultdict(list)
        for _, span in self._moving:
            if span.start <= moment < span.until:
                moving[span.place] += [span.since] * self.every
        places = sorted({*self._standing, *moving})
        return [
            _here(place, sorted([*self._standing.get(place, ()), *moving[place]]))
            for place in places
        ]

    def moving(self, moment: int) -> int:
        """Count what stood somewhere at a moment, of the items that moved."""
        stood = (span.start <= moment < span.until for _, span in self._moving)
        return sum(stood) * self.every

    def count(self, place: str, moment: int) -> int:
        """Count what stood at a place at a moment."""
        return len(self._standing.get(place, ())) + len(self.names(place, moment))

    def names(self, place: str, moment: int) -> list[str]:
        """Return the items that stood at a place at a moment, of those that moved."""
        return sorted(
            item
            for item, span in self._moving
            if span.place == place and span.start <= moment < span.until
        )


def _here(place: str, since: list[int]) -> Here:
    return Here(
        place=place,
        count=len(since),
        oldest=since[0],
        median=since[(len(since) - 1) // 2],
    )
