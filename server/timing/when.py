"""When something happened, how surely, and why. Pure."""

from enum import Enum
from typing import NamedTuple

import msgspec

from shared.moments import SECOND

__all__ = ["DELAY", "TOLERANCE", "Basis", "Span", "When", "drift"]

TOLERANCE = 2 * SECOND
"""How far a wall clock may be off and still count as right."""

DELAY = 32 * SECOND
"""How long a request may have been under way, at most; a station waits 30."""

_DRIFT = 5_000


def drift(span: int) -> int:
    """Return how much a boot clock gains or loses in a span, at most: 200 ppm."""
    return abs(span) // _DRIFT


class Basis(Enum):
    """What an event's time rests on."""

    CLOCK = "clock"
    """The station's wall clock, which was right."""
    BOOT = "boot"
    """The time since, by the station's boot clock, from an exchange of that boot."""
    SYNCED = "synced"
    """The wall clock, which the station held to be synchronised."""
    GUESS = "guess"
    """Nothing but its neighbours in the log."""


class Span(NamedTuple):
    """From ``lo`` up to and including ``hi``."""

    lo: int
    hi: int


class When(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When an event happened, the interval that holds the truth, and why."""

    occurred: int
    lo: int
    hi: int
    basis: Basis
