"""Figures of a floor over a period, from the ways of its items. Pure.

`Tally` takes in one course after the other, and keeps what the figures need of it, not
the course. Each fact belongs to the period in which it came to pass: a stay to that in
which it ended, a handoff to that of its pick, a loss to that in which it was missed.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from server.course import Course, Stay

__all__ = [
    "Dwell",
    "Figures",
    "Incident",
    "Period",
    "Sort",
    "Spread",
    "Tally",
    "expected",
    "percentile",
]

HALF = 2
MOST_INCIDENTS = 20_000
"""Incidents that are kept, the newest; all are counted."""


class Period(msgspec.Struct, frozen=True):
    """From a moment up to and including another, in microseconds since 1970."""

    begin: int
    end: int

    def has(self, moment: int) -> bool:
        """Whether a moment lies in it."""
        return self.begin <= moment <= self.end


class Spread(msgspec.Struct, frozen=True):
    """So many lengths of time, in microseconds, and how they are spread."""

    count: int
    p50: int
    p90: int
    p99: int


class Dwell(msgspec.Struct, frozen=True):
    """How long items stayed in a step."""

    step: str
    spread: Spread


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong with an item in the period.

    ``step`` is the action of the scan that shows it, ``log`` whose line that is; both
    are empty where the scan is of something else.
    """

    item: str
    code: str
    since: int
    until: int | None
    event: str
    step: str
    location: str | None
    log: str


class Sort(NamedTuple):
    """What incidents have in common: the kind, the action, and whose line shows it."""

    code: str
    step: str
    log: str


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured of a period. Counts are of items or of their scans.

    ``hours``: scans by the hour in which they happened. ``confirmed`` and ``overdue``
    are of the picks of which that is settled; ``waiting`` can still be confirmed.
    ``found`` are those of the lost that turned up since. ``left`` are items that left
    and never held others, ``complete`` those of them that had every expected step,
    ``skipped`` says how many lack which. ``incidents`` are the newest, ``wrong`` counts
    all of them by what they have in common. ``squares`` adds up the squares of how
    often each item was scanned, as far as it was looked at: how even that is.
    """

    period: Period
    items: int
    scans: int
    hours: dict[int, int]
    dwell: list[Dwell]
    confirmed: int
    overdue: int
    waiting: int
    lost: int
    found: int
    to_find: Spread | None
    left: int
    complete: int
    skipped: dict[str, int]
    incidents: list[Incident]
    wrong: dict[Sort, int]
    squares: int


HOUR = 3600 * 1_000_000


class Tally:
    """Adds up what the figures of a period are made of.

    Args:
        period: The period.
    """

    def __init__(self, period: Period) -> None:
        self.period = period
        self._items = self._squares = 0
        self._hours: Counter[int] = Counter()
        self._stays: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._handoffs: Counter[bool | None] = Counter()
        self._losses: list[int | None] = []
        self.left: Counter[frozenset[str]] = Counter()
        self._incidents: list[Incident] = []
        self._wrong: Counter[Sort] = Counter()

    def add(self, course: Course) -> None:
        """Take in an item's way."""
        has = self.period.has
        scans = [at for at in course.scans if has(at)]
        self._items += bool(scans)
        self._squares += len(scans) ** 2
        self._hours.update(at // HOUR * HOUR for at in scans)
        for stay in course.stays:
            if has(stay.end):
                self._stays[stay.step].append(_length(stay))
        self._handoffs.update(h.in_time for h in course.handoffs if has(h.picked))
        self._losses += [
            None if one.found is None else one.found - one.since
            for one in course.losses
            if has(one.since)
        ]
        if not course.holds:
            self.left.update(one.steps for one in course.departures if has(one.at))
        wrong = [one for one in _incidents(course) if has(one.since)]
        self._wrong.update(Sort(one.code, one.step, one.log) for one in wrong)
        self._incidents += wrong
        if len(self._incidents) > 2 * MOST_INCIDENTS:
            self._incidents = self._newest()

    def _newest(self) -> list[Incident]:
        ordered = sorted(self._incidents, key=lambda one: (one.since, one.item))
        return ordered[-MOST_INCIDENTS:]

    def figures(self, steps: frozenset[str], weight: int = 1) -> Figures:
        """Return the figures.

        Args:
            steps: Those that every item should have had.
            weight: How many items each item stands for that was looked at.
        """
        found = [one for one in self._losses if one is not None]
        skipped = {
            step: weight * sum(n for had, n in self.left.items() if step not in had)
            for step in sorted(steps)
        }
        return Figures(
            period=self.period,
            items=self._items * weight,
            scans=self._hours.total() * weight,
            hours={at: number * weight for at, number in sorted(self._hours.items())},
            dwell=[
                Dwell(step, _spread(lengths, weight))
                for step, lengths in sorted(self._stays.items())
            ],
            confirmed=self._handoffs[True] * weight,
            overdue=self._handoffs[False] * weight,
            waiting=self._handoffs[None] * weight,
            lost=len(self._losses) * weight,
            found=len(found) * weight,
            to_find=_spread(found, weight) if found else None,
            left=self.left.total() * weight,
            complete=weight * sum(n for had, n in self.left.items() if steps <= had),
            skipped={step: number for step, number in skipped.items() if number},
            incidents=self._newest(),
            wrong={sort: number * weight for sort, number in self._wrong.items()},
            squares=self._squares,
        )


def expected(tallies: Iterable[Tally]) -> frozenset[str]:
    """Return the steps that at least half of the items had which left."""
    left: Counter[frozenset[str]] = Counter()
    for tally in tallies:
        left.update(tally.left)
    had: Counter[str] = Counter()
    for steps, number in left.items():
        had.update(dict.fromkeys(steps, number))
    return frozenset(step for step, n in had.items() if n * HALF >= left.total())


def percentile(ordered: Sequence[int], percent: int) -> int:
    """Return the least of ordered values that so many per cent do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _spread(lengths: Iterable[int], weight: int) -> Spread:
    ordered = sorted(lengths)
    p50, p90, p99 = (percentile(ordered, percent) for percent in (50, 90, 99))
    return Spread(len(ordered) * weight, p50, p90, p99)


def _length(stay: Stay) -> int:
    return stay.end - stay.start


def _incidents(course: Course) -> Iterable[Incident]:
    for finding, event in course.findings:
        yield Incident(
            item=course.item,
            code=finding.code,
            since=finding.since,
            until=finding.until,
            event=finding.event,
            step="" if event is None else event.line.action,
            location=None if event is None else event.line.location,
            log=finding.event.partition(":")[0],
        )
