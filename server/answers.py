"""From what is told of an item to the answer that a reader gets. Pure."""

from functools import lru_cache

import msgspec

from server.events import Event
from server.exceptions import Case, exceptions
from server.findings import Finding, in_order
from server.history import Telling
from server.known import Known
from server.resolve import Moment, Resolution, resolve
from server.site import DEFAULT, Site
from shared import moments
from shared.api.items import ItemAnswer, ItemEvent, ItemEvents, ItemException
from shared.api.stations import Untold

__all__ = [
    "Heading",
    "Horizon",
    "Stored",
    "answer",
    "heading",
    "history",
    "history_events",
    "kept_answer",
    "title_of",
]

to_text = lru_cache(maxsize=8192)(moments.to_text)
"""Writes a moment: a page of answers has the same ones over and over."""


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """Up to when every active station has told everything, and which have not.

    ``complete_until`` is ``None`` where a station never told anything, or none is
    there; ``behind`` are the stations that have not told all up to the moment asked
    for.
    """

    complete_until: int | None = None
    behind: tuple[tuple[str, int | None], ...] = ()

    def untold(self) -> list[Untold]:
        """Write the stations that are behind for a reader."""
        return [
            Untold(station=name, complete_until=_maybe(until))
            for name, until in self.behind
        ]

    def text(self) -> str | None:
        """Write ``complete_until`` for a reader."""
        return _maybe(self.complete_until)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """How an event is kept: its station's name, the bytes that came, and more.

    ``basis`` is what its time rests on.
    """

    station: str
    line: bytes
    basis: str


def _maybe(moment: int | None) -> str | None:
    return None if moment is None else to_text(moment)


def title_of(said: list[Event], item: str) -> str | None:
    """Return what an item is called, by what was said of it in order."""
    titles = [
        event.line.title
        for event in said
        if event.line.item == item and event.line.title is not None
    ]
    return titles[-1] if titles else None


def answer(
    telling: Telling,
    item: str,
    *,
    at: int,
    known_at: int,
    horizon: Horizon,
    site: Site = DEFAULT,
) -> ItemAnswer:
    """Say where an item is: contract, section 7, ``GET /v1/items/{item}``."""
    return _document(
        item,
        resolve(telling.world, item),
        known=telling.known,
        title=title_of(telling.said, item),
        findings=exceptions(telling.world, item, telling.said, at, site=site),
        head=heading(at, known_at, horizon),
    )


class Heading(msgspec.Struct, frozen=True):
    """What answers to one question have in common, as they are written."""

    at: str
    known_at: str
    complete_until: str | None
    behind: list[Untold]


def heading(at: int, known_at: int, horizon: Horizon) -> Heading:
    """Write as of when, and from what was known when, answers are given."""
    return Heading(to_text(at), to_text(known_at), horizon.text(), horizon.untold())


def kept_answer(  # noqa: PLR0917 # called for thousands
    item: str, known: Known, found: Resolution, case: Case, now: int, head: Heading
) -> ItemAnswer:
    """Say where an item is now, by what is kept of it and of what it is in.

    Args:
        item: The item.
        known: What is kept of it.
        found: Where it is by that.
        case: What is wrong with it; used up.
        now: In microseconds since 1970.
        head: The same, and up to when everything was told.
    """
    if case.due:
        case.fall_due(now)
    return _document(
        item,
        found,
        known=known.named,
        title=known.title,
        findings=in_order(case.open.values()) if case.open else [],
        head=head,
    )


def _document(
    item: str,
    found: Resolution,
    *,
    known: bool,
    title: str | None,
    findings: list[Finding],
    head: Heading,
) -> ItemAnswer:
    status, location, custodian, path, _ = found
    # one by one, because a list has thousands of these
    return ItemAnswer(
        item=item,
        known=known,
        status=None if status is None else status.value,
        status_since=None if status is None else to_text(status.since.occurred),
        status_event=None if status is None else status.latest.name,
        location=None if location is None else location.value,
        location_since=None if location is None else to_text(location.since.occurred),
        location_event=None if location is None else location.latest.name,
        custodian=None if custodian is None else custodian.value,
        custodian_since=None
        if custodian is None
        else to_text(custodian.since.occurred),
        container=path[0] if path else None,
        path=list(path),
        title=title,
        exceptions=[_exception(finding) for finding in findings] if findings else [],
        at=head.at,
        known_at=head.known_at,
        complete_until=head.complete_until,
        behind=head.behind,
    )


def _exception(finding: Finding) -> ItemException:
    return ItemException(
        code=finding.code,
        since=to_text(finding.since),
        event=finding.event,
        text=finding.text,
    )


def _telling_moments(story: list[Moment]) -> list[Moment]:
    """Leave out what another item's scan shows of a container, unless it tells.

    A load has thousands of these; only those that change the place, and the last one,
    tell anything about the item.
    """
    kept: list[Moment] = []
    location: str | None = None
    for index, moment in enumerate(story):
        shown = moment.shown
        moved = shown.location is not None and shown.location != location
        if shown.own or moved or index == len(story) - 1:
            kept.append(moment)
        location = shown.location or location
    return kept


def history_events(telling: Telling, item: str) -> list[tuple[Event, str | None]]:
    """Return the item's events and its containers', in order, each with its ``via``."""
    found: dict[str, tuple[Event, str | None]] = {
        event.name: (event, None) for event in telling.events
    }
    for moment in _telling_moments(telling.world.story(item)):
        event = moment.shown.event
        found.setdefault(event.name, (event, moment.via))
    return sorted(found.values(), key=lambda pair: pair[0].order)


def history(
    events: list[tuple[Event, str | None]],
    stored: dict[str, Stored],
    item: str,
    *,
    known_at: int,
    horizon: Horizon,
) -> ItemEvents:
    """Write an item's history: ``GET /v1/items/{item}/events``."""
    return ItemEvents(
        item=item,
        events=[
            ItemEvent(
                event=event.name,
                occurred_at=to_text(event.order.occurred),
                occurred_lo=to_text(event.lo),
                occurred_hi=to_text(event.hi),
                basis=stored[event.name].basis,
                received_at=to_text(event.received),
                station=stored[event.name].station,
                line=msgspec.Raw(stored[event.name].line),
                voided_by=event.voided_by,
                via=via,
            )
            for event, via in events
        ],
        known_at=to_text(known_at),
        complete_until=horizon.text(),
        behind=horizon.untold(),
    )
