"""What a scan means: ``step(rules, state, key, read)`` gives state, lines, feedback.

Pure. The rules, which the tests hold to:

- Every read gives one line that holds it; what it does to further items gives further
  lines, saved with it or not at all. What says nothing of an item (a badge, a place, a
  command, a code that cannot be read) is a ``note`` whose ``reason`` says which; so
  what was confirmed is at the server, whatever it was.
- What the station says no to is recorded with its action and ``refused``, which the
  contract counts as a sighting.
- An item that is scanned before its place or container is recorded as seen at once,
  and with the mode's action once that is scanned. Such a pair does not stick; a place
  or container that was scanned first holds for all that follows.
- A second scan that means the same is a ``note`` with the reason ``repeat``. It means
  the same while the container or count that it went into is open, and else for
  ``Rules.repeat``. A toggle (badge, command, place) is a repeat only as the very same
  read within ``Rules.bounce``: later it is meant.
- Undo names the last scan that did something, goes back to the scene before it, and
  can be repeated. It never reaches over a change of operator, or a rest.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from edge.feedback import Expect, Feedback, Says, Tone, Word
from edge.scanners import Read
from edge.workflow.checks import UNKNOWN_LOCATION, Objection, objection
from edge.workflow.commands import read_command
from edge.workflow.facts import NOTHING, Facts
from edge.workflow.items import read_item, read_place
from edge.workflow.lists import blocked, unfinished
from edge.workflow.outcome import Outcome, Scan, again, did, fresh, note, unread
from edge.workflow.rules import Rules
from edge.workflow.state import Frame, Heard, Scene, State, expects, rest
from shared.keys import Key, Kind
from shared.lines import Line
from shared.moments import to_text
from shared.reference import WantedItem

__all__ = ["MAX_KEY", "Step", "recorded", "step"]

MAX_KEY = 256
"""Characters in a key, at most; what is longer is kept, and taken for no code."""
_UNDOABLE = 50

_replace = msgspec.structs.replace


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one read leads to. The drafts are lines whose ``seq`` is 0."""

    state: State
    drafts: tuple[Line, ...]
    feedback: Feedback


def step(
    rules: Rules, state: State, key: Key, read: Read, facts: Facts = NOTHING
) -> Step:
    """Return what a read does in a state.

    Args:
        rules: What the station allows.
        state: What it remembers.
        key: What the read names; not looked at where the read is damaged.
        read: What the scanner delivered; its clock is now.
        facts: What the station was told beforehand.
    """
    rested = rest(rules, state, read.clock.mono)
    scan = Scan(rules=rules, state=rested, key=key, read=read, facts=facts)
    outcome = _against(scan, _meaning(scan))
    after = _remember(scan, outcome)
    line = _line(scan, outcome.fields)
    more = tuple(_further(scan, fields) for fields in outcome.more)
    feedback = _tell(scan, outcome, line, after)
    return Step(state=after, drafts=(line, *more), feedback=feedback)


def recorded(state: State, names: tuple[str, ...]) -> State:
    """Return the state once the lines of its last step are events with these names."""
    if not names or not state.history or state.history[-1].events:
        return state
    frame = _replace(state.history[-1], events=names)
    return _replace(state, history=(*state.history[:-1], frame))


# From a read to its meaning


def _meaning(scan: Scan) -> Outcome:
    if scan.read.damaged:
        return _damaged(scan)
    if len(scan.key.text) > MAX_KEY:
        return _too_long(scan)
    if _bounced(scan):
        return again(scan, scan.scene, _named(scan.key))
    return _READERS[scan.key.kind](scan)


def _bounced(scan: Scan) -> bool:
    """Whether the scanner repeats the very read that just did something."""
    heard, read = scan.state.heard, scan.read
    return (
        heard is not None
        and heard.changed
        and read.device not in scan.rules.typed
        and (heard.device, heard.raw) == (read.device, read.raw)
        and read.clock.mono - heard.mono < scan.rules.bounce
    )


_FIELDS = {Kind.ITEM: "item", Kind.LOCATION: "location", Kind.OPERATOR: "operator"}


def _named(key: Key) -> dict[str, str]:
    return {_FIELDS[key.kind]: key.text} if key.kind in _FIELDS else {}


def _badge(scan: Scan) -> Outcome:
    """Badge in, or out with the badge that is in. Undo does not reach over it."""
    badge, before, scene = scan.key.text, scan.state.operator, scan.scene
    out = badge == before
    if scan.mode.giver and before is not None and not out:
        return _giver(scan)
    empty = Scene(mode=scan.rules.resting if out else scene.mode)
    dropped = _dropped(scan) if before is not None else None
    return Outcome(
        state=_replace(
            scan.state,
            operator=None if out else badge,
            scene=scene if before is None else empty,
            history=(),
        ),
        fields={**note("badge_out" if out else "badge_in"), "operator": badge},
        says=dropped or (Says.BADGE_OUT if out else Says.BADGE_IN),
        names={
            "location": scene.location or "",
            "container": scene.checklist.container if scene.checklist else "",
        },
        tone=Tone.ATTENTION if dropped else Tone.GOOD,
    )


def _dropped(scan: Scan) -> Says | None:
    """Say what is lost where another person comes, or nobody stays."""
    if scan.scene.counting:
        return Says.COUNT_DROPPED
    return Says.LIST_DROPPED if unfinished(scan) else None


def _giver(scan: Scan) -> Outcome:
    """Take a second badge as that of the person who hands over."""
    if unfinished(scan):
        return blocked(scan)
    badge, scene = scan.key.text, scan.scene
    if badge == scene.giver:
        return again(scan, scene, {"giver": badge})
    after = _replace(fresh(scene), giver=badge, location=scene.location)
    outcome = did(scan, after, "giver", Says.GIVER, {"operator": badge})
    return _replace(outcome, fields={**outcome.fields, "giver": badge})


