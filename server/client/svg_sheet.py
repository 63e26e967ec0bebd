"""A page as SVG. Texts are data: escaped, and without what XML cannot hold."""

from collections.abc import Iterator
from html import escape

from server.client.sheets import Bars, Font, Page, Rule, Shape, Text

__all__ = ["to_svg"]

_FONTS = {
    Font.SANS: 'font-family="Helvetica, Arial, sans-serif"',
    Font.BOLD: 'font-family="Helvetica, Arial, sans-serif" font-weight="bold"',
    Font.MONO: 'font-family="Courier New, Courier, monospace" font-weight="bold"',
}


def to_svg(page: Page) -> bytes:
    """Return the page as an SVG document in UTF-8, its units millimetres."""
    width, height = _number(page.width), _number(page.height)
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}">'
    )
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        head,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(line for shape in page.shapes for line in _shape(shape)),
        "</svg>",
        "",
    ]
    return "\n".join(lines).encode()


def _shape(shape: Shape) -> Iterator[str]:
    match shape:
        case Text():
            yield _text(shape)
        case Bars():
            yield _bars(shape)
        case Rule():
            ends = (shape.x1, shape.y1, shape.x2, shape.y2)
            x1, y1, x2, y2 = map(_number, ends)
            yield (f'<path d="M{x1} {y1}L{x2} {y2}" stroke="#999" stroke-width="0.1"/>')


def _text(text: Text) -> str:
    anchor = ' text-anchor="middle"' if text.centred else ""
    return (
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" '
        f'font-size="{_number(text.size)}" {_FONTS[text.font]}{anchor} '
        f'xml:space="preserve">{_escaped(text.text)}</text>'
    )


def _bars(bars: Bars) -> str:
    path = "".join(
        f"M{_number(bars.x + start * bars.module)} "
        f"{_number(bars.y + row * bars.height)}"
        f"h{_number(length * bars.module)}v{_number(bars.height)}"
        f"h-{_number(length * bars.module)}z"
        for row, runs in enumerate(bars.drawing.rows)
        for start, length in runs
    )
    return f'<path d="{path}" shape-rendering="crispEdges"/>'


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))
