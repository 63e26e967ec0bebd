"""Contradictions and omissions that a person should look at: contract, section 5. Pure.

`EXCEPTIONS` in `server.findings` says when each opens and closes; here each has one
rule that does so, and one that closes whatever a person settles.
An item's story is told step by step (`server.steps`); between two steps only deadlines
pass. Every time that an exception was open is kept as a `Finding`, so that one can
read what is open now as well as what was.

An exception speaks of an item and of all that is in it, as evidence does: what comes
back in a carton was scanned here with the carton. Only where the contract says "own"
does the item itself have to be scanned.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

import msgspec

from server.events import Event, Order
from server.findings import (
    AWAY,
    CLAIM,
    COUNT,
    LATE,
    MANIFEST,
    OVERDUE,
    SEEN,
    STALE,
    UNEXPECTED,
    Finding,
    Review,
)
from server.resolve import Shown, World
from server.sentences import say
from server.site import DEFAULT, SHIPPED, Site
from server.steps import Step, steps
from shared.actions import Place
from shared.moments import SECOND, to_text

__all__ = [
    "Case",
    "Claim",
    "copied",
    "exceptions",
    "remember",
    "repeats",
    "review",
    "take",
]


T = TypeVar("T")


def copied(of: T) -> T:
    """Return a copy of a struct; that of the library `copy` takes twice as long."""
    new: T = of.__copy__()  # type: ignore[attr-defined]
    return new


class Claim(NamedTuple):
    """What another system said of an item, and by which event."""

    status: str | None
    order: Order


class Case(msgspec.Struct, omit_defaults=True, gc=False):
    """What holds of an item before a step, and what was found up to it.

    Its mappings are never changed, but replaced: copies of a case share them.
    ``disputed``: the claim is contradicted, settled or not. ``awaited``: the departure
    of the load on which the item is ``expected`` has not come yet. ``loads``: those
    that left, with whether the item left with them or later, and when. ``put_into``:
    something gone that the item was put into. ``picked``: it waits for somebody else
    than the ``picker``. ``due``: what opens by itself. ``closed`` and ``left``, the
    places that it left and when, are only what is not written apart yet.
    """

    open: Mapping[str, Finding] = {}
    closed: list[Finding] = []
    status: str | None = None
    location: str | None = None
    gone: bool = False
    claim: Claim | None = None
    disputed: bool = False
    expected: str | None = None
    awaited: bool = False
    loads: Mapping[str, tuple[bool, Order]] = {}
    picked: bool = False
    picker: str | None = None
    put_into: str | None = None
    due: Mapping[str, Finding] = {}
    left: list[tuple[str, int]] = []

    @property
    def restless(self) -> bool:
        """Whether evidence that repeats what is known may still change something."""
        left_behind = any(not aboard for aboard, _ in self.loads.values())
        return bool(self.open or self.due or left_behind)

    def copy(self) -> "Case":
        """Return a copy that can be changed apart from this one."""
        new = copied(self)
        new.closed, new.left = self.closed[:], self.left[:]
        return new

    def found(
        self, code: str, since: Order, text: str, shown_by: Order | None = None
    ) -> None:
        """Open an exception, unless it is open already."""
        event = (shown_by or since).name
        if code not in self.open:
            finding = Finding(code, since.occurred, event, text)
            self.open = {**self.open, code: finding}

    def over(self, code: str, step: Step) -> None:
        """Close an exception, if it is open."""
        finding = self.open.get(code)
        if finding is not None:
            self.open = _without(self.open, code)
            self.closed.append(
                finding._replace(until=step.order.occurred, closed_by=step.order.name)
            )

    def fall_due(self, now: int) -> None:
        """Open what opens by itself up to and including ``now``."""
        for code, finding in self.due.items():
            if finding.since <= now:
                self.due = _without(self.due, code)
                self.open = {code: finding, **self.open}

    def wait(self, code: str, finding: Finding | None) -> None:
        """Let an exception open by itself later, or not."""
        if finding is not None:
            self.due = {**self.due, code: finding}
        elif code in self.due:
            self.due = _without(self.due, code)


def _without(findings: Mapping[str, Finding], code: str) -> dict[str, Finding]:
    return {other: finding for other, finding in findings.items() if other != code}


def _time(moment: int) -> str:
    return to_text(moment)[:16].replace("T", " ") + " UTC"


def _scan(shown: Shown) -> str:
    """Say where, when and by whom something was scanned."""
    where = f"at {shown.location} " if shown.location is not None else ""
    by = shown.event.line.operator
    who = f" by {by}" if by is not None else ""
    return f"{where}on {_time(shown.order.occurred)}{who}"


def _span(length: int) -> str:
    minutes = length // SECOND // 60
    number, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


# --- one rule for each exception ------------------------------------------------------


def _seen_after_departure(case: Case, step: Step) -> None:
    for moment in step.moments:
        shown = moment.shown
        if shown.gone or shown.action.restarts:
            case.over(SEEN, step)
        elif case.gone and shown.gone is False and shown.action.place is Place.SEEN:
            text = say(SEEN, item=step.item, scan=_scan(shown))
            case.found(SEEN, step.order, text)


def _away_from_container(case: Case, step: Step) -> None:
    if step.own is None:
        return
    shown = step.own.shown
    finds = shown.action.finds
    if shown.status is not None and shown.status != finds:
        case.over(AWAY, step)
    if shown.left is not None and finds is not None:
        text = say(AWAY, item=step.item, container=shown.left, scan=_scan(shown))
        case.found(AWAY, step.order, text)


def _handoff_overdue(case: Case, step: Step) -> None:
    for moment in step.moments:
        if moment.shown.holds and not _same_pick(case, moment.shown):
            case.over(OVERDUE, step)
            case.wait(OVERDUE, None)
            case.picked, case.picker = moment.shown.action.handoff, moment.shown.holder
            if case.picked:
                _await_handoff(case, step, moment.shown)


def _same_pick(case: Case, shown: Shown) -> bool:
    """Whether the one who picked it scans it as a pick once more."""
    return shown.action.handoff and case.picked and case.picker == shown.holder


def _await_handoff(case: Case, step: Step, shown: Shown) -> None:
    text = say(
        OVERDUE if shown.holder else f"{OVERDUE}_nobody",
        who=shown.holder,
        item=step.item,
        time=_time(shown.order.occurred),
        span=_span(step.site.handoff),
    )
    due = shown.order.occurred + step.site.handoff
    case.wait(OVERDUE, Finding(OVERDUE, due, shown.order.name, text))


def _claim_contradicted(case: Case, step: Step) -> None:
    if step.said is not None and step.says("claim"):
        case.over(CLAIM, step)
        case.claim = Claim(step.said.line.status, step.order)
        case.disputed = False
    claim = case.claim
    if claim is None:
        return
    gone, status = step.site.gone, step.status or case.status
    disputed = claim.status in {SHIPPED, *gone} and status not in gone
    text = say(
        CLAIM if status else f"{CLAIM}_unscanned",
        time=_time(claim.order.occurred),
        item=step.item,
        claimed=claim.status,
        status=status,
    )
    if not disputed:
        case.over(CLAIM, step)
    elif not case.disputed:
        case.found(CLAIM, step.order, text, claim.order)
    elif CLAIM in case.open:
        told = case.open[CLAIM]._replace(text=text)
        case.open = {**case.open, CLAIM: told}
    case.disputed = disputed


def _missed_in_count(case: Case, step: Step) -> None:
    count = step.said
    if any(moment.shown.location is not None for moment in step.moments):
        case.over(COUNT, step)
    elif (
        count is not None
        and step.says("count")
        and count.line.location == case.location
        and step.container is None
        and not case.gone
    ):
        by = f" by {count.line.operator}" if count.line.operator else ""
        text = say(
            COUNT,
            item=step.item,
            place=case.location,
            scan=f"on {_time(count.order.occurred)}{by}",
        )
        case.found(COUNT, step.order, text)


def _missing_from_manifest(case: Case, step: Step) -> None:
    departs = any(moment.shown.gone for moment in step.moments)
    if departs:
        case.over(MANIFEST, step)
        case.loads = {load: (True, order) for load, (_, order) in case.loads.items()}
    if step.loads:
        told = {
            load: (aboard or departs, step.order)
            for load, aboard in step.loads.items()
            if aboard is not None
        }
        others = {k: v for k, v in case.loads.items() if k not in step.loads}
        case.loads = {**others, **told}
    if step.says("expect") and step.said is not None:
        case.over(MANIFEST, step)
        case.expected, case.awaited = step.said.line.container, True
    left_with = case.loads.get(case.expected or "") if case.awaited else None
    if left_with is not None:
        case.awaited = False
        with_it, left = left_with
        if not with_it:
            text = say(
                MANIFEST,
                container=case.expected,
                time=_time(left.occurred),
                item=step.item,
            )
            case.found(MANIFEST, step.order, text, left)


def _loaded_after_departure(case: Case, step: Step) -> None:
    if step.container != case.put_into:
        case.over(LATE, step)
        case.put_into = None
    if step.own is None or not step.own.shown.into_gone:
        return
    shown = step.own.shown
    if step.container == shown.event.line.container:
        case.put_into = step.container
        text = say(LATE, item=step.item, container=case.put_into, scan=_scan(shown))
        case.found(LATE, step.order, text)


def _stale(case: Case, step: Step) -> None:
    status = step.status
    if status is None or status == case.status:
        return
    case.over(STALE, step)
    case.wait(STALE, None)
    limit = step.site.stale.get(status)
    if limit is not None:
        text = say(
            STALE,
            item=step.item,
            status=status,
            time=_time(step.order.occurred),
            span=_span(limit),
        )
        due = step.order.occurred + limit
        case.wait(STALE, Finding(STALE, due, step.order.name, text))


def _unexpected_step(case: Case, step: Step) -> None:
    shown = step.own.shown if step.own is not None else None
    if shown is None or shown.action.status is None:
        return
    case.over(UNEXPECTED, step)
    action = shown.event.line.action
    expected = step.site.follows.get(case.status or "")
    if expected is not None and action not in expected:
        text = say(
            UNEXPECTED if expected else f"{UNEXPECTED}_last",
            item=step.item,
            status=case.status,
            action=action,
            scan=_scan(shown),
            actions=" or ".join(sorted(expected)),
        )
        case.found(UNEXPECTED, step.order, text)


def _resolve(case: Case, step: Step) -> None:
    """A person settled an exception: that time of it is over."""
    if step.said is None or not step.says("resolve"):
        return
    code = step.said.line.exception or ""
    if code == OVERDUE and code in case.open:
        case.picked = False
    case.over(code, step)


_RULES: tuple[Callable[[Case, Step], None], ...] = (
    _seen_after_departure,
    _away_from_container,
    _handoff_overdue,
    _claim_contradicted,
    _missed_in_count,
    _missing_from_manifest,
    _loaded_after_departure,
    _stale,
    _unexpected_step,
    _resolve,
)


def take(case: Case, step: Step) -> None:
    """Take the next step of the item's story into its case."""
    if case.due:
        case.fall_due(step.order.occurred)
    for rule in _RULES:
        rule(case, step)
    for moment in step.moments:
        remember(case, moment.shown)


