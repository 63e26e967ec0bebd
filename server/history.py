"""Which events bear on one item, and what they tell: the closure of its story.

An item's story depends on its own events, on those of whatever it was put into or
expected on, all the way out, and on those of other contents that left such a container
without naming it, because such a scan shows where the container was.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import IntEnum
from operator import attrgetter
from typing import Protocol

import msgspec

from server.events import Event, Order
from server.resolve import World
from shared.actions import ACTIONS, Actions, Stay
from shared.lines import Line

__all__ = [
    "Parts",
    "Reader",
    "Role",
    "Telling",
    "bearing",
    "gathering",
    "mentions",
    "tell",
    "tell_together",
    "whole",
]


class Role(IntEnum):
    """How an event speaks of a key."""

    SUBJECT = 0
    CONTAINER = 1
    PLACE = 2
    """A count of this location."""
    TAKEN_OUT = 3
    """The item left a container that the event does not name."""


def mentions(line: Line, actions: Actions = ACTIONS) -> list[tuple[str, Role]]:
    """Return the keys that an event speaks of, and how."""
    found: dict[tuple[str, Role], None] = {}
    if line.item is not None:
        found[line.item, Role.SUBJECT] = None
    if line.container is not None and line.refused is None:
        found[line.container, Role.CONTAINER] = None
    if line.action == "count" and line.location is not None and line.refused is None:
        found.update(((item, Role.SUBJECT), None) for item in line.items or ())
        found[line.location, Role.PLACE] = None
    action = actions.get(line.action)
    if (
        action is not None
        and action.shows_container
        and action.stay is Stay.LEAVES
        and line.item is not None
        and line.container is None
    ):
        found[line.item, Role.TAKEN_OUT] = None
    return list(found)


class Reader(Protocol):
    """Reads understood events, as known at one moment and up to another."""

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""


class Telling(msgspec.Struct, frozen=True):
    """What bears on an item: the world in which it is found, and what was said of it.

    ``known``: some event that happened names it. ``holds``: others were put into it.
    ``events`` are all that speak of the item itself, voided ones too, in order.
    ``said``, in order and not voided: those that are no evidence, and counts of places
    that did not see it.
    """

    world: World
    known: bool
    holds: bool
    events: list[Event]
    said: list[Event]


_CONTAINER_ROLES = _NAMES = (Role.SUBJECT, Role.CONTAINER)


def _containers(events: Iterable[Event]) -> set[str]:
    return {e.line.container for e in events if e.line.container is not None}


def _contents(events: Iterable[Event]) -> set[str]:
    return {e.line.item for e in events if e.line.item and e.line.container}


Parts = Callable[[Collection[str], Collection[Role]], Iterable[list[Event]]]
"""Reads the events that speak of any of the keys in any of the roles, some at once."""


def bearing(reader: Reader, items: Collection[str]) -> list[Event]:
    """Return all events that bear on any of the items."""
    found: dict[Order, Event] = {}
    for _ in gathering(lambda *asked: (reader.about(*asked),), items, found):
        pass
    return list(found.values())


def gathering(
    parts: Parts, items: Collection[str], found: dict[Order, Event]
) -> Iterator[int]:
    """Find all events that bear on any of the items; yield how many after each part."""
    outward: set[str] = set()
    todo = set(items)
    while todo:
        outward |= todo
        around: set[str] = set()
        for events in parts(todo, _CONTAINER_ROLES):
            found.update((event.order, event) for event in events)
            around |= _containers(e for e in events if e.line.item in todo)
            yield len(events)
        todo = around - outward
    contents = _contents(found.values()) - outward
    taken_out: set[str] = set()
    for events in parts(contents, (Role.TAKEN_OUT,)):
        taken_out.update(event.line.item for event in events if event.line.item)
        yield len(events)
    for events in parts(taken_out, (Role.SUBJECT,)):
        found.update((event.order, event) for event in events)
        yield len(events)


def whole(reader: Reader, item: str) -> list[Event]:
    """Return all events that bear on an item in any view, counts of its places too."""
    found = {event.name: event for event in bearing(reader, {item})}
    places = {e.line.location for e in found.values() if e.line.location is not None}
    counts = reader.about(places, (Role.PLACE,))
    return list({**{event.name: event for event in counts}, **found}.values())


def tell(reader: Reader, item: str, actions: Actions = ACTIONS) -> Telling:
    """Gather what bears on an item, and tell it."""
    return tell_together(reader, (item,), actions)[item]


def tell_together(
    reader: Reader, items: Collection[str], actions: Actions = ACTIONS
) -> dict[str, Telling]:
    """Gather what bears on several items at once, and tell each."""
    found = bearing(reader, items)
    world = World.of(found, actions, frozenset({*items, *_containers(found)}))
    places = {item: _places(world, item) for item in items}
    everywhere = {place for some in places.values() for place in some}
    counts = _by_place(reader.about(everywhere, (Role.PLACE,)))
    own: dict[str, list[Event]] = {item: [] for item in items}
    names: dict[str, bool] = dict.fromkeys(items, False)
    holding = _holding(found, actions)
    for event in sorted(found, key=attrgetter("order")):
        for item in event.subjects():
            if item in own:
                own[item].append(event)
        if event.voided_by is None and event.line.action != "void":
            names.update((key, True) for key in _named(event) if key in names)
    return {
        item: Telling(
            world=world,
            known=names[item],
            holds=item in holding,
            events=own[item],
            said=_said(
                item, own[item], (c for p in places[item] for c in counts[p]), actions
            ),
        )
        for item in items
    }


def _holding(events: Iterable[Event], actions: Actions) -> set[str]:
    """Return the containers that something else was put into."""
    return {
        event.line.container
        for event in events
        if event.line.container is not None
        and event.voided_by is None
        and event.line.item not in {None, event.line.container}
        and event.action(actions).stay is Stay.ENTERS
    }


def _places(world: World, item: str) -> list[str]:
    places = {moment.shown.location for moment in world.story(item)} - {None}
    return [place for place in places if place]


def _by_place(counts: Iterable[Event]) -> defaultdict[str, list[Event]]:
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for count in counts:
        found[count.line.location or ""].append(count)
    return found


def _named(event: Event) -> Iterable[str]:
    return (key for key, role in mentions(event.line) if role in _NAMES)


def _said(
    item: str, own: Iterable[Event], counts: Iterable[Event], actions: Actions
) -> list[Event]:
    said = [event for event in own if not event.action(actions).evidence]
    said += [event for event in counts if item not in event.subjects()]
    return sorted(
        (event for event in said if event.voided_by is None), key=attrgetter("order")
    )
