"""What is on a load, or was when it left: compared with what was expected. Pure.

Where the load has left, everything is as of its departure: what happened to its
contents since, or was expected of them since, changes nothing of it.
"""

from collections.abc import Collection
from operator import attrgetter
from typing import NamedTuple

import msgspec

from server.answers import title_of
from server.events import Event, Order
from server.history import Reader, Role, Telling, tell, tell_together
from server.resolve import World, resolve
from shared.actions import Actions, Stay

__all__ = ["MOST", "Aboard", "Lacking", "Manifest", "manifest"]

MOST = 5_000
"""Items of one load that are looked at, those put onto it last."""

_NAMED = (Role.CONTAINER,)
NOTE = "note"
"""What is no evidence, and may say what an item is called."""


class Aboard(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a load, and the scan that put it there.

    ``inside`` is what it is in on the load, nearest first; empty where it is directly
    on it. ``expected``: it should leave on this load.
    """

    item: str
    title: str | None
    inside: tuple[str, ...]
    scan: Event
    expected: bool


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should be on a load and is not: where it was seen last, if ever.

    ``event`` shows that, ``since`` is in microseconds.
    """

    item: str
    title: str | None
    status: str | None
    location: str | None
    since: int | None
    event: str | None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A load, compared.

    ``left`` is the scan by which it left, ``None`` where it is here; ``departures`` are
    all of them, the last one last. ``whole``: nothing was left out because there is too
    much.
    """

    load: str
    known: bool
    title: str | None
    left: Event | None
    departures: list[Event]
    aboard: list[Aboard]
    lacking: list[Lacking]
    whole: bool

    @property
    def extra(self) -> list[Aboard]:
        """What is on board and was not expected."""
        return [one for one in self.aboard if not one.expected]

    @property
    def there(self) -> list[Aboard]:
        """What is on board and was expected."""
        return [one for one in self.aboard if one.expected]


class _Until(NamedTuple):
    """Reads events up to one of them, and what anything is called, whenever said."""

    reader: Reader
    last: Order

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        found = self.reader.about(keys, roles)
        return [e for e in found if e.order <= self.last or e.line.action == NOTE]


def manifest(
    reader: Reader,
    load: str,
    actions: Actions,
    departure: str | None = None,
    most: int = MOST,
) -> Manifest:
    """Compare what is on a load with what should be, in the view of a reader.

    Args:
        reader: Reads the events of the view.
        load: The load.
        actions: The site's actions.
        departure: The event of one of its departures, to look at that one; what is
            none of them counts as none. Else the last one, if it has not come back.
        most: How many items are looked at.
    """
    own = tell(reader, load, actions)
    departures = [
        moment.shown.event
        for moment in own.world.story(load)
        if moment.shown.gone and not moment.shown.was_gone
    ]
    left = departures[-1] if departures and own.world.gone(load) else None
    left = next((one for one in departures if one.name == departure), left)
    until: Reader = reader if left is None else _Until(reader, left.order)
    keys, whole = _candidates(until, load, actions, most)
    told = tell_together(until, keys, actions) if keys else {}
    due = {key for key, telling in told.items() if _expected_on(telling) == load}
    aboard = [
        one
        for key in keys
        if (one := _aboard(told[key], key, load, expected=key in due)) is not None
    ]
    there = {one.item for one in aboard}
    return Manifest(
        load=load,
        known=own.known,
        title=title_of(own.said, load),
        left=left,
        departures=departures,
        aboard=sorted(aboard, key=lambda one: (one.inside[::-1], one.item)),
        lacking=[_lacking(told[key], key) for key in sorted(due - there)],
        whole=whole,
    )


def _candidates(
    reader: Reader, load: str, actions: Actions, most: int
) -> tuple[list[str], bool]:
    """Return what was ever put onto a load or expected on it, however deep."""
    found: dict[str, Order] = {}
    todo, done = {load}, set[str]()
    while todo:
        done |= todo
        inner = {
            event.line.item: event.order
            for event in sorted(reader.about(todo, _NAMED), key=attrgetter("order"))
            if event.voided_by is None
            and event.line.item
            and event.line.container in todo
            and _bears(event, load, actions)
        }
        found.update(inner)
        todo = inner.keys() - done
    found.pop(load, None)
    latest = sorted(found, key=lambda key: found[key], reverse=True)[:most]
    return sorted(latest), len(found) <= most


def _bears(event: Event, load: str, actions: Actions) -> bool:
    """Whether an event puts something into its container, or expects it on the load."""
    if event.line.action == "expect":
        return event.line.container == load and event.line.refused is None
    return event.action(actions).stay is Stay.ENTERS


def _expected_on(telling: Telling) -> str | None:
    """Return the load that an item should leave on, by what was said last."""
    loads = [e.line.container for e in telling.said if e.line.action == "expect"]
    return loads[-1] if loads else None


def _aboard(telling: Telling, key: str, load: str, *, expected: bool) -> Aboard | None:
    world: World = telling.world
    path = world.path(key)
    if load not in path:
        return None
    entered = world.stays(key)[-1].start
    return Aboard(
        item=key,
        title=title_of(telling.said, key),
        inside=path[: path.index(load)],
        scan=next(event for event in telling.events if event.order == entered),
        expected=expected,
    )


def _lacking(telling: Telling, key: str) -> Lacking:
    found = resolve(telling.world, key)
    place, status = found.location, found.status
    return Lacking(
        item=key,
        title=title_of(telling.said, key),
        status=None if status is None else status.value,
        location=None if place is None else place.value,
        since=None if place is None else place.since.occurred,
        event=None if place is None else place.latest.name,
    )
