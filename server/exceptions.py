"""Contradictions and omissions that a person should look at: contract, section 5. Pure.

An item's exceptions follow from its story, told in order: its evidence, what was said
of it, counts of the place where it was, and departures of the load it was expected on.
Each kind of step has its rules in `_RULES`; a rule opens or closes codes.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from typing import NamedTuple

import msgspec

from server.events import Event, Order
from server.resolve import Moment, World
from shared.actions import ACTIONS, Actions, Place
from shared.moments import SECOND

__all__ = ["HANDOFF_LIMIT", "Finding", "exceptions"]

HANDOFF_LIMIT = 30 * 60 * SECOND
"""How long what was picked may wait for somebody else, in microseconds."""

SEEN = "seen_after_departure"
AWAY = "away_from_container"
OVERDUE = "handoff_overdue"
CLAIM = "claim_contradicted"
COUNT = "missed_in_count"
MANIFEST = "missing_from_manifest"
LATE = "loaded_after_departure"


class Finding(NamedTuple):
    """An open exception: since when, and the event that shows it."""

    code: str
    since: int
    event: str
    text: str


class _Departure(NamedTuple):
    """A load that the item was expected on went, or came back.

    ``without``: it went, and the item was not on board.
    """

    order: Order
    load: str
    without: bool


class _Left(NamedTuple):
    """The item's stay in a container ended."""

    order: Order
    container: str


class _Teller(msgspec.Struct, kw_only=True):
    """What holds at one point of the story."""

    item: str
    limit: int
    gone_statuses: frozenset[str]
    open: dict[str, Finding] = {}
    status: str | None = None
    location: str | None = None
    gone: bool = False
    container: str | None = None
    claim: Event | None = None
    claim_settled: bool = False
    expected: Event | None = None
    departed: dict[str, Order] = {}
    picked: Event | None = None
    entered_gone: str | None = None

    def raise_(self, code: str, since: int, event: str, text: str) -> None:
        """Open an exception, unless it is open already."""
        self.open.setdefault(code, Finding(code, since, event, text))

    def close(self, *codes: str) -> None:
        """Close exceptions, whether open or not."""
        for code in codes:
            self.open.pop(code, None)


# --- evidence of the item -------------------------------------------------------------


def _moment(teller: _Teller, moment: Moment) -> None:
    shown, own = moment.shown, moment.via is None
    for rule in _OWN_RULES if own else ():
        rule(teller, moment)
    if shown.location is not None:
        teller.location = shown.location
        teller.close(COUNT)
    if shown.status is not None:
        teller.status = shown.status
    if shown.holds:
        _changes_holder(teller, moment)
    if shown.gone is not None:
        teller.gone = shown.gone
    if shown.gone:
        teller.close(SEEN, MANIFEST)
    if shown.action.restarts:
        teller.close(SEEN)
    _weigh_claim(teller, shown.order)


def _seen_after_departure(teller: _Teller, moment: Moment) -> None:
    shown = moment.shown
    if shown.was_gone and shown.action.place is Place.SEEN:
        teller.raise_(
            SEEN,
            shown.order.occurred,
            shown.order.name,
            f"It had left, and was scanned at {shown.location or 'an unnamed place'}.",
        )


def _away_from_container(teller: _Teller, moment: Moment) -> None:
    shown = moment.shown
    finds = shown.action.finds
    if finds is None:
        if shown.status is not None:
            teller.close(AWAY)
    elif shown.left is not None:
        teller.raise_(
            AWAY,
            shown.order.occurred,
            shown.order.name,
            f"It should be in {shown.left}, "
            f"and was seen at {shown.location} without it.",
        )


def _loaded_after_departure(teller: _Teller, moment: Moment) -> None:
    shown = moment.shown
    if shown.into_gone:
        container = shown.event.line.container
        teller.entered_gone = container
        teller.raise_(
            LATE,
            shown.order.occurred,
            shown.order.name,
            f"It was put into {container}, which had already left.",
        )


_OWN_RULES = (_seen_after_departure, _away_from_container, _loaded_after_departure)


def _changes_holder(teller: _Teller, moment: Moment) -> None:
    shown = moment.shown
    _fall_due(teller, shown.order.occurred)
    again = (
        teller.picked is not None
        and shown.action.handoff
        and teller.picked.line.operator == shown.holder
    )
    if not again:
        teller.close(OVERDUE)
        teller.picked = shown.event if shown.action.handoff else None


def _fall_due(teller: _Teller, now: int) -> None:
    """Let what was picked become overdue, if its time has come by ``now``."""
    if teller.picked is None:
        return
    due = teller.picked.order.occurred + teller.limit
    if due <= now:
        holder = teller.picked.line.operator or "somebody without a badge"
        teller.raise_(
            OVERDUE,
            due,
            teller.picked.name,
            f"{holder} picked it, and nobody took it over "
            f"within {teller.limit // SECOND // 60} minutes.",
        )


