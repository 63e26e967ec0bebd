"""What changed our mind, as what a person says: what was learnt, and believed before.

Pure. A page says it in its language: `Learnt` names the sentences and their values.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from server.changes import Change
from server.console.timeline import LATE
from server.events import Event
from shared.actions import ACTIONS, Actions
from shared.moments import SECOND

__all__ = ["Belief", "Learnt", "Scan", "learnt", "together"]

_ASPECTS = (
    ("status", "status"),
    ("place", "location"),
    ("holder", "custodian"),
    ("within", "path"),
    ("called", "title"),
    ("wrong", "exceptions"),
)
"""What is believed of an item, and the field of an answer that says it."""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The line that was learnt of, or that was taken back: where, when, by whom."""

    event: str
    log: str
    occurred: int
    place: str
    who: str

    @property
    def text(self) -> str:
        """The name of its text."""
        parts = ("place" if self.place else "", "who" if self.who else "")
        return "_".join(filter(None, parts)) or "time"


class Belief(msgspec.Struct, frozen=True):
    """One thing about an item: its name among the texts, the value, and since when.

    Without a value it is the belief that there is none: it was nowhere, nobody held it.
    """

    name: str
    values: tuple[str, ...]
    since: str | None

    @property
    def text(self) -> str:
        """The name of its text."""
        if not self.values:
            return f"no_{self.name}"
        return self.name if self.since is None else f"{self.name}_since"


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What came in and changed the answer.

    ``kind``: ``it`` was scanned, ``other`` was (``subject``: something that it was in
    or with), a ``count``, a word that was ``said``, or ``void``: ``scan`` was taken
    back, by ``back``, for a ``reason``. ``late``: so many microseconds passed until the
    line was heard; 0 where that is usual. ``new``: nothing was known of the item
    before. ``beliefs``: what we believed until then, and from then on. ``also``: what
    else was heard at the same moment, before it.
    """

    moment: int
    kind: str
    subject: str
    action: str
    scan: Scan
    back: Scan | None
    reason: str
    late: int
    new: bool
    beliefs: list[tuple[Belief, Belief]]
    also: list["Learnt"] = []


def learnt(
    change: Change,
    events: Mapping[str, Event],
    item: str,
    actions: Actions = ACTIONS,
) -> Learnt | None:
    """Put a step into what a person says; ``None`` where only time passed.

    Args:
        change: The step.
        events: All that bear on the item, by name.
        item: The item.
        actions: The site's.
    """
    event = events.get(change.event or "")
    if event is None:
        return None
    told = events.get(change.voids or "")
    late = event.received - event.order.occurred
    return Learnt(
        moment=change.moment,
        kind="void" if told is not None else _kind(event, item, actions),
        subject=event.line.item or "",
        action="see" if event.line.refused is not None else event.line.action,
        scan=_scan(event if told is None else told),
        back=None if told is None else _scan(event),
        reason=event.line.reason or "",
        late=late if late > LATE else 0,
        new=change.fields.get("known") == (False, True),
        beliefs=list(_beliefs(change.fields)),
    )


def together(told: Iterable[Learnt]) -> list[Learnt]:
    """Put together what was heard within a second: nobody believed what lay between.

    What it came to is told; where that is nothing, the moment is left out.

    Args:
        told: What was learnt, in the order in which it was heard.
    """
    moments: list[list[Learnt]] = []
    for one in told:
        if not moments or one.moment - moments[-1][0].moment >= SECOND:
            moments.append([])
        moments[-1].append(one)
    found = map(_as_one, moments)
    return [one for one in found if one.new or one.beliefs]


def _as_one(heard: list[Learnt]) -> Learnt:
    first: dict[str, Belief] = {}
    last: dict[str, Belief] = {}
    for one in heard:
        for before, after in one.beliefs:
            first.setdefault(before.name, before)
            last[after.name] = after
    changed = [(first[name], last[name]) for name in first if first[name] != last[name]]
    return msgspec.structs.replace(
        heard[-1],
        new=any(one.new for one in heard),
        beliefs=[pair for pair in changed if any(one.values for one in pair)],
        also=heard[:-1],
    )


def _kind(event: Event, item: str, actions: Actions) -> str:
    if event.line.action == "count":
        return "count"
    if not event.action(actions).evidence:
        return "said"
    return "it" if event.line.item == item else "other"


def _scan(event: Event) -> Scan:
    return Scan(
        event=event.name,
        log=event.order.log,
        occurred=event.order.occurred,
        place=event.line.location or "",
        who=event.line.operator or "",
    )


def _beliefs(
    fields: Mapping[str, tuple[object, object]],
) -> Iterator[tuple[Belief, Belief]]:
    for name, field in _ASPECTS:
        if field in fields:
            sinces = fields.get(f"{field}_since", (None, None))
            before, after = (
                Belief(name, _values(value), None if since is None else str(since))
                for value, since in zip(fields[field], sinces, strict=True)
            )
            if before.values or after.values:
                yield before, after


def _values(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value)
    return () if value is None else (str(value),)
