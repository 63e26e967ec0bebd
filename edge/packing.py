"""The open list, as a screen shows it: who gives, who takes, what remains. Pure.

A list is closed by X-DONE, or by a reason while something is missing: these are what a
screen offers to touch, as far as the station allows the commands.
"""

import msgspec

from edge.feedback import Caption
from edge.screen import Listing, PackingView, Touch
from edge.terminal_display import clean
from edge.texts import Texts
from edge.workflow import Checking, Checklist, Rules, State

__all__ = ["packing"]

_SHOWN = 50
"""Items of a list that are shown by name, at most."""


def packing(rules: Rules, state: State, texts: Texts) -> PackingView | None:
    """Return the open list; where things are handed over, also the empty table."""
    scene, checklist = state.scene, state.scene.checklist
    hands_over = rules.modes[scene.mode].giver
    if checklist is None and not hands_over:
        return None
    table = PackingView(
        hands_over=hands_over,
        giver=clean(scene.giver or ""),
        receiver=clean(state.operator or ""),
    )
    if checklist is None:
        return table
    known = checklist.expected is not None
    return msgspec.structs.replace(
        table,
        container=clean(checklist.container),
        expected=len(checklist.expected or ()) if known else None,
        scanned=len(checklist.scanned),
        missing=_listed(checklist.missing),
        foreign=_listed(checklist.foreign),
        repeated=_listed(checklist.repeated),
        close=_closes(rules, state, checklist, texts),
    )


def _listed(items: tuple[str, ...]) -> Listing:
    return Listing(count=len(items), items=tuple(map(clean, items[:_SHOWN])))


def _closes(
    rules: Rules, state: State, checklist: Checklist, texts: Texts
) -> tuple[Touch, ...]:
    settled = rules.modes[state.scene.mode].checks is Checking.SETTLED
    touches = {"DONE": texts.captions[Caption.FINISH]}
    if settled and checklist.begun:
        # One scan is enough: the reason closes, and says for what it is closed.
        touches = {r: texts.reasons.get(r.lower(), r) for r in sorted(rules.reasons)}
    allowed = (c for c in touches if rules.commands is None or c in rules.commands)
    return tuple(Touch(code=f"X-{c}", label=clean(touches[c])) for c in allowed)
