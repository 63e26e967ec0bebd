"""What is kept of one item, and what of it is not written yet. Pure.

States of items change with nearly every event, and are written once for many changes:
what was not written yet is here for all who read. Every version is marked with the
position of the last line that was taken into it, so that whoever reads the database as
of some moment finds the states of that moment.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from server.exceptions import Case, copied
from server.findings import Finding
from server.history import Role
from server.known import Known

__all__ = ["Kept", "Overtaken", "Snapshot", "Unwritten", "heard", "position", "roles"]

_ROLE_BITS = len(Role)


def heard(where: int, bits: int) -> int:
    """Write in one number that the event at a position speaks of a key, and how.

    ``bits`` has ``1 << Role`` for each way.
    """
    return where << _ROLE_BITS | bits


def position(told: int) -> int:
    """Return the position in such a number."""
    return told >> _ROLE_BITS


def roles(told: int) -> int:
    """Return the bits in such a number."""
    return told & (1 << _ROLE_BITS) - 1


class Kept(msgspec.Struct, gc=False):
    """What is kept of one item, as one version of it.

    ``id`` grows in the order in which items were first named; 0 is not written yet.
    ``heard`` are the latest events that speak of it, those before them are kept apart.
    ``taken_out``: it ever left a container that the event does not name. ``found`` is
    what is written of what is open or falls due, ``anew`` that all else that is
    written of its findings does not hold any more. ``row`` is what is written of it.
    ``taken`` is the position of the last line that may be in it, ``before`` the version
    before it, as long as neither is written.
    """

    key: str
    known: Known
    case: Case
    heard: list[int] = []
    taken_out: bool = False
    id: int = 0
    found: frozenset[Finding] = frozenset()
    anew: bool = False
    row: tuple[object, ...] | None = None
    taken: int = 0
    before: "Kept | None" = None

    def changing(self, taken: int, told: int) -> "Kept":
        """Return a version that may be changed, while this one stays as it is.

        Args:
            taken: The position of the last line that may be in it.
            told: Up to where everything is written.
        """
        new = copied(self)
        new.known, new.case = copied(self.known), self.case.copy()
        new.heard = self.heard[:]
        new.taken, new.before = taken, None
        if self.taken >= told:  # what is told anew may be as of what is written
            new.before = self
            if self.before is not None:
                self.before = _FORGOTTEN
        return new

    def as_written(self) -> "Kept":
        """Return a version to note in what is written of it; its findings are apart."""
        new = copied(self)
        new.before = None
        if self.case.closed or self.case.left:
            new.case = self.case.copy()
        return new


_FORGOTTEN = Kept("", Known(), Case(), taken=2**63 - 1)
"""Stands for versions that are too old to be here."""


class Snapshot(NamedTuple):
    """What somebody who reads can see: lines up to ``last``, states up to ``told``."""

    last: int
    told: int


class Overtaken(Exception):  # noqa: N818 # no error: what is read has changed meanwhile
    """What a snapshot shows is not here any more; a new one has to be taken."""


class _Generations(NamedTuple):
    """What is not written, and what was written last, which is up to ``told``.

    Of what was written before that, up to ``dropped``, nothing is here any more.
    """

    unwritten: dict[str, Kept]
    written: Mapping[str, Kept]
    told: int
    dropped: int


class Unwritten:
    """Versions that were not written when a snapshot was taken.

    One thread changes it, any others look: each look is at one whole state of it.
    """

    def __init__(self, told: int = 0) -> None:
        self._now = _Generations({}, {}, told, told)

    def __len__(self) -> int:
        return len(self._now.unwritten)

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._now.unwritten.values())

    def publish(self, changed: Mapping[str, Kept]) -> None:
        """Show versions to those who will see the lines that are in them."""
        self._now.unwritten.update(changed)

    def withdraw(self, changed: Mapping[str, Kept]) -> None:
        """Put what was before in place of versions that are not to be."""
        for key, kept in changed.items():
            if kept.before is not None:
                self._now.unwritten[key] = kept.before
            else:
                self._now.unwritten.pop(key, None)

    @property
    def told(self) -> int:
        """The position up to which everything is written."""
        return self._now.told

    def written(self, told: int) -> None:
        """Note that all is written, up to a position."""
        now = self._now
        self._now = _Generations({}, now.unwritten, told, now.told)

    def restart(self) -> None:
        """Note that what is written has been replaced; nothing from before is right."""
        told = self.told
        self._now = _Generations({}, {}, told, told)

    def find(self, key: str, seen: Snapshot) -> Kept | None:
        """Return the version that a snapshot does not hold; ``None``: it holds it.

        Raises:
            Overtaken: It is not here any more.
        """
        now = self._now
        if seen.told < now.dropped:
            raise Overtaken
        for versions in (now.unwritten, now.written):
            kept = versions.get(key)
            if kept is not None and kept.taken > seen.last and kept.before is not None:
                kept = kept.before
                if kept.taken > seen.last:
                    raise Overtaken
            if kept is not None and seen.told <= kept.taken <= seen.last:
                return kept
        return None

    def heard(self, key: str) -> Iterator[int]:
        """Return which events speak of a key, by what is not written or was last."""
        for versions in self._now[:2]:
            kept = versions.get(key)
            if kept is not None:
                yield from kept.heard
