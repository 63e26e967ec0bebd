"""What host systems say: lines about places, people, loads and wanted items.

Contract, section 4: `note`, `claim` and `expect` are no evidence. A host system (a
shop, a warehouse management system, a supervisor's desk) writes them into a log of its
own, like any station. The fields of `HostLine` beyond those of a `Line` are the ones
that programs may pass over: they are kept with the line.
"""

from enum import IntEnum
from typing import Any

import msgspec

from shared.lines import Line

__all__ = [
    "LOAD",
    "OF_HOSTS",
    "HostLine",
    "Topic",
    "host_line",
    "topics",
]

LOAD = "load"
"""The ``kind`` of a note that announces a load."""


class HostLine(Line, frozen=True, omit_defaults=True, kw_only=True):
    """A line as a host system writes it.

    ``by`` is who did it, by the name of his key. A note of a location has its ``kind``
    (a word of the site's: dock, shelf) and, on the site's plan, ``x``, ``y``, ``w``,
    ``h``; ``ended`` takes a location or an operator off the list. ``owner`` is who sees
    to what is wrong with an item, and empty where nobody does. ``wanted`` puts an item
    on the list of wanted items, or takes it off. ``as_of`` is when the other
    system last changed what it claims, RFC 3339. ``settings`` are those of ``station``,
    or of every station where none is named.
    """

    by: str | None = None
    kind: str | None = None
    x: float | None = None
    y: float | None = None
    w: float | None = None
    h: float | None = None
    ended: bool | None = None
    wanted: bool | None = None
    as_of: str | None = None
    station: str | None = None
    settings: dict[str, Any] | None = None
    owner: str | None = None


class Topic(IntEnum):
    """What a line says something of; the latest that is not taken back holds."""

    LOCATION = 0
    OPERATOR = 1
    TITLE = 2
    WANTED = 3
    CLAIM = 4
    EXPECTED = 5
    """Of an item: the load that it should leave on."""
    LOAD = 6
    """Of a load: that there is one, or what is expected on it."""
    SETTINGS = 7
    OWNER = 8
    REMARK = 9
    """Of an item: words that were noted. None takes another's place."""


OF_HOSTS = frozenset(
    {Topic.LOCATION, Topic.OPERATOR, Topic.WANTED, Topic.SETTINGS, Topic.OWNER}
)
"""What only a host system may say: a station cannot rename the site."""

_decoder = msgspec.json.Decoder(HostLine)


def host_line(data: bytes) -> HostLine | None:
    """Read an understood line with what a host may say; ``None`` where it cannot be."""
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError):
        return None


def topics(line: HostLine) -> list[tuple[Topic, str]]:
    """Return what a line says something of: each topic with its key."""
    if line.refused is not None:
        return []
    if line.action == "claim" and line.item:
        return [(Topic.CLAIM, line.item)]
    if line.action == "expect" and line.item and line.container:
        return [(Topic.EXPECTED, line.item), (Topic.LOAD, line.container)]
    return _noted(line) if line.action == "note" else []


def _noted(line: HostLine) -> list[tuple[Topic, str]]:
    if line.settings is not None:
        return [(Topic.SETTINGS, line.station or "")]
    if line.item:
        said = {
            Topic.TITLE: line.title is not None,
            Topic.WANTED: line.wanted is not None,
            Topic.LOAD: line.kind == LOAD,
            Topic.OWNER: line.owner is not None,
            Topic.REMARK: bool(line.text),
        }
        return [(topic, line.item) for topic, says in said.items() if says]
    describes = line.title is not None or line.ended is not None
    if line.location and (describes or line.kind is not None):
        return [(Topic.LOCATION, line.location)]
    if line.operator and not line.location and describes:
        return [(Topic.OPERATOR, line.operator)]
    return []
