"""Exceptions, stations and changes as text for a terminal of 80 columns. Pure."""

from collections.abc import Sequence
from textwrap import wrap

from server.client.show import moment, plain, table, untold
from shared.api.changes import ItemChange, ItemChanges
from shared.api.exceptions import ExceptionPage, FoundException
from shared.api.stations import StationPage, StationState

__all__ = ["changed", "stations", "wrong"]

_WIDTH, _LONGEST = 78, 1000


def wrong(page: ExceptionPage) -> list[str]:
    """Write exceptions, newest first, each with its sentence."""
    lines = [line for one in page.exceptions for line in _exception(one)]
    more = ["", "There are more; ask with a higher --limit."] if page.cursor else []
    nothing = [] if page.exceptions else ["Nothing is wrong, as far as is known here."]
    unheard = untold(page.complete_until, page.behind)
    told = [part for line in unheard for part in wrap(line, _WIDTH) or [""]]
    return [*nothing, *lines, *more, *told]


def _exception(one: FoundException) -> list[str]:
    what = one.item or f"station {one.station}"
    over = f", over since {moment(one.until)}" if one.until else ""
    return [
        f"{moment(one.since)}  {one.code}  {plain(what, 40)}{over}",
        *wrap(
            plain(one.text, _LONGEST),
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="    ",
        ),
    ]


def stations(page: StationPage) -> list[str]:
    """Write stations, a line each, and below it what is wrong with one."""
    rows = [
        (
            one.station,
            "revoked" if one.revoked else one.kind,
            one.location or "",
            moment(one.heard_at),
            moment(one.horizon),
            "" if one.backlog is None else str(one.backlog),
        )
        for one in page.stations
    ]
    head = ("Station", "Kind", "Place", "Heard (UTC)", "Complete to", "Waiting")
    found = [line for one in page.stations for line in _wrong(one)]
    return [*table(head, rows), *([""] if found else []), *found]


def _wrong(one: StationState) -> list[str]:
    return [
        line
        for found in one.exceptions
        for line in wrap(
            f"! {plain(one.station, 30)}: {found.code}: {plain(found.text, _LONGEST)}",
            _WIDTH,
            subsequent_indent="    ",
        )
    ]


def changed(found: ItemChanges) -> list[str]:
    """Write what changed our mind, step by step."""
    first = (
        f"{plain(found.item)}: from {moment(found.at)}, as known "
        f"{moment(found.known_at)}, to {moment(found.until_at)}, as known "
        f"{moment(found.until_known_at)} (UTC)"
    )
    steps = [line for one in found.changes for line in _step(one)]
    return [first, *(steps or ["Nothing changed."]), *_behind(found)]


def _behind(found: ItemChanges) -> list[str]:
    return untold(found.complete_until, found.behind)


def _step(one: ItemChange) -> list[str]:
    how = "learned" if one.learned else "happened"
    if one.event is None:
        what = "time passed"
    else:
        parts = (one.action, _at(one.location), _by(one.operator), one.reason)
        what = " ".join(plain(part) for part in parts if part)
    taken = f", which took back {plain(one.voids, 50)}" if one.voids else ""
    named = f"  ({plain(one.event, 50)})" if one.event else ""
    return [
        f"{moment(one.moment)}  {how}: {what}{taken}{named}",
        *(
            f"    {name}: {_value(was.before)} -> {_value(was.after)}"
            for name, was in one.fields.items()
        ),
    ]


def _at(location: str | None) -> str | None:
    return f"at {location}" if location else None


def _by(operator: str | None) -> str | None:
    return f"by {operator}" if operator else None


def _value(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return plain(", ".join(map(str, value)))
    return plain(str(value))
