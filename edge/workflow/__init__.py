"""What scans mean, purely: ``(state, key, read) -> (state, lines, feedback)``.

``modes`` is the table, ``rules`` what is allowed, ``state`` what is remembered.
``core`` is the way from a read to a `Step`; ``items``, ``lists`` and ``commands`` are
what its parts do. ``facts`` is what was known before, ``checks`` what speaks against a
scan, and `Told` what a station knows.
"""

from edge.workflow.checklist import Checklist
from edge.workflow.core import MAX_KEY, Step, recorded, step
from edge.workflow.facts import NOTHING, Facts
from edge.workflow.modes import MODES, Checking, Mode, Where
from edge.workflow.rules import Badges, Check, Checks, Rules
from edge.workflow.state import State, expects, rest, resting
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