def repeats(case: Case, shown: Shown, site: Site) -> bool:
    """Whether no rule can find anything in a scan, so that only `remember` is needed.

    Nothing is open or waits, nothing was said of the item, and the scan shows nothing
    that would begin it. It saves looking at every rule for nearly every scan.
    """
    waits = case.open or case.due or case.picked or case.put_into or case.gone
    said = case.claim is not None or case.awaited or case.loads
    begins = shown.action.handoff or shown.left is not None or shown.into_gone
    judged = shown.status in site.stale or case.status in site.follows
    return not (waits or said or begins or judged)


def remember(case: Case, shown: Shown) -> None:
    """Take over what holds after a scan."""
    case.status = shown.status or case.status
    if shown.location is not None and shown.location != case.location:
        if case.location is not None:
            case.left.append((case.location, shown.event.order.occurred))
        case.location = shown.location
    case.gone = case.gone if shown.gone is None else shown.gone


def review(
    world: World, item: str, said: Iterable[Event], at: int, *, site: Site = DEFAULT
) -> Review:
    """Tell an item's story up to the moment ``at``, and return all that was found.

    Args:
        world: What the events up to ``at`` show.
        item: The item.
        said: In order and not voided: events about the item that are no evidence, and
            counts of places that did not see it.
        at: The moment, in microseconds since 1970.
        site: The site's table of actions and its deadlines.
    """
    case = Case()
    for step in steps(world, item, said, site):
        take(case, step)
    case.fall_due(at)
    found = [*case.closed, *case.open.values()]
    found.sort(key=lambda finding: (finding.since, finding.event, finding.code))
    return Review(found, min((f.since for f in case.due.values()), default=None))


def exceptions(
    world: World, item: str, said: Iterable[Event], at: int, *, site: Site = DEFAULT
) -> list[Finding]:
    """Return what is open for an item at the moment ``at``, oldest first."""
    return review(world, item, said, at, site=site).open
