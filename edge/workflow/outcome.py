"""A read with all that its meaning depends on, and the kinds of what it can do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from edge.feedback import Expect, Says, Tone, Word
from edge.scanners import Read
from edge.workflow.facts import Facts
from edge.workflow.modes import Mode
from edge.workflow.rules import Rules
from edge.workflow.state import Scene, State
from shared.actions import Action
from shared.keys import Key, Kind

__all__ = [
    "Outcome",
    "Scan",
    "again",
    "did",
    "fresh",
    "here",
    "not_now",
    "note",
    "refuse",
    "unread",
]

_replace = msgspec.structs.replace


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A read, and all that its meaning depends on."""

    rules: Rules
    state: State
    key: Key
    read: Read
    facts: Facts

    @property
    def scene(self) -> Scene:
        """What is open now."""
        return self.state.scene

    @property
    def mode(self) -> Mode:
        """The row of the table that the station is in."""
        return self.rules.modes[self.scene.mode]

    @property
    def action(self) -> Action:
        """The effects of the mode's action; a site's own may be known only there."""
        return self.rules.actions.get(self.mode.action, Action())

    def asked(self, code: str) -> bool:
        """Whether the read before was the same, and was refused for want of a yes."""
        heard, read = self.state.heard, self.read
        if heard is None or heard.refused != code:
            return False
        since = read.clock.mono - heard.mono
        typed = read.device in self.rules.typed
        return (
            heard.raw == read.raw
            and (typed or since >= self.rules.bounce)
            and since < self.rules.forget_item
        )

    @property
    def collects(self) -> bool:
        """Whether the mode gathers items into one line."""
        return "items" in self.action.needs

    @property
    def code(self) -> str:
        """What was scanned, to be shown."""
        prefix = "X-" if self.key.kind is Kind.COMMAND else ""
        return prefix + self.key.text or self.read.raw.decode("latin-1")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan does: a line's fields, the next state, and what to say.

    ``more`` are the fields of further lines that the same scan leads to. ``undoable``:
    undo may go back to before it.
    """

    state: State
    fields: Mapping[str, Any]
    more: tuple[Mapping[str, Any], ...] = ()
    says: Says
    names: Mapping[str, str] = {}
    tone: Tone = Tone.GOOD
    word: Word = Word.SAVED
    expects: Expect | None = None
    undoable: bool = False


def here(scan: Scan, scene: Scene) -> str | None:
    """Return the place that was scanned, else the station's own, if it has one."""
    return scene.location or scan.rules.location


def fresh(scene: Scene) -> Scene:
    """Return the same mode with nothing open."""
    return Scene(mode=scene.mode, known=scene.known)


def note(reason: str) -> dict[str, str]:
    """Return the fields of a line that is kept, and is no evidence."""
    return {"action": "note", "reason": reason}


def did(
    scan: Scan,
    scene: Scene,
    reason: str,
    says: Says,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Return what changes the scene, and says nothing of an item."""
    return Outcome(
        state=_replace(scan.state, scene=scene),
        fields=note(reason),
        says=says,
        names=names,
        undoable=True,
    )


def again(
    scan: Scan, after: Scene, fields: Mapping[str, str], says: Says = Says.AGAIN
) -> Outcome:
    """Return what a repeat does: it is kept, and shows nothing new."""
    return Outcome(
        state=_replace(scan.state, scene=after),
        fields={**note("repeat"), **fields},
        says=says,
        tone=Tone.ATTENTION,
        word=Word.REPEAT,
    )


def unread(scan: Scan, reason: str, says: Says, word: Word) -> Outcome:
    """Return what a read does that names nothing: it is kept."""
    return Outcome(
        state=scan.state, fields=note(reason), says=says, tone=Tone.ERROR, word=word
    )


def not_now(
    scan: Scan,
    reason: str,
    says: Says,
    *,
    tone: Tone = Tone.ATTENTION,
    word: Word = Word.REFUSED,
    **fields: str,
) -> Outcome:
    """Return what a scan does that the station cannot follow as it stands."""
    names = {"location": scan.scene.location or "", "command": scan.key.text}
    return Outcome(
        state=scan.state,
        fields={**note(reason), **fields},
        says=says,
        names=names,
        tone=tone,
        word=word,
    )


def refuse(scan: Scan, code: str, says: Says) -> Outcome:
    """Say no to an item: it was seen here, and nothing else."""
    return Outcome(
        state=scan.state,
        fields={
            "action": scan.mode.action,
            "item": scan.key.text,
            "location": here(scan, scan.scene),
            "container": scan.scene.container,
            "refused": code,
        },
        says=says,
        tone=Tone.ERROR,
        word=Word.REFUSED,
    )
