"""An item's way through the site, as figures are made of it. Pure.

What a `Telling` shows is put into the terms in which a floor is measured: how long it
stayed in each step, when it was scanned, whether what was picked was taken over in
time, when it was missed and when it turned up again, and which steps it had when it
left. Late events, voids and what was known when are the telling's business.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple

import msgspec

from server.events import Event
from server.exceptions import review
from server.findings import COUNT, MANIFEST, Finding
from server.history import Telling
from server.resolve import Moment
from server.site import Site

__all__ = ["LOST", "MISSED", "Course", "Departure", "Handoff", "Loss", "Stay", "course"]

LOST = frozenset({COUNT, MANIFEST})
"""The exceptions by which an item counts as lost from then on."""
MISSED = "miss"
"""The action of a line that says: looked for here, and not found."""


class Stay(NamedTuple):
    """It was in a step, a status, from one moment until another."""

    step: str
    start: int
    end: int


class Handoff(NamedTuple):
    """It was picked; ``in_time``: somebody took it over within the limit.

    ``None`` where that can still be.
    """

    picked: int
    in_time: bool | None


class Loss(NamedTuple):
    """It was missed from a moment on, and scanned again at another, if ever."""

    since: int
    found: int | None


class Departure(NamedTuple):
    """It left, having had these steps since it came."""

    at: int
    steps: frozenset[str]


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """An item's way. ``holds``: it ever had others in it; ``scans`` are its own."""

    item: str
    holds: bool
    scans: list[int]
    stays: list[Stay]
    handoffs: list[Handoff]
    losses: list[Loss]
    departures: list[Departure]
    findings: list[tuple[Finding, Event | None]]


def course(item: str, telling: Telling, at: int, site: Site) -> Course:
    """Return an item's way up to and including the moment ``at``."""
    story, said = telling.world.story(item), telling.said
    events, gone = _events(story), site.gone
    found = review(telling.world, item, said, at, site=site).findings
    shown_by = {event.name: event for event in said}
    shown_by.update((m.shown.event.name, m.shown.event) for m in story)
    return Course(
        item=item,
        holds=telling.holds,
        scans=list(_scans(events)),
        stays=list(_stays(events, gone)),
        handoffs=list(_handoffs(events, at, site)),
        losses=list(_losses(events, said, found)),
        departures=list(_departures(events, gone)),
        findings=[(one, shown_by.get(one.event)) for one in found],
    )


_Events = list[tuple[int, list[Moment]]]


def _events(story: Iterable[Moment]) -> _Events:
    """Put together what one event shows, the nearest last; each with when it was."""
    found: _Events = []
    last = None
    for moment in story:
        event = moment.shown.event
        if event is last:
            found[-1][1].append(moment)
        else:
            found.append((event.order.occurred, [moment]))
        last = event
    return found


def _scans(events: _Events) -> Iterator[int]:
    for at, moments in events:
        if any(one.via is None and one.shown.own for one in moments):
            yield at


def _stays(events: _Events, gone: frozenset[str]) -> Iterator[Stay]:
    """Tell of each step that ended; to be gone is none."""
    step, since = None, 0
    for at, moments in events:
        shown = [one.shown.status for one in moments if one.shown.status is not None]
        if shown and shown[-1] != step:
            if step is not None and step not in gone:
                yield Stay(step, since, at)
            step, since = shown[-1], at


def _handoffs(events: _Events, at: int, site: Site) -> Iterator[Handoff]:
    picked: tuple[int, str | None] | None = None
    for now, moments in events:
        for shown in (one.shown for one in moments if one.shown.holds):
            again = shown.action.handoff and picked and picked[1] == shown.holder
            if picked and not again:
                yield Handoff(picked[0], now - picked[0] < site.handoff)
                picked = None
            if shown.action.handoff and not again:
                picked = now, shown.holder
    if picked is not None:
        yield Handoff(picked[0], False if at - picked[0] >= site.handoff else None)


def _losses(
    events: _Events, said: Iterable[Event], found: Iterable[Finding]
) -> Iterator[Loss]:
    missed = {one.since for one in found if one.code in LOST}
    missed |= {e.order.occurred for e in said if e.line.action == MISSED}
    if not missed:
        return
    seen = [at for at, moments in events if any(m.shown.location for m in moments)]
    since = None
    told = merge(((at, True) for at in seen), ((at, False) for at in sorted(missed)))
    for at, is_seen in told:
        if is_seen and since is not None and at > since:
            yield Loss(since, at)
            since = None
        elif not is_seen and since is None:
            since = at
    if since is not None:
        yield Loss(since, None)


def _departures(events: _Events, left: frozenset[str]) -> Iterator[Departure]:
    steps: set[str] = set()
    gone = False
    for at, moments in events:
        was_gone = gone
        for shown in (one.shown for one in moments):
            if shown.action.restarts:
                steps.clear()
            if shown.status is not None and shown.status not in left:
                steps.add(shown.status)
            gone = gone if shown.gone is None else shown.gone
        if gone and not was_gone:
            yield Departure(at, frozenset(steps))
