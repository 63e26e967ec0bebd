"""What came to a place and went from it, told from the stories of items. Pure."""

from collections.abc import Iterator, Mapping
from operator import attrgetter

import msgspec

from server.history import Telling
from server.resolve import Moment
from shared.lines import Line

__all__ = ["Move", "moves"]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """An item that came to a place, or went from it, by which scan.

    ``other`` is where it came from or went to, if that is known; ``gone``: it left the
    site. ``via`` is the container whose scan shows it.
    """

    item: str
    came: bool
    event: str
    occurred: int
    line: Line
    other: str | None
    gone: bool
    via: str | None


def moves(tellings: Mapping[str, Telling], place: str, most: int) -> list[Move]:
    """Return what came to a place and went from it, the newest first."""
    found = [
        one
        for item, telling in tellings.items()
        for one in _of(item, telling.world.story(item), place)
    ]
    found.sort(key=attrgetter("occurred", "item"), reverse=True)
    return found[:most]


def _of(item: str, story: list[Moment], place: str) -> Iterator[Move]:
    at, here = None, False
    for moment in story:
        shown = moment.shown
        now_at = shown.location or at
        stays = now_at == place and shown.gone is not True
        if stays and not here:
            yield _move(item, moment, came=True, other=None if at == place else at)
        elif here and not stays:
            other = now_at if now_at != place else None
            yield _move(item, moment, came=False, other=other)
        at, here = now_at, stays


def _move(item: str, moment: Moment, *, came: bool, other: str | None) -> Move:
    event = moment.shown.event
    return Move(
        item=item,
        came=came,
        event=event.name,
        occurred=event.order.occurred,
        line=event.line,
        other=other,
        gone=moment.shown.gone is True,
        via=moment.via,
    )
