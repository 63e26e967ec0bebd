"""The present answer of every item, kept for lists; made anew where events touch it.

The rows only say which items to look at: what a reader gets of each is always told
from its events. They are refreshed in the transaction that stores the events, so that
they are never behind what was acknowledged.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import msgspec

from server.events import Event
from server.history import Reader, bearing
from server.resolve import World
from shared.actions import ACTIONS, Actions

__all__ = ["Board", "Row", "Touch", "refresh"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One item's present, effective answer; ``latest`` is when it was last scanned."""

    key: str
    status: str | None = None
    location: str | None = None
    custodian: str | None = None
    container: str | None = None
    gone: bool = False
    latest: int = 0


class Board(Reader, Protocol):
    """Reads events as known now, and keeps the rows."""

    def rows(self, keys: Collection[str]) -> list[Row]:
        """Return the rows of these items, of those that have one."""

    def inside(self, containers: Collection[str], since: int) -> list[str]:
        """Return what may have been in any of these at ``since`` or after.

        That is what is in it now by its row, and what was ever put into it and was
        scanned after ``since``.
        """

    def around(self, items: Collection[str]) -> list[str]:
        """Return what any of these, taken out without its name, was ever put into."""

    def put(self, rows: Iterable[Row]) -> None:
        """Keep these rows."""


class Touch(msgspec.Struct):
    """What new events touch, and the first moment from which they do.

    ``subjects`` are items with evidence of their own, ``containers`` what the events
    name as such. ``said``: what hosts said may have changed.
    """

    subjects: set[str] = msgspec.field(default_factory=set)
    containers: set[str] = msgspec.field(default_factory=set)
    since: int = 2**63 - 1
    said: bool = False

    def add(self, event: Event) -> None:
        """Add what one event touches."""
        self.subjects.update(event.subjects())
        if event.line.container is not None:
            self.containers.add(event.line.container)
        self.since = min(self.since, event.order.occurred)


def _spread(start: set[str], step: Callable[[set[str]], Iterable[str]]) -> set[str]:
    """Return what is reached from ``start`` by taking the step again and again."""
    reached, todo = set(start), start
    while todo:
        todo = set(step(todo)) - reached
        reached |= todo
    return reached


def affected(board: Board, touch: Touch) -> set[str]:
    """Return every item whose row the events may change.

    The evidence of a container is that of its contents; and where an item was taken
    out of what is not named, that is found from the item's own events.
    """
    before = board.rows(touch.subjects)
    around = {row.container for row in before if row.container is not None}
    around.update(board.around(touch.subjects))
    start = touch.subjects | touch.containers | around
    return _spread(start, lambda keys: board.inside(keys, touch.since))


def refresh(board: Board, touch: Touch, actions: Actions = ACTIONS) -> int:
    """Make the rows anew that these events touch, and return how many there were."""
    keys = affected(board, touch)
    world = World.of(bearing(board, keys), actions)
    board.put(row(world, key) for key in sorted(keys))
    return len(keys)


def row(world: World, key: str) -> Row:
    """Return the present answer of one item."""
    path = world.path(key)
    return Row(
        key=key,
        status=world.status(key),
        location=world.location(key),
        custodian=world.custodian(key),
        container=path[0] if path else None,
        gone=world.gone(key),
        latest=world.latest(key),
    )
