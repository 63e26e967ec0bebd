"""What a station allows and assumes: values that a configuration gives."""

from collections.abc import Mapping
from enum import Enum

import msgspec

from edge.workflow.modes import MODES, Mode
from shared.actions import ACTIONS, Actions
from shared.commands import REASONS
from shared.moments import SECOND

__all__ = ["Badges", "Check", "Checks", "Rules"]

_MINUTE = 60 * SECOND


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
        incomplete_load: A load that is to leave without all that is expected on it.
            warn: it is refused at first, and leaves if its label is scanned once more.
    """

    unknown_location: Check = Check.WARN
    unknown_operator: Check = Check.WARN
    wrong_place: Check = Check.WARN
    already_shipped: Check = Check.WARN
    not_on_manifest: Check = Check.REFUSE
    not_expected: Check = Check.WARN
    incomplete_load: Check = Check.WARN


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
