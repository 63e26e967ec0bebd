"""The exchanges of a boot: what its boot clock says of the time. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from server.timing.when import DELAY, TOLERANCE, Span, drift
from shared.moments import SECOND
from shared.protocol import ClockReading

__all__ = [
    "SPACING",
    "Anchor",
    "BootClock",
    "agreeing",
    "boot_clock",
    "stands_for",
    "wrong_periods",
]

SPACING = 3600 * SECOND
"""How far apart the anchors of a boot are kept, where nothing else happens."""

_SURER = 10_000


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """A station's clocks, and this server's clock when they reached it.

    ``heard`` is what this server's clock showed; ``received`` the moment that was given
    to the exchange, which never goes back, and so puts exchanges in order even where
    the server's clock did.
    """

    clock: ClockReading
    heard: int
    received: int

    @property
    def offset(self) -> int:
        """How far the station's wall clock was ahead; its way here counts against."""
        return self.clock.at - self.heard

    @property
    def right(self) -> bool:
        """Whether it shows a right wall clock.

        A clock that is held to be synchronised is not wrong for a slow way here.
        """
        slowest = DELAY if self.clock.synced else 0
        return -TOLERANCE - slowest <= self.offset <= TOLERANCE

    def truth(self, mono: int) -> Span:
        """Return what was the time when the boot clock showed ``mono``."""
        since = self.clock.mono - mono
        moment = self.heard - since
        return Span(moment - DELAY - drift(since), moment + drift(since))


def stands_for(before: Anchor | None, last: Anchor, new: Anchor) -> bool:
    """Say whether a new anchor of a boot makes the last one needless.

    Args:
        before: The anchor before the last one, if there is one.
        last: The last one that is kept.
        new: The new one.
    """
    return (
        before is not None
        and new.clock.mono - before.clock.mono <= SPACING
        and _agree(before, last)
        and _agree(last, new)
        and before.right == last.right == new.right
    )


def _agree(one: Anchor, other: Anchor) -> bool:
    here, there = one.truth(other.clock.mono), other.truth(other.clock.mono)
    return here.lo <= there.hi and there.lo <= here.hi


def _groups(anchors: Iterable[Anchor]) -> list[list[Anchor]]:
    """Put together what agrees; ``anchors`` are in the order of the boot clock."""
    groups: list[list[Anchor]] = []
    for anchor in anchors:
        near = (group for group in reversed(groups) if _agree(group[-1], anchor))
        group = next(near, None)
        if group is None:
            groups.append([anchor])
        else:
            group.append(anchor)
    return groups


def _weight(group: Sequence[Anchor]) -> int:
    """Weigh a group by the time that it covers, and far more by synchronised clocks.

    Where such a clock agrees, the group is right; where all disagree, it is this
    server's clock that was wrong, most likely.
    """
    covered = group[-1].clock.mono - group[0].clock.mono + len(group) * SECOND
    synced = [anchor.right for anchor in group if anchor.clock.synced]
    trust = 1 if not synced else 2 * any(synced)
    return int(covered * _SURER**trust)


def _preferred(group: Sequence[Anchor]) -> tuple[int, int]:
    """Weigh a group against others; of equals the later one counts."""
    return _weight(group), group[-1].clock.mono


def agreeing(anchors: Iterable[Anchor], doubtful: Sequence[Span] = ()) -> list[Anchor]:
    """Return the anchors of a boot that can be believed, in the boot clock's order.

    Where this server's clock was wrong for a while, the anchors of that time disagree
    with the others; the weightier side is believed, of equals the later.

    Args:
        anchors: The exchanges of one boot.
        doubtful: When this server's clock was wrong, as far as is known otherwise.
    """
    sure = [
        a for a in anchors if not any(lo <= a.received <= hi for lo, hi in doubtful)
    ]
    groups = _groups(sorted(sure, key=lambda anchor: anchor.clock.mono))
    return max(groups, key=_preferred, default=[])


