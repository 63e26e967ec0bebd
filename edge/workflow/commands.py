"""What a command of the station's sheet does: X-PICK, X-UNDO, X-DONE, X-SHORT."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from edge.feedback import Says, Tone, Word
from edge.workflow.lists import blocked, close, close_short, unfinished
from edge.workflow.outcome import Outcome, Scan, again, did, fresh, not_now
from edge.workflow.state import Scene, rest_scene

__all__ = ["read_command"]

_replace = msgspec.structs.replace


def read_command(scan: Scan) -> Outcome:
    """Follow a command, where the station knows and allows it."""
    rules = scan.rules
    command = _of_our_sheet(scan)
    if command is None:
        return not_now(scan, "not_ours", Says.NOT_OURS, tone=Tone.ERROR)
    scan = _replace(scan, key=_replace(scan.key, text=command))
    does = _does(scan)
    if does is None:
        return not_now(scan, "no_such_command", Says.NO_SUCH_COMMAND, word=Word.UNKNOWN)
    if rules.commands is not None and command not in rules.commands:
        return not_now(scan, "not_allowed", Says.NOT_ALLOWED, tone=Tone.ERROR)
    return does(scan)


def _of_our_sheet(scan: Scan) -> str | None:
    """Return the command without the sheet's word; ``None`` where it has to have it."""
    rules, text = scan.rules, scan.key.text
    if not rules.sheet or scan.read.device in rules.typed:
        return text
    name, _, word = text.rpartition(".")
    return name if name and word == rules.sheet else None


def _does(scan: Scan) -> Callable[[Scan], Outcome] | None:
    command, rules = scan.key.text, scan.rules
    if command in rules.reasons:
        return close_short
    if command.lower() in rules.modes:
        return _change_mode
    return _COMMANDS.get(command)


def _change_mode(scan: Scan) -> Outcome:
    mode, scene = scan.key.text.lower(), scan.scene
    if scene.counting:
        return not_now(scan, "count_open", Says.COUNT_OPEN)
    if unfinished(scan):
        return blocked(scan)
    if mode == scene.mode:
        return again(scan, scene, {})
    outcome = did(scan, Scene(mode=mode, known=scene.known), "mode", Says.MODE)
    if scene.waiting is None:
        return outcome
    left = {"other": scene.waiting}
    return _replace(outcome, says=Says.MODE_LEFT, names=left, tone=Tone.ATTENTION)


def _undo(scan: Scan) -> Outcome:
    history = scan.state.history
    frame = history[-1] if history else None
    if frame is None or not frame.events:
        return not_now(scan, "nothing_to_undo", Says.NOTHING_TO_UNDO)
    idle = scan.read.clock.mono - frame.mono
    before = rest_scene(scan.rules, frame.before, idle)
    voids = tuple(
        {"action": "void", "voids": event, "reason": "undo"} for event in frame.events
    )
    return Outcome(
        state=_replace(scan.state, scene=before, history=history[:-1]),
        fields=voids[0],
        more=voids[1:],
        says=Says.UNDONE,
        names={"undone": frame.code},
    )


def _done(scan: Scan) -> Outcome:
    scene = scan.scene
    if scene.waiting is not None:
        return not_now(scan, "unfinished", Says.UNFINISHED, item=scene.waiting)
    if scan.collects and scene.location is not None:
        return _finish_count(scan, scene.location)
    if scene.checklist is not None:
        return close(scan, scene.checklist)
    if scene.container is None:
        return not_now(scan, "nothing_to_finish", Says.NOTHING_TO_FINISH)
    closed = _replace(scene, container=None)
    names = {"container": scene.container}
    return did(scan, closed, "closed", Says.CLOSED, names)


def _finish_count(scan: Scan, location: str) -> Outcome:
    counted, after = scan.scene.counted, fresh(scan.scene)
    if counted is None:
        outcome = did(scan, after, "count_too_long", Says.COUNT_TOO_LONG)
        return _replace(outcome, tone=Tone.ATTENTION, word=Word.REFUSED)
    return Outcome(
        state=_replace(scan.state, scene=after),
        fields={"action": scan.mode.action, "location": location, "items": counted},
        says=Says.COUNT_MADE,
        names={"number": str(len(counted))},
        undoable=True,
    )


def _cancel(scan: Scan) -> Outcome:
    after = fresh(scan.scene)
    if after == scan.scene:
        return not_now(scan, "nothing_to_cancel", Says.NOTHING_TO_CANCEL)
    return did(scan, after, "cancel", Says.CANCELLED)


_COMMANDS: Mapping[str, Callable[[Scan], Outcome]] = MappingProxyType(
    {"UNDO": _undo, "DONE": _done, "CANCEL": _cancel}
)
