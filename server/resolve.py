"""Where is it, since when, on what evidence: contract, section 5. Pure.

The rules, in the order in which they are applied to each event:

1. Events count in the order (occurred, log, seq); voided ones do not count.
2. An own action that leaves, or a look that contradicts the container's place, or that
   comes after the container has gone, ends the stay in the container.
3. The event shows the item's status, place, holder, and whether it is here or gone.
   A look that ends a stay, or finds what had gone, shows the status "found".
4. What packs, unpacks, loads or unloads shows where the container was, too.
5. An action that enters begins a stay, unless the item would be in itself.
6. An ``empty`` ends the stays of all that is in the item.

A `World` keeps for each item what its own events showed (`Shown`) and its stays. What
is true of an item is then read from its own evidence and that of whatever it was in,
while it was in it (`World.story`).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from heapq import merge
from operator import attrgetter
from typing import NamedTuple

import msgspec

from server.events import Event, Order
from shared.actions import ACTIONS, Action, Actions, Holder, Place, Stay

__all__ = ["Moment", "Residence", "Resolution", "Shown", "Since", "World", "resolve"]

_BEGINNING = Order(-(2**63), "", 0)
_END = Order(2**63, "", 0)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
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


class _Track(msgspec.Struct):
    """What is known of one item by itself, in order.

    What other items' scans show of it is kept ``aside``: a load has thousands of
    these, and none of them says whether it is gone.
    """

    shown: list[Shown] = []
    aside: list[Shown] = []
    stays: list[Residence] = []

    def stay_at(self, order: Order) -> Residence | None:
        """Return the stay that holds at ``order``, if one does."""
        index = bisect_left(self.stays, order, key=attrgetter("start")) - 1
        stay = self.stays[index] if index >= 0 else None
        return stay if stay is not None and order <= stay.end else None

    def change_before(self, order: Order) -> Order:
        """Return the last beginning or end of a stay before ``order``."""
        index = bisect_left(self.stays, order, key=attrgetter("start")) - 1
        if index < 0:
            return _BEGINNING
        stay = self.stays[index]
        return stay.end if stay.end < order else stay.start


_NOTHING = _Track()


class Moment(NamedTuple):
    """A piece of evidence in an item's story; ``via`` is the container it came by."""

    shown: Shown
    via: str | None


def _moment_order(moment: Moment) -> Order:
    return moment.shown.event.order


def _moments(
    shown: list[Shown], via: str | None, lo: Order, hi: Order
) -> Iterator[Moment]:
    """Go back through what was shown up to and including ``hi``, and after ``lo``."""
    index = bisect_right(shown, hi, key=attrgetter("order")) - 1
    while index >= 0 and shown[index].order > lo:
        yield Moment(shown[index], via)
        index -= 1


