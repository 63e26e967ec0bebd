"""An item's history as a line of time: what happened, and the gaps between. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from shared.actions import ACTIONS, Actions
from shared.api.items import ItemEvent
from shared.hosts import HostLine, host_line
from shared.moments import SECOND, to_moment

__all__ = ["GAP", "LATE", "Gap", "Step", "Void", "timeline"]

LATE = 120 * SECOND
"""Heard this long after it happened, in microseconds, an event is marked as late."""
GAP = 30 * 60 * SECOND
"""So long nothing was heard, in microseconds, that it is drawn."""
VAGUE = 30 * SECOND
"""How wide the interval may be in which an event happened, before that is said."""

_SIZES = (4 * 3600 * SECOND, 24 * 3600 * SECOND, 7 * 24 * 3600 * SECOND)
_NOTHING = HostLine(seq=1, at="", action="")


class Void(msgspec.Struct, frozen=True):
    """That an event was taken back: by which event, why, and who did."""

    event: str
    reason: str
    by: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the line.

    ``scan``: it shows where the item was; others are only said. ``late``: it was heard
    long after it happened. ``vague``: when it happened is known only to within ``lo`` …
    ``hi``. ``via`` is the container whose scan it is.
    """

    event: str
    line: HostLine
    scan: bool
    occurred: int
    lo: int
    hi: int
    received: int
    station: str
    via: str | None
    void: Void | None

    @property
    def late(self) -> bool:
        """Whether it was heard long after it happened."""
        return self.received - self.occurred > LATE

    @property
    def vague(self) -> bool:
        """Whether it is not known exactly when it happened."""
        return self.hi - self.lo > VAGUE

    @property
    def who(self) -> str:
        """Whose badge, or whose name, the event has; empty where nobody's."""
        return self.line.operator or self.line.by or ""


class Gap(msgspec.Struct, frozen=True):
    """Nothing was scanned from one moment to another; ``size`` is 1 to 4."""

    since: int
    until: int

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.until - self.since) / SECOND

    @property
    def size(self) -> int:
        """How tall it is drawn."""
        return 1 + sum(self.until - self.since >= least for least in _SIZES)


def timeline(
    events: Sequence[ItemEvent],
    voids: Mapping[str, Void],
    until: int,
    actions: Actions = ACTIONS,
) -> list[Step | Gap]:
    """Return what happened, newest first, with the gaps between.

    Args:
        events: The item's history, in the order in which things happened.
        voids: What is known of the events that took others back, by their names.
        until: The moment that is looked at: the last gap ends there.
        actions: The site's actions.
    """
    steps = [_step(event, voids, actions) for event in events]
    return list(reversed(list(_with_gaps(steps, until))))


def _with_gaps(steps: Sequence[Step], until: int) -> Iterator[Step | Gap]:
    before = None
    for step in steps:
        if before is not None and step.occurred - before >= GAP:
            yield Gap(before, step.occurred)
        yield step
        if step.scan:
            before = step.occurred
    if before is not None and until - before >= GAP:
        yield Gap(before, until)


def _step(event: ItemEvent, voids: Mapping[str, Void], actions: Actions) -> Step:
    by, line = event.voided_by, host_line(bytes(event.line)) or _NOTHING
    action = actions.get(line.action)
    seen = line.refused is not None or (action is not None and action.evidence)
    return Step(
        event=event.event,
        line=line,
        scan=seen,
        occurred=to_moment(event.occurred_at),
        lo=to_moment(event.occurred_lo),
        hi=to_moment(event.occurred_hi),
        received=to_moment(event.received_at),
        station=event.station,
        via=event.via,
        void=None if by is None else voids.get(by, Void(by, "", "")),
    )
