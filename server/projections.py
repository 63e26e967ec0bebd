"""The present answer of every item, kept as events come. Pure.

An event that is later than all that is known of what it concerns is folded into what
is kept, and costs the same whatever the history. Any other (it came late, or took
something back) changes what is known since: the items that it may bear on are told
anew, from their first event on, once for all events that came together. Either way
the answers are those that telling everything from the first event on would give.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from server.anew import Late, Round
from server.events import BEGINNING, Event, Order
from server.exceptions import Case
from server.fold import Fold, named
from server.history import Reader, Role, mentions
from server.kept import Kept, Unwritten, heard
from server.known import Known
from server.site import Site
from server.versions import Rows, Versions
from shared.actions import Place, Stay
from shared.lines import Line

__all__ = ["Arrived", "Projection", "Shelf"]

_SUBJECT, _TAKEN_OUT = 1 << Role.SUBJECT, 1 << Role.TAKEN_OUT


class Arrived(NamedTuple):
    """An event that was written at a position of the server's own order."""

    position: int
    event: Event


class Shelf(Reader, Rows, Protocol):
    """Keeps what is written of items; reads events as known now."""

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container, by what is written."""

    def at(self, location: str, since: int) -> list[str]:
        """Return what a count of a location may concern, by what is written.

        That is what is here, in nothing, and what was told of anything ``since``.
        """

    def moved(self, location: str, since: int) -> list[str]:
        """Return what left a location later than at a moment, by what is written."""

    def expecting(self, load: str) -> list[str]:
        """Return what was ever expected on a load."""

    def counted(self, location: str) -> int:
        """Return when the location was last counted; before everything if never."""

    def parts(
        self, keys: Collection[str], roles: Collection[Role]
    ) -> Iterable[list[Event]]:
        """Return the same as ``about``, some at a time."""

    def find(self, event: str) -> Event | None:
        """Return an event by its name, if it is here and was understood."""

    def note(
        self,
        counted: Iterable[tuple[str, int, int]],
        expected: Iterable[tuple[str, str]],
        departed: Iterable[tuple[int, int, str]],
    ) -> None:
        """Write counts, expectations and departures.

        That is location, when, position; load, item; and when, position, item.
        """


class Projection:
    """What is known of items, as the writer works on it.

    It is the `server.known.Book` and the `server.fold.Cases` of its own fold. What it
    does counts once that is durable (`commit`), or never (`forget`).

    Args:
        shelf: What is written, and what speaks of an item by what is not, too.
        site: The site's rules.
        versions: What is known of items, by the same shelf.
        work: How many events may be told anew with those that came late, about; the
            rest is left to `settle`.

    ``settled``: nothing is left. Else what is kept of some items is not right yet.
    """

    def __init__(
        self,
        shelf: Shelf,
        site: Site,
        versions: Versions,
        *,
        work: int = 2**63 - 1,
    ) -> None:
        self._shelf, self._site = shelf, site
        self._taking_out = {
            name
            for name, action in site.actions.items()
            if action.shows_container and action.stay is Stay.LEAVES
        }
        self._departing = {
            name for name, action in site.actions.items() if action.place is Place.GONE
        }
        self._versions = versions
        self._get = self._versions.get
        self._work = work
        self._fold = Fold(site, self, self)
        self.parts, self.load, self.get = shelf.parts, self._versions.load, self._get
        self._late = Late()
        self._round: Round | None = None
        self._told: list[Round] = []
        self.settled = True
        self._contents: dict[str, dict[str, None]] = {}
        self._counts: dict[str, int] = {}
        self._begin(versions.durable)
        self._wrote()

    @property
    def unwritten(self) -> Unwritten:
        """What is not written."""
        return self._versions.unwritten

    def _begin(self, taken: int) -> None:
        self._versions.begin(taken)
        self._changed = self._versions.changed
        self._left: list[str] = []
        self._now = BEGINNING

    def _wrote(self) -> None:
        self._moved: dict[str, dict[str, None]] = {}
        self._places: dict[str, set[str]] | None = None

    @property
    def late(self) -> Late:
        """What has to be told anew, and no round has begun with."""
        return self._late

    @property
    def behind(self) -> bool:
        """Whether anything is not written."""
        return self._versions.behind

    @property
    def taken(self) -> int:
        """The position up to which lines are taken in for good."""
        return self._versions.durable

    @property
    def full(self) -> bool:
        """Whether it is time to `write`."""
        return self._versions.full

    def take(self, arrived: Collection[Arrived], last: int) -> None:
        """Take in events that came together, up to the line at position ``last``."""
        self._begin(last)
        self._mention(arrived)
        for one in sorted(arrived, key=_order):
            if one.event.voided_by is None:
                self._take(one.event)
        if self._round is None:
            self._go_on(self._work)
        elif arrived:
            self._round.touched.update(self._changed)
            first = min(one.event.order.occurred for one in arrived)
            self._round.later = min(self._round.later, first)
        self._versions.publish()
        self.settled = self._nothing_left()

    def settle(self, work: int) -> None:
        """Tell anew some of what is left, in a transaction of its own."""
        self._begin(self.taken)
        self._go_on(work)
        self._versions.publish()
        # what is kept is right as soon as it is shown
        self.settled = self._nothing_left()

    def rewrite(
        self,
        told: Round,
        found: Iterable[tuple[str, Known, Case]],
        later: Iterable[tuple[str, Order]],
    ) -> None:
        """Keep what a round that was told elsewhere has found, some of it.

        Args:
            told: The round, and which counts came since.
            found: What it told anew of some items.
            later: Other containers that it looked at, and when each was last spoken of.
        """
        self._begin(self.taken + 1)
        self._round = told
        replaced = []
        for key, known, case in found:
            self.replace(key, known, case)
            replaced.append(key)
        for container, last in later:
            self.heard_later(container, last)
        self._share(told, replaced)
        self._round = None
        self._versions.publish()
        self.settled = self._nothing_left()

    def write(self) -> None:
        """Write what is not written."""
        if self.full:
            self._contents = {}
        self._versions.write()

    def commit(self) -> None:
        """Note that what was done last is durable."""
        if self._places is not None:
            _note_places(self._places, self._changed.values())
        if self._versions.commit():
            self._wrote()
        self._changed = self._versions.changed
        self._told = []

    def forget(self) -> None:
        """Note that what was done last failed."""
        self._versions.forget()
        self._changed = self._versions.changed
        self._contents, self._counts = {}, {}
        for begun in (*self._told, *filter(None, (self._round,))):
            self._late.add(begun.since, begun.keys)
        self._told, self._round = [], None
        self.settled = self._nothing_left()

    def _mention(self, arrived: Iterable[Arrived]) -> None:
        told: list[tuple[str, int]] = []
        counted: list[tuple[str, int, int]] = []
        expected: list[tuple[str, str]] = []
        departed: list[tuple[int, int, str]] = []
        for where, event in arrived:
            line = event.line
            if line.item is not None and self._departs(line):
                departed.append((event.order.occurred, where, line.item))
            if line.container is None and line.items is None and line.item is not None:
                out = line.action in self._taking_out and line.refused is None
                ways = _SUBJECT | _TAKEN_OUT if out else _SUBJECT
                told.append((line.item, heard(where, ways)))
                continue
            bits: dict[str, int] = {}
            for key, role in mentions(event.line, self._site.actions):
                if role is not Role.PLACE:
                    bits[key] = bits.get(key, 0) | 1 << role
                else:
                    counted.append((key, event.order.occurred, where))
            told.extend((key, heard(where, ways)) for key, ways in bits.items())
            expected.extend(_expected(event))
        self._shelf.note(counted, expected, departed)
        self._versions.load({key for key, _ in told})
        for key, number in told:
            kept = self._changed[key]
            kept.heard.append(number)
            if number & _TAKEN_OUT:
                kept.taken_out = True

    def _departs(self, line: Line) -> bool:
        return line.action in self._departing and line.refused is None

    # --- one event --------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        line, self._now = event.line, event.order
        involved = self._fold.involved(event)
        if self._in_order(event, involved):
            shown = self._fold.apply(event, involved)
            self._check_counts(event.order, shown)
            if self._left:
                self._check_counts(event.order, self._left)
                self._left.clear()
        else:
            self._set_aside(event, involved)
        if line.action == "count" and line.refused is None:
            self._late.add(event.order.occurred, self._left_since(event))
            self._count(line.location or "", event.order.occurred)
        if line.action == "void" and line.refused is None:
            self._take_back(line.voids or "")

    def _in_order(self, event: Event, involved: Mapping[str, Known]) -> bool:
        """Whether nothing that it concerns is known to be later, or to be told anew."""
        order, late, telling = event.order, self._late.keys, self._telling
        for key, known in involved.items():
            if known.last >= order or key in late or key in telling:
                return False
        if event.line.action == "expect" and event.line.container is not None:
            # whether it left with the item has to be looked up
            return not self.known(event.line.container).gone
        return True

    def _set_aside(self, event: Event, involved: Iterable[str]) -> None:
        occurred = event.order.occurred
        self._late.add(occurred, named(event))
        for key in involved:
            self.heard_later(key, event.order)
        if event.line.action == "count" and event.line.location is not None:
            self._late.add(occurred, self._placed(event.line.location, occurred))

    def heard_later(self, container: str, last: Order) -> None:
        """Note when something was last spoken of, or anything in it."""
        if last > self._get(container).known.last:
            self.known(container).last = last

    def _take_back(self, name: str) -> None:
        event = self._shelf.find(name)
        if event is not None and (event.line.action != "void" or event.line.refused):
            self._set_aside(event, self._fold.involved(event))
            if event.line.action == "count" and not event.line.refused:
                self._late.add(event.order.occurred, self._left_since(event))
                self._note_counted(event.line.location or "", event.order.occurred)

    def _check_counts(self, order: Order, items: Iterable[str]) -> None:
        """Tell anew what was shown at a place that was counted after that."""
        for item in items:
            place = self._changed[item].known.location
            location = None if place is None else place.value
            if location is not None and self._counted(location) >= order.occurred:
                self._late.add(order.occurred, (item,))

    def _counted(self, location: str) -> int:
        found = self._counts.get(location)
        if found is None:
            found = self._counts[location] = self._shelf.counted(location)
        return found

    def _left_since(self, count: Event) -> set[str]:
        """Return what was at a counted place, and knows that it left it later."""
        location, since = count.line.location or "", count.order.occurred
        lately = {*self._changed, *self._placed_lately(location)}
        self._versions.load(lately)
        return {
            *self._shelf.moved(location, since),
            *(key for key in lately if _left(self._get(key), location, since)),
        }

    def _count(self, location: str, occurred: int) -> None:
        self._counts[location] = max(self._counted(location), occurred)
        self._note_counted(location, occurred)

    def _note_counted(self, location: str, occurred: int) -> None:
        """Let a round know of a count that it may not have read as it is now."""
        if self._round is not None:
            self._round.counts.append((location, occurred))

    # --- what came late ---------------------------------------------------------------

    def _nothing_left(self) -> bool:
        return self._round is None and not self._late.keys

    @property
    def _telling(self) -> Collection[str]:
        """What is being told anew."""
        return () if self._round is None else self._round.keys

    def _go_on(self, work: int) -> None:
        while work > 0 and not self._nothing_left():
            if self._round is None:
                self._versions.publish()
                self._round = Round(self, self._site, self._late)
                self._late = Late()
            done = self._round.go_on()
            if done is None:
                self._end(self._round)
            work -= done or 1

    def _end(self, told: Round) -> None:
        self._told.append(told)
        self._round = None
        self._share(told, told.keys)
        self._late.add(told.later, told.around & told.touched)

    def _share(self, told: Round, keys: Collection[str]) -> None:
        """Let what items are in, where that is not told anew, know of them."""
        self._versions.load(keys)
        for key in keys:
            around = self._get(key).known.container
            if around is not None and around not in told.keys:
                self._fold.world.share(key)

    def replace(self, key: str, known: Known, case: Case) -> None:
        """Keep what was told anew of an item."""
        kept = self._changed[key]
        before = kept.known
        known.awaited = known.awaited or before.awaited
        known.restless = known.restless or known.awaited
        # what spoke of what was in it may not have been read
        known.last = max(known.last, before.last)
        if before.container != known.container:
            self._recount(before.container, -1)
            self._recount(known.container, 1)
            for container in (before.container, known.container):
                self._contents.pop(container or "", None)
        if known.container is not None:
            self._moved.setdefault(known.container, {})[key] = None
        kept.known, kept.case, kept.anew = known, case, True
        if self._round is not None and self._round.missable(case):
            self._late.add(self._round.later, (key,))

    def _recount(self, container: str | None, change: int) -> None:
        if container is not None and container not in self._telling:
            self.known(container).contents += change

    # --- the book and the cases of the fold -------------------------------------------

    def known(self, item: str) -> Known:
        """Return what is known of an item, to be changed in place."""
        return self._changed[item].known

    def case(self, item: str) -> Case:
        """Return an item's case, to be changed in place."""
        return self._changed[item].case

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container."""
        found = self._contents.get(container)
        if found is None:
            keys = {*self._shelf.inside(container), *self._moved.get(container, ())}
            self._versions.load(keys)
            found = {k: None for k in keys if self._get(k).known.container == container}
            self._contents[container] = found
        return list(found)

    def within(self, containers: Collection[str]) -> set[str]:
        """Return what is directly in any of the containers."""
        return {key for container in containers for key in self.inside(container)}

    def told(self, container: str) -> list[str]:
        """Return what is in a container, of what is not told anew in any case."""
        return self._in_time(self.inside(container))

    def expecting(self, load: str) -> list[str]:
        """Return the items that were ever expected on a load."""
        return self._in_time(self._shelf.expecting(load))

    def expecting_ever(self, load: str) -> list[str]:
        """Return what was ever expected on a load, whatever it knows."""
        return self._shelf.expecting(load)

    def at(self, location: str) -> list[str]:
        """Return the items that are here, at a location and in nothing."""
        return self._in_time(self._placed(location, 2**63 - 1))

    def _placed(self, location: str, since: int) -> list[str]:
        keys = {*self._shelf.at(location, since), *self._changed}
        keys.update(self._placed_lately(location))
        self._versions.load(keys)
        return [key for key in keys if _is_at(self._get(key), location, since)]

    def _placed_lately(self, location: str) -> Collection[str]:
        """Return what may be at a location by batches that are not written."""
        if self._places is None:
            self._places = {}
            _note_places(self._places, self.unwritten)
        return self._places.get(location, ())

    def _in_time(self, keys: Iterable[str]) -> list[str]:
        """Leave out what knows of something later, and have it told anew."""
        found, now, telling = [], self._now, self._telling
        for key in keys:
            if self._get(key).known.last <= now and key not in telling:
                found.append(key)
            else:
                self._late.add(now.occurred, (key,))
        return found

    def enter(self, item: str, container: str) -> None:
        """Note that an item is in a container from here on."""
        self._moved.setdefault(container, {})[item] = None
        if container in self._contents:
            self._contents[container][item] = None
        elif self._changed[container].known.contents == 1:  # there was nothing in it
            self._contents[container] = {item: None}

    def leave(self, item: str, container: str) -> None:
        """Note that an item is in a container no more."""
        self._left.append(item)
        _ = self._changed[item]
        if container in self._contents:
            self._contents[container].pop(item, None)


def _order(arrived: Arrived) -> Order:
    return arrived.event.order


def _expected(event: Event) -> list[tuple[str, str]]:
    line = event.line
    if (
        line.action == "expect"
        and line.refused is None
        and line.item
        and line.container
    ):
        return [(line.container, line.item)]
    return []


def _note_places(places: dict[str, set[str]], kept: Iterable[Kept]) -> None:
    for one in kept:
        place = one.known.location
        if place is not None and place.value is not None:
            places.setdefault(place.value, set()).add(one.key)
        for former, _ in one.case.left:
            places.setdefault(former, set()).add(one.key)


def _left(kept: Kept, location: str, since: int) -> bool:
    return any(at == location and when > since for at, when in kept.case.left)


def _is_at(kept: Kept, location: str, since: int) -> bool:
    place, known = kept.known.location, kept.known
    if place is None or place.value != location:
        return False
    return (known.container is None and not known.gone) or kept.known.told >= since
