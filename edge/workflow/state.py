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
from shared.commands import REASONS
from shared.keys import Role
from shared.moments import SECOND

__all__ = [
    "Badges",
    "Check",
    "Checklist",
    "Checks",
    "Frame",
    "Heard",
    "Known",
    "Rules",
    "Scene",
    "State",
    "expects",
    "missing",
    "needs_badge",
    "needs_giver",
    "rest",
    "resting",
]

_MINUTE = 60 * SECOND
_FOREIGN = 200
"""What a list keeps, at most, of that which it does not expect."""


class Badges(Enum):
    """What a mode that takes custody (pick, accept) asks of the operator's badge."""

    OFF = "off"
    ASKED = "asked"
    """Without one the scan is recorded, and nobody becomes the holder."""
    REQUIRED = "required"
    """Without one the scan is refused, and recorded as seen."""


class Check(Enum):
    """What the station does where a scan contradicts what it knows."""

    OFF = "off"
    WARN = "warn"
    """Say so, and record it all the same."""
    REFUSE = "refuse"
    """Say no: the scan is recorded as seen, and as nothing else."""


class Checks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done about a scan that contradicts what the server told, offline too.

    Attributes:
        unknown_location: A place that is not in the site's list of places. off; warn:
            say so, and record it all the same; refuse: record it as seen only.
        unknown_operator: A badge that is not in the site's list of badges.
        wrong_place: A place of another kind than those that the mode belongs to.
        already_shipped: An item that has left the site, in a mode in which nothing
            comes back.
        not_on_manifest: An item that is put on a load and is not expected on it.
        not_expected: An item that is not on the list that is being ticked off.
    """

    unknown_location: Check = Check.WARN
    unknown_operator: Check = Check.WARN
    wrong_place: Check = Check.WARN
    already_shipped: Check = Check.WARN
    not_on_manifest: Check = Check.REFUSE
    not_expected: Check = Check.WARN


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
    ``reasons`` are the commands that close a list although something is missing.
    ``sheet`` is the word that the commands of the site's own sheets end with, if any:
    ``X-PICK.K7Q2``; what is typed or touched needs none.
    """

    modes: Mapping[str, Mode] = MODES
    actions: Actions = ACTIONS
    resting: str = "see"
    commands: frozenset[str] | None = None
    location: str | None = None
    badges: Badges = Badges.ASKED
    checks: Checks = Checks()
    typed: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset(REASONS)
    sheet: str = ""
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


class Checklist(msgspec.Struct, frozen=True, kw_only=True):
    """What should be in a container, and what of it was scanned.

    ``expected`` is ``None`` where it is not known here. ``scanned`` are those of it
    that were; ``foreign`` are those that were and should not be there; ``repeated``
    were scanned more than once. ``asked``: a reason is due for what is missing.
    """

    container: str
    expected: tuple[str, ...] | None
    scanned: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    asked: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What is expected and was not scanned."""
        there = frozenset(self.scanned)
        return tuple(item for item in self.expected or () if item not in there)

    @property
    def begun(self) -> bool:
        """Whether items were scanned one by one, and some of them are missing."""
        return bool(self.scanned or self.foreign) and bool(self.missing)

    def expects(self, item: str) -> bool:
        """Whether an item should be there."""
        return self.expected is not None and item in self.expected

    def has(self, item: str) -> bool:
        """Whether the list has had this scan already."""
        return item == self.container or item in self.scanned or item in self.foreign

    def with_item(self, item: str) -> "Checklist":
        """Return the list with an item scanned."""
        if self.expected is None or self.expects(item):
            more = self.scanned if item in self.scanned else (*self.scanned, item)
            return msgspec.structs.replace(self, scanned=more, asked=False)
        foreign = (item, *(other for other in self.foreign if other != item))
        return msgspec.structs.replace(self, foreign=foreign[:_FOREIGN], asked=False)

    def with_repeat(self, item: str) -> "Checklist":
        """Return the list with an item scanned once more."""
        repeated = (item, *(other for other in self.repeated if other != item))
        return msgspec.structs.replace(self, repeated=repeated[:_FOREIGN])


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
