"""How far off an estimate may be that rests on one of so many items. Pure.

Items are taken evenly by their numbers, which say nothing about them: as good as by
chance. What is given is the half of an interval that holds the true number in 95 of 100
cases.
"""

import math

__all__ = ["share_off", "spread_of"]

_SURE = 1.96
"""Standard deviations to either side that hold 95 of 100 cases."""


def spread_of(number: int, every: int) -> float:
    """Return how far off a number may be; 0 where all were looked at.

    Args:
        number: The estimate: what was counted, times ``every``. Where an item counts
            more than once, the squares of its counts, added up, times ``every``.
        every: Of so many items one was looked at.
    """
    return _SURE * math.sqrt(number * (every - 1)) if every > 1 else 0.0


def share_off(part: int, whole: int, every: int) -> float:
    """Return how far off a share may be, as a part of one; 0 where all was looked at.

    Args:
        part: The estimate of those that are meant.
        whole: The estimate of all.
        every: Of so many items one was looked at.
    """
    looked = whole / every
    if every == 1 or not looked:
        return 0.0
    share = part / whole
    return _SURE * math.sqrt(share * (1 - share) / looked * (1 - 1 / every))
