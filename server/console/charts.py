"""Charts as shapes: where bars, lines and words stand. Pure; templates draw them.

Every chart stands beside a table of the same figures, and tells its series apart by
shape, not by colour.
"""

import math
from collections.abc import Sequence

import msgspec

from server.figures import Dwell
from shared.moments import SECOND, span

__all__ = ["Bar", "Chart", "Range", "Ranges", "Tick", "columns", "pareto", "ranges"]

WIDTH, HEIGHT = 960.0, 250.0
LEFT, RIGHT, BELOW, ABOVE = 56.0, 30.0, 34.0, 14.0
ROW = 34.0
NAMES = 170.0
_LABELS = 12
_ROUND = (1, 2, 5, 10)
_SPANS = (1, 10, 60, 600, 3_600, 14_400, 86_400, 604_800, 2_592_000)


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis."""

    at: float
    text: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A column with what it says; ``text`` is below some of them only."""

    x: float
    y: float
    w: float
    h: float
    says: str
    text: str = ""


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Columns, and a line over them: as a path of SVG."""

    width: float = WIDTH
    height: float = HEIGHT + BELOW
    bars: list[Bar]
    line: str
    ticks: list[Tick]


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A row with three marks."""

    name: str
    y: float
    p50: float
    p90: float
    p99: float


class Ranges(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of lengths of time on one logarithmic axis."""

    width: float = WIDTH
    height: float
    rows: list[Range]
    ticks: list[Tick]


def columns(values: Sequence[tuple[str, int, int]]) -> Chart:
    """Draw numbers as columns, and those of the time before as a stepped line.

    Args:
        values: For each column what it is called, its number, and the one before.
    """
    most = max((max(now, before) for _, now, before in values), default=0)
    return _chart(values, _ceiling(most))


def pareto(counts: Sequence[tuple[str, int]]) -> Chart:
    """Draw counts, the largest first, and what share they make up together."""
    total, added = sum(number for _, number in counts), 0
    values = []
    for name, number in counts:
        added += number
        values.append((name, number, added))
    found = _chart(values, max(total, 1), labels=False)
    ticks = [
        Tick(_y(total * part / 4, max(total, 1)), f"{25 * part} %") for part in range(5)
    ]
    return msgspec.structs.replace(found, ticks=ticks)


def _chart(
    values: Sequence[tuple[str, int, int]], top: int, *, labels: bool = True
) -> Chart:
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    every = max(1, math.ceil(len(values) / _LABELS)) if labels else 1
    bars, line = [], ""
    for index, (name, now, before) in enumerate(values):
        x, y = LEFT + index * step, _y(now, top)
        bars.append(
            Bar(
                x=x + step * 0.1,
                y=y,
                w=step * 0.8,
                h=ABOVE + HEIGHT - y,
                says=f"{name}: {now} ({before})",
                text=name if index % every == 0 else "",
            )
        )
        line += f"{'L' if line else 'M'}{x:.1f} {_y(before, top):.1f}h{step:.1f}"
    ticks = [Tick(_y(top * part / 2, top), f"{top * part / 2:g}") for part in range(3)]
    return Chart(bars=bars, line=line, ticks=ticks, height=ABOVE + HEIGHT + BELOW)


def _y(value: float, top: int) -> float:
    return ABOVE + HEIGHT * (1 - value / top)


def _ceiling(most: int) -> int:
    """Return the next number that is easy to read."""
    power = 10 ** max(0, len(str(most)) - 1)
    return next((n * power for n in _ROUND if n * power >= most), most) or 1


def _short(seconds: float) -> str:
    return " ".join(span(seconds).split()[:2])


def ranges(rows: Sequence[tuple[str, Dwell]]) -> Ranges:
    """Draw how lengths of time are spread, each step in a row."""
    seconds = [dwell.spread.p99 / SECOND for _, dwell in rows]
    ticks = [s for s in _SPANS if s <= 2 * max(seconds, default=1.0)] or [1]
    low, high = 0.0, math.log10(max([*seconds, ticks[-1], 10]))

    def x(moment: float) -> float:
        value = math.log10(max(moment, 1.0))
        return NAMES + (WIDTH - NAMES - LEFT) * (value - low) / (high - low)

    return Ranges(
        height=ROW * len(rows) + BELOW,
        rows=[
            Range(
                name=name,
                y=ROW * (index + 0.6),
                p50=x(dwell.spread.p50 / SECOND),
                p90=x(dwell.spread.p90 / SECOND),
                p99=x(dwell.spread.p99 / SECOND),
            )
            for index, (name, dwell) in enumerate(rows)
        ],
        ticks=[Tick(x(second), _short(second)) for second in ticks],
    )
