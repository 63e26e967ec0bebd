"""``scantrail labels``: sheets and rolls of labels, and the scanner's set-up sheet."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.errors import StartError

__all__ = ["KINDS", "SIZES", "SYMBOLOGIES", "add_labels", "missing", "run"]

KINDS = ("locations", "badges", "containers", "parcels", "loads", "commands", "setup")
SIZES = ("a4", "62mm", "100x150")
SYMBOLOGIES = ("code128", "datamatrix", "qr")
_GRID = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")
_PDF = (
    "Labels as PDF need one more library ({}): make install-labels, or "
    "pip install 'scantrail[labels]'. As SVG (--format svg) they need nothing more."
)
_SYMBOLS = (
    "Labels need one more library ({}), which this machine has to build for itself: "
    "pip install zxing-cpp."
)
_EXAMPLES = """\
examples:
  scantrail labels locations --prefix A-03- --count 24 --digits 2 --output shelf.pdf
  scantrail labels badges --file people.csv --size 62mm --output badges.pdf
  scantrail labels commands --cut-marks > commands.pdf
  scantrail labels setup --output setup.svg

Print at 100 %, not fitted to the page: else labels miss their places on the sheet.
"""


def add_labels(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> argparse.ArgumentParser:
    """Add the command ``labels``; its options carry ``run``."""
    add = commands.add_parser(
        "labels",
        help="print labels, badges, command sheets, and the scanner's set-up sheet",
        description="Make a PDF or SVG of labels. Codes are counted, or read from a "
        "CSV file of code,text.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    _what(add.add_argument_group("what to print"))
    _how(add.add_argument_group("how to print it"))
    add.set_defaults(run=run)
    return add


def _what(add: "argparse._ArgumentGroup") -> None:
    add.add_argument(
        "--prefix", default="", help="what the codes begin with, such as A-03-"
    )
    add.add_argument(
        "--from", dest="first", type=_natural, default=1, metavar="N", help="(1)"
    )
    add.add_argument(
        "--count", type=_natural, default=24, metavar="N", help="how many (24)"
    )
    add.add_argument(
        "--digits",
        type=_digits,
        default=6,
        metavar="N",
        help="digits of the number (6)",
    )
    add.add_argument(
        "--file",
        type=Path,
        metavar="CSV",
        help="rows of code,text, instead of counting",
    )
    add.add_argument(
        "--sheet",
        default="",
        metavar="WORD",
        help="of commands: the site's word, as in the stations' settings",
    )


def _how(add: "argparse._ArgumentGroup") -> None:
    add.add_argument("--size", choices=SIZES, default="a4", help="(a4)")
    add.add_argument(
        "--grid",
        type=_grid,
        metavar="CxR",
        help="labels across and down the page, such as 2x7 (a4: 3x8)",
    )
    add.add_argument(
        "--symbology", choices=SYMBOLOGIES, default="code128", help="(code128)"
    )
    add.add_argument("--cut-marks", action="store_true", help="mark where to cut")
    add.add_argument(
        "--font", type=Path, metavar="TTF", help="for letters beyond Western European"
    )
    add.add_argument(
        "--format",
        choices=("pdf", "svg"),
        help="(by the end of the output's name, else pdf)",
    )
    add.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write (standard output); SVG pages are numbered",
    )


def _natural(text: str) -> int:
    number = int(text)
    if not 0 <= number < 10**12:
        reason = "a number from 0 up is needed"
        raise argparse.ArgumentTypeError(reason)
    return number


def _digits(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 12:  # noqa: PLR2004 - as many as _natural allows
        reason = "a number from 1 to 12 is needed"
        raise argparse.ArgumentTypeError(reason)
    return number


def _grid(text: str) -> tuple[int, int]:
    match = _GRID.fullmatch(text)
    if match is None:
        reason = "two numbers such as 2x7 are needed"
        raise argparse.ArgumentTypeError(reason)
    return int(match[1]), int(match[2])


def missing(error: ImportError) -> str:
    """Say which library labels lack here, and how to get it."""
    text = _SYMBOLS if error.name == "zxingcpp" else _PDF
    return text.format(error.name)


async def run(options: argparse.Namespace) -> None:
    """Write the labels that the options ask for.

    Raises:
        StartError: They cannot be made or written; the text says why, and what to do.
    """
    try:
        # the libraries that draw are an extra, and only this command needs them
        from server.client.label_files import files  # noqa: PLC0415

        made = files(options)
    except ImportError as error:
        raise StartError(missing(error)) from error
    if options.output is None:
        _to_standard_output(made)
    else:
        _to_files(made, options.output)


def _to_standard_output(made: Sequence[bytes]) -> None:
    if len(made) > 1:
        reason = (
            f"{len(made)} pages of SVG need files: add --output FILE.svg, or take PDF."
        )
        raise StartError(reason)
    if sys.stdout.isatty():
        reason = "A picture is not for a terminal: add --output FILE."
        raise StartError(reason)
    sys.stdout.buffer.write(made[0])
    sys.stdout.buffer.flush()


def _to_files(made: Sequence[bytes], output: Path) -> None:
    for number, data in enumerate(made, 1):
        name = output if len(made) == 1 else _numbered(output, number)
        try:
            name.write_bytes(data)
        except OSError as error:
            reason = f"{name} cannot be written: {error.strerror}."
            raise StartError(reason) from error


def _numbered(output: Path, number: int) -> Path:
    return output.with_name(f"{output.stem}-{number}{output.suffix}")
