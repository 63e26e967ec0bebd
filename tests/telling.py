"""Stories for the resolver: events written in a line each, and a reader in memory."""

from collections.abc import Collection, Iterable

import msgspec

from server.answers import Horizon, answer
from server.events import Event, Order
from server.history import Role, mentions, tell
from shared.actions import named
from shared.api.items import ItemAnswer
from shared.lines import Line
from shared.moments import SECOND, to_text

MINUTE = 60 * SECOND
START = 1_777_000_000 * SECOND
LATER = START + 1_000_000 * MINUTE


class Memory:
    """A `server.history.Reader` over a list of events."""

    def __init__(self, events: Iterable[Event], at: int = LATER) -> None:
        self._events = [event for event in events if event.order.occurred <= at]

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        wanted = {(key, role) for key in keys for role in roles}
        return [e for e in self._events if wanted & set(mentions(e.line))]


def story(*told: str) -> list[Event]:
    """Read events such as ``10 log pick P-1 @A-01 by=B-BEN in=C-1``; 10 is a minute."""
    events: list[Event] = []
    seqs: dict[str, int] = {}
    for text in told:
        minute, log, action, *words = text.split()
        seqs[log] = seqs.get(log, 0) + 1
        occurred = START + int(minute) * MINUTE
        fields = {"seq": seqs[log], "at": to_text(occurred), "action": action}
        line = msgspec.convert({**fields, **_fields(words)}, Line)
        events.append(
            Event(
                order=Order(occurred, log, seqs[log]),
                lo=occurred,
                hi=occurred,
                received=LATER,
                line=line,
            )
        )
    voids = {named(e.line.voids): e.name for e in events if e.line.voids}
    return [
        msgspec.structs.replace(e, voided_by=voids.get((e.order.log, e.order.seq)))
        if e.line.action != "void"
        else e
        for e in events
    ]


_SIGNS = {"by": "operator", "in": "container", "is": "status", "of": "exception"}


def _fields(words: list[str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("@"):
            fields["location"] = word[1:]
        elif name == "saw":
            fields["items"] = [item for item in value.split(",") if item]
        elif equals:
            fields[_SIGNS.get(name, name)] = value
        else:
            fields["item"] = word
    return fields


def ask(events: Iterable[Event], item: str, minute: int = 1_000) -> ItemAnswer:
    """Ask where an item is, as of a minute."""
    at = START + minute * MINUTE
    telling = tell(Memory(events, at), item)
    return answer(telling, item, at=at, known_at=LATER, horizon=Horizon())


def codes(events: Iterable[Event], item: str, minute: int = 1_000) -> list[str]:
    """Ask which exceptions are open."""
    return [found.code for found in ask(events, item, minute).exceptions]


def minute_of(text: str | None) -> int | None:
    """Return the minute of a time in an answer."""
    found = {to_text(START + minute * MINUTE): minute for minute in range(1_001)}
    return None if text is None else found[text]
