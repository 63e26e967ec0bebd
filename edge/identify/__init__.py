"""Finding out how a scanner is set up, from what it sends of the set-up sheet.

::

    session (opens, reads) -> events, bytes -> keys, port, pos (pure) -> Analysis
                                                                           |
                                                  table -> station.toml  <-

The sheet's codes are known beforehand (``shared.selftest``): the settings under which
they read right are the scanner's settings. Only devices that were named are opened.
"""

import msgspec

from edge.doctor import Finding
from edge.scanners.settings import ScannerSettings

__all__ = ["Analysis", "Code"]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One code that came: what it is read as, and which of the sheet it is, from 1.

    ``number`` is 0 where it is none of the sheet, or did not read right.
    """

    text: str
    number: int = 0


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a scanner so far; ``rest`` are the codes still to be scanned."""

    codes: tuple[Code, ...]
    rest: tuple[int, ...]
    findings: tuple[Finding, ...]
    settings: ScannerSettings

    @property
    def seen(self) -> frozenset[int]:
        """The numbers of the sheet's codes that read right."""
        return frozenset(code.number for code in self.codes if code.number)
