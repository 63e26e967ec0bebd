"""What a station remembers between two scans, and when it forgets it.

All of it is in memory: what is recorded is in the outbox, and a station that starts
again starts at rest.
"""

import msgspec

from edge.feedback import Expect
from edge.workflow.checklist import Checklist
from edge.workflow.modes import Where
from edge.workflow.rules import Badges, Rules
from shared.actions import Action, Holder
from shared.keys import Role

__all__ = [
    "Frame",
    "Heard",
    "Known",
    "Scene",
    "State",
    "expects",
    "missing",
    "needs_badge",
    "needs_giver",
    "rest",
    "resting",
]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What this station said last of an item, and when (boot clock, microseconds)."""

    item: str
    action: str
    location: str | None
    container: str | None
    operator: str | None
    mono: int

    def means(self, other: "Known") -> bool:
        """Whether both say the same of the same item."""
        return msgspec.structs.replace(self, mono=other.mono) == other


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the next scan's meaning depends on; undo goes back to an earlier one.

    ``location`` and ``container`` are what was scanned and still holds. ``waiting`` is
    an item that was scanned before its place or container. ``counted`` is what an open
    count has seen; ``None`` once it is too long for a line. ``giver`` is who hands
    over, ``checklist`` the list that is open. ``known`` is newest first.
    """

    mode: str
    location: str | None = None
    container: str | None = None
    waiting: str | None = None
    counted: tuple[str, ...] | None = ()
    giver: str | None = None
    checklist: Checklist | None = None
    known: tuple[Known, ...] = ()

    @property
    def counting(self) -> bool:
        """Whether a count has begun that would be lost."""
        return self.counted != ()


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One scan that can be undone: its events, and the scene before it.

    ``events`` is empty until the scan is recorded. ``mono`` is when it was made.
    """

    code: str
    before: Scene
    mono: int
    events: tuple[str, ...] = ()

    @property
    def event(self) -> str | None:
        """The event that holds the scan itself."""
        return self.events[0] if self.events else None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """The read before this one. ``changed``: it did something; ``refused``: why not."""

    device: str
    raw: bytes
    mono: int
    changed: bool
    refused: str | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A station between two scans. ``history`` is oldest first."""

    scene: Scene
    operator: str | None = None
    history: tuple[Frame, ...] = ()
    heard: Heard | None = None


def resting(rules: Rules) -> State:
    """Return the state in which a station starts, and to which it falls back."""
    return State(scene=Scene(mode=rules.resting))


def rest(rules: Rules, state: State, mono: int) -> State:
    """Return the state after a while without scans, until ``mono``."""
    if state.heard is None:
        return state
    idle = mono - state.heard.mono
    forgets = idle >= rules.forget_mode
    leaves = idle >= rules.forget_badge
    return msgspec.structs.replace(
        state,
        scene=rest_scene(rules, state.scene, idle),
        history=() if forgets or leaves else state.history,
        operator=None if leaves else state.operator,
    )


def rest_scene(rules: Rules, scene: Scene, idle: int) -> Scene:
    """Return a scene after ``idle`` microseconds without scans."""
    if idle >= rules.forget_mode:
        return Scene(mode=rules.resting)
    if idle >= rules.forget_place:
        return Scene(mode=scene.mode, known=scene.known)
    if idle >= rules.forget_item and scene.waiting is not None:
        return msgspec.structs.replace(scene, waiting=None)
    return scene


_TARGETS = {Role.CONTAINER: Expect.CONTAINER, Role.LOAD: Expect.LOAD}


def missing(rules: Rules, scene: Scene) -> Expect | None:
    """Return what an item still needs before it can be recorded in this mode."""
    mode = rules.modes[scene.mode]
    if mode.into is not None and scene.container is None:
        return _TARGETS[mode.into]
    place = scene.location
    if mode.where is Where.KNOWN:
        place = place or rules.location
    if mode.where is not Where.HERE and place is None:
        return Expect.LOCATION
    return None


def needs_badge(rules: Rules, state: State) -> bool:
    """Whether the mode takes custody, and nobody is there who could have it."""
    action = rules.actions.get(rules.modes[state.scene.mode].action, Action())
    takes = action.holder is Holder.TAKES and rules.badges is not Badges.OFF
    return takes and state.operator is None


def needs_giver(rules: Rules, state: State) -> bool:
    """Whether somebody takes over, and nobody is there who hands over."""
    asked = rules.modes[state.scene.mode].giver and rules.badges is not Badges.OFF
    return asked and state.scene.giver is None


def expects(rules: Rules, state: State) -> Expect:
    """Return the one thing that the station expects next."""
    if needs_badge(rules, state):
        return Expect.BADGE
    if needs_giver(rules, state):
        return Expect.GIVER
    target = missing(rules, state.scene) or _of_list(state.scene.checklist)
    if target is not None:
        return target
    takes = rules.modes[state.scene.mode].takes
    return Expect.ITEM if Role.PARCEL in takes else Expect.CONTAINER


def _of_list(checklist: Checklist | None) -> Expect | None:
    if checklist is None or not checklist.expected:
        return None
    if checklist.asked:
        return Expect.REASON
    return None if checklist.missing else Expect.DONE
