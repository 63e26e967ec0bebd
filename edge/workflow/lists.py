"""Lists of what should be there: on a load, or in a tote that is handed over.

A list is opened by the label of its container, ticked off item by item, and closed by
X-DONE, which also ends the handoff: another giver's badge comes next. Where its mode
says ``settled`` and it was begun, it is closed with something missing only by a reason
of the sheet; each missing item is then recorded as looked for here and not found.
Nothing is invented, and nothing is passed over.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edge.feedback import Says, Tone
from edge.workflow.checklist import Checklist
from edge.workflow.modes import Checking
from edge.workflow.outcome import Outcome, Scan, did, here, not_now, note, refuse
from edge.workflow.state import Scene
from shared.keys import Role
from shared.moments import SECOND, span

__all__ = [
    "begin",
    "blocked",
    "close",
    "close_short",
    "open_list",
    "opens",
    "shortage",
    "tick",
    "unfinished",
]

_HOLD = frozenset({Role.CONTAINER, Role.LOAD})
_OLD = 90.0
"""Seconds after which it is said how old the server's word is."""
_NAMED = 5
"""How many missing items a sentence names."""

_replace = msgspec.structs.replace


def begin(scan: Scan, container: str) -> Checklist | None:
    """Return the list of a container, where its mode keeps one.

    On a load, what is expected is what the server said. Of a tote that is handed over,
    it is else what was put into it, here or as the server knows of other stations; or
    it is not known here.
    """
    mode, facts = scan.mode, scan.facts
    expected = facts.expected(container)
    if mode.checks is Checking.OFF or (mode.into is not None and not expected):
        return None
    if mode.into is None:
        known = expected or facts.contents(container) or None
        return Checklist(container=container, expected=known)
    there = facts.inside(container)
    scanned = tuple(item for item in expected or () if item in there)
    return Checklist(container=container, expected=expected, scanned=scanned)


def opens(scan: Scan) -> bool:
    """Whether the scanned item is one whose list is wanted, and not of the open one."""
    item, checklist = scan.key.text, scan.scene.checklist
    if scan.mode.checks is Checking.OFF or scan.mode.into is not None:
        return False
    if checklist is not None and (
        item == checklist.container or checklist.expects(item)
    ):
        return False
    return scan.key.role in _HOLD or scan.facts.expected(item) is not None


def open_list(scan: Scan, outcome: Outcome, checklist: Checklist) -> Outcome:
    """Return the outcome of a container's scan with its list open."""
    outcome = _with(outcome, checklist)
    if outcome.says is not Says.DONE:
        return outcome
    return _replace(
        outcome,
        says=Says.LIST_OPENED if checklist.expected else Says.LIST_UNKNOWN,
        names={
            "container": checklist.container,
            "age": _age(scan, checklist.container),
            **_figures(checklist),
        },
    )


def _age(scan: Scan, container: str) -> str:
    """Return how old what the server said is, where it may be otherwise by now."""
    told = scan.facts.told_at(container)
    seconds = 0.0 if told is None else (scan.read.clock.at - told) / SECOND
    return span(seconds) if seconds >= _OLD else ""


def tick(scan: Scan, outcome: Outcome, item: str) -> Outcome:
    """Return the outcome of an item's scan with the item ticked off the open list."""
    checklist = scan.scene.checklist
    if checklist is None or scan.mode.checks is Checking.OFF:
        return outcome
    after = _with_scanned(scan, checklist, item)
    outcome = _with(outcome, after)
    if outcome.says is not Says.DONE or after.scanned == checklist.scanned:
        return outcome
    if not after.expected:
        return outcome
    says = Says.LIST_ITEM if after.missing else Says.LIST_COMPLETE
    return _replace(outcome, says=says, names=_figures(after))


def _with_scanned(scan: Scan, checklist: Checklist, item: str) -> Checklist:
    """Tick an item off; on a load, a tote brings what is in it instead of itself."""
    inside = scan.facts.inside(item) if scan.mode.into is not None else frozenset()
    brought = [one for one in checklist.expected or () if one in inside]
    if not brought or checklist.expects(item):
        return checklist.with_item(item)
    for one in brought:
        checklist = checklist.with_item(one)
    return checklist


