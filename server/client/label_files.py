"""What the options of ``scantrail labels`` ask for, as the bytes of PDF or SVG.

Imports the library that draws symbols, and for PDF that of the extra ``labels``.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence

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

__all__ = ["files"]

_SYMBOLOGIES = {"code128": "Code 128", "datamatrix": "Data Matrix", "qr": "QR Code"}


def files(options: argparse.Namespace) -> Sequence[bytes]:
    """Return one PDF, or one SVG for each page.

    Raises:
        ImportError: What draws them is not installed.
        StartError: They cannot be made; the text says why, and what to do.
    """
    made = _pages(options)
    if _format(options) == "svg":
        return [to_svg(page) for page in made]
    # an extra, which SVG does without
    from server.client.pdf_sheet import to_pdf  # noqa: PLC0415

    return [to_pdf(made, title=f"Scantrail {options.kind}", font=options.font)]


def _pages(options: argparse.Namespace) -> Iterator[Page]:
    if options.kind == "setup":
        return iter([setup_page()])
    labels = checked(_labels(options), KINDS[options.kind])
    symbology = _SYMBOLOGIES[options.symbology]
    return pages(labels, _size(options), symbology, marks=options.cut_marks)


def _size(options: argparse.Namespace) -> Size:
    size = SIZES[options.size]
    if options.grid is None:
        return size
    columns, rows = options.grid
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
