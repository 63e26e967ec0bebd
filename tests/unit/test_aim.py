import json
from pathlib import Path
from typing import TypedDict

import pytest

from shared import gs1
from shared.aim import Content, Symbol, identify

VECTORS = Path(__file__).parents[2].parent / "shared/vectors/gs1-scandata.json"
THEIR_NAMES = {
    "Data Matrix": "DM",
    "DotCode": "DotCode",
    "EAN-13": "EAN13",
    "EAN-8": "EAN8",
    "GS1 DataBar": "DataBarExpanded",
    "GS1 DataMatrix": "DM",
    "GS1 DotCode": "DotCode",
    "GS1 QR Code": "QR",
    "GS1-128": "GS1_128_CCA",
    "QR Code": "QR",
}


class Row(TypedDict):
    scan: str
    accepted: bool
    symbol: str
    data: str


def rows() -> list[Row]:
    if not VECTORS.exists():
        return []
    loaded: list[Row] = json.loads(VECTORS.read_text(encoding="utf-8"))["rows"]
    return loaded


def in_their_notation(symbol: Symbol, data: str) -> str:
    """FNC1 as ^, in front of element strings too; a ^ of the data's own as \\^."""
    linear, bar, component = data.partition("|]e")
    if symbol.content is Content.TEXT and linear.lstrip("\\").startswith("^"):
        return "\\" + linear
    first = "^" if symbol.content is Content.ELEMENTS else ""
    behind = f"|^{component[1:]}" if bar else ""
    return (first + linear + behind).replace("\x1d", "^")


@pytest.mark.skipif(not VECTORS.exists(), reason="GS1's scan data is not there")
def test_gs1_s_own_scan_data_is_accepted_and_carries_what_gs1_says() -> None:
    assert len(rows()) > 50
    for row in rows():
        symbol, data = identify(row["scan"])
        accepted = symbol is not None and not gs1.read(symbol, data).fault
        assert accepted == row["accepted"], row
        if symbol is not None and accepted:
            assert THEIR_NAMES[symbol.name] == row["symbol"], row
            assert in_their_notation(symbol, data) == row["data"], row


@pytest.mark.parametrize(
    "raw", ["", "ABC", "]", "]C", "]C/", "]XX", "]Y0", "]Ä0", "C1"]
)
def test_what_is_no_identifier_is_data(raw: str) -> None:
    assert identify(raw) == (None, raw)


def test_an_identifier_names_the_symbology_and_what_it_holds() -> None:
    symbol, data = identify("]C1001")
    assert symbol is not None
    assert (symbol.name, symbol.content, data) == ("GS1-128", Content.ELEMENTS, "001")
    symbol, data = identify("]C0001")
    assert symbol is not None
    assert (symbol.name, symbol.content) == ("Code 128", Content.TEXT)


def test_designators_and_doubled_backslashes_of_eci_are_undone() -> None:
    assert identify("]d4\\000026A\\\\B")[1] == "A\\B"
    assert identify("]d1\\000026A\\\\B")[1] == "\\000026A\\\\B"
