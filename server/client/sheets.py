"""Pages of labels as shapes: pure geometry, in millimetres from the upper left.

What draws a page (PDF, SVG) knows nothing of labels, and this knows nothing of files.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import islice

import msgspec

from server.client.symbols import Drawing, draw
from shared.errors import StartError

__all__ = [
    "SIZES",
    "Bars",
    "Box",
    "Font",
    "Label",
    "Page",
    "Rule",
    "Shape",
    "Size",
    "Text",
    "bars",
    "fitted",
    "pages",
]

_DOT = 0.125
"""A dot of a label printer with 203 dots to the inch, which is 8 to the millimetre."""
_WIDEST_MODULE = 6 * _DOT
_SNAPPED = 2 * _DOT
"""From here up, modules are whole dots; below, they are as wide as there is room."""
_NARROWEST = {True: 0.19, False: 0.3}
"""Modules that ordinary scanners still read, by whether the symbol is linear."""
_TALLEST_BARS = 40.0
_SMALLEST_TEXT = 2.4
_GAP = 0.8
_MARK = 3.0


class Font(Enum):
    """What every PDF reader and browser has."""

    SANS = "sans"
    BOLD = "bold"
    MONO = "mono"


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One line of text; ``y`` is its baseline, ``size`` the font's height."""

    x: float
    y: float
    size: float
    text: str
    font: Font = Font.SANS
    centred: bool = False


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol whose modules are ``module`` wide, and ``height`` high in each row."""

    x: float
    y: float
    module: float
    height: float
    drawing: Drawing


class Rule(msgspec.Struct, frozen=True):
    """A hair line."""

    x1: float
    y1: float
    x2: float
    y2: float


Shape = Text | Bars | Rule


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


class Box(msgspec.Struct, frozen=True):
    """A part of a page."""

    x: float
    y: float
    width: float
    height: float

    def within(self, margin: float) -> "Box":
        """Return the box without a margin on all sides."""
        return Box(
            self.x + margin,
            self.y + margin,
            self.width - 2 * margin,
            self.height - 2 * margin,
        )


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """A page and how many labels it has across and down.

    ``margin`` stays white around each label: no printer prints to a page's edge.
    """

    width: float
    height: float
    margin: float
    columns: int = 1
    rows: int = 1

    def boxes(self) -> Iterator[Box]:
        """Give the labels' places, row by row."""
        width, height = self.width / self.columns, self.height / self.rows
        for row in range(self.rows):
            for column in range(self.columns):
                yield Box(column * width, row * height, width, height)


SIZES = {
    "a4": Size(width=210, height=297, margin=4.5, columns=3, rows=8),
    "62mm": Size(width=62, height=30, margin=1.5),
    "100x150": Size(width=100, height=150, margin=6),
}
"""A sheet of 24 labels of 70 by 37 mm, and the usual rolls."""


class Label(msgspec.Struct, frozen=True):
    """A code and, in large, what it is for people; ``title`` may be empty."""

    code: str
    title: str = ""


def pages(
    labels: Sequence[Label], size: Size, symbology: str, *, marks: bool = False
) -> Iterator[Page]:
    """Give the pages of labels; ``marks`` are for cutting them apart.

    Raises:
        StartError: A code does not fit on a label of that size.
    """
    rest = iter(labels)
    while batch := list(islice(rest, size.columns * size.rows)):
        shapes: list[Shape] = []
        for label, box in zip(batch, size.boxes(), strict=False):
            shapes += _label(label, box.within(size.margin), symbology)
            shapes += _marks(box) if marks else ()
        yield Page(width=size.width, height=size.height, shapes=tuple(shapes))


def _label(label: Label, inner: Box, symbology: str) -> Iterator[Shape]:
    """Title, symbol and code, one below the other, the whole in the middle."""
    line = inner.height * (0.16 if inner.height < _TALLEST_BARS else 0.08)
    title = line + _GAP if label.title else 0.0
    room = Box(
        inner.x, inner.y + title, inner.width, inner.height - title - line - _GAP
    )
    symbol = bars(label.code, symbology, room)
    below = symbol.y + symbol.height * len(symbol.drawing.rows)
    slack = (inner.y + inner.height - below - line - _GAP) / 2
    middle = inner.x + inner.width / 2
    if label.title:
        yield fitted(
            label.title,
            Box(middle, inner.y + slack, inner.width, line),
            Font.BOLD,
        )
    yield msgspec.structs.replace(symbol, y=symbol.y + slack)
    yield fitted(
        label.code, Box(middle, below + _GAP + slack, inner.width, line), Font.MONO
    )


def bars(content: str, symbology: str, room: Box) -> Bars:
    """Draw a symbol as large as is good in a room: at its top, in its middle.

    Raises:
        StartError: It is too wide for the room, or cannot be drawn at all.
    """
    try:
        drawing = draw(symbology, content)
    except ValueError as error:
        reason = f"{content!r} cannot be drawn as {symbology}: {error}"
        raise StartError(reason) from error
    module = _module(drawing, room)
    if module < _NARROWEST[drawing.linear]:
        reason = (
            f"{content} is too long for a label of this size as {symbology}: choose a "
            "larger label or fewer on a sheet, a shorter code, or a square symbology."
        )
        raise StartError(reason)
    return Bars(
        x=room.x + (room.width - drawing.columns * module) / 2,
        y=room.y,
        module=module,
        height=min(room.height, _TALLEST_BARS) if drawing.linear else module,
        drawing=drawing,
    )


def _module(drawing: Drawing, room: Box) -> float:
    widest = room.width / (drawing.columns + 2 * drawing.quiet)
    if not drawing.linear:
        rows = len(drawing.rows) + 2 * drawing.quiet
        widest = min(widest, room.height / rows, room.width / 2 / drawing.columns)
    if widest < _SNAPPED:
        return widest
    limit = _WIDEST_MODULE if drawing.linear else 4 * _WIDEST_MODULE
    return min(limit, widest // _DOT * _DOT)


def fitted(text: str, box: Box, font: Font) -> Text:
    """Set a text around ``box.x``, as large as the box allows, cut where it must be."""
    fit = box.width / max(1e-9, _ems(text, font))
    size = max(_SMALLEST_TEXT, min(box.height, fit))
    while len(text) > 1 and _ems(text, font) * size > box.width:
        text = text.removesuffix("…")[:-1] + "…"
    baseline = box.y + (box.height + 0.7 * size) / 2
    return Text(x=box.x, y=baseline, size=size, text=text, font=font, centred=True)


def _ems(text: str, font: Font) -> float:
    """Estimate a text's width in font sizes, rather too wide than too narrow."""
    return sum(_em(char, font) for char in text)


def _em(char: str, font: Font) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if font is Font.MONO:
        return 0.6
    if char.isupper() or char in "@%…—":
        return 0.78
    return 0.9 if char in "mw" else 0.6


def _marks(box: Box) -> Iterator[Rule]:
    """Give the four corners, as short crossed lines."""
    for x, inward in ((box.x, 1), (box.x + box.width, -1)):
        for y, down in ((box.y, 1), (box.y + box.height, -1)):
            yield Rule(x, y, x + inward * _MARK, y)
            yield Rule(x, y, x, y + down * _MARK)
