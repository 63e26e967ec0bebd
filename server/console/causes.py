"""What is wrong by the same cause, and can be settled together. Pure.

One cause shows in several exceptions of one item, as a parcel that stayed behind is
missing from its load, and called shipped by the shop; and in one exception of several
items, as all that one departure left behind.
"""

from collections.abc import Iterable

from shared.api.exceptions import FoundException

__all__ = ["MOST_TOGETHER", "kin", "named_case", "written"]

MOST_TOGETHER = 20
"""Exceptions that are settled with another in one go."""


def kin(case: FoundException, open_: Iterable[FoundException]) -> list[FoundException]:
    """Return what is open by the same cause as a case: of its item, or by its event."""
    others = [one for one in open_ if (one.item, one.code) != (case.item, case.code)]
    of_item = [one for one in others if one.item == case.item]
    by_event = (case.code, case.event)
    of_event = [one for one in others if (one.code, one.event) == by_event]
    return [*of_item, *of_event]


def written(case: FoundException) -> str:
    """Write which case it is, as a form sends it."""
    return f"{case.code} {case.item}"


def named_case(text: str) -> tuple[str, str] | None:
    """Return the code and the item that a form means; ``None`` where it means none."""
    code, _, item = text.partition(" ")
    return (code, item) if code and item else None
