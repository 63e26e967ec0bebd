"""Events taken in one after the other: what is known of each item, and what is wrong.

Pure. There is one way from events to answers, whether all events of an item are told
from the first on, or only those that came since: a `Fold` takes in the next event.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import Protocol

from server.events import Event, Order
from server.exceptions import Case, remember, repeats, take
from server.known import Book, Known, Notes
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
    if line.items is None and line.container is None:
        return [] if line.item is None else [line.item]
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
        self._heard: list[tuple[str, Known, Moment]] = []
        self._loads: dict[str, dict[str, bool | None]] = {}

    def involved(self, event: Event) -> dict[str, Known]:
        """Return what is known of all that an event names, and of what that is in."""
        found: dict[str, Known] = {}
        for name in named(event):
            key: str | None = name
            while key is not None and key not in found:
                found[key] = known = self._known(key)
                key = known.container
        return found

    def apply(self, event: Event, involved: Mapping[str, Known]) -> Collection[str]:
        """Take in the next event, and return the items that it shows anything of."""
        for key in named(event):
            involved[key].named = True
        line = event.line
        shown: Collection[str] = ()
        if self.world.apply(event):
            shown = self._show(event.order)
        elif line.item is not None:
            self._say(line.item, event)
        if line.action == "count" and line.refused is None:
            self._count(event)
        for known in involved.values():
            known.last = event.order
        return shown

    def _hear(self, item: str, known: Known, moment: Moment) -> None:
        self._heard.append((item, known, moment))
        if known.awaited and moment.shown.gone is not None:
            for other in self._cases.expecting(item):
                aboard = item in self.world.path(other) if moment.shown.gone else None
                self._loads.setdefault(other, {})[item] = aboard

    def _show(self, order: Order) -> Collection[str]:
        heard, loads = self._heard, self._loads
        self._heard = []
        if len(heard) == 1 and not loads:
            ((item, known, moment),) = heard
            case = self._cases.case(item)
            if case is None:
                return ()
            if not known.restless and repeats(case, moment.shown, self._site):
                remember(case, moment.shown)
            else:
                self._tell(item, order, (moment,))
            return (item,)
        self._loads = {}
        moments: dict[str, list[Moment]] = {}
        for item, _, moment in heard:
            moments.setdefault(item, []).append(moment)
        for item, shown in moments.items():
            self._tell(item, order, shown, loads=loads.pop(item, _NO_LOADS))
        for item, told in loads.items():
            self._known(item).last = order
            self._tell(item, order, loads=told)
        return moments.keys()

    def _say(self, item: str, event: Event) -> None:
        load, title = event.line.container, event.line.title
        if title is not None:
            self._known(item).title = title
        if event.line.action == "expect" and load is not None:
            self._known(load).awaited = True
            self.world.disturb(load)
        self._tell(item, event.order, said=event)

    def _count(self, event: Event) -> None:
        seen = event.subjects()
        for item in self._cases.at(event.line.location or ""):
            if item not in seen:
                self._known(item).last = event.order
                self._tell(item, event.order, said=event)

    def _tell(
        self,
        item: str,
        order: Order,
        moments: Sequence[Moment] = (),
        *,
        said: Event | None = None,
        loads: _Loads = _NO_LOADS,
    ) -> None:
        case, known, site = self._cases.case(item), self._known(item), self._site
        if case is None:
            return
        if said is None and not loads and not known.restless:
            moments = _finding(case, moments, site)
            if not moments:
                return
        told = tuple(moments)
        take(case, Step(item, order, told, said, loads, known.container, site))
        if case.restless or known.awaited:
            self.world.disturb(item)
        elif known.restless:
            known.restless = False


def _finding(case: Case, moments: Sequence[Moment], site: Site) -> Sequence[Moment]:
    """Remember what repeats; return the moments as soon as one may find something."""
    for moment in moments:
        if not repeats(case, moment.shown, site):
            return moments
    for moment in moments:
        remember(case, moment.shown)
    return ()


class Scratch:
    """Answers told from the first event on: the `Cases` and the book of a whole fold.

    Args:
        site: The site's rules.
        events: All that bears on the items, in whatever order.
        items: Those whose answers are asked for.

    ``containers`` are all that the events name.
    """

    def __init__(
        self, site: Site, events: Collection[Event], items: Iterable[str]
    ) -> None:
        self.cases = {item: Case() for item in items}
        self.case = self.cases.get
        self.containers = {
            e.line.container for e in events if e.line.container is not None
        }
        self.book = Notes(frozenset({*self.cases, *self.containers}))
        self._expecting: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._fold = Fold(site, self.book, self)
        self.world = self._fold.world
        told = [event for event in events if event.voided_by is None]
        self._expect(told)
        self._rest = iter(sorted(told, key=attrgetter("order")))

    def take(self, many: int) -> int:
        """Take in the next events, so many at most; return how many there were."""
        some = list(islice(self._rest, many))
        for event in some:
            self._fold.apply(event, self._fold.involved(event))
        return len(some)

    def _expect(self, events: Iterable[Event]) -> None:
        """Note what was ever expected, so that earlier departures are told, too."""
        for event in events:
            line = event.line
            expects = line.action == "expect" and line.refused is None
            if expects and line.item and line.container:
                self._expecting[line.container][line.item] = None
                load = self.book.known(line.container)
                load.awaited = load.restless = True

    def expecting(self, load: str) -> Collection[str]:
        """Return the items that were ever expected on a load."""
        return self._expecting[load].keys()

    def at(self, location: str) -> list[str]:
        """Return the items whose place is this location."""
        return [item for item in self.cases if self.world.location(item) == location]
