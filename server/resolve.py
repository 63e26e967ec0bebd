"""Where is it, since when, on what evidence: contract, section 5. Pure.

The rules, in the order in which they are applied to each event:

1. Events count in the order (occurred, log, seq); voided ones do not count.
2. An own action that leaves, or a look that contradicts the container's place, or that
   comes after the container has gone, ends the stay in the container.
3. The event shows the item's status, place, holder, and whether it is here or gone.
   A look that ends a stay, or finds what had gone, shows the status "found".
4. What packs, unpacks, loads or unloads shows where the container was, too.
5. An action that enters ends the stay in what the item was in before, and begins one,
   unless the item would be in itself: then it is in nothing.
6. An ``empty`` ends the stays of all that is in the item.
7. What one event sees together is taken from the outside in.

A `World` takes in events in order. What an event shows of an item (`Shown`) is told to
the item and to all that is in it, and what is then true of each is kept (`Known`), so
that the next event costs no look back.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

import msgspec

from server.events import Event, Order
from server.known import Book, Common, Known, Notes, Since, extended
from shared.actions import ACTIONS, Action, Actions, Holder, Place, Stay

__all__ = [
    "Moment",
    "Residence",
    "Resolution",
    "Shown",
    "Since",
    "World",
    "alone",
    "resolve",
]

_END = Order(2**63, "", 0)

# by names of this module's own, because those of an enum's members are slow to find
_LOOKS, _LEAVES, _ENTERS = Stay.LOOKS, Stay.LEAVES, Stay.ENTERS
_KEEPS, _TAKES = Holder.KEEPS, Holder.TAKES
_UNSAID, _GONE = Place.UNSAID, Place.GONE


class Shown(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one event shows of one item.

    ``holder`` counts only where ``holds`` is true; ``None`` in it means nobody.
    ``gone`` is ``None`` where the event says nothing of it. ``was_gone``: the item had
    gone before. ``left`` names the container whose stay a look ended although it had
    not gone. ``into_gone``: what the item was put into had already gone. ``own`` is
    false for what another item's scan shows of its container.
    """

    event: Event
    action: Action
    status: str | None = None
    location: str | None = None
    holds: bool = False
    holder: str | None = None
    gone: bool | None = None
    was_gone: bool = False
    left: str | None = None
    into_gone: bool = False
    own: bool = True

    @property
    def order(self) -> Order:
        """The event's place among all."""
        return self.event.order


class Residence(msgspec.Struct, kw_only=True):
    """A stay in a container: after ``start``, up to and including ``end``."""

    container: str
    start: Order
    end: Order = _END

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.end == _END


class Moment(NamedTuple):
    """A piece of evidence in an item's story; ``via`` is the container it came by."""

    shown: Shown
    via: str | None


class Resolution(NamedTuple):
    """The answer of section 5 for one item, before exceptions.

    What there is no evidence of is ``None``. ``path`` is nearest first.
    """

    status: Since | None
    location: Since | None
    custodian: Since | None
    path: tuple[str, ...]
    gone: bool