def wrong_periods(boots: Iterable[Iterable[Anchor]]) -> list[Span]:
    """Return when this server's clock was wrong, as far as that shows.

    It shows where the clock went back, and by boots that saw it change: each speaks for
    the anchors that it believes and against its others, with the weight of those it
    believes. What was heard right before and after a wrong time, without a leap of the
    clock between, was heard in it too, unless a boot speaks for it. The spans are of
    ``received``.
    """
    anchors = [list(boot) for boot in boots]
    heard = sorted((a for boot in anchors for a in boot), key=lambda a: a.received)
    back = _out_of_order(heard)
    verdicts = [verdict for boot in anchors for verdict in _verdicts(boot, back)]
    suspects = {span for span, _ in verdicts if _sum(verdicts, span) < 0}
    return sorted({_widened(span, heard, verdicts) for span in suspects | back})


def _out_of_order(heard: Sequence[Anchor]) -> set[Span]:
    """Return what has to be left out so that this server's clock never went back."""
    ends: list[int] = []  # of the best series of each length, its last index
    before: list[int] = []
    for index, anchor in enumerate(heard):
        length = bisect_right(ends, anchor.heard, key=lambda end: heard[end].heard)
        before.append(ends[length - 1] if length else -1)
        ends[length : length + 1] = [index]
    kept: set[int] = set()
    index = ends[-1] if ends else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return {
        Span(anchor.received, anchor.received)
        for index, anchor in enumerate(heard)
        if index not in kept
    }


def _sum(verdicts: Iterable[tuple[Span, int]], span: Span) -> int:
    return sum(weight for other, weight in verdicts if _overlap(span, other))


def _widened(
    span: Span, heard: Sequence[Anchor], verdicts: Sequence[tuple[Span, int]]
) -> Span:
    inside = [a for a in heard if span.lo <= a.received <= span.hi]
    before = [a for a in reversed(heard) if a.received < span.lo]
    after = [a for a in heard if a.received > span.hi]
    first = _without_leap(inside[0], before, verdicts)
    last = _without_leap(inside[-1], after, verdicts)
    return Span(first.received, last.received)


def _without_leap(
    near: Anchor, others: Iterable[Anchor], verdicts: Sequence[tuple[Span, int]]
) -> Anchor:
    for other in others:
        order = 1 if other.received > near.received else -1
        leap = not 0 <= order * (other.heard - near.heard) <= SPACING
        if leap or _sum(verdicts, Span(other.received, other.received)) > 0:
            break
        near = other
    return near


def _verdicts(boot: Iterable[Anchor], back: Iterable[Span]) -> list[tuple[Span, int]]:
    anchors = sorted(boot, key=lambda anchor: anchor.clock.mono)
    groups = _groups(anchors)
    bad = {span.lo for span in back}
    sure = [g for g in groups if not any(anchor.received in bad for anchor in g)]
    if len(groups) < 2 or not sure:  # noqa: PLR2004 # nothing to compare
        return []
    best = max(sure, key=_preferred)
    weight, believed = _weight(best), {anchor.received for anchor in best}
    runs = groupby(anchors, key=lambda anchor: anchor.received in believed)
    return [(_received(list(run)), weight if good else -weight) for good, run in runs]


def _received(run: Sequence[Anchor]) -> Span:
    times = [anchor.received for anchor in run]
    return Span(min(times), max(times))


def _overlap(one: Span, other: Span) -> bool:
    return one.lo <= other.hi and other.lo <= one.hi


class BootClock:
    """Tells the time from a boot clock; its anchors agree, and are in its order."""

    def __init__(self, anchors: Sequence[Anchor]) -> None:
        self._anchors = anchors
        self._monos = [anchor.clock.mono for anchor in anchors]

    def nearest(self, mono: int) -> Anchor:
        """Return the first exchange at or after ``mono``, or else the last."""
        index = bisect_left(self._monos, mono)
        return self._anchors[min(index, len(self._anchors) - 1)]

    def truth(self, mono: int) -> Span:
        """Return what was the time when the boot clock showed ``mono``."""
        index = bisect_left(self._monos, mono)
        spans = [a.truth(mono) for a in self._anchors[max(index - 1, 0) : index + 1]]
        lo, hi = max(span.lo for span in spans), min(span.hi for span in spans)
        return Span(lo, hi) if lo <= hi else spans[-1]


def boot_clock(
    anchors: Iterable[Anchor], doubtful: Sequence[Span] = ()
) -> BootClock | None:
    """Return what tells a boot's time; ``None`` where no exchange can be believed."""
    found = agreeing(anchors, doubtful)
    return BootClock(found) if found else None
