"""What scans mean, purely: ``(state, key, read) -> (state, lines, feedback)``.

``modes`` is the table, ``state`` what is remembered, ``core`` the way from a read to a
`Step`, ``items``, ``lists`` and ``commands`` what its parts do. ``facts`` is what was
known before, ``checks`` what speaks against a scan, `Told` what a station knows.
"""

from edge.workflow.core import MAX_KEY, Step, recorded, step
from edge.workflow.facts import NOTHING, Facts
from edge.workflow.modes import MODES, Checking, Mode, Where
from edge.workflow.state import (
    Badges,
    Check,
    Checklist,
    Checks,
    Rules,
    State,
    expects,
    rest,
    resting,
)
from edge.workflow.told import Told

__all__ = [
    "MAX_KEY",
    "MODES",
    "NOTHING",
    "Badges",
    "Check",
    "Checking",
    "Checklist",
    "Checks",
    "Facts",
    "Mode",
    "Rules",
    "State",
    "Step",
    "Told",
    "Where",
    "expects",
    "recorded",
    "rest",
    "resting",
    "step",
]