class World:
    """What a set of events shows. Feed them in order, each once.

    Args:
        actions: The site's table.
        book: Where to keep what is known.
        hear: Told of each piece of evidence, to whom it came; what repeats what all
            contents of a container know already is then left out for them. Without it
            every item's story and stays are kept.
    """

    def __init__(
        self,
        actions: Actions = ACTIONS,
        *,
        book: Book | None = None,
        hear: Callable[[str, Known, Moment], None] | None = None,
    ) -> None:
        self._actions = actions
        self._book = Notes() if book is None else book
        self.known = self._known = self._book.known
        self._recording = hear is None
        self._stories: defaultdict[str, list[Moment]] = defaultdict(list)
        self._stays: defaultdict[str, list[Residence]] = defaultdict(list)
        self._hear = self._record if hear is None else hear

    @classmethod
    def of(
        cls,
        events: Iterable[Event],
        actions: Actions = ACTIONS,
        watched: frozenset[str] | None = None,
    ) -> "World":
        """Make the world that these events show, whatever order they come in.

        Only the stories of those that are watched are whole; see `Notes`.
        """
        world = cls(actions, book=Notes(watched))
        for event in sorted(events, key=attrgetter("order")):
            if event.voided_by is None:
                world.apply(event)
        return world

    def apply(self, event: Event) -> bool:
        """Take in the next event; return whether it is evidence of anything."""
        action = event.action(self._actions)
        if action.place is _UNSAID:
            return False
        for item in self._outermost_first(event.subjects()):
            self._scan(event, action, item)
        return True

    def _outermost_first(self, items: tuple[str, ...]) -> Iterable[str]:
        """Put what holds others before them: one count shows a carton and its contents.

        They were seen at one moment, so that none of them contradicts another; and
        the nearest has the last word.
        """
        return items if len(items) < 2 else sorted({*items}, key=self._depth)  # noqa: PLR2004

    def _depth(self, item: str) -> tuple[int, str]:
        return len(self.path(item)), item

    def _scan(self, event: Event, action: Action, item: str) -> None:
        known, line, stay = self._known(item), event.line, action.stay
        inside = known.container
        contradicted = (
            inside is not None
            and stay is _LOOKS
            and self._contradicts(inside, line.location)
        )
        entered = line.container if stay is _ENTERS else None
        finds = action.finds if contradicted or known.gone else None
        shown = Shown(
            event=event,
            action=action,
            status=finds or action.status,
            location=line.location,
            holds=action.holder is not _KEEPS,
            holder=line.operator if action.holder is _TAKES else None,
            gone=action.place is _GONE,
            was_gone=known.gone,
            left=inside if contradicted and inside and not self.gone(inside) else None,
            into_gone=entered is not None and self.gone(entered),
        )
        if action.shows_container:
            self._show_container(shown, line.container or inside)
        self._reach(item, known, shown)
        if contradicted or stay is _LEAVES or stay is _ENTERS:
            self._leave(item, known, event.order)
        if entered is not None and item != entered and item not in self.path(entered):
            self._enter(item, known, entered, event.order)
        if action.empties and known.contents:
            for inner in self._book.inside(item):
                self._leave(inner, self._known(inner), event.order)
        if known.container is not None:
            # an exception that this event closes holds nobody up: who hears will say
            self._share(item, known, restless=known.awaited)

    def _show_container(self, shown: Shown, container: str | None) -> None:
        place = shown.location
        if container and place is not None:
            aside = Shown(
                event=shown.event, action=shown.action, location=place, own=False
            )
            known = self._known(container)
            self._reach(container, known, aside)
            if known.container is not None:
                self._share(container, known, restless=known.awaited)

    def _contradicts(self, container: str, location: str | None) -> bool:
        """Whether a look at ``location`` cannot be a look into the container."""
        if self.gone(container):
            return True
        place = self.location(container)
        return place is not None and location is not None and place != location

    # Who is told what an event shows: the item, and all that is in it.

    def _reach(self, item: str, known: Known, shown: Shown) -> None:
        self._deliver(item, known, Moment(shown, None))
        if known.contents:
            self._reach_inside(known, item, Moment(shown, item))

    def _reach_inside(self, outer: Known, container: str, moment: Moment) -> None:
        if not self._recording and _changes_nothing(outer.common, moment.shown):
            return
        for item in self._book.told(container):
            known = self._known(item)
            self._deliver(item, known, moment)
            if known.contents:
                self._reach_inside(known, item, moment)
        if not self._recording:
            outer.common = self._in_common(container)

    def _deliver(self, item: str, known: Known, moment: Moment) -> None:
        shown = moment.shown
        order = shown.event.order
        if shown.status is not None:
            known.status = extended(known.status, shown.status, order)
        if shown.location is not None:
            known.location = extended(known.location, shown.location, order)
        if shown.holds:
            known.custodian = extended(known.custodian, shown.holder, order)
        if shown.gone is not None:
            known.gone = shown.gone
        known.told, known.last = order.occurred, order
        self._hear(item, known, moment)

    def _record(self, item: str, known: Known, moment: Moment) -> None:
        del known
        self._stories[item].append(moment)

    def _in_common(self, container: str) -> Common | None:
        found: Common | None = None
        for item in self._book.told(container):
            inner = self._known(item)
            own = _own_common(inner, restless=inner.restless)
            if own is None:
                return None
            found = own if found is None else found | own
        return found

    def share(self, item: str) -> None:
        """Let all that the item is in know what it has in common with the others."""
        known = self._known(item)
        self._share(item, known, restless=known.restless)

    def _share(self, item: str, known: Known, *, restless: bool) -> None:
        if known.container is None or self._recording:
            return
        own = _own_common(known, restless=restless)
        direct = self._known(known.container)
        if direct.contents == 1:
            direct.common = own
        for container in self.path(item):
            outer = self._known(container)
            if outer.common is not None:
                outer.common = None if own is None else outer.common | own

    def disturb(self, item: str) -> None:
        """Let every piece of evidence reach the item, whatever the others know."""
        known = self._known(item)
        known.restless = True
        for container in self.path(item):
            outer = self._known(container)
            if outer.common is not None:
                outer.common = outer.common.but(known)

    # Stays.

    def _enter(self, item: str, known: Known, container: str, order: Order) -> None:
        outer = self._known(container)
        known.container, known.entered = container, order
        outer.contents += 1
        self._book.enter(item, container)
        if self._recording:
            self._stays[item].append(Residence(container=container, start=order))

    def _leave(self, item: str, known: Known, order: Order) -> None:
        if known.container is None:
            return
        container, outer = known.container, self._known(known.container)
        known.status, known.location, known.custodian = self.runs(item)
        known.container = known.entered = None
        known.told, known.last = order.occurred, order
        outer.contents -= 1
        if not outer.contents:
            outer.common = None
        self._book.leave(item, container)
        if self._recording:
            self._stays[item][-1].end = order

    # What is true of an item now, that is, after the last event taken in.

    def runs(self, item: str) -> tuple[Since | None, Since | None, Since | None]:
        """Return the item's status, location and custodian, each with its evidence."""
        known = self._known(item)
        own = (known.status, known.location, known.custodian)
        entered = known.entered
        if known.container is None or entered is None:
            return own
        outer = self.runs(known.container)
        status, location, custodian = (
            _latest(run, around, entered)
            for run, around in zip(own, outer, strict=True)
        )
        return status, location, custodian

    def location(self, item: str) -> str | None:
        """Return the item's place by the latest evidence, if there is any."""
        run = self._known(item).location
        return None if run is None else run.value

    def status(self, item: str) -> str | None:
        """Return the item's status by the latest evidence, if there is any."""
        run = self._known(item).status
        return None if run is None else run.value

    def custodian(self, item: str) -> str | None:
        """Return who holds the item by the latest evidence, if somebody does."""
        run = self._known(item).custodian
        return None if run is None else run.value

    def latest(self, item: str) -> int:
        """Return when the item was last told of anything; 0 where it never was."""
        return self._known(item).told

    def gone(self, item: str) -> bool:
        """Return whether the item has left the site, by the latest evidence."""
        return self._known(item).gone

    def contents(self, item: str) -> frozenset[str]:
        """Return what is directly in the item now."""
        return frozenset(self._book.inside(item))

    def path(self, item: str, order: Order | None = None) -> tuple[str, ...]:
        """Return what the item is in now, nearest first.

        Where stays are kept, it can be asked for any moment ``order``, and includes
        what ended with it.
        """
        step = self._container if order is None else self._container_at(order)
        path: list[str] = []
        found = step(item)
        while found is not None:
            path.append(found)
            found = step(found)
        return tuple(path)

    def _container(self, item: str) -> str | None:
        return self._known(item).container

    def _container_at(self, order: Order) -> Callable[[str], str | None]:
        def step(item: str) -> str | None:
            stays = self._stays.get(item, [])
            index = bisect_left(stays, order, key=attrgetter("start")) - 1
            stay = stays[index] if index >= 0 else None
            return stay.container if stay is not None and order <= stay.end else None

        return step

    def stays(self, item: str) -> tuple[Residence, ...]:
        """Return the item's stays in containers, in order, where they are kept."""
        return tuple(self._stays.get(item, ()))

    def story(self, item: str) -> list[Moment]:
        """Return all evidence of the item, its containers' included, oldest first.

        Of two from one event the nearest to the item comes last, and so wins.
        """
        return self._stories.get(item, [])


