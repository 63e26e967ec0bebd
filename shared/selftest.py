"""The codes of the scanner's set-up sheet: what is printed, and what should arrive.

A station that knows them can tell from what a scanner really sends which layout it
imitates, whether Caps Lock is on, whether identifiers are, and what became of GS. None
of them means anything in a warehouse: ``TEST`` is no prefix, and 952 is the prefix that
GS1 keeps for examples.
"""

import msgspec

from shared.aim import identify

__all__ = ["PROBES", "Probe"]


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One code of the sheet.

    ``content`` is what the symbol is drawn from (GS1 in brackets), ``raw`` what a
    scanner sends that is set up as it should be, and ``shows`` what it is there for.
    """

    content: str
    raw: str
    shows: str

    @property
    def data(self) -> str:
        """What arrives from a scanner that sends no identifiers."""
        return identify(self.raw)[1]

    @property
    def symbology(self) -> str:
        """The symbology's name in ``shared.aim``."""
        symbol, _ = identify(self.raw)
        return symbol.name if symbol else ""


def _plain(content: str, shows: str) -> Probe:
    return Probe(content=content, raw=f"]C0{content}", shows=shows)


_GS1 = "(01)09521234543213(10)LOT7(21)S-1"
_ELEMENTS = "010952123454321310LOT7\x1d21S-1"
_LINK = "https://id.gs1.org/01/09521234543213/21/S-1"

PROBES = (
    _plain("TEST AMQWYZ amqwyz", "Caps Lock, and letters that layouts swap"),
    _plain("TEST 0123456789 -.", "digits and signs of our own codes"),
    _plain("TEST /:?=&%+_()#*,;", "signs of web addresses and of GS1"),
    Probe(content=_GS1, raw=f"]C1{_ELEMENTS}", shows="the GS1 separator, and ]C1"),
    Probe(
        content="9521234543213",
        raw="]E09521234543213",
        shows="]E0, and a product, which is refused",
    ),
    Probe(content=_GS1, raw=f"]d2{_ELEMENTS}", shows="square codes, and ]d2"),
    Probe(content=_LINK, raw=f"]Q1{_LINK}", shows="web addresses, and ]Q1"),
)
"""From the top of the sheet to its end."""