def _with(outcome: Outcome, checklist: Checklist) -> Outcome:
    scene = _replace(outcome.state.scene, checklist=checklist)
    return _replace(outcome, state=_replace(outcome.state, scene=scene))


def _figures(checklist: Checklist) -> dict[str, str]:
    expected, scanned = checklist.expected or (), checklist.scanned
    return {"number": str(len(scanned)), "total": str(len(expected))}


def unfinished(scan: Scan) -> bool:
    """Whether a list was begun that cannot simply be left."""
    checklist = scan.scene.checklist
    settled = scan.mode.checks is Checking.SETTLED
    return settled and checklist is not None and checklist.begun


def blocked(scan: Scan, *, item: bool = False) -> Outcome:
    """Say that the open list comes first; an item is recorded as seen here."""
    no = refuse if item else not_now
    return _replace(no(scan, "list_open", Says.LIST_OPEN), names=_lacks(scan.scene))


def _lacks(scene: Scene) -> dict[str, str]:
    checklist = scene.checklist
    if checklist is None:
        return {}
    expected = checklist.expected or ()
    return shortage(checklist.container, checklist.missing, len(expected))


def shortage(container: str, missing: Sequence[str], total: int) -> dict[str, str]:
    """Return what a sentence says of what is missing in a container."""
    more = "…" if len(missing) > _NAMED else ""
    return {
        "container": container,
        "number": str(len(missing)),
        "total": str(total),
        "missing": ", ".join(missing[:_NAMED]) + more,
    }


def close(scan: Scan, checklist: Checklist) -> Outcome:
    """Close a list with X-DONE; ask for a reason where something begun is missing."""
    if unfinished(scan):
        asked = _replace(scan.scene, checklist=_replace(checklist, asked=True))
        outcome = did(scan, asked, "list_short", Says.LIST_SHORT, _lacks(scan.scene))
        return _replace(outcome, tone=Tone.ATTENTION)
    after = _replace(scan.scene, container=None, checklist=None, giver=None)
    short = bool(checklist.missing) and scan.mode.into is not None
    outcome = did(scan, after, "closed", _closed(scan, checklist), _lacks(scan.scene))
    fields = {**outcome.fields, "container": checklist.container}
    tone = Tone.ATTENTION if short else Tone.GOOD
    return _replace(outcome, fields=fields, tone=tone)


def _closed(scan: Scan, checklist: Checklist) -> Says:
    if not checklist.expected or scan.mode.into is not None:
        return Says.CLOSED
    return Says.LIST_WHOLE if checklist.missing else Says.LIST_DONE


def close_short(scan: Scan) -> Outcome:
    """Close a list by a reason: what was not scanned is recorded as not found here."""
    checklist, why = scan.scene.checklist, scan.key.text.lower()
    settled = scan.mode.checks is Checking.SETTLED
    if checklist is None or not checklist.missing or not settled:
        return not_now(scan, "no_short_list", Says.NO_SHORT_LIST)
    after = _replace(scan.scene, checklist=None, giver=None)
    names = {**_lacks(scan.scene), "why": why}
    outcome = did(scan, after, "closed_short", Says.LIST_CLOSED_SHORT, names)
    place = here(scan, scan.scene)
    return _replace(
        outcome,
        fields={
            **outcome.fields,
            "container": checklist.container,
            "location": place,
            "text": why,
        },
        more=tuple(_missed(item, place, why) for item in checklist.missing),
        tone=Tone.ATTENTION,
    )


def _missed(item: str, place: str | None, why: str) -> Mapping[str, Any]:
    """Return the line of a missing item; without a place it can only be a remark."""
    if place is None:
        return {**note("missing"), "item": item, "text": why}
    return {"action": "miss", "item": item, "location": place, "reason": why}
