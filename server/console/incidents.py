"""What an incident report says of an item: what went wrong first, and how sure it is.

Pure. It asks for no culprit: it names the step, the place, the shift, and the check
that would have caught it.
"""

from collections.abc import Iterable, Sequence

import msgspec

from server.console.timeline import Gap, Step
from shared.api.items import ItemException

__all__ = ["SHIFTS", "Completeness", "Incident", "completeness", "incident", "shift"]

SHIFTS = ("night", "early", "late")
"""From 22, from 6 and from 14 o'clock of the site."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that was wrong, and the last scan that was as it should be."""

    first: ItemException
    step: Step | None
    before: Step | None


class Completeness(msgspec.Struct, frozen=True, kw_only=True):
    """How complete what is known of an item is: how many of its events are what."""

    events: int
    late: int
    voided: int
    vague: int
    damaged: int


def shift(hour: int) -> str:
    """Return the shift that works at an hour of the day."""
    return SHIFTS[((hour - 22) % 24) // 8]


def incident(
    found: Iterable[ItemException], story: Sequence[Step | Gap]
) -> Incident | None:
    """Return what went wrong first, or ``None`` where nothing did.

    Args:
        found: The exceptions of the item, open and over.
        story: Its line of time, newest first.
    """
    first = min(found, key=lambda one: (one.since, one.code), default=None)
    if first is None:
        return None
    steps = [s for s in reversed(story) if isinstance(s, Step)]
    names = [step.event for step in steps]
    at = names.index(first.event) if first.event in names else None
    before = [s for s in steps[:at] if s.void is None and s.line.location]
    return Incident(
        first=first,
        step=None if at is None else steps[at],
        before=before[-1] if before else None,
    )


def completeness(story: Iterable[Step | Gap]) -> Completeness:
    """Count what of an item's events makes the answer less sure."""
    steps = [one for one in story if isinstance(one, Step)]
    return Completeness(
        events=len(steps),
        late=sum(step.late for step in steps),
        voided=sum(step.void is not None for step in steps),
        vague=sum(step.vague for step in steps),
        damaged=sum(bool(step.line.damaged) for step in steps),
    )
