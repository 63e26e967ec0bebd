"""An item's answer and story as text for a terminal. Pure.

Texts that came from barcodes are data: control characters in them are shown as such,
never sent to the terminal.
"""

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from shared.api.items import ItemAnswer, ItemEvent, ItemEvents, ItemPage
from shared.api.stations import Untold
from shared.api.wanted import Wanted
from shared.lines import Line
from shared.moments import SECOND, to_moment

__all__ = [
    "found",
    "here",
    "moment",
    "plain",
    "sentence",
    "table",
    "trace",
    "untold",
    "wanted",
]

LATE = 120 * SECOND
"""Heard this long after it happened, in microseconds, an event is shown as late."""

_NO_SCANS = frozenset({"note", "claim", "expect", "resolve", "miss", "void"})
"""Actions that show nothing of where an item is: contract, section 4."""

_MOST_NAMED = 5
"""Stations that are named; of more, only the number is told."""


def plain(text: str, most: int = 60) -> str:
    """Return a text with nothing in it that a terminal would act on, cut to length."""
    shown = "".join(_visible(character) for character in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character)[0] != "C":
        return character
    return f"\\x{ord(character):02x}"


def moment(text: str | None) -> str:
    """Write an RFC 3339 time in UTC as ``2026-04-27 08:00:00``."""
    return "" if text is None else text[:19].replace("T", " ")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write rows under a head, columns aligned."""
    lines = [tuple(head), *(tuple(map(plain, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    ]


def sentence(answer: ItemAnswer, events: Sequence[ItemEvent] = ()) -> str:
    """Say in one sentence where an item is, since when, and who has it."""
    item = plain(answer.item)
    shown = answer.status is not None or answer.location is not None
    if not answer.known or not (shown or any(map(_is_scan, events))):
        return f"{item} was never scanned, as far as is known here."
    said = [answer.status or "seen"]
    if answer.status_since:
        said.append(f"since {moment(answer.status_since)}")
    where = f"at {plain(answer.location)}" if answer.location else "at no known place"
    said.append(f", {where}")
    if answer.location_since and answer.location_since != answer.status_since:
        said.append(f"since {moment(answer.location_since)}")
    if answer.path:
        said.append(", in " + " in ".join(map(plain, answer.path)))
    if answer.custodian:
        said.append(f", held by {plain(answer.custodian)}")
    return f"{item} is {' '.join(said).replace(' ,', ',')}."


def _is_scan(event: ItemEvent) -> bool:
    line = _line(event)
    seen = line.refused is not None or line.action not in _NO_SCANS
    return seen and event.voided_by is None


def _line(event: ItemEvent) -> Line:
    return msgspec.json.decode(event.line, type=Line)


def _hearsay(answer: ItemAnswer, events: Sequence[ItemEvent]) -> list[str]:
    """Say what was only said of an item: of each kind, the latest that holds."""
    own = (e for e in events if e.voided_by is None and _line(e).item == answer.item)
    latest = {_line(event).action: event for event in own}
    said = []
    for action, event in latest.items():
        line, by = _line(event), f"said by {plain(event.station)}"
        at = moment(event.occurred_at)
        if action == "expect" and line.container and line.container not in answer.path:
            said.append(f"Expected on {plain(line.container)} ({by}, {at}).")
        if action == "claim" and line.status and line.status != answer.status:
            said.append(f"Claimed to be {plain(line.status)} ({by}, {at}).")
    return said


def untold(complete_until: str | None, behind: Sequence[Untold]) -> list[str]:
    """Say which stations were not heard from, if any was not."""
    if not behind:
        return []
    names = [
        f"{plain(one.station)} (heard to {moment(one.complete_until) or 'nothing yet'})"
        for one in behind[:_MOST_NAMED]
    ]
    unnamed = len(behind) - len(names)
    more = f" and {unnamed} more" if unnamed else ""
    until = moment(complete_until) or "no moment yet"
    return [f"Complete up to {until}; not heard from since: {', '.join(names)}{more}."]


def _what(line: Line) -> str:
    return f"{line.action} refused: {line.refused}" if line.refused else line.action


def _remarks(event: ItemEvent, line: Line) -> str:
    said = []
    late = to_moment(event.received_at) - to_moment(event.occurred_at)
    if late > LATE:
        said.append(f"heard {moment(event.received_at)}")
    if line.giver:
        said.append(f"from {line.giver}")
    if event.voided_by:
        said.append(f"taken back by {event.voided_by}")
    said += [t for t in (line.status, line.title, line.text, line.reason) if t]
    return "; ".join(said)


def _row(event: ItemEvent) -> tuple[str, ...]:
    line = _line(event)
    within = f"by {event.via}" if event.via else line.container
    return (
        moment(event.occurred_at),
        _what(line),
        line.location or "",
        line.operator or "",
        within or "",
        event.station,
        event.event[:8] + event.event[event.event.rfind(":") :],
        _remarks(event, line),
    )


_HEAD = ("When (UTC)", "What", "Where", "Who", "In", "Station", "Event", "")


def trace(answer: ItemAnswer, history: ItemEvents) -> list[str]:
    """Write an item's answer, what is wrong with it, and its story."""
    title = [plain(answer.title)] if answer.title else []
    wrong = [
        f"! {found.code} since {moment(found.since)}: {found.text}"
        for found in answer.exceptions
    ]
    unheard = untold(answer.complete_until, answer.behind)
    story = table(_HEAD, map(_row, history.events)) if history.events else []
    return [
        sentence(answer, history.events),
        *_hearsay(answer, history.events),
        *title,
        *wrong,
        *unheard,
        *([""] if story else []),
        *story,
    ]


def found(page: ItemPage) -> list[str]:
    """Write items, a line each, with what shows where they are."""
    head = ("Item", "Status", "Since (UTC)", "Location", "In", "Held by", "Evidence")
    rows = [
        (
            item.item,
            item.status or "",
            moment(item.status_since or item.location_since),
            item.location or "",
            item.container or "",
            item.custodian or "",
            item.status_event or item.location_event or "",
        )
        for item in page.items
    ]
    return table(head, rows)


def here(place: str, page: ItemPage) -> list[str]:
    """Say what is at a place, or that nothing is known to be."""
    name = plain(place)
    count = f"{len(page.items)}{' or more' if page.cursor else ''}"
    things = "item is" if count == "1" else "items are"
    said = (
        f"{count} {things} at {name} now:" if page.items else f"Nothing is at {name}."
    )
    more = ["", "There are more; ask with a higher --limit."] if page.cursor else []
    unheard = untold(page.complete_until, page.behind)
    return [said, *(found(page) if page.items else []), *more, *unheard]


def wanted(marks: Sequence[Wanted]) -> list[str]:
    """Write what every station looks out for, a line each."""
    if not marks:
        return ["Nothing is wanted."]
    rows = [
        (one.item, moment(one.since), one.by, one.reason, _sighting(one))
        for one in marks
    ]
    head = ("Item", "Since (UTC)", "Asked by", "Why", "Found (UTC)")
    warnings = [f"{one.item}: {text}" for one in marks for text in one.warnings]
    return [*table(head, rows), *warnings]


def _sighting(one: Wanted) -> str:
    scan = one.found
    if scan is None:
        return ""
    return f"{moment(scan.scanned_at)} at {scan.location or scan.station}"
