"""What is in what, as far as a station knows: what it was told, and did itself since.

Pure, but not frozen. The server's list is what all stations together have shown, and is
some seconds old; a station's own deeds are newer, until a list is made that has them.
"""

from collections.abc import Iterable, Mapping

import msgspec

from edge.workflow.trimming import trim
from shared.actions import Action, Stay
from shared.reference import KnownContainer

__all__ = ["Contents"]

_MOST_DEEDS = 5000
_DEEPEST = 8
"""Containers in containers that are looked into."""


class _Deed(msgspec.Struct, frozen=True):
    """This station put an item into a container, or took it out of one (None)."""

    event: str
    container: str | None
    at: int


class Contents:
    """What is in what."""

    def __init__(self) -> None:
        """Begin with knowing nothing."""
        self._told: Mapping[str, tuple[str, ...]] = {}
        self._around: Mapping[str, str] = {}
        self._deeds: dict[str, _Deed] = {}

    def update(self, told: Iterable[KnownContainer], newer: int) -> None:
        """Take the server's list, and forget the deeds from before ``newer``."""
        self._told = {one.container: one.items for one in told}
        self._around = {
            item: container for container, items in self._told.items() for item in items
        }
        if self._told:
            self._deeds = {i: d for i, d in self._deeds.items() if d.at >= newer}

    def told(self, container: str) -> bool:
        """Whether the server said what is in a container."""
        return container in self._told

    def of(self, container: str) -> tuple[str, ...]:
        """Return what is in a container, not what is in that."""
        deeds = self._deeds
        told = (item for item in self._told.get(container, ()) if item not in deeds)
        own = (item for item, deed in deeds.items() if deed.container == container)
        return (*told, *own)

    def inside(self, container: str) -> frozenset[str]:
        """Return all that is in a container, at any depth."""
        found: set[str] = set()
        around = [container]
        for _ in range(_DEEPEST):
            around = [item for one in around for item in self.of(one)]
            around = [item for item in around if item not in found]
            found.update(around)
            if not around:
                break
        return frozenset(found)

    def learn(
        self, event: str, at: int, effects: Action, item: str, container: str | None
    ) -> None:
        """Take in what this station did, in the order in which it did it."""
        enters = effects.stay is Stay.ENTERS and container is not None
        if enters or (effects.stay in {Stay.ENTERS, Stay.LEAVES} and self._has(item)):
            self._keep(item, _Deed(event, container if enters else None, at))
        if effects.empties:
            for inner in self.of(item):
                self._keep(inner, _Deed(event, None, at))

    def forget(self, event: str) -> None:
        """Take back what a scan did that was undone."""
        for item in [i for i, deed in self._deeds.items() if deed.event == event]:
            del self._deeds[item]

    def _has(self, item: str) -> bool:
        return item in self._deeds or item in self._around

    def _keep(self, item: str, deed: _Deed) -> None:
        self._deeds.pop(item, None)
        self._deeds[item] = deed
        trim(self._deeds, _MOST_DEEDS)
