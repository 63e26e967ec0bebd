"""Items told anew, from their first event on, in pieces. Pure.

What came late changes what is known since, of the items that it may bear on. Between
two pieces other events may come, which are set aside where they concern any of these;
what is told anew is right all the same, as of the events that were here by then.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

import msgspec

from server.events import Event, Order
from server.exceptions import Case
from server.fold import Scratch
from server.history import Role, gathering
from server.kept import Kept
from server.known import Known
from server.site import Site

__all__ = ["Ground", "Late", "Round"]

K = TypeVar("K")

MANY, GROUP, PIECE = 1_000, 10_000, 500
"""Keys looked at in a piece, items told together at most, events told in a piece."""

_CONTAINER, _PLACE, _SUBJECT = (Role.CONTAINER,), (Role.PLACE,), (Role.SUBJECT,)


class Late(msgspec.Struct):
    """What has to be told anew: what events touched, and since when."""

    keys: set[str] = msgspec.field(default_factory=set)
    since: int = 2**63 - 1

    def add(self, occurred: int, keys: Collection[str]) -> None:
        """Note that something happened to items that they were not told in order."""
        if keys:
            self.keys.update(keys)
            self.since = min(self.since, occurred)


class Ground(Protocol):
    """What is known, as the writer works on it."""

    def parts(
        self, keys: Collection[str], roles: Collection[Role]
    ) -> Iterable[list[Event]]:
        """Return the events that speak of any of the keys, some at a time."""

    def load(self, keys: Collection[str]) -> None:
        """Have these items at hand."""

    def get(self, key: str) -> Kept:
        """Return what is kept of an item, to look at."""

    def within(self, containers: Collection[str]) -> Iterable[str]:
        """Return what is directly in any of the containers."""

    def expecting_ever(self, load: str) -> list[str]:
        """Return what was ever expected on a load."""

    def replace(self, key: str, known: Known, case: Case) -> None:
        """Keep what was told anew of an item."""

    def heard_later(self, container: str, last: Order) -> None:
        """Note when a container, which is not told anew, was last spoken of."""


class Round:
    """Tells anew what came late, and all that it may bear on.

    Args:
        ground: What is known.
        site: The site's rules.
        late: What came late.

    ``keys`` are the items that are told anew, as far as they are found. ``around`` are
    other containers that bear on them, ``touched`` what other events changed since it
    began, ``later`` when the first of those happened, ``counts`` the places that were
    counted, and when.
    """

    def __init__(self, ground: Ground, site: Site, late: Late) -> None:
        self.keys, self.since = set(late.keys), late.since
        self.around: set[str] = set()
        self.touched: set[str] = set()
        self.later = 2**63 - 1
        self.counts: list[tuple[str, int]] = []
        self._ground, self._site = ground, site
        self._pieces = self._run()

    def go_on(self) -> int | None:
        """Do the next piece; return how much it was, ``None`` where it is done."""
        return next(self._pieces, None)

    def missable(self, case: Case) -> bool:
        """Whether a count that came or was taken back meanwhile may concern it."""
        return any(
            case.location == place
            or any(left == place and when > moment for left, when in case.left)
            for place, moment in self.counts
        )

    def _run(self) -> Iterator[int]:
        yield from self._find()
        groups = list(_cut(self.keys, GROUP))
        for group in groups:
            yield from self._tell(set(group), whole=len(groups) == 1)
        self.around -= self.keys

    def _find(self) -> Iterator[int]:
        """Find every item whose answer what came late may change.

        The evidence of a container is that of its contents; where an item was taken
        out of what is not named, that is found from the item's own events; and what
        was expected on a load looks at when it left.
        """
        ground = self._ground
        ground.load(self.keys)
        taken_out = [key for key in self.keys if ground.get(key).taken_out]
        for events in ground.parts(taken_out, _SUBJECT):
            self.keys |= _containers(events)
            yield len(events)
        todo = set(self.keys)
        while todo:
            found: set[str] = set()
            for some in _cut(todo, MANY):
                yield from self._within(some, found)
            todo = found - self.keys
            self.keys |= found
        for some in _cut(list(self.keys), MANY):
            ground.load(some)
            for load in [key for key in some if ground.get(key).known.awaited]:
                self.keys.update(ground.expecting_ever(load))
            yield 0

    def _within(self, containers: Collection[str], found: set[str]) -> Iterator[int]:
        """Find what is in any of these, or was and was told of something since."""
        found.update(self._ground.within(containers))
        yield len(found)
        for events in self._ground.parts(containers, _CONTAINER):
            ever = {e.line.item for e in events if e.line.item is not None}
            self._ground.load(ever)
            found.update(
                key for key in ever if self._ground.get(key).known.told >= self.since
            )
            yield len(events)

    def _tell(self, group: set[str], *, whole: bool) -> Iterator[int]:
        events: dict[Order, Event] = {}
        yield from gathering(self._ground.parts, group, events)
        places = {e.line.location for e in events.values()} - {None}
        for counts in self._ground.parts([p for p in places if p], _PLACE):
            events.update((count.order, count) for count in counts)
            yield len(counts)
        scratch = Scratch(self._site, events.values(), group)
        while taken := scratch.take(PIECE):
            yield taken
        for container in scratch.containers - self.keys:
            last = scratch.book.known(container).last
            self._ground.heard_later(container, last)
        self.around |= scratch.containers
        for some in _cut(group, MANY):
            self._ground.load(some)
            for key in some:
                known = scratch.book.known(key)
                if not whole:  # what it has in common with other groups is not known
                    known.common = None
                self._ground.replace(key, known, scratch.cases[key])
            yield len(some)


def _containers(events: Iterable[Event]) -> set[str]:
    return {e.line.container for e in events if e.line.container is not None}


def _cut(keys: Collection[K], many: int) -> Iterator[list[K]]:
    rest = iter(list(keys))
    while some := list(islice(rest, many)):
        yield some
