"""What new lines of a log say and when that happened, whatever keeps them. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec

from server.delivery import Delivery
from server.events import Event, Order
from server.problems import invalid
from server.store import Station, is_own
from server.timing import Anchor, BootClock, When, place_all
from shared.actions import Actions, lacks, named
from shared.errors import LineError
from shared.hosts import OF_HOSTS, Topic, host_line, topics
from shared.lines import Line, decode, read_again

__all__ = [
    "OPAQUE",
    "SAYS",
    "Understood",
    "check_name",
    "read",
    "says",
    "understand",
    "voids",
    "with_voids",
]

OPAQUE = "its station could send it only as opaque bytes"
"""Why such a line is quarantined, whatever it says."""

SAYS = ("note", "claim", "expect")
"""The actions whose lines say something."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Understood(msgspec.Struct, kw_only=True, gc=False):
    """A line and what was made of it; ``event`` is ``None`` where it is quarantined."""

    seq: int
    data: bytes
    when: When
    event: Event | None
    quarantined: str | None


def check_name(log: str) -> None:
    """Say no to what is no name of a log.

    Raises:
        ProblemError: 400.
    """
    if not _UUID.fullmatch(log):
        reason = f"{log[:80]!r} is no name of a log: a UUID in lower case"
        raise invalid(reason)


def read(
    data: bytes,
    seq: int,
    *,
    actions: Actions,
    opaque: bool = False,
    again: bool = False,
) -> tuple[Line | None, str | None]:
    """Read a line, or say why it cannot be understood; ``again``: it could be once."""
    if opaque:
        return None, OPAQUE
    try:
        line = read_again(data) if again else decode(data)
    except LineError as error:
        return None, str(error)
    if line.seq != seq:
        return line, f"it says that it is line {line.seq}, and is line {seq}"
    return line, lacks(line, actions)


def understand(
    delivery: Delivery,
    already: int,
    *,
    actions: Actions,
    clocks: Callable[[str], BootClock | None],
    request: Anchor | None,
    before: When | None,
    received: int,
) -> list[Understood]:
    """Say of a delivery's lines what they are, and when what they tell happened.

    Args:
        delivery: The delivery.
        already: How many of its lines are kept already, and left out here.
        actions: The site's actions.
        clocks: Returns what tells the time of a boot, if something does.
        request: The exchange that brings the lines, if its clocks came with it.
        before: When the line before them in the log happened.
        received: When the lines reached this server.
    """
    reader = partial(read, actions=actions, opaque=delivery.opaque)
    first, new = delivery.after + already + 1, delivery.lines[already:]
    found = [reader(data, seq) for seq, data in enumerate(new, first)]
    whens = place_all(
        [line for line, _ in found],
        clocks=clocks,
        request=request,
        before=before,
        received=received,
    )
    return [
        Understood(
            seq=seq,
            data=data,
            when=when,
            event=_event(delivery.log, seq, when, line, received)
            if line is not None and reason is None
            else None,
            quarantined=reason,
        )
        for seq, (data, (line, reason), when) in enumerate(
            zip(new, found, whens, strict=True), first
        )
    ]


def _event(log: str, seq: int, when: When, line: Line, received: int) -> Event:
    return Event(
        order=Order(when.occurred, log, seq),
        lo=when.lo,
        hi=when.hi,
        received=received,
        line=line,
    )


def voids(line: Line) -> tuple[str, int] | None:
    """Return the event that a line takes back: its log and its place there."""
    if line.action != "void" or line.refused is not None or line.voids is None:
        return None
    return named(line.voids)


def with_voids(
    understood: Iterable[Understood], voided: Mapping[int, str]
) -> Iterator[tuple[int, Event]]:
    """Return what was understood, with what was taken back before it came.

    Args:
        understood: Lines of one log.
        voided: By place in that log, what took it back.
    """
    for one in understood:
        event = one.event
        if event is None:
            continue
        if one.seq in voided and voids(event.line) is None:
            event = msgspec.structs.replace(event, voided_by=voided[one.seq])
        yield one.seq, event


def says(station: Station, understood: Understood) -> list[tuple[Topic, str]]:
    """Return what a line says something of that no scan shows, if its writer may."""
    event = understood.event
    if event is None or event.line.action not in SAYS:
        return []
    line = host_line(understood.data)
    told = () if line is None else topics(line)
    return [(topic, key) for topic, key in told if _may_say(station, topic)]


def _may_say(station: Station, topic: Topic) -> bool:
    """Whether it counts: no station renames the site, no host settles a station."""
    if topic is Topic.SETTINGS:
        return is_own(station.name)
    return station.kind == "host" or topic not in OF_HOSTS
