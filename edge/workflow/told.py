"""What a station knows: what the server told it, and what it has done itself since.

Pure, but not frozen: a new document replaces what was told, and each saved line adds to
what was done. Both are bounded. Between the two, the station's own deeds are newer: an
item that came back here has not gone, whatever an older document says.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

from shared.actions import ACTIONS, SIGHTING, Actions, Place, Stay
from shared.lines import Line
from shared.reference import Reference

__all__ = ["Told"]

_MOST_LISTED = 5000
"""Items of a list, at most; a longer one is not kept, and said to be unknown."""
_MOST_CONTAINERS = 200
_MOST_INSIDE = 1000
_MOST_MOVED = 5000


class Told:
    """The station's knowledge: ``edge.workflow.facts.Facts``, that can learn."""

    def __init__(self, actions: Actions = ACTIONS) -> None:
        """Begin with knowing nothing; ``actions`` are the effects of what is saved."""
        self._actions = actions
        self._places: Mapping[str, str] = {}
        self._operators: frozenset[str] = frozenset()
        self._wanted: frozenset[str] = frozenset()
        self._gone: frozenset[str] = frozenset()
        self._lists: Mapping[str, tuple[str, ...]] = {}
        self._inside: dict[str, dict[str, str]] = {}
        self._moved: dict[str, tuple[str, bool]] = {}

    def update(self, reference: Reference) -> None:
        """Take what the server says now, in place of what it said before."""
        self._places = {place.location: place.kind for place in reference.locations}
        self._operators = frozenset(one.operator for one in reference.operators)
        self._wanted = frozenset(one.item for one in reference.wanted)
        self._gone = frozenset(reference.gone)
        self._lists = MappingProxyType(
            {
                load.load: load.items
                for load in reference.loads
                if 0 < len(load.items) <= _MOST_LISTED
            }
        )

    def wanted(self, item: str) -> bool:
        """Whether every station looks out for this item."""
        return item in self._wanted

    def gone(self, item: str) -> bool:
        """Whether an item is known to have left the site, and not to be back."""
        _, gone = self._moved.get(item, ("", item in self._gone))
        return gone

    def expected(self, container: str) -> tuple[str, ...] | None:
        """Return what the server expects in a container; ``None``: it did not say."""
        return self._lists.get(container)

    def contents(self, container: str) -> tuple[str, ...]:
        """Return what this station put into a container, and did not take out."""
        return tuple(self._inside.get(container, ()))

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
        effects = self._actions.get(line.action, SIGHTING)
        if effects.stay in {Stay.LEAVES, Stay.ENTERS}:
            for inside in self._inside.values():
                inside.pop(item, None)
        if effects.stay is Stay.ENTERS and line.container is not None:
            self._put(event, line.container, item)
        if effects.empties:
            self._inside.pop(item, None)
        if effects.place in {Place.BACK, Place.GONE}:
            self._moved.pop(item, None)
            self._moved[item] = (event, effects.place is Place.GONE)
            _trim(self._moved, _MOST_MOVED)

    def _put(self, event: str, container: str, item: str) -> None:
        inside = self._inside.pop(container, {})
        if len(inside) < _MOST_INSIDE:
            inside[item] = event
        self._inside[container] = inside
        _trim(self._inside, _MOST_CONTAINERS)

    def _forget(self, event: str) -> None:
        """Take back what a scan did that was undone."""
        for inside in self._inside.values():
            for item in [item for item, name in inside.items() if name == event]:
                del inside[item]
        for item in [item for item, (name, _) in self._moved.items() if name == event]:
            del self._moved[item]


def _trim(kept: dict[str, Any], most: int) -> None:
    """Forget the oldest of what is kept, down to a number."""
    for name in list(islice(kept, max(0, len(kept) - most))):
        del kept[name]
