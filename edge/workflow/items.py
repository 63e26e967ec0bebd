"""What a scan of an item or of a place does, in the mode that the station is in."""

import msgspec

from edge.feedback import Expect, Says, Tone, Word
from edge.workflow import lists
from edge.workflow.outcome import Outcome, Scan, again, here, not_now, note, refuse
from edge.workflow.rules import Badges
from edge.workflow.state import (
    Known,
    Scene,
    missing,
    needs_badge,
    needs_giver,
)

__all__ = ["read_item", "read_place"]

_MAX_COUNT = 12 * 1024
"""Bytes of the items in a count, at most, so that its line fits the contract's."""
_REMEMBERED = 128
"""Items whose last meaning the station keeps in mind, to know a repeat."""

_replace = msgspec.structs.replace


def read_item(scan: Scan) -> Outcome:
    """Record what the mode says of an item, or open what it goes into."""
    if scan.mode.into is not None and scan.key.role is scan.mode.into:
        return _open(scan)
    refusal = _refusal(scan)
    if refusal is not None:
        return refusal
    if scan.collects:
        return _collect(scan)
    if missing(scan.rules, scan.scene) is not None:
        return _hold(scan)
    return _do(scan)


def _refusal(scan: Scan) -> Outcome | None:
    """Say no to an item that the mode, the open list or a lacking badge forbids."""
    insists = scan.rules.badges is Badges.REQUIRED
    if scan.key.role not in scan.mode.takes:
        return refuse(scan, "wrong_kind", Says.WRONG_KIND)
    if lists.unfinished(scan) and lists.opens(scan):
        return lists.blocked(scan, item=True)
    if insists and needs_badge(scan.rules, scan.state):
        return refuse(scan, "no_badge", Says.NO_BADGE)
    if insists and needs_giver(scan.rules, scan.state):
        return refuse(scan, "no_giver", Says.NO_GIVER)
    return None


def _do(scan: Scan) -> Outcome:
    """Record an item, and tick it off a list, or open the list that is its own."""
    item, scene = scan.key.text, scan.scene
    outcome = _act(scan, scene, item, scene)
    if outcome.word is Word.REPEAT:
        return outcome
    checklist = lists.begin(scan, item) if lists.opens(scan) else None
    if checklist is not None:
        return lists.open_list(scan, outcome, checklist)
    return lists.tick(scan, outcome, item)


def _act(scan: Scan, scene: Scene, item: str, after: Scene) -> Outcome:
    """Record the mode's action of an item, with the place and container of a scene."""
    known = Known(
        item=item,
        action=scan.mode.action,
        location=here(scan, scene),
        container=scene.container,
        operator=scan.state.operator,
        mono=scan.read.clock.mono,
    )
    if _said(scan, known):
        return again(scan, _listed_again(after, item), {"item": item})
    others = tuple(other for other in scan.scene.known if other.item != item)
    after = _replace(after, known=(known, *others[: _REMEMBERED - 1]))
    says = _whose(scan)
    return Outcome(
        state=_replace(scan.state, scene=after),
        fields={
            "action": known.action,
            "item": item,
            "location": known.location,
            "container": known.container,
            "giver": scene.giver,
        },
        says=says,
        tone=Tone.GOOD if says is Says.DONE else Tone.ATTENTION,
        undoable=True,
    )


def _whose(scan: Scan) -> Says:
    """Say whether a badge is lacking that the action is about."""
    if needs_badge(scan.rules, scan.state):
        return Says.NO_HOLDER
    if needs_giver(scan.rules, scan.state):
        return Says.NOBODY_GIVES
    return Says.DONE


def _listed_again(scene: Scene, item: str) -> Scene:
    checklist = scene.checklist
    if checklist is None:
        return scene
    return _replace(scene, checklist=checklist.with_repeat(item))


def _said(scan: Scan, known: Known) -> bool:
    """Whether this station's last word of the item was the same, and still is."""
    scene = scan.scene
    checklist = scene.checklist if scan.mode.into is None else None
    if checklist is not None and checklist.has(known.item):
        return True
    before = next((k for k in scene.known if k.item == known.item), None)
    if before is None or not before.means(known):
        return False
    still_open = known.container is not None and known.container == scene.container
    return still_open or known.mono - before.mono < scan.rules.repeat


def _hold(scan: Scan) -> Outcome:
    """Record an item as seen, and wait for its place or container."""
    item, other = scan.key.text, scan.scene.waiting
    if item == other:
        return again(scan, scan.scene, {"item": item}, Says.HELD_AGAIN)
    seen = {"action": "see"} if scan.action.evidence else note("waits")
    return Outcome(
        state=_replace(scan.state, scene=_replace(scan.scene, waiting=item)),
        fields={**seen, "item": item},
        says=Says.HELD if other is None else Says.HELD_INSTEAD,
        names={"other": other or ""},
        tone=Tone.GOOD if other is None else Tone.ATTENTION,
        undoable=True,
    )


def _open(scan: Scan) -> Outcome:
    """Open a container by its label, or put the item that waits for it into it."""
    scene, container = scan.scene, scan.key.text
    checklist = lists.begin(scan, container)
    opened = _replace(scene, container=container, checklist=checklist)
    if scene.waiting is not None and missing(scan.rules, opened) is None:
        return _act(scan, opened, scene.waiting, _replace(scene, waiting=None))
    if container == scene.container:
        return again(scan, scene, {"item": container})
    total = checklist and {"total": str(len(checklist.expected or ()))}
    return Outcome(
        state=_replace(scan.state, scene=opened),
        fields={"action": "see", "item": container, "location": here(scan, scene)},
        says=Says.OPENED,
        names={"container": container, **(total or {})},
        undoable=True,
    )


def read_place(scan: Scan) -> Outcome:
    """Go to a place, or put the item that waits for one there."""
    scene, location = scan.scene, scan.key.text
    there = _replace(scene, location=location)
    if scene.counting and location != scene.location:
        return not_now(scan, "count_open", Says.COUNT_OPEN, location=location)
    if scene.waiting is not None and missing(scan.rules, scene) is Expect.LOCATION:
        if missing(scan.rules, there) is None:
            return _act(scan, there, scene.waiting, _replace(scene, waiting=None))
    elif location == scene.location:
        return again(scan, scene, {"location": location})
    return Outcome(
        state=_replace(scan.state, scene=there),
        fields={**note("place"), "location": location},
        says=Says.PLACE,
        undoable=True,
    )


def _collect(scan: Scan) -> Outcome:
    """Count an item: it is recorded as seen at once, and in the count at its end."""
    scene, item = scan.scene, scan.key.text
    seen = {"action": "see", "item": item, "location": scene.location}
    if scene.location is None:
        return Outcome(
            state=scan.state,
            fields={**seen, "location": scan.rules.location},
            says=Says.PLACE_FIRST,
            tone=Tone.ATTENTION,
        )
    counted = scene.counted
    if counted is not None and item in counted:
        return again(scan, scene, {"item": item})
    more = _fitting((*counted, item)) if counted is not None else None
    return Outcome(
        state=_replace(scan.state, scene=_replace(scene, counted=more)),
        fields=seen,
        says=Says.COUNT_FULL if more is None else Says.COUNTED,
        names={"number": str(len(more or ()))},
        tone=Tone.ATTENTION if more is None else Tone.GOOD,
        undoable=True,
    )


def _fitting(items: tuple[str, ...]) -> tuple[str, ...] | None:
    return items if len(msgspec.json.encode(items)) <= _MAX_COUNT else None
