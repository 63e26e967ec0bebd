"""Charts as shapes: where bars, lines and words stand. Pure; templates draw them.

Every chart stands beside a table of the same figures, and tells its series apart by
shape, not by colour. It is drawn twice, for a wide screen and for a narrow one: nothing
is cut off, and no label stands on another.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from server.figures import Dwell
from shared.moments import SECOND, span

__all__ = ["SIZES", "Bar", "Chart", "Column", "Pareto", "Range", "Ranges", "Row"]
__all__ += ["Size", "Tick", "columns", "pareto", "ranges"]


class Size(NamedTuple):
    """How large a chart is drawn, and the room for what stands around it.

    ``name`` of its look; ``names``: the room for names at the left of rows, 0 where
    they stand above them; ``letter``: the width of a letter.
    """

    name: str
    width: float
    height: float
    left: float
    names: float
    letter: float


SIZES = (
    Size("wide", 960.0, 250.0, 56.0, 240.0, 8.0),
    Size("narrow", 340.0, 180.0, 40.0, 0.0, 7.0),
)
RIGHT, BELOW, ABOVE = 30.0, 34.0, 14.0
ROW, NAME = 34.0, 20.0
_ROUND = (1, 2, 5, 10)
_SPANS = (1, 10, 60, 600, 3_600, 14_400, 86_400, 604_800, 2_592_000)
_AROUND = 2
"""Letters between two words."""


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    text: str


class Column(NamedTuple):
    """What a column shows: its name, its number, the one before; ``label`` beneath."""

    name: str
    now: int
    before: int
    label: str


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar with what it says."""

    x: float
    y: float
    w: float
    h: float
    says: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Columns, and a line over them, as a path of SVG; marks beside and beneath."""

    size: Size
    height: float
    bars: list[Bar]
    line: str
    ticks: list[Tick]
    labels: list[Tick]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A bar that lies: its name, its number, its share and where all above it end."""

    name: str
    number: int
    share: str
    bar: Bar
    together: float


class Pareto(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, the largest first, each with the share of it and of all above it."""

    size: Size
    height: float
    rows: list[Row]
    ticks: list[Tick]
    line: str


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A row with three marks."""

    name: str
    y: float
    p50: float
    p90: float
    p99: float


class Ranges(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of lengths of time on one logarithmic axis."""

    size: Size
    height: float
    rows: list[Range]
    ticks: list[Tick]


# --- columns --------------------------------------------------------------------------


def columns(values: Sequence[Column], size: Size = SIZES[0]) -> Chart:
    """Draw numbers as columns, and those of the time before as a stepped line."""
    top = _ceiling(max((max(one.now, one.before) for one in values), default=0))
    step = (size.width - size.left - RIGHT) / max(len(values), 1)
    bars, line, labels = [], "", []
    for index, one in enumerate(values):
        x, y = size.left + index * step, _y(one.now, top, size)
        says = f"{one.name}: {one.now} ({one.before})"
        height = ABOVE + size.height - y
        bars.append(Bar(x=x + step * 0.1, y=y, w=step * 0.8, h=height, says=says))
        at = _y(one.before, top, size)
        line += f"{'L' if line else 'M'}{x:.1f} {at:.1f}h{step:.1f}"
        if one.label:
            labels.append(Tick(x + step / 2, one.label))
    return Chart(
        size=size,
        height=ABOVE + size.height + BELOW,
        bars=bars,
        line=line,
        ticks=[
            Tick(_y(top * part / 2, top, size), f"{top * part / 2:g}")
            for part in range(3)
        ],
        labels=list(_apart(labels, size)),
    )


def _y(value: float, top: int, size: Size) -> float:
    return ABOVE + size.height * (1 - value / top)


def _ceiling(most: int) -> int:
    """Return the next number that is easy to read."""
    power = 10 ** max(0, len(str(most)) - 1)
    return next((n * power for n in _ROUND if n * power >= most), most) or 1


def _apart(labels: Iterable[Tick], size: Size) -> Iterator[Tick]:
    """Return evenly as many labels as there is room for, none on another."""
    all_ = list(labels)
    widest = max((len(one.text) for one in all_), default=0) + _AROUND
    room = widest * size.letter
    near = min((b.at - a.at for a, b in pairwise(all_)), default=0)
    every = max(1, math.ceil(room / near)) if near else 1
    yield from all_[::every]


# --- a chart of causes ----------------------------------------------------------------


def pareto(counts: Sequence[tuple[str, int]], size: Size = SIZES[0]) -> Pareto:
    """Draw counts, the largest first, and what share they make up together."""
    total, added = max(1, sum(number for _, number in counts)), 0
    left, row = size.names or 2.0, ROW if size.names else ROW + NAME
    wide = size.width - left - 2 * RIGHT
    rows, line = [], ""
    for index, (name, number) in enumerate(counts):
        added += number
        top = ABOVE + index * row + (0 if size.names else NAME)
        length, together = wide * number / total, left + wide * added / total
        bar = Bar(x=left, y=top + 5, w=length, h=ROW - 12, says=f"{name}: {number}")
        share = f"{100 * added / total:.0f} %"
        rows.append(
            Row(name=name, number=number, share=share, bar=bar, together=together)
        )
        line += f"{'L' if line else 'M'}{together:.1f} {top:.1f}v{ROW:.1f}"
    parts = range(5) if size.names else range(0, 5, 2)
    return Pareto(
        size=size,
        height=ABOVE + row * len(counts) + BELOW,
        rows=rows,
        ticks=[Tick(left + wide * part / 4, f"{25 * part} %") for part in parts],
        line=line,
    )


# --- lengths of time ------------------------------------------------------------------


def _short(seconds: float) -> str:
    return " ".join(span(seconds).split()[:2])


def ranges(rows: Sequence[tuple[str, Dwell]], size: Size = SIZES[0]) -> Ranges:
    """Draw how lengths of time are spread, each step in a row."""
    least = min((dwell.spread.p50 / SECOND for _, dwell in rows), default=1.0)
    most = max((dwell.spread.p99 / SECOND for _, dwell in rows), default=1.0)
    first = max(s for s in _SPANS if s <= max(least, 1.0))
    ticks = [s for s in _SPANS if first <= s <= 2 * most] or [first]
    low, high = math.log10(first), math.log10(max(most, ticks[-1], 10 * first))
    left, row = size.names or 12.0, ROW if size.names else ROW + NAME

    def x(moment: float) -> float:
        value = math.log10(max(moment, first)) - low
        return left + (size.width - left - RIGHT) * value / (high - low)

    return Ranges(
        size=size,
        height=row * len(rows) + BELOW,
        rows=[
            Range(
                name=name,
                y=row * index + (0 if size.names else NAME) + ROW * 0.6,
                p50=x(dwell.spread.p50 / SECOND),
                p90=x(dwell.spread.p90 / SECOND),
                p99=x(dwell.spread.p99 / SECOND),
            )
            for index, (name, dwell) in enumerate(rows)
        ],
        ticks=list(_fitting([Tick(x(one), _short(one)) for one in ticks], size)),
    )


def _fitting(ticks: Iterable[Tick], size: Size) -> Iterator[Tick]:
    """Return the marks that do not stand on the one before, from the last one back."""
    kept: list[Tick] = []
    for one in reversed(list(ticks)):
        room = (len(one.text) + _AROUND) * size.letter
        if not kept or kept[-1].at - one.at >= room:
            kept.append(one)
    yield from reversed(kept)
