"""What a station remembers between two scans, and when it forgets it.

All of it is in memory: what is recorded is in the outbox, and a station that starts
again starts at rest.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from edge.feedback import Expect
from edge.workflow.modes import MODES, Mode, Where
from shared.actions import ACTIONS, Action, Actions, Holder
from shared.keys import Role
from shared.moments import SECOND

__all__ = [
    "Badges",
    "Frame",
    "Heard",
    "Known",
    "Rules",
    "Scene",
    "State",
    "expects",
    "missing",
    "rest",
    "resting",
]

_MINUTE = 60 * SECOND


class Badges(Enum):
    """What a mode that takes custody (pick, accept) asks of the operator's badge."""

    OFF = "off"
    ASKED = "asked"
    """Without one the scan is recorded, and nobody becomes the holder."""
    REQUIRED = "required"
    """Without one the scan is refused, and recorded as seen."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a station allows and assumes. Durations are in microseconds.

    ``resting`` is the mode that it falls back to. ``commands`` are those allowed,
    without their ``X-``; ``None`` allows every one. ``location`` is the station's own.
    ``typed`` are the devices whose reads are each meant, however fast they follow one
    another (a terminal, a pipe). Of the idle times, ``forget_item`` ends the wait of an
    item for its place, ``forget_place`` closes places and containers, ``forget_mode``
    goes back to the resting mode, and ``forget_badge`` badges out.
    A same read within ``bounce`` is the scanner's trembling; one that means the same
    within ``repeat`` is the operator's.
    """

    modes: Mapping[str, Mode] = MODES
    actions: Actions = ACTIONS
    resting: str = "see"
    commands: frozenset[str] | None = None
    location: str | None = None
    badges: Badges = Badges.ASKED
    typed: frozenset[str] = frozenset()
    forget_item: int = _MINUTE
    forget_place: int = 10 * _MINUTE
    forget_mode: int = 15 * _MINUTE
    forget_badge: int = 30 * _MINUTE
    bounce: int = 700_000
    repeat: int = 30 * SECOND


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
    count has seen; ``None`` once it is too long for a line. ``known`` is newest first.
    """

    mode: str
    location: str | None = None
    container: str | None = None
    waiting: str | None = None
    counted: tuple[str, ...] | None = ()
    known: tuple[Known, ...] = ()

    @property
    def counting(self) -> bool:
        """Whether a count has begun that would be lost."""
        return self.counted != ()


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One scan that can be undone: its event, and the scene before it.

    ``event`` is ``None`` until the scan is recorded. ``mono`` is when it was made.
    """

    code: str
    before: Scene
    mono: int
    event: str | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """The read before this one; ``changed``: it did something."""

    device: str
    raw: bytes
    mono: int
    changed: bool


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


def expects(rules: Rules, state: State) -> Expect:
    """Return the one thing that the station expects next."""
    if needs_badge(rules, state):
        return Expect.BADGE
    target = missing(rules, state.scene)
    if target is not None:
        return target
    takes = rules.modes[state.scene.mode].takes
    return Expect.ITEM if Role.PARCEL in takes else Expect.CONTAINER