# What names nothing


def _damaged(scan: Scan) -> Outcome:
    outcome = unread(scan, "damaged", Says.DAMAGED, Word.DAMAGED)
    return _replace(outcome, expects=Expect.RESCAN)


def _too_long(scan: Scan) -> Outcome:
    names = {"number": str(len(scan.key.text))}
    outcome = unread(scan, "too_long", Says.TOO_LONG, Word.UNKNOWN)
    return _replace(outcome, names=names)


def _unknown(scan: Scan) -> Outcome:
    """Return what a code does that nobody claims, with what can be said of it."""
    says = Says.UNKNOWN_WHY if scan.key.why else Says.UNKNOWN_CODE
    outcome = unread(scan, "unknown", says, Word.UNKNOWN)
    return _replace(outcome, names=_why(scan.key))


def _empty(scan: Scan) -> Outcome:
    return unread(scan, "empty", Says.EMPTY, Word.UNKNOWN)


def _not_a_package(scan: Scan) -> Outcome:
    """A product's number, a wrong check digit: read well, and still no package."""
    outcome = unread(scan, scan.key.reason, Says.NOT_A_PACKAGE, Word.REFUSED)
    fields = {**outcome.fields, "refused": "not_a_package"}
    return _replace(outcome, fields=fields, names=_why(scan.key))


def _why(key: Key) -> dict[str, str]:
    """Return what a sentence says of a label's fault, by the fault's name."""
    why = key.why
    return {"fault": why.fault.name.lower(), "about": why.about} if why else {}


# From the meaning to state, line and feedback


def _against(scan: Scan, outcome: Outcome) -> Outcome:
    """Let what the station was told speak: objections, and what is wanted."""
    line = _line(scan, outcome.fields)
    if outcome.word is Word.SAVED and line.action != "void":
        against = objection(scan, line)
        outcome = outcome if against is None else _objected(scan, outcome, against)
    wanted = scan.facts.wanted(line.item) if line.item is not None else None
    return outcome if wanted is None else _wanted(outcome, wanted)


def _wanted(outcome: Outcome, wanted: WantedItem) -> Outcome:
    """Say that somebody looks for the item: why, and who, before what became of it."""
    return _replace(
        outcome,
        tone=Tone.WANTED,
        word=Word.WANTED,
        names={**outcome.names, "wanted": wanted.reason, "wants": wanted.by},
    )


def _objected(scan: Scan, outcome: Outcome, against: Objection) -> Outcome:
    """Warn of what speaks against a scan, or refuse it: then it was only seen."""
    how = "refused" if against.refused else "warned"
    outcome = _replace(
        outcome,
        says=against.says,
        names={**against.names, how: against.code},
        tone=Tone.ERROR if against.refused else Tone.ATTENTION,
        word=against.word if against.refused else _warning(against.word),
    )
    if not against.refused:
        return outcome
    nowhere = {"location": None} if against.code == UNKNOWN_LOCATION else {}
    return _replace(
        outcome,
        state=scan.state,
        fields={**outcome.fields, **nowhere, "refused": against.code},
        more=(),
        undoable=False,
    )


def _warning(word: Word) -> Word:
    """Return the word of a scan that is recorded all the same: it is not refused."""
    return Word.SAVED if word is Word.REFUSED else word


def _remember(scan: Scan, outcome: Outcome) -> State:
    state, read, mono = outcome.state, scan.read, scan.read.clock.mono
    history = state.history
    if outcome.undoable:
        frame = Frame(code=scan.code, before=scan.scene, mono=mono)
        history = (*history[1 - _UNDOABLE :], frame)
    changed = state is not scan.state
    heard = Heard(
        device=read.device,
        raw=read.raw,
        mono=mono,
        changed=changed,
        refused=outcome.fields.get("refused"),
    )
    return _replace(state, history=history, heard=heard)


def _line(scan: Scan, fields: Mapping[str, Any]) -> Line:
    """Return the line that holds the read."""
    return _replace(
        _further(scan, fields),
        raw=scan.read.raw.decode("latin-1"),
        symbology=scan.key.symbology,
        damaged=scan.read.damaged or None,
    )


def _further(scan: Scan, fields: Mapping[str, Any]) -> Line:
    """Return a further line of the same scan, which does not repeat what was read."""
    clock = scan.read.clock
    return Line(
        seq=0,
        at=to_text(clock.at),
        boot=clock.boot or None,
        mono=clock.mono,
        synced=clock.synced,
        device=scan.read.device,
        **{"operator": scan.state.operator, **fields},
    )


_NAMES = ("action", "item", "location", "container", "operator", "giver")


def _tell(scan: Scan, outcome: Outcome, line: Line, after: State) -> Feedback:
    named = {name: getattr(line, name) for name in _NAMES}
    names = {name: value for name, value in named.items() if value is not None}
    return Feedback(
        tone=outcome.tone,
        word=outcome.word,
        code=scan.code,
        says=outcome.says,
        names={"code": scan.code, **names, **outcome.names},
        mode=after.scene.mode,
        expects=outcome.expects or expects(scan.rules, after),
    )


_READERS: Mapping[Kind, Callable[[Scan], Outcome]] = MappingProxyType(
    {
        Kind.ITEM: read_item,
        Kind.LOCATION: read_place,
        Kind.OPERATOR: _badge,
        Kind.COMMAND: read_command,
        Kind.REFUSED: _not_a_package,
        Kind.UNKNOWN: _unknown,
        Kind.EMPTY: _empty,
    }
)
