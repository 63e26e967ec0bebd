"""What a station knows: what the server told it, and what it has done itself since.

Pure, but not frozen: a new document replaces what was told, and each saved line adds to
what was done. Both are bounded. Of the two the newer counts: an item that came back
here has not gone, whatever an older document says; but a document that was asked for
once the server had every line of this station knows what became of things elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from edge.workflow.contents import Contents
from edge.workflow.trimming import trim
from shared.actions import ACTIONS, SIGHTING, Actions, Place
from shared.lines import Line
from shared.moments import SECOND
from shared.reference import Reference, WantedItem

__all__ = ["Told"]

_MOST_LISTED = 5000
"""Items of a list, at most; a longer one is not kept, and said to be unknown."""
_MOST_MOVED = 5000
_LATE = 120 * SECOND
"""How much older than its arrival a document may be: what was done since is newer."""


class _Move(msgspec.Struct, frozen=True):
    """An item came back here, or left from here."""

    event: str
    gone: bool
    at: int


class Told:
    """The station's knowledge: ``edge.workflow.facts.Facts``, that can learn."""

    def __init__(self, actions: Actions = ACTIONS) -> None:
        """Begin with knowing nothing; ``actions`` are the effects of what is saved.

        ``checked`` returns when the server said last that what it told is so, by this
        machine's wall clock in microseconds; None where it never did.
        """
        self._actions = actions
        self._places: Mapping[str, str] = {}
        self._operators: frozenset[str] = frozenset()
        self._wanted: Mapping[str, WantedItem] = {}
        self._gone: frozenset[str] = frozenset()
        self._lists: Mapping[str, tuple[str, ...]] = {}
        self._contents = Contents()
        self._moved: dict[str, _Move] = {}
        self._newer = 0
        self.checked: Callable[[], int | None] = lambda: None

    def update(self, reference: Reference, at: int | None = None) -> None:
        """Take what the server says now, in place of what it said before.

        Args:
            reference: What it says.
            at: When it came, by this machine's wall clock, all lines of this station
                being at the server by then; None where that is not known.
        """
        self._newer = 0 if at is None else at - _LATE
        self._places = {place.location: place.kind for place in reference.locations}
        self._operators = frozenset(one.operator for one in reference.operators)
        self._wanted = {one.item: one for one in reference.wanted}
        self._gone = frozenset(reference.gone)
        self._moved = {i: m for i, m in self._moved.items() if m.at >= self._newer}
        self._contents.update(reference.containers, self._newer)
        self._lists = MappingProxyType(
            {
                load.load: load.items
                for load in reference.loads
                if 0 < len(load.items) <= _MOST_LISTED
            }
        )

    def wanted(self, item: str) -> WantedItem | None:
        """Return what is said of an item that every station looks out for."""
        return self._wanted.get(item)

    def gone(self, item: str) -> bool:
        """Whether an item is known to have left the site, and not to be back."""
        move = self._moved.get(item)
        return item in self._gone if move is None else move.gone

    def expected(self, container: str) -> tuple[str, ...] | None:
        """Return what the server expects in a container; ``None``: it did not say."""
        return self._lists.get(container)

    def contents(self, container: str) -> tuple[str, ...]:
        """Return what is in a container, not what is in that, as far as is known."""
        return self._contents.of(container)

    def inside(self, container: str) -> frozenset[str]:
        """Return all that is in a container, at any depth, as far as is known."""
        return self._contents.inside(container)

    def told_at(self, container: str) -> int | None:
        """Return when the server said last what is in a container, or should be.

        ``None``: it said nothing of it.
        """
        told = container in self._lists or self._contents.told(container)
        return self.checked() if told else None

    def place(self, location: str) -> str | None:
        """Return the kind of a place; ``None``: it is in no list that there is."""
        return self._places.get(location) if self._places else ""

    def badge(self, operator: str) -> bool:
        """Whether a badge is in the site's list; true where it keeps none."""
        return not self._operators or operator in self._operators

    def learn(self, events: Sequence[str], lines: Sequence[Line]) -> None:
        """Take in lines that were saved, with the names of their events."""
        for event, line in zip(events, lines, strict=True):
            if line.voids is not None:
                self._forget(line.voids)
            elif line.item is not None and line.refused is None:
                self._note(event, line, line.item)

    def _note(self, event: str, line: Line, item: str) -> None:
        at = _moment(line)
        if at < self._newer:
            return
        effects = self._actions.get(line.action, SIGHTING)
        self._contents.learn(event, at, effects, item, line.container)
        if effects.place in {Place.BACK, Place.GONE}:
            self._moved.pop(item, None)
            self._moved[item] = _Move(event, effects.place is Place.GONE, at)
            trim(self._moved, _MOST_MOVED)

    def _forget(self, event: str) -> None:
        """Take back what a scan did that was undone."""
        self._contents.forget(event)
        for item in [i for i, move in self._moved.items() if move.event == event]:
            del self._moved[item]


def _moment(line: Line) -> int:
    """Return when a line was made; what has no time that can be read counts as new."""
    try:
        return line.moment
    except ValueError:
        return _NEW


_NEW = 2**63
