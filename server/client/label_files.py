"""What the options of ``scantrail labels`` ask for, as the bytes of PDF or SVG.

Imports the library that draws symbols, and for PDF that of the extra ``labels``.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from server.client.label_source import (
    KINDS,
    checked,
    command_labels,
    counted,
    from_csv,
)
from server.client.setup_sheet import setup_page
from server.client.sheets import SIZES, Label, Page, Size, pages
from server.client.svg_sheet import to_svg

__all__ = ["Sheet", "drawn", "files", "written"]

_SYMBOLOGIES = {"code128": "Code 128", "datamatrix": "Data Matrix", "qr": "QR Code"}


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be printed, and how; names as the options of the command have them."""

    kind: str
    labels: Iterable[Label] = ()
    size: str = "a4"
    grid: tuple[int, int] | None = None
    symbology: str = "code128"
    cut_marks: bool = False


def files(options: argparse.Namespace) -> Sequence[bytes]:
    """Return one PDF, or one SVG for each page.

    Raises:
        ImportError: What draws them is not installed.
        StartError: They cannot be made; the text says why, and what to do.
    """
    sheet = Sheet(
        kind=options.kind,
        labels=() if options.kind == "setup" else _labels(options),
        size=options.size,
        grid=options.grid,
        symbology=options.symbology,
        cut_marks=options.cut_marks,
    )
    return written(drawn(sheet), sheet.kind, _format(options), options.font)


def drawn(sheet: Sheet) -> list[Page]:
    """Lay the pages out.

    Raises:
        StartError: They cannot be made; the text says why, and what to do.
    """
    if sheet.kind == "setup":
        return [setup_page()]
    labels = checked(sheet.labels, KINDS[sheet.kind])
    symbology = _SYMBOLOGIES[sheet.symbology]
    return list(pages(labels, _size(sheet), symbology, marks=sheet.cut_marks))


def written(
    made: Sequence[Page], kind: str, form: str, font: Path | None = None
) -> list[bytes]:
    """Write pages as one PDF, or as one SVG each.

    Raises:
        ImportError: The library that writes PDF is not installed.
        StartError: They cannot be written; the text says why, and what to do.
    """
    if form == "svg":
        return [to_svg(page) for page in made]
    # an extra, which SVG does without
    from server.client.pdf_sheet import to_pdf  # noqa: PLC0415

    return [to_pdf(made, title=f"Scantrail {kind}", font=font)]


def _size(sheet: Sheet) -> Size:
    size = SIZES[sheet.size]
    if sheet.grid is None:
        return size
    columns, rows = sheet.grid
    return msgspec.structs.replace(size, columns=columns, rows=rows)


def _labels(options: argparse.Namespace) -> Iterable[Label]:
    if options.file is not None:
        return from_csv(options.file)
    if options.kind == "commands":
        return command_labels(options.sheet)
    return counted(options.prefix, options.first, options.count, options.digits)


def _format(options: argparse.Namespace) -> str:
    ending = options.output.suffix.lower() if options.output else ""
    return options.format or ("svg" if ending == ".svg" else "pdf")