def _weigh_claim(teller: _Teller, order: Order) -> None:
    claim = teller.claim
    if (
        claim is None
        or claim.line.status not in teller.gone_statuses
        or teller.status in teller.gone_statuses
    ):
        teller.close(CLAIM)
    elif not teller.claim_settled:
        seen = f"its scans say {teller.status}" if teller.status else "no scan says so"
        teller.raise_(
            CLAIM,
            order.occurred,
            claim.name,
            f"Another system says {claim.line.status}; {seen}.",
        )


# --- what was said of it, and what happened around it ---------------------------------


def _said(teller: _Teller, event: Event) -> None:
    rule = _SAID.get(event.line.action)
    if rule is not None:
        rule(teller, event)


def _claim(teller: _Teller, event: Event) -> None:
    teller.close(CLAIM)
    teller.claim, teller.claim_settled = event, False
    _weigh_claim(teller, event.order)


def _expect(teller: _Teller, event: Event) -> None:
    teller.close(MANIFEST)
    teller.expected = event
    load = event.line.container
    if load in teller.departed and teller.container != load:
        _miss_manifest(teller, event.order)


def _resolve(teller: _Teller, event: Event) -> None:
    _fall_due(teller, event.order.occurred)
    code = event.line.exception or ""
    if code == CLAIM:
        teller.claim_settled = True
    if code == OVERDUE and OVERDUE in teller.open:
        teller.picked = None
    teller.close(code)


def _counted(teller: _Teller, event: Event) -> None:
    """Take in a count of some place in which the item was not seen."""
    here = teller.location is not None and event.line.location == teller.location
    if here and teller.container is None and not teller.gone:
        teller.raise_(
            COUNT,
            event.order.occurred,
            event.name,
            f"It should be at {teller.location}, and a count there did not see it.",
        )


_SAID: dict[str, Callable[[_Teller, Event], None]] = {
    "claim": _claim,
    "expect": _expect,
    "resolve": _resolve,
    "count": _counted,
}


def _departure(teller: _Teller, step: _Departure) -> None:
    if not step.without:
        teller.departed.pop(step.load, None)
        return
    teller.departed[step.load] = step.order
    if teller.expected is not None and teller.expected.line.container == step.load:
        _miss_manifest(teller, step.order)


def _miss_manifest(teller: _Teller, order: Order) -> None:
    load = teller.expected.line.container if teller.expected else None
    teller.raise_(
        MANIFEST,
        order.occurred,
        teller.departed[load or ""].name,
        f"{load} left without it, although it should have been on board.",
    )


def _left(teller: _Teller, step: _Left) -> None:
    if step.container == teller.entered_gone:
        teller.entered_gone = None
        teller.close(LATE)


_Step = tuple[Order, int, Moment | Event | _Departure | _Left]


def _tell(teller: _Teller, step: Moment | Event | _Departure | _Left) -> None:
    match step:
        case Moment():
            _moment(teller, step)
        case Event():
            _said(teller, step)
        case _Departure():
            _departure(teller, step)
        case _Left():
            _left(teller, step)


# --- the story ------------------------------------------------------------------------

_ENDS, _SHOWS, _SAYS, _GOES = range(4)
"""Steps of one event come in this order."""


def _departures(world: World, item: str, load: str) -> Iterator[_Step]:
    gone = False
    for moment in world.story(load):
        order, now_gone = moment.shown.order, moment.shown.gone
        if now_gone is None or now_gone == gone:
            continue
        without = now_gone and load not in world.path(item, order)
        yield order, _GOES, _Departure(order, load, without)
        gone = now_gone


def _steps(world: World, item: str, said: Iterable[Event]) -> Iterator[_Step]:
    statements = [(event.order, _SAYS, event) for event in said]
    loads = {e.line.container for _, _, e in statements if e.line.action == "expect"}
    ends = (
        (stay.end, _ENDS, _Left(stay.end, stay.container))
        for stay in world.stays(item)
        if not stay.open
    )
    shows = ((m.shown.order, _SHOWS, m) for m in world.story(item))
    departures = (
        _departures(world, item, load) for load in sorted(filter(None, loads))
    )
    return merge(ends, shows, statements, *departures, key=lambda step: step[:2])


def exceptions(
    world: World,
    item: str,
    said: Iterable[Event],
    at: int,
    *,
    limit: int = HANDOFF_LIMIT,
    actions: Actions = ACTIONS,
) -> list[Finding]:
    """Return what is open for an item at the moment ``at``, oldest first.

    Args:
        world: What the events up to ``at`` show.
        item: The item.
        said: In order and not voided: events about the item that are no evidence, and
            counts of places that did not see it.
        at: The moment, in microseconds since 1970.
        limit: How long what was picked may wait, in microseconds.
        actions: The site's table of actions.
    """
    gone = frozenset(
        a.status for a in actions.values() if a.place is Place.GONE and a.status
    )
    teller = _Teller(item=item, limit=limit, gone_statuses=gone)
    for order, _, step in _steps(world, item, said):
        path = world.path(item, Order(order.occurred, order.log, order.seq + 1))
        teller.container = path[0] if path else None
        _tell(teller, step)
    _fall_due(teller, at)
    return sorted(teller.open.values(), key=lambda finding: finding[1:3])
