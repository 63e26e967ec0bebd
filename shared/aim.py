"""AIM identifiers: which symbology a code was read from, and what that promises.

A scanner that is told to sends ``]``, a code character and a modifier before the data:
``]C1`` is Code 128 with FNC1 in front, that is GS1-128. Source: ISO/IEC 15424, and
GS1 General Specifications, figure 5.1.2-2.
"""

import re
from enum import Enum

import msgspec

__all__ = ["Content", "Symbol", "identify"]


class Content(Enum):
    """What the data of a symbol is, by its identifier."""

    TEXT = "text"
    """Anything; no GS1 element strings."""
    ELEMENTS = "elements"
    """GS1 element strings, separated by 0x1D."""
    EAN_13 = "ean-13"
    """The 13 digits of a product's number, perhaps with an add-on behind."""
    EAN_8 = "ean-8"
    ADD_ON = "add-on"
    """The add-on of a product's number, without the number."""
    ITF_14 = "itf-14"
    """Where it is 14 digits with a right check digit, a product's number; else TEXT."""


class Symbol(msgspec.Struct, frozen=True, kw_only=True):
    r"""What an identifier says: ``]C1`` has the identifier ``C1``, the name GS1-128.

    ``extended``: the data may hold ECI designators (``\000026``), and a backslash of
    its own comes doubled.
    """

    identifier: str
    name: str
    content: Content = Content.TEXT
    extended: bool = False


_NAMES = {
    "A": "Code 39",
    "B": "Telepen",
    "C": "Code 128",
    "D": "Code One",
    "E": "EAN-13",
    "F": "Codabar",
    "G": "Code 93",
    "H": "Code 11",
    "I": "Interleaved 2 of 5",
    "J": "DotCode",
    "K": "Code 16K",
    "L": "PDF417",
    "M": "MSI",
    "N": "Anker",
    "O": "Codablock",
    "P": "Plessey",
    "Q": "QR Code",
    "R": "Straight 2 of 5, two start bars",
    "S": "Straight 2 of 5, three start bars",
    "T": "Code 49",
    "U": "MaxiCode",
    "X": "other barcode",
    "Z": "no barcode",
    "c": "Channel Code",
    "d": "Data Matrix",
    "e": "GS1 DataBar",
    "h": "Han Xin",
    "o": "OCR",
    "p": "PosiCode",
    "s": "SuperCode",
    "z": "Aztec",
}
"""Code characters. ``]Y``, system expansion, has no data of its own and is left out."""

_GS1 = {
    "C1": ("GS1-128", Content.ELEMENTS),
    "E0": ("EAN-13", Content.EAN_13),
    "E1": ("EAN two-digit add-on", Content.ADD_ON),
    "E2": ("EAN five-digit add-on", Content.ADD_ON),
    "E3": ("EAN-13 with add-on", Content.EAN_13),
    "E4": ("EAN-8", Content.EAN_8),
    "I1": ("ITF-14", Content.ITF_14),
    "J1": ("GS1 DotCode", Content.ELEMENTS),
    "J4": ("GS1 DotCode", Content.ELEMENTS),
    "Q3": ("GS1 QR Code", Content.ELEMENTS),
    "Q4": ("GS1 QR Code", Content.ELEMENTS),
    "d2": ("GS1 DataMatrix", Content.ELEMENTS),
    "d5": ("GS1 DataMatrix", Content.ELEMENTS),
    "e0": ("GS1 DataBar", Content.ELEMENTS),
    "e1": ("GS1 Composite", Content.ELEMENTS),
    "e2": ("GS1 Composite", Content.ELEMENTS),
}
_EXTENDED = frozenset({"J3", "J4", "J5", "Q2", "Q4", "Q6", "d4", "d5", "d6"})
_MODIFIERS = frozenset("0123456789ABCDEF")
_START = 3
_ECI = re.compile(r"\\([0-9]{6}|\\)")


def identify(raw: str) -> tuple[Symbol | None, str]:
    """Split what a scanner sent into its symbol and the data.

    Without an identifier (none is sent, or ``]`` begins something else) the symbol is
    None, and the data is all of it.
    """
    code, modifier = raw[1:2], raw[2:3]
    if raw[:1] != "]" or code not in _NAMES or modifier not in _MODIFIERS:
        return None, raw
    symbol = _symbol(code, modifier)
    data = raw[_START:]
    return symbol, _plain(data) if symbol.extended else data


def _symbol(code: str, modifier: str) -> Symbol:
    identifier = code + modifier
    name, content = _GS1.get(identifier, (_NAMES[code], Content.TEXT))
    return Symbol(
        identifier=identifier,
        name=name,
        content=content,
        extended=identifier in _EXTENDED,
    )


def _plain(data: str) -> str:
    """Take ECI designators out, and make doubled backslashes single again."""
    return _ECI.sub(lambda match: "\\" if match[1] == "\\" else "", data)