class Since(NamedTuple):
    """A value, the first moment from which it has held, the latest that shows it."""

    value: str | None
    since: Order
    latest: Order


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
    """What a set of events shows. Feed them in order, each once."""

    def __init__(self, actions: Actions = ACTIONS) -> None:
        self._actions = actions
        self._tracks: defaultdict[str, _Track] = defaultdict(_Track)
        self._inside: defaultdict[str, set[str]] = defaultdict(set)

    @classmethod
    def of(cls, events: Iterable[Event], actions: Actions = ACTIONS) -> "World":
        """Make the world that these events show, whatever order they come in."""
        world = cls(actions)
        for event in sorted(events, key=attrgetter("order")):
            if event.voided_by is None:
                world.apply(event)
        return world

    def apply(self, event: Event) -> None:
        """Take in the next event."""
        action = event.action(self._actions)
        if not action.evidence:
            return
        for item in dict.fromkeys(event.subjects()):
            self._scan(event, action, item)

    def _scan(self, event: Event, action: Action, item: str) -> None:
        track, order, line = self._tracks[item], event.order, event.line
        stay = track.stays[-1] if track.stays and track.stays[-1].open else None
        was_gone = self.gone(item)
        contradicted = (
            stay is not None
            and action.stay is Stay.LOOKS
            and self._contradicts(stay.container, line.location)
        )
        leaves = action.stay in (Stay.LEAVES, Stay.ENTERS) or contradicted
        found = action.finds if contradicted or was_gone else None
        entered = line.container if action.stay is Stay.ENTERS else None
        shown = Shown(
            event=event,
            action=action,
            status=found or action.status,
            location=line.location,
            holds=action.holder is not Holder.KEEPS,
            holder=line.operator if action.holder is Holder.TAKES else None,
            gone=action.place is Place.GONE,
            was_gone=was_gone,
            left=stay.container
            if stay and contradicted and not self.gone(stay.container)
            else None,
            into_gone=entered is not None and self.gone(entered),
        )
        if action.shows_container:
            inside = stay.container if stay else None
            self._show_container(shown, line.container or inside)
        if stay and leaves:
            self._leave(item, stay, order)
        track.shown.append(shown)
        if entered is not None and item != entered and item not in self.path(entered):
            track.stays.append(Residence(container=entered, start=order))
            self._inside[entered].add(item)
        if action.empties:
            for inner in list(self._inside[item]):
                self._leave(inner, self._tracks[inner].stays[-1], order)

    def _leave(self, item: str, stay: Residence, order: Order) -> None:
        stay.end = order
        self._inside[stay.container].discard(item)

    def _show_container(self, shown: Shown, container: str | None) -> None:
        place = shown.location
        if container and place is not None:
            self._tracks[container].aside.append(
                Shown(event=shown.event, action=shown.action, location=place, own=False)
            )

    def _contradicts(self, container: str, location: str | None) -> bool:
        """Whether a look at ``location`` cannot be a look into the container."""
        if self.gone(container):
            return True
        place = self.location(container)
        return place is not None and location is not None and place != location

    # What is true of an item now, that is, after the last event taken in.

    def location(self, item: str) -> str | None:
        """Return the item's place by the latest evidence, if there is any."""
        places = (moment.shown.location for moment in self._back(item))
        return next((place for place in places if place is not None), None)

    def status(self, item: str) -> str | None:
        """Return the item's status by the latest evidence, if there is any."""
        own = (moment.shown.status for moment in self._back(item, aside=False))
        return next((status for status in own if status is not None), None)

    def custodian(self, item: str) -> str | None:
        """Return who holds the item by the latest evidence, if somebody does."""
        own = (moment.shown for moment in self._back(item, aside=False))
        return next((shown.holder for shown in own if shown.holds), None)

    def latest(self, item: str) -> int:
        """Return when the item's latest evidence happened; 0 without any."""
        moments = (moment.shown.order.occurred for moment in self._back(item))
        return next(moments, 0)

    def gone(self, item: str) -> bool:
        """Return whether the item has left the site, by the latest evidence."""
        own = (moment.shown.gone for moment in self._back(item, aside=False))
        return next((gone for gone in own if gone is not None), False)

    def path(self, item: str, order: Order = _END) -> tuple[str, ...]:
        """Return what the item is in as of ``order``, nearest first."""
        path: list[str] = []
        while (track := self._tracks.get(item)) and (stay := track.stay_at(order)):
            item = stay.container
            path.append(item)
        return tuple(path)

    def contents(self, item: str) -> frozenset[str]:
        """Return what is directly in the item now."""
        return frozenset(self._inside.get(item, ()))

    def stays(self, item: str) -> tuple[Residence, ...]:
        """Return the item's stays in containers, in order."""
        track = self._tracks.get(item)
        return tuple(track.stays) if track else ()

    def story(self, item: str) -> list[Moment]:
        """Return all evidence of the item, its containers' included, oldest first.

        Of two from one event the nearest to the item comes last, and so wins.
        """
        return list(self._back(item))[::-1]

    def _back(self, item: str, *, aside: bool = True) -> Iterator[Moment]:
        """Go back through the item's evidence, newest first.

        Between two changes of what it is in, the evidence is that of a fixed path.
        """
        until = _END
        while until != _BEGINNING:
            members = (item, *self.path(item, until))
            tracks = [self._tracks.get(member, _NOTHING) for member in members]
            since = max(track.change_before(until) for track in tracks)
            evidence = [
                _moments(shown, None if member == item else member, since, until)
                for member, track in zip(members, tracks, strict=True)
                for shown in ((track.shown, track.aside) if aside else (track.shown,))
            ]
            # ties come in the order of the lists: the nearest to the item first
            yield from merge(*evidence, key=_moment_order, reverse=True)
            until = since


def _runs(moments: Iterable[tuple[Order, str | None]]) -> Since | None:
    """Fold evidence of one value, oldest first, into the run that holds at its end."""
    run: Since | None = None
    for order, value in moments:
        if run is not None and run.value == value:
            run = run._replace(latest=order)
        else:
            run = Since(value, order, order)
    return run


def resolve(world: World, item: str) -> Resolution:
    """Return where the item is, since when, and on what evidence."""
    shown = [moment.shown for moment in world.story(item)]
    return Resolution(
        status=_runs((s.order, s.status) for s in shown if s.status is not None),
        location=_runs((s.order, s.location) for s in shown if s.location is not None),
        custodian=_runs((s.order, s.holder) for s in shown if s.holds),
        path=world.path(item),
        gone=world.gone(item),
    )
