"""What should be looked at first: how much an exception weighs. Pure."""

from collections.abc import Iterable

from shared.api.exceptions import FoundException
from shared.api.stations import StationException

__all__ = ["ORDERS", "in_order", "tone", "weight", "worst"]

_WEIGHTS = {
    "seen_after_departure": 3,
    "missing_from_manifest": 3,
    "loaded_after_departure": 3,
    "silent": 3,
    "fork": 3,
    "copied": 3,
    "displaced": 3,
    "scanner_missing": 3,
    "claim_contradicted": 1,
    "clock_wrong": 1,
    "damaged_reads": 1,
}
"""3: something is, or goes, where it should not, or scans are not taken; 1: it can
wait; all others weigh 2."""

ORDERS = ("weight", "age")
_URGENT = 3


def weight(code: str) -> int:
    """Return how much an exception weighs, from 1 to 3."""
    return _WEIGHTS.get(code, 2)


def tone(code: str) -> str:
    """Return how an exception is drawn wherever it is named: ``error`` is urgent."""
    return "error" if weight(code) == _URGENT else "attention"


def worst(found: Iterable[StationException]) -> str:
    """Return the heaviest code of what is wrong, the first of these; "" of nothing."""
    return max((one.code for one in found), key=weight, default="")


def in_order(found: Iterable[FoundException], order: str) -> list[FoundException]:
    """Put exceptions in order: the oldest first; or the heaviest, of these the newest.

    What began just now may still be put right; what is old can wait a moment longer.
    """
    by_age = sorted(found, key=lambda one: (one.since, one.item or one.station or ""))
    if order == "age":
        return by_age
    newest = by_age[::-1]
    return sorted(newest, key=lambda one: -weight(one.code))
