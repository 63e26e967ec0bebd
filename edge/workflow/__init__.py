"""What scans mean, purely: ``(state, key, read) -> (state, lines, feedback)``.

``modes`` is the table, ``state`` what is remembered, ``core`` the way from a read to a
`Step`, ``items`` and ``commands`` what its parts do, ``facts`` what was known before.
"""

from edge.workflow.core import MAX_KEY, Step, recorded, step
from edge.workflow.facts import NOTHING, Facts, Objection
from edge.workflow.modes import MODES, Mode, Where
from edge.workflow.state import Badges, Rules, State, expects, rest, resting

__all__ = [
    "MAX_KEY",
    "MODES",
    "NOTHING",
    "Badges",
    "Facts",
    "Mode",
    "Objection",
    "Rules",
    "State",
    "Step",
    "Where",
    "expects",
    "recorded",
    "rest",
    "resting",
    "step",
]
