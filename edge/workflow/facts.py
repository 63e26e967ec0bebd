"""What the station knows beforehand: the seam to its copy of the reference data."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from edge.feedback import Says, Word
from shared.lines import Line

__all__ = ["NOTHING", "Facts", "Objection"]


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Why a scan is not what was expected.

    ``code`` goes into the line where the scan is ``refused`` (``not_on_manifest``); a
    mere warning records it as it is. ``says`` and ``names`` tell the operator.
    """

    code: str
    says: Says
    names: Mapping[str, str] = {}
    word: Word = Word.REFUSED
    refused: bool = True


class Facts(Protocol):
    """What the server told the station, as far as it concerns a scan."""

    def wanted(self, item: str) -> bool:
        """Whether every station looks out for this item."""

    def objection(self, line: Line) -> Objection | None:
        """Return what speaks against a line that is about to be recorded."""


class _Nothing:
    def wanted(self, item: str) -> bool:  # noqa: ARG002 - the answer to any item
        return False

    def objection(self, line: Line) -> Objection | None:  # noqa: ARG002 - likewise
        return None


NOTHING: Facts = _Nothing()
"""A station that was told nothing objects to nothing."""
