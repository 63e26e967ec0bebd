"""The figures of a period, beside those of the week before."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from aiohttp import web

from server.api.context import CONTEXT
from server.console.charts import SIZES, Column, columns, ranges
from server.console.clock import Clock
from server.console.estimates import share_off, spread_of
from server.console.gathering import PARQUET, SPANS, Gathered, asked
from server.console.rendering import CONSOLE, page, wording
from server.figures import HOUR, Figures, Period, Spread
from shared.moments import SECOND, span

__all__ = ["NUMBERS", "SHARES", "Row", "figures", "scans"]

NOTHING = "-"
_DAY = 24 * HOUR
MARKED = 3
"""Of a day's hours every so many-th has its name."""
_PER_HOUR = 7 * _DAY
"""Up to so long a period is shown by the hour, a longer one by the day."""


class Row(NamedTuple):
    """A figure: what it is called, now and before, and how it changed."""

    name: str
    now: str
    before: str
    change: str


async def figures(request: web.Request) -> web.Response:
    """``GET /figures?days=&at=&known_at=``."""
    wanted = await asked(request)
    made, view = wanted.made, wanted.view
    context, clock, speech = (
        request.app[CONTEXT],
        request.app[CONSOLE].clock,
        wording(request),
    )
    horizon = await context.store.horizon(view)
    found, values = made.best, dict[str, object]()
    if found is not None:
        known = [action.status for action in context.site.actions.values()]
        dwell = sorted(found.now.dwell, key=lambda one: _place(known, one.step))
        names = [(speech.named("status", one.step), one) for one in dwell]
        former = {one.step: one.spread for one in found.before.dwell}
        values = {
            "rows": _rows(found),
            "figures": found.now,
            "every": found.every,
            "looked": found.looked,
            "steps": [
                speech.named("status", step)
                for step in sorted(found.steps, key=lambda one: _place(known, one))
            ],
            "skipped": [
                (speech.named("status", step), number)
                for step, number in found.now.skipped.items()
            ],
            "dwell": [(name, one.spread, former.get(one.step)) for name, one in names],
            "spreads": [ranges(names, size) for size in SIZES],
            "scans": (counts := scans(found, clock)),
            "hours": [columns(counts, size) for size in SIZES],
        }
    return page(
        request,
        "figures.html",
        values,
        ready=found is not None,
        progress=made.progress,
        asked=wanted,
        past=view if wanted.moved else None,
        spans=SPANS,
        parquet=PARQUET,
        behind=horizon.untold(),
        lasting=_span,
    )


def _place(known: Sequence[str | None], step: str) -> int:
    """Return where a step comes, in the order of the site's actions."""
    return known.index(step) if step in known else len(known)


# --- what stands in the rows ----------------------------------------------------------


def _span(length: int) -> str:
    return span(length / SECOND)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else NOTHING


def _change(now: float, before: float) -> str:
    return f"{100 * (now - before) / before:+.0f} %" if before else NOTHING


def _points(now: tuple[int, int], before: tuple[int, int]) -> str:
    if not now[1] or not before[1]:
        return NOTHING
    return f"{100 * (now[0] / now[1] - before[0] / before[1]):+.1f} %-p."


def _confirmed(one: Figures) -> tuple[int, int]:
    return one.confirmed, one.confirmed + one.overdue


def _compliant(one: Figures) -> tuple[int, int]:
    return one.complete, one.left


def _per_hour(one: Figures) -> float:
    return one.scans / max(1.0, (one.period.end - one.period.begin) / HOUR)


NUMBERS: Mapping[str, Callable[[Figures], int]] = MappingProxyType(
    {
        "items": lambda one: one.items,
        "scans": lambda one: one.scans,
        "lost": lambda one: one.lost,
        "found": lambda one: one.found,
        "left": lambda one: one.left,
        "incidents": lambda one: sum(one.wrong.values()),
    }
)
SHARES = MappingProxyType({"handoffs": _confirmed, "compliance": _compliant})


def _rows(found: Gathered) -> list[Row]:
    now, before, every = found.now, found.before, found.every
    rows = {
        name: Row(
            name,
            _number(of(now), margin(name, now, every)),
            _number(of(before), margin(name, before, every)),
            _change(of(now), of(before)),
        )
        for name, of in NUMBERS.items()
    }
    for name, part in SHARES.items():
        rows[name] = Row(
            name,
            _counted(part(now), every),
            _counted(part(before), every),
            _points(part(now), part(before)),
        )
    rows["throughput"] = Row(
        "throughput",
        f"{_per_hour(now):,.1f}",
        f"{_per_hour(before):,.1f}",
        _change(_per_hour(now), _per_hour(before)),
    )
    rows["to_find"] = Row(
        "to_find", _typical(now.to_find), _typical(before.to_find), NOTHING
    )
    order = ("items", "scans", "throughput", "handoffs", "lost", "found", "to_find")
    return [rows[name] for name in (*order, "left", "compliance", "incidents")]


def margin(name: str, one: Figures, every: int) -> float:
    """Return how far an estimated number may be off, with 95 % confidence."""
    if name == "scans":
        return spread_of(one.squares * every, every)
    return spread_of(NUMBERS[name](one), every)


def _number(number: int, off: float) -> str:
    return f"{number:,} ± {off:,.0f}" if off else f"{number:,}"


def _counted(part: tuple[int, int], every: int) -> str:
    met, whole = part
    if not whole:
        return NOTHING
    off = share_off(met, whole, every)
    about = f" ± {100 * off:.1f} %" if off else ""
    return f"{_share(met, whole)}{about} ({met:,} / {whole:,})"


def _typical(spread: Spread | None) -> str:
    if spread is None:
        return NOTHING
    return f"{_span(spread.p50)} · {_span(spread.p90)}"


def scans(found: Gathered, clock: Clock) -> list[Column]:
    """Return scans by the hour or the day, now and before, each with its label."""
    period = found.now.period
    back = period.begin - found.before.period.begin
    length = period.end - period.begin
    by_hour = length <= _PER_HOUR
    named = clock.hour if by_hour else clock.day
    label = _hours if length <= _DAY else _days
    return [
        Column(
            name=named(at),
            now=_within(found.now, at, until),
            before=_within(found.before, at - back, until - back),
            label=label(at, clock),
        )
        for at, until in (_by_hour if by_hour else _by_day)(period, clock)
    ]


def _hours(at: int, clock: Clock) -> str:
    return clock.time(at)[:5] if clock.local(at).hour % MARKED == 0 else ""


def _days(at: int, clock: Clock) -> str:
    return clock.date(at) if clock.local(at).hour == 0 else ""


def _by_hour(period: Period, clock: Clock) -> Iterator[tuple[int, int]]:
    del clock
    for at in range(period.begin // HOUR * HOUR, period.end + 1, HOUR):
        yield at, at + HOUR


def _by_day(period: Period, clock: Clock) -> Iterator[tuple[int, int]]:
    at = clock.midnight(period.begin)
    while at <= period.end:
        until = clock.midnight(at + 36 * HOUR)
        yield at, until
        at = until


def _within(one: Figures, begin: int, end: int) -> int:
    return sum(one.hours.get(at, 0) for at in range(begin // HOUR * HOUR, end, HOUR))
