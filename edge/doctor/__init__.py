"""What is wrong with a station and its machine, and what to do about it.

::

    machine, server    ->   Facts   ->   devices, condition   ->   Findings
    (they look)                          (they judge: pure)

Looking changes nothing, opens no scanner, and reads nobody's keys.
"""

from enum import Enum

import msgspec

__all__ = ["Area", "Finding", "Severity", "is_wrong"]


class Severity(Enum):
    """How bad it is; the word that is shown."""

    FINE = "ok"
    NOTE = "note"
    WARNING = "warning"
    WRONG = "WRONG"


class Area(Enum):
    """What a finding is about; the headings of the report."""

    SCANNERS = "scanners"
    MACHINE = "machine"
    STATION = "station"
    SERVER = "server"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: what is so, and what to do about it, line by line.

    ``text`` may quote what is from outside; ``do`` is to be typed as it stands.
    """

    area: Area
    severity: Severity
    text: str
    do: str = ""


def is_wrong(finding: Finding) -> bool:
    """Whether somebody has something to do."""
    return finding.severity in {Severity.WARNING, Severity.WRONG}
