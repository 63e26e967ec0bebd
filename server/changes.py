"""What changed our mind: from one view of an item to another, event by event. Pure.

A view is an answer as of a moment, from what was known at a moment. Between two views
events became known, or were taken back, and events happened. Both are told in steps:
first what became known, in the order in which it came, of the first view's moment; then
what happened, in its order. Only steps that change the answer are told.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from server.answers import Horizon, answer
from server.events import Event
from server.exceptions import review
from server.history import Role, Telling, mentions, tell
from server.site import DEFAULT, Site

__all__ = ["Change", "Seen", "changes"]

_FIELDS = (
    *("known", "status", "status_since", "location", "location_since"),
    *("custodian", "custodian_since", "path", "title"),
)
_SINCE = "_since"
_FIELDS_SAID = (*_FIELDS, "exceptions")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A view: the moment asked for, and the moment as of which."""

    at: int
    known_at: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step that changed the answer.

    ``event`` is what became known (``learned``) or happened, and ``voids`` the event
    that it took back, if it did; ``None`` where only time passed, and something fell
    due. ``moment`` is when it was received, or when it happened. ``fields``: by name
    what the answer was, and what it is from here on; of exceptions, their codes. A
    value and its ``_since`` are there together, if either is another.
    """

    moment: int
    event: str | None
    voids: str | None
    learned: bool
    fields: Mapping[str, tuple[object, object]]


class _View:
    """What is known of some events up to a moment, as a `server.history.Reader`."""

    def __init__(self, known: Iterable[Event], at: int) -> None:
        events = list(known)
        voided = _voided(events)
        self.at = at
        self._events = [
            msgspec.structs.replace(event, voided_by=voided.get(event.name))
            for event in events
            if event.order.occurred <= at
        ]

    def about(self, keys: Collection[str], roles: Collection[Role]) -> list[Event]:
        """Return the events that speak of any of the keys in any of the roles."""
        wanted = {(key, role) for key in keys for role in roles}
        return [e for e in self._events if not wanted.isdisjoint(mentions(e.line))]


def _takes_back(event: Event) -> bool:
    return event.line.action == "void" and event.line.refused is None


def _voided(known: Iterable[Event]) -> dict[str, str]:
    """Return by which void each event was taken back first; no void is."""
    voids = sorted(filter(_takes_back, known), key=lambda e: (e.received, e.name))
    own = {event.name for event in voids}
    found: dict[str, str] = {}
    for event in voids:
        if event.line.voids is not None and event.line.voids not in own:
            found.setdefault(event.line.voids, event.name)
    return found


def changes(
    events: Iterable[Event],
    item: str,
    before: Seen,
    after: Seen,
    *,
    site: Site = DEFAULT,
) -> list[Change]:
    """Return what changed our mind between two views of an item, step by step.

    Args:
        events: All that bear on the item and are known at the later view, with the
            voids of them; others do no harm.
        item: The item.
        before: The view from which to start.
        after: The view at which to arrive; neither of its moments is earlier.
        site: The site's rules.

    Raises:
        ValueError: A moment of the later view is earlier.
    """
    if after.at < before.at or after.known_at < before.known_at:
        reason = "the second view is of an earlier moment than the first"
        raise ValueError(reason)
    told = {e.name: e for e in events if e.received <= after.known_at}
    found: list[Change] = []
    last: dict[str, object] | None = None
    for step in _steps(list(told.values()), item, before, after, site):
        telling, (moment, event, learned), at = step
        now = _plain(telling, item, at, site)
        if last is not None and now != last:
            fields = {name: (last[name], now[name]) for name in now}
            found.append(_change(event, moment, fields, learned=learned))
        last = now
    return found


_Step = tuple[Telling, tuple[int, Event | None, bool], int]
"""What is told then; the moment, the event and whether it was learned; as of when."""


def _steps(
    told: list[Event], item: str, before: Seen, after: Seen, site: Site
) -> Iterator[_Step]:
    known = [event for event in told if event.received <= before.known_at]
    yield _told(known, item, before.at, site), (before.known_at, None, True), before.at
    late = [event for event in told if event.received > before.known_at]
    for event in sorted(late, key=lambda e: (e.received, e.order.log, e.order.seq)):
        known = [*known, event]
        if _takes_back(event) or event.order.occurred <= before.at:
            telling = _told(known, item, before.at, site)
            yield telling, (event.received, event, True), before.at
    yield from _happening(told, item, before.at, after.at, site)


def _happening(
    told: list[Event], item: str, begin: int, end: int, site: Site
) -> Iterator[_Step]:
    """Go on from moment to moment, with everything known that is known in the end."""
    later = [event for event in told if begin < event.order.occurred <= end]
    happened = [event for event in told if event.order.occurred <= begin]
    taken_back = [event for event in later if _takes_back(event)]
    at = begin
    for event in sorted(later, key=lambda event: event.order):
        known = [*happened, *taken_back]
        yield from _falling_due(known, item, at, event.order.occurred - 1, site)
        happened, at = [*happened, event], event.order.occurred
        telling = _told([*happened, *taken_back], item, at, site)
        yield telling, (at, event, False), at
    yield from _falling_due([*happened, *taken_back], item, at, end, site)


def _falling_due(
    known: list[Event], item: str, at: int, end: int, site: Site
) -> Iterator[_Step]:
    while True:
        telling = _told(known, item, at, site)
        due = review(telling.world, item, telling.said, at, site=site).due
        if due is None or due > end:
            return
        at = due
        yield _told(known, item, at, site), (at, None, False), at


def _told(known: list[Event], item: str, at: int, site: Site) -> Telling:
    return tell(_View(known, at), item, site.actions)


def _plain(telling: Telling, item: str, at: int, site: Site) -> dict[str, object]:
    found = answer(telling, item, at=at, known_at=at, horizon=Horizon(), site=site)
    codes = [one.code for one in found.exceptions]
    return {**{name: getattr(found, name) for name in _FIELDS}, "exceptions": codes}


def _change(
    event: Event | None,
    moment: int,
    fields: Mapping[str, tuple[object, object]],
    *,
    learned: bool,
) -> Change:
    takes_back = event is not None and _takes_back(event)
    return Change(
        moment=moment,
        event=event.name if event is not None else None,
        voids=event.line.voids if event is not None and takes_back else None,
        learned=learned,
        fields={name: fields[name] for name in _FIELDS_SAID if _other(name, fields)},
    )


def _other(name: str, fields: Mapping[str, tuple[object, object]]) -> bool:
    """Whether a field is another, or what stands with it."""
    value = name.removesuffix(_SINCE)
    pairs = (fields[one] for one in (value, value + _SINCE) if one in fields)
    return any(before != after for before, after in pairs)
