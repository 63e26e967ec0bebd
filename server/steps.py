"""An item's story as steps, one for each event that concerns it, in order. Pure.

A step is an event with all that it is to the item: evidence, directly or through what
the item was in; a word about it; a count of its place that did not see it; or the
departure of a load on which it was expected.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from server.events import Event, Order
from server.resolve import Moment, Residence, World
from server.site import Site

__all__ = ["Step", "steps"]


class Step(NamedTuple):
    """One event's part in an item's story.

    ``moments``: what it shows of the item, the nearest last. ``said``: the event, where
    it is no evidence of the item. ``loads``: expected loads that it tells of, with
    whether each left with the item on board (``True``), left without it (``False``), or
    is here (``None``). ``container`` is what the item is in after it. ``site`` has the
    rules by which it is judged.
    """

    item: str

    order: Order
    moments: tuple[Moment, ...]
    said: Event | None
    loads: Mapping[str, bool | None]
    container: str | None
    site: Site

    @property
    def own(self) -> Moment | None:
        """What it shows by a scan of the item itself."""
        nearest = self.moments[-1] if self.moments else None
        scanned = nearest is not None and nearest.via is None and nearest.shown.own
        return nearest if scanned else None

    @property
    def status(self) -> str | None:
        """The status that it shows of the item, if it shows one."""
        shown = [moment.shown.status for moment in self.moments]
        return next((status for status in reversed(shown) if status is not None), None)

    def says(self, action: str) -> bool:
        """Whether it is a word about the item of this kind."""
        return self.said is not None and self.said.line.action == action


class _Load(NamedTuple):
    """An expected load left, with the item or without it, or was here."""

    key: str
    aboard: bool | None


_Part = tuple[Order, Moment | Event | _Load]


def steps(world: World, item: str, said: Iterable[Event], site: Site) -> Iterator[Step]:
    """Tell an item's story.

    Args:
        world: What the events show.
        item: The item.
        said: In order and not voided: events about the item that are no evidence, and
            counts of places that did not see it.
        site: The site's rules.
    """
    words = [(event.order, event) for event in said]
    expected = {e.line.container for _, e in words if e.line.action == "expect"}
    shown = ((moment.shown.order, moment) for moment in world.story(item))
    loads = (_loads(world, item, key) for key in sorted(filter(None, expected)))
    parts: Iterator[_Part] = merge(shown, words, *loads, key=itemgetter(0))
    containers = _Containers(world.stays(item))
    for order, group in groupby(parts, key=itemgetter(0)):
        told = [part for _, part in group]
        yield Step(
            item=item,
            order=order,
            moments=tuple(part for part in told if isinstance(part, Moment)),
            said=next((part for part in told if isinstance(part, Event)), None),
            loads={p.key: p.aboard for p in told if isinstance(p, _Load)},
            container=containers.after(order),
            site=site,
        )


def _loads(world: World, item: str, load: str) -> Iterator[_Part]:
    for moment in world.story(load):
        order, gone = moment.shown.order, moment.shown.gone
        if gone is not None:
            aboard = load in world.path(item, order) if gone else None
            yield order, _Load(load, aboard)


class _Containers:
    """What an item is in after each of a growing series of moments."""

    def __init__(self, stays: tuple[Residence, ...]) -> None:
        self._stays = iter(stays)
        self._stay = next(self._stays, None)

    def after(self, order: Order) -> str | None:
        while self._stay is not None and self._stay.end <= order:
            self._stay = next(self._stays, None)
        stay = self._stay
        return stay.container if stay is not None and stay.start <= order else None
