"""Where a missing item is likely to be, and why there. Pure."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from server.console.timeline import Gap, Step
from shared.api.items import ItemAnswer

__all__ = ["Place", "likely"]

_MOST = 5


class Place(msgspec.Struct, frozen=True):
    """A place, a container, a person or a station to ask; ``why`` names the reason."""

    why: str
    name: str


def likely(
    answer: ItemAnswer, story: Iterable[Step | Gap], untold: Sequence[str]
) -> list[Place]:
    """Return where to look, the likeliest first; every place once.

    Args:
        answer: Where the item is, as far as is known.
        story: Its line of time, newest first.
        untold: The stations that may hold scans that were not heard.
    """
    found: dict[str, Place] = {}
    for place in _places(answer, story, untold):
        found.setdefault(place.name, place)
    return list(found.values())[:_MOST]


def _places(
    answer: ItemAnswer, story: Iterable[Step | Gap], untold: Sequence[str]
) -> Iterator[Place]:
    # who took it may have put it down since: the later of the two is the likelier
    newest = [
        (answer.custodian_since or "", "holder", answer.custodian),
        (answer.location_since or "", "last", answer.location),
    ]
    newest.sort(key=lambda one: one[0], reverse=True)
    yield from (Place(why, name) for _, why, name in newest if name)
    yield from (Place("container", name) for name in answer.path)
    steps = [s for s in story if isinstance(s, Step) and s.scan and s.void is None]
    yield from (Place("seen", s.line.location) for s in steps if s.line.location)
    yield from (Place("was_in", s.line.container) for s in steps if s.line.container)
    yield from (Place("untold", name) for name in untold)
