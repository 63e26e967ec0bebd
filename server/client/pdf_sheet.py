"""Pages as PDF. The only module that imports reportlab."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from server.client.sheets import Bars, Font, Page, Rule, Shape, Text
from shared.errors import StartError

__all__ = ["to_pdf"]

_BUILT_IN = {
    Font.SANS: "Helvetica",
    Font.BOLD: "Helvetica-Bold",
    Font.MONO: "Courier-Bold",
}
_ENCODING = "cp1252"  # of the fonts that every PDF reader has
_OWN = "Own"
_HAIR = 0.1 * mm


def to_pdf(pages: Iterable[Page], *, title: str, font: Path | None = None) -> bytes:
    """Return the pages as one PDF; the same pages give the same bytes.

    ``font`` is a TrueType file for texts that the built-in fonts have no letters for.

    Raises:
        StartError: A text has letters that no font at hand has, or the file is no font.
    """
    fonts = _fonts(font)
    file = BytesIO()
    canvas = Canvas(file, invariant=True, pageCompression=1)
    canvas.setTitle(title)
    canvas.setCreator("Scantrail")
    for page in pages:
        canvas.setPageSize((page.width * mm, page.height * mm))
        canvas.setLineWidth(_HAIR)
        canvas.setStrokeGray(0.6)
        for shape in page.shapes:
            _draw(canvas, shape, page.height, fonts)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _fonts(font: Path | None) -> dict[Font, str]:
    if font is None:
        return _BUILT_IN
    try:
        pdfmetrics.registerFont(TTFont(_OWN, str(font)))
    except (TTFError, OSError) as error:
        reason = f"{font} cannot be used as a font: {error}"
        raise StartError(reason) from error
    return {Font.SANS: _OWN, Font.BOLD: _OWN, Font.MONO: _BUILT_IN[Font.MONO]}


def _draw(canvas: Canvas, shape: Shape, height: float, fonts: dict[Font, str]) -> None:
    match shape:
        case Text():
            _text(canvas, shape, height, fonts)
        case Bars():
            _bars(canvas, shape, height)
        case Rule():
            ends = (shape.x1, height - shape.y1, shape.x2, height - shape.y2)
            canvas.line(*(end * mm for end in ends))


def _text(canvas: Canvas, text: Text, height: float, fonts: dict[Font, str]) -> None:
    font = fonts[text.font]
    if not _has(font, text.text):
        reason = (
            f"The font has no letters for {text.text!r}: name one that has them with "
            "--font FILE.ttf, or write SVG."
        )
        raise StartError(reason)
    canvas.setFont(font, text.size * mm)
    put = canvas.drawCentredString if text.centred else canvas.drawString
    put(text.x * mm, (height - text.y) * mm, text.text)


def _has(font: str, text: str) -> bool:
    if font != _OWN:
        return text == text.encode(_ENCODING, "replace").decode(_ENCODING)
    letters = pdfmetrics.getFont(font).face.charToGlyph  # type: ignore[attr-defined]
    return all(ord(char) in letters for char in text)


def _bars(canvas: Canvas, bars: Bars, height: float) -> None:
    path = canvas.beginPath()
    for row, runs in enumerate(bars.drawing.rows):
        below = height - bars.y - (row + 1) * bars.height
        for start, length in runs:
            path.rect(
                (bars.x + start * bars.module) * mm,
                below * mm,
                length * bars.module * mm,
                bars.height * mm,
            )
    canvas.drawPath(path, stroke=0, fill=1)
