"""Events taken in one after the other: what is known of each item, and what is wrong.

Pure. There is one way from events to answers, whether all events of an item are told
from the first on, or only those that came since: a `Fold` takes in the next event.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Protocol

from server.events import Event, Order
from server.exceptions import Case, take
from server.known import Book, Notes
from server.resolve import Moment, World
from server.site import Site
from server.steps import Step

__all__ = ["Cases", "Fold", "Scratch", "named"]

_Loads = Mapping[str, bool | None]
_NO_LOADS: _Loads = MappingProxyType({})


class Cases(Protocol):
    """Keeps what is wrong with items, and finds those that an event concerns."""

    def case(self, item: str) -> Case | None:
        """Return an item's case, to be changed in place; ``None``: nobody asks."""

    def expecting(self, load: str) -> Collection[str]:
        """Return the items that were ever expected on a load."""

    def at(self, location: str) -> Iterable[str]:
        """Return the items whose place is this location."""


def named(event: Event) -> list[str]:
    """Return the items that an event names, what it is about first."""
    line = event.line
    items = list(event.subjects())
    if line.container is not None and line.refused is None:
        items.append(line.container)
    return items


class Fold:
    """Takes in events, in order and not voided."""

    def __init__(self, site: Site, book: Book, cases: Cases) -> None:
        self.world = World(site.actions, book=book, hear=self._hear)
        self._site = site
        self._known = book.known
        self._cases = cases
        self._moments: dict[str, list[Moment]] = {}
        self._loads: dict[str, dict[str, bool | None]] = {}

    def involved(self, event: Event) -> list[str]:
        """Return what an event names, and what that is in."""
        keys = named(event)
        for key in keys:  # it grows while it is walked
            container = self._known(key).container
            if container is not None and container not in keys:
                keys.append(container)
        return keys

    def apply(self, event: Event, involved: Iterable[str]) -> Collection[str]:
        """Take in the next event, and return the items that it shows anything of."""
        for key in named(event):
            self._known(key).named = True
        shown: Collection[str] = ()
        if event.action(self._site.actions).evidence:
            self.world.apply(event)
            shown = self._show(event.order)
        elif event.line.item is not None:
            self._say(event.line.item, event)
        if event.line.action == "count" and event.line.refused is None:
            self._count(event)
        for key in involved:
            self._known(key).last = event.order
        return shown

    def _hear(self, item: str, moment: Moment) -> None:
        self._moments.setdefault(item, []).append(moment)
        gone = moment.shown.gone
        if gone is not None and self._known(item).awaited:
            for other in self._cases.expecting(item):
                aboard = item in self.world.path(other) if gone else None
                self._loads.setdefault(other, {})[item] = aboard

    def _show(self, order: Order) -> Collection[str]:
        heard, loads = self._moments, self._loads
        self._moments, self._loads = {}, {}
        for item, moments in heard.items():
            self._tell(item, order, tuple(moments), None, loads.pop(item, _NO_LOADS))
        for item, told in loads.items():
            self._known(item).last = order
            self._tell(item, order, (), None, told)
        return heard.keys()

    def _say(self, item: str, event: Event) -> None:
        load, title = event.line.container, event.line.title
        if title is not None:
            self._known(item).title = title
        if event.line.action == "expect" and load is not None:
            self._known(load).awaited = True
            self._disturb(load)
        self._tell(item, event.order, (), event, _NO_LOADS)

    def _count(self, event: Event) -> None:
        seen = event.subjects()
        for item in self._cases.at(event.line.location or ""):
            if item not in seen:
                self._known(item).last = event.order
                self._tell(item, event.order, (), event, _NO_LOADS)

    def _tell(
        self,
        item: str,
        order: Order,
        moments: tuple[Moment, ...],
        said: Event | None,
        loads: _Loads,
    ) -> None:
        case = self._cases.case(item)
        if case is None:
            return
        known = self._known(item)
        take(case, Step(order, moments, said, loads, known.container, self._site))
        if case.restless or known.awaited:
            self._disturb(item)
        else:
            known.restless = False

    def _disturb(self, item: str) -> None:
        """Let every piece of evidence reach the item, whatever the others know."""
        known = self._known(item)
        if known.restless:
            return
        known.restless = True
        for container in self.world.path(item):
            self._known(container).common = None


class Scratch:
    """Answers told from the first event on: the `Cases` and the book of a whole fold.

    Args:
        site: The site's rules.
        events: All that bears on the items, in whatever order.
        items: Those whose answers are asked for.
    """

    def __init__(
        self, site: Site, events: Collection[Event], items: Iterable[str]
    ) -> None:
        self.cases = {item: Case(item) for item in items}
        self.case = self.cases.get
        containers = {e.line.container for e in events if e.line.container is not None}
        self.book = Notes(frozenset({*self.cases, *containers}))
        self._expecting: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._fold = Fold(site, self.book, self)
        self.world = self._fold.world
        told = [event for event in events if event.voided_by is None]
        self._expect(told)
        for event in sorted(told, key=attrgetter("order")):
            self._fold.apply(event, self._fold.involved(event))

    def _expect(self, events: Iterable[Event]) -> None:
        """Note what was ever expected, so that earlier departures are told, too."""
        for event in events:
            line = event.line
            expects = line.action == "expect" and line.refused is None
            if expects and line.item and line.container:
                self._expecting[line.container][line.item] = None
                self.book.known(line.container).awaited = True

    def expecting(self, load: str) -> Collection[str]:
        """Return the items that were ever expected on a load."""
        return self._expecting[load].keys()

    def at(self, location: str) -> list[str]:
        """Return the items whose place is this location."""
        return [item for item in self.cases if self.world.location(item) == location]