def _own_common(known: Known, *, restless: bool) -> Common | None:
    """Return what an item and all that is in it have in common, if that is known."""
    own = Common.of(known, restless=restless)
    if not known.contents:
        return own
    return None if known.common is None else own | known.common


def _changes_nothing(common: Common | None, shown: Shown) -> bool:
    """Whether it repeats what all contents of a container know already."""
    return (
        common is not None
        and not shown.action.handoff
        and not shown.action.empties
        and common.has(
            status=shown.status,
            location=shown.location,
            holds=shown.holds,
            holder=shown.holder,
            gone=shown.gone,
            places=not shown.own and not shown.action.restarts,
        )
    )


def _latest(run: Since | None, around: Since | None, entered: Order) -> Since | None:
    """Let what an item is in show what the item was not told, because it knew it."""
    if run is None or around is None or around.latest <= max(entered, run.latest):
        return run
    return Since(run.value, run.since, around.latest)


def resolve(world: World, item: str) -> Resolution:
    """Return where the item is, since when, and on what evidence."""
    known = world.known(item)
    if known.container is None:
        return alone(known)
    status, location, custodian = world.runs(item)
    return Resolution(
        status=status,
        location=location,
        custodian=custodian,
        path=world.path(item),
        gone=world.gone(item),
    )


def alone(known: Known) -> Resolution:
    """Return the answer for an item that is in nothing."""
    return Resolution(known.status, known.location, known.custodian, (), known.gone)
