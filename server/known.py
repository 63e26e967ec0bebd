"""What is kept of an item, so that its next event can be taken in without a look back.

Pure. Values are effective: an item's own evidence, and that of what it is in.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

import msgspec

from server.events import BEGINNING, Order

__all__ = ["Book", "Common", "Known", "Notes", "Since", "extended"]


class Since(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A value, the first moment from which it has held, the latest that shows it."""

    value: str | None
    since: Order
    latest: Order


def extended(run: Since | None, value: str | None, order: Order) -> Since:
    """Return the run that holds once a value was shown."""
    if run is not None and run.value == value:
        return Since(value, run.since, order)
    return Since(value, order, order)


_STATUS, _LOCATION, _HOLDER, _GONE, _RESTLESS, _UNPLACED = 1, 2, 4, 8, 16, 32


class Common(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What all that is in a container, however deep, has in common.

    Evidence that shows nothing else changes none of it. ``mixed`` has a bit for each
    value in which they may differ.
    """

    status: str | None
    location: str | None
    holder: str | None
    gone: bool
    mixed: int

    @classmethod
    def of(cls, known: "Known", *, restless: bool) -> "Common":
        """Return what one item has in common with itself."""
        status, location, holder = known.status, known.location, known.custodian
        return cls(
            None if status is None else status.value,
            None if location is None else location.value,
            None if holder is None else holder.value,
            known.gone,
            (status is None) * _STATUS
            | (location is None) * _LOCATION
            | (holder is None) * _HOLDER
            | (restless and _waiting(known)),
        )

    def but(self, restless: "Known") -> "Common":
        """Return the same with something in there that waits for something."""
        return msgspec.structs.replace(self, mixed=self.mixed | _waiting(restless))

    def __or__(self, other: "Common") -> "Common":
        """Return what both have in common."""
        if self == other:
            return self
        return Common(
            self.status,
            self.location,
            self.holder,
            self.gone,
            self.mixed
            | other.mixed
            | (self.status != other.status) * _STATUS
            | (self.location != other.location) * _LOCATION
            | (self.holder != other.holder) * _HOLDER
            | (self.gone != other.gone) * _GONE,
        )

    def has(
        self,
        *,
        status: str | None,
        location: str | None,
        holds: bool,
        holder: str | None,
        gone: bool | None,
        places: bool,
    ) -> bool:
        """Whether all have these values already, and wait for nothing.

        ``places``: it says where they are and nothing else; what waits does not wait
        for that once it was seen at some place since it came in.
        """
        asked = (
            (status is not None) * _STATUS
            | (location is not None) * _LOCATION
            | holds * _HOLDER
            | (gone is not None) * _GONE
            | (_UNPLACED if places else _RESTLESS)
        )
        return (
            not self.mixed & asked
            and status in (None, self.status)
            and location in (None, self.location)
            and (not holds or holder == self.holder)
            and gone in (None, self.gone)
        )


def _waiting(known: "Known") -> int:
    """Return the bits of what waits for something."""
    place, entered = known.location, known.entered
    placed = place is not None and entered is not None and place.latest >= entered
    return _RESTLESS if placed else _RESTLESS | _UNPLACED


class Known(msgspec.Struct, array_like=True, gc=False):
    """What is known of an item after the events taken in so far.

    The latest evidence of a value may lie with what the item is in: see
    `World.runs`. ``entered`` is when its stay in ``container`` began. ``told`` is when
    the last event happened that changed anything, 0 where there is none; ``last`` is
    the last that spoke of it or of anything in it. ``contents`` counts what is directly
    in it. ``restless``: an exception is open or falls due, so that even equal evidence
    may change something. ``named``: some event that happened names it. ``awaited``:
    something was expected on it. ``title`` is the latest that it was given.
    """

    status: Since | None = None
    location: Since | None = None
    custodian: Since | None = None
    gone: bool = False
    container: str | None = None
    entered: Order | None = None
    told: int = 0
    last: Order = BEGINNING
    contents: int = 0
    common: Common | None = None
    restless: bool = False
    named: bool = False
    awaited: bool = False
    title: str | None = None


class Book(Protocol):
    """Keeps what is known of items, and what is in what."""

    def known(self, item: str) -> Known:
        """Return what is known of an item, to be changed in place."""

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container."""

    def told(self, container: str) -> Iterable[str]:
        """Return those directly in a container that are told what it shows."""

    def enter(self, item: str, container: str) -> None:
        """Note that an item is in a container from here on."""

    def leave(self, item: str, container: str) -> None:
        """Note that an item is in a container no more."""


class Notes:
    """A book in memory.

    Args:
        watched: The items that are told what their containers show; all of those
            containers have to be among them. ``None``: every item.
    """

    def __init__(self, watched: frozenset[str] | None = None) -> None:
        self._known: defaultdict[str, Known] = defaultdict(Known)
        self._inside: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._watched = watched
        self.known = self._known.__getitem__

    def keep(self, item: str, known: Known) -> None:
        """Take over what is known of an item from elsewhere."""
        self._known[item] = known

    def has(self, item: str) -> bool:
        """Whether anything is known of an item."""
        return item in self._known

    def inside(self, container: str) -> list[str]:
        """Return what is directly in a container."""
        return list(self._inside.get(container, ()))

    def told(self, container: str) -> list[str]:
        """Return those directly in a container that are told what it shows."""
        if self._watched is None:
            return self.inside(container)
        inside = self._inside.get(container, {})
        if len(inside) < len(self._watched):
            return [item for item in inside if item in self._watched]
        return [item for item in self._watched if item in inside]

    def enter(self, item: str, container: str) -> None:
        """Note that an item is in a container from here on."""
        self._inside[container][item] = None

    def leave(self, item: str, container: str) -> None:
        """Note that an item is in a container no more."""
        self._inside[container].pop(item, None)
