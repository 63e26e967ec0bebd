"""The sheet on which a scanner is set up and tested: instructions, and codes to scan.

It names what to look for in a scanner's manual, and prints no programming codes: those
differ from maker to maker, and a wrong one can leave a scanner useless.
"""

from collections.abc import Iterator, Sequence

from server.client.sheets import Box, Font, Page, Rule, Shape, Text, bars
from shared.selftest import PROBES, Probe

__all__ = ["setup_page"]

_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 15.0
_LINE = 4.6
_BODY = 3.3
_SMALL = 2.7
_ROW = 28.0
_SYMBOL = 84.0

_DASH = "\N{EN DASH}"
_STEPS = (
    (
        "Set these, with the codes in the scanner's own manual:",
        (
            f"{_DASH} the mode USB HID POS or USB serial, where it has one; else "
            "USB keyboard, with the station's layout;"
        ),
        (
            f"{_DASH} a suffix of CR (carriage return, Enter) behind every code; no "
            "other prefix or suffix, no delay between characters;"
        ),
        (
            f"{_DASH} AIM identifiers in front of every code (also called symbology "
            "identifiers, AIM ID, or transmit code ID);"
        ),
        f"{_DASH} the GS1 separator (FNC1, group separator) sent as GS, ASCII 29;",
        f"{_DASH} Code 128, GS1-128, EAN-13, DataMatrix and QR Code switched on.",
    ),
    (
        (
            "Stop the station, which holds its scanners:  systemctl stop "
            "scantrail-station@main"
        ),
        "Begin the test:  scantrail-station identify",
    ),
    (
        (
            "Scan the codes below from top to bottom, and compare. Cover the others "
            "where it takes the wrong one."
        ),
        (
            "A scanner of bars alone reads no square codes: leave 6 and 7 out, and end "
            "with Ctrl-C."
        ),
        "Without identifiers, the first three characters do not come.",
    ),
)


def setup_page() -> Page:
    """Lay the sheet out, on A4."""
    shapes: list[Shape] = [
        _line(_MARGIN, 20, "Set up and test a scanner", size=7, font=Font.BOLD)
    ]
    shapes += _instructions(29)
    top = _HEIGHT - _MARGIN - _ROW * len(PROBES)
    for index, probe in enumerate(PROBES):
        shapes += _probe(index + 1, probe, top + index * _ROW)
    return Page(width=_WIDTH, height=_HEIGHT, shapes=tuple(shapes))


def _line(
    x: float, y: float, text: str, *, size: float = _BODY, font: Font = Font.SANS
) -> Text:
    return Text(x=x, y=y, size=size, text=text, font=font)


def _instructions(y: float) -> Iterator[Shape]:
    for number, step in enumerate(_STEPS, 1):
        yield _line(_MARGIN, y, f"{number}.", font=Font.BOLD)
        for line in step:
            yield _line(_MARGIN + 6, y, line)
            y += _LINE
        y += _LINE * 0.3


def _probe(number: int, probe: Probe, y: float) -> Iterator[Shape]:
    yield Rule(_MARGIN, y, _WIDTH - _MARGIN, y)
    yield _line(_MARGIN, y + 8, str(number), size=5, font=Font.BOLD)
    room = Box(_MARGIN + 8, y + 4, _SYMBOL, _ROW - 8)
    yield bars(probe.content, probe.symbology, room)
    x = room.x + room.width + 5
    yield _line(x, y + 6.5, probe.symbology, font=Font.BOLD)
    yield _line(x, y + 11, f"for {probe.shows}")
    yield _line(x, y + 16.5, "should arrive as", size=_SMALL)
    arrives = probe.raw.replace("\x1d", "<GS>")
    for at, part in enumerate(_wrapped(arrives)):
        yield _line(x, y + 20.5 + at * 4, part, size=_SMALL, font=Font.MONO)


def _wrapped(text: str, most: int = 48) -> Sequence[str]:
    return [text[at : at + most] for at in range(0, len(text), most)]
