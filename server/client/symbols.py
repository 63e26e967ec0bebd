"""Barcode symbols, drawn by zxing-cpp, as runs of dark modules.

The only module that imports zxing-cpp. What it gives is geometry, in modules; sheets
place it, and PDF and SVG are written from the same runs.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import zxingcpp
from zxingcpp import BarcodeFormat

__all__ = ["Drawing", "draw"]

_DARK = 128  # of 255: images are black on white


class _Format(msgspec.Struct, frozen=True):
    format: BarcodeFormat
    quiet: int
    linear: bool = False
    gs1: bool = False


_FORMATS = {
    "Code 128": _Format(BarcodeFormat.Code128, 10, linear=True),
    "GS1-128": _Format(BarcodeFormat.Code128, 10, linear=True, gs1=True),
    "EAN-13": _Format(BarcodeFormat.EAN13, 11, linear=True),
    "Data Matrix": _Format(BarcodeFormat.DataMatrix, 2),
    "GS1 DataMatrix": _Format(BarcodeFormat.DataMatrix, 2, gs1=True),
    "QR Code": _Format(BarcodeFormat.QRCode, 4),
}


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol without its quiet zone.

    ``rows`` are from top to bottom, each a list of dark runs ``(start, length)`` in
    modules; a linear symbol has one row, to be drawn as high as there is room.
    ``quiet`` is the width in modules that has to stay white on its sides.
    """

    columns: int
    rows: tuple[tuple[tuple[int, int], ...], ...]
    quiet: int
    linear: bool


def draw(symbology: str, content: str) -> Drawing:
    """Draw a content as a symbology of ``shared.aim``; GS1 content is in brackets.

    Raises:
        ValueError: The symbology cannot hold the content.
    """
    chosen = _FORMATS[symbology]
    options = {"gs1": True} if chosen.gs1 else {}
    symbol = zxingcpp.create_barcode(content, chosen.format, **options)
    # a buffer in rows and columns, which its type says only from Python 3.12
    image: Any = symbol.to_image(1, add_quiet_zones=False)
    pixels: list[list[int]] = memoryview(image).tolist()  # type: ignore[assignment]
    rows = [_runs(row) for row in (pixels[:1] if chosen.linear else pixels)]
    return Drawing(
        columns=len(pixels[0]),
        rows=tuple(rows),
        quiet=chosen.quiet,
        linear=chosen.linear,
    )


def _runs(row: Sequence[int]) -> tuple[tuple[int, int], ...]:
    dark = [value < _DARK for value in row]
    starts = [at for at, on in enumerate(dark) if on and not (at and dark[at - 1])]
    ends = [
        at + 1 for at, on in enumerate(dark) if on and not any(dark[at + 1 : at + 2])
    ]
    return tuple((start, end - start) for start, end in zip(starts, ends, strict=True))
