"""What speaks against a scan: a table of checks, each off, a warning or a refusal.

A check looks at the line that is about to be recorded and at what the station knows;
it works offline, and says nothing of what is not known.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from edge.feedback import Says, Word
from edge.workflow.lists import opens, shortage
from edge.workflow.outcome import Scan
from edge.workflow.rules import Check
from shared.actions import SIGHTING, Action, Place, Stay
from shared.keys import Kind
from shared.lines import Line

__all__ = ["UNKNOWN_LOCATION", "Objection", "objection"]

INCOMPLETE_LOAD = "incomplete_load"
UNKNOWN_LOCATION = "unknown_location"
"""The refusal of a place that there is not; nothing was seen there, either."""


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why a scan is not what was expected.

    ``code`` goes into the line where the scan is ``refused`` (``not_on_manifest``); a
    mere warning records it as it is; but one that ``asks`` refuses the scan until it
    is made once more. ``says`` and ``names`` tell the operator.
    """

    code: str
    says: Says
    names: Mapping[str, str] = {}
    word: Word = Word.REFUSED
    refused: bool = True
    asks: bool = False


def objection(scan: Scan, line: Line) -> Objection | None:
    """Return what speaks against a scan's line: first what refuses it."""
    for does in (Check.REFUSE, Check.WARN):
        for name, check in _CHECKS.items():
            asked = getattr(scan.rules.checks, name) is does
            found = check(scan, line) if asked else None
            if found is not None:
                refused = found.asks or does is Check.REFUSE
                return msgspec.structs.replace(found, refused=refused)
    return None


def _unknown_operator(scan: Scan, line: Line) -> Objection | None:
    badge = line.giver or line.operator
    comes = scan.key.kind is Kind.OPERATOR and line.reason != "badge_out"
    if not comes or badge is None or scan.facts.badge(badge):
        return None
    return Objection(
        code="unknown_operator",
        says=Says.UNKNOWN_OPERATOR,
        names={"operator": badge},
        word=Word.UNKNOWN,
    )


def _unknown_location(scan: Scan, line: Line) -> Objection | None:
    place = line.location
    if scan.key.kind is not Kind.LOCATION or place == scan.rules.location:
        return None
    if place is None or scan.facts.place(place) is not None:
        return None
    return Objection(
        code=UNKNOWN_LOCATION,
        says=Says.UNKNOWN_LOCATION,
        names={"location": place},
        word=Word.UNKNOWN,
    )


def _wrong_place(scan: Scan, line: Line) -> Objection | None:
    kinds = scan.mode.places
    kind = scan.facts.place(line.location or "")
    if scan.key.kind is not Kind.LOCATION or not kinds or not kind or kind in kinds:
        return None
    return Objection(
        code="wrong_place",
        says=Says.WRONG_PLACE,
        names={"kind": kind},
        word=Word.WRONG_PLACE,
    )


def _already_shipped(scan: Scan, line: Line) -> Objection | None:
    stays = _effects(scan, line).place in {Place.SEEN, Place.GONE}
    if line.item is None or not stays or not scan.facts.gone(line.item):
        return None
    return Objection(code="already_shipped", says=Says.ALREADY_SHIPPED)


def _not_on_manifest(scan: Scan, line: Line) -> Objection | None:
    enters = _effects(scan, line).stay is Stay.ENTERS
    expected = scan.facts.expected(line.container or "") if enters else None
    if expected is None or line.item is None or line.item in expected:
        return None
    inside = scan.facts.inside(line.item)
    if inside and inside <= frozenset(expected):
        return None
    return Objection(code="not_on_manifest", says=Says.NOT_ON_MANIFEST)


def _not_expected(scan: Scan, line: Line) -> Objection | None:
    checklist = scan.scene.checklist
    if checklist is None or checklist.expected is None or line.item is None:
        return None
    # What opens a list of its own closes this one, and goes into a load by its manifest
    if scan.mode.into is not None or opens(scan) or checklist.has(line.item):
        return None
    if checklist.expects(line.item):
        return None
    return Objection(
        code="not_expected",
        says=Says.NOT_EXPECTED,
        names={"container": checklist.container},
    )


def _incomplete_load(scan: Scan, line: Line) -> Objection | None:
    """What leaves without all that should be on it is asked about before it does.

    The same label once more, no sooner than a person can mean it, is the answer.
    """
    leaves = _effects(scan, line).place is Place.GONE
    expected = scan.facts.expected(line.item or "") if leaves else None
    if line.item is None or not expected:
        return None
    aboard = scan.facts.inside(line.item)
    missing = tuple(item for item in expected if item not in aboard)
    if not missing:
        return None
    warns = scan.rules.checks.incomplete_load is Check.WARN
    asks = warns and not scan.asked(INCOMPLETE_LOAD)
    return Objection(
        code=INCOMPLETE_LOAD,
        says=Says.ASKED_INCOMPLETE if asks else Says.INCOMPLETE_LOAD,
        names=shortage(line.item, missing, len(expected)),
        asks=asks,
    )


def _effects(scan: Scan, line: Line) -> Action:
    return scan.rules.actions.get(line.action, SIGHTING)


_CHECKS: Mapping[str, Callable[[Scan, Line], Objection | None]] = MappingProxyType(
    {
        "unknown_location": _unknown_location,
        "unknown_operator": _unknown_operator,
        "wrong_place": _wrong_place,
        INCOMPLETE_LOAD: _incomplete_load,
        "already_shipped": _already_shipped,
        "not_on_manifest": _not_on_manifest,
        "not_expected": _not_expected,
    }
)
