"""Where places are drawn on the floor map. Pure.

By their coordinates on the site's plan, where the reference facts have them. The others
are laid out by their codes: what a code begins with is a group, its numbers are bays
from left to right and levels from below: ``A-03-2`` is level 2 of bay 03 of aisle A.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

__all__ = ["READABLE", "Box", "Drawing", "Group", "Lettering", "drawing", "group_of"]
__all__ += ["lettering", "natural"]

WIDE, TALL, GAP, HEAD = 120.0, 64.0, 12.0, 40.0
"""Sizes of a place that is laid out by its code, the gap, and the room for a name."""
COLUMNS = 8
"""Bays in a row."""
_LETTER, _FIGURE, _SIGN, _EDGE = 0.62, 0.66, 1.5, 0.4
"""Widths of a letter, a bold figure, the sign of a station, and the edge, in sizes."""
READABLE = 7.0
"""The size from which on words are drawn; the table has them, too."""
_DIGITS = re.compile(r"(\d+)")
_PLAN = 1200.0
"""How wide a plan is drawn."""


class Box(msgspec.Struct, frozen=True):
    """A rectangle."""

    x: float
    y: float
    w: float
    h: float


class Lettering(NamedTuple):
    """The sizes of a place's code, of its number, and of how long it has been there."""

    code: float
    number: float
    dwell: float


class Group(msgspec.Struct, frozen=True):
    """What is written above places that belong together."""

    name: str
    x: float
    y: float


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A map: how large it is, each place's box, and the names of its groups.

    ``on_plan``: it is in the measure of the site's plan, which can lie beneath it.
    """

    width: float
    height: float
    boxes: Mapping[str, Box]
    groups: Sequence[Group] = ()
    on_plan: bool = False


def natural(code: str) -> tuple[tuple[int, int, str], ...]:
    """Return what sorts codes as people do: A-2 before A-10."""
    parts = (part for part in _DIGITS.split(code) if part)
    return tuple(
        (0, int(part[:18]), part) if part.isascii() and part.isdigit() else (1, 0, part)
        for part in parts
    )


def drawing(
    places: Iterable[str], known: Mapping[str, Box], frame: Box | None = None
) -> list[Drawing]:
    """Draw places: those with coordinates on the plan, then the others by their codes.

    Args:
        places: Their codes.
        known: The boxes of those that have coordinates, in the plan's own measure.
        frame: What the plan beneath shows, in the same measure.
    """
    codes = sorted(places, key=natural)
    placed = {code: known[code] for code in codes if code in known}
    rest = [code for code in codes if code not in known]
    found = [_on_plan(placed, frame)] if placed or frame else []
    return [*found, _by_code(rest)] if rest or not found else found


def _on_plan(boxes: Mapping[str, Box], frame: Box | None) -> Drawing:
    around = frame or _around(boxes.values())
    scale = _PLAN / around.w
    return Drawing(
        width=_PLAN,
        height=around.h * scale,
        on_plan=True,
        boxes={
            code: Box(
                (box.x - around.x) * scale,
                (box.y - around.y) * scale,
                box.w * scale,
                box.h * scale,
            )
            for code, box in boxes.items()
        },
    )


def _around(boxes: Iterable[Box]) -> Box:
    """Return the rectangle around all, with a margin."""
    all_ = list(boxes)
    left, top = min(b.x for b in all_), min(b.y for b in all_)
    right, bottom = max(b.x + b.w for b in all_), max(b.y + b.h for b in all_)
    margin = max(right - left, bottom - top) / 50
    return Box(
        left - margin,
        top - margin,
        right - left + 2 * margin,
        bottom - top + 2 * margin,
    )


def _by_code(codes: Sequence[str]) -> Drawing:
    groups: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for code in codes:
        group, bay, level = _split(code)
        groups[group].append((bay, level, code))
    boxes: dict[str, Box] = {}
    names, down = [], GAP
    for group in sorted(groups, key=natural):
        names.append(Group(group, GAP, down + HEAD / 2))
        down = _rows(groups[group], boxes, down + HEAD)
    width = GAP + COLUMNS * (WIDE + GAP)
    return Drawing(width=width, height=down + GAP, boxes=boxes, groups=names)


def lettering(
    box: Box, code: int, count: int, dwell: int, *, station: bool
) -> Lettering:
    """Return how large the words in a place are drawn, so that none is on another.

    Args:
        box: The place.
        code: Letters of its code, which stands above, beside the station.
        count: Figures of how many are there.
        dwell: Letters of how long the oldest has been, beside that.
        station: Whether a station stands there.
    """
    beside = _SIGN if station else 0.0
    above = min(box.h / 2.6, box.w / (_LETTER * code + 2 * _EDGE + beside))
    number = min(box.h / 2.4, box.w / 4, box.w / (2 * _FIGURE * max(count, 1)))
    rest = max(box.w - 3 * _EDGE * above - _FIGURE * number * count, box.w / 8)
    return Lettering(above, number, min(0.9 * above, rest / (_LETTER * max(dwell, 1))))


def group_of(code: str) -> str:
    """Return what a code begins with, by which places belong together."""
    return _split(code)[0]


def _split(code: str) -> tuple[str, str, str]:
    """Return a code's group, bay and level; what it does not have is empty."""
    parts = code.split("-")
    if len(parts) == 1:
        return "", code, ""
    return (parts[0], parts[1], "-".join(parts[2:]))


def _rows(
    members: Iterable[tuple[str, str, str]], boxes: dict[str, Box], top: float
) -> float:
    """Lay out a group: bays beside one another, levels above; return where it ends."""
    bays: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for bay, level, code in members:
        bays[bay].append((level, code))
    ordered = sorted(bays, key=natural)
    for first in range(0, len(ordered), COLUMNS):
        row = ordered[first : first + COLUMNS]
        tallest = max(len(bays[bay]) for bay in row)
        for column, bay in enumerate(row):
            for step, (_, code) in enumerate(
                sorted(bays[bay], key=lambda one: natural(one[0]))
            ):
                x = GAP + column * (WIDE + GAP)
                y = top + (tallest - 1 - step) * TALL
                boxes[code] = Box(x, y, WIDE, TALL)
        top += tallest * TALL + GAP
    return top
