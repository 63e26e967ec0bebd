"""What is wrong with stations, together by its kind. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from server.console.weights import weight
from shared.api.exceptions import FoundException
from shared.api.stations import StationException

__all__ = ["StationKind", "by_kind", "of_one", "told_once"]


class StationKind(msgspec.Struct, frozen=True, kw_only=True):
    """Stations with which the same is wrong; ``text`` is said once if all say it."""

    code: str
    weight: int
    text: str
    cases: Sequence[FoundException]


def told_once(cases: Iterable[FoundException]) -> list[FoundException]:
    """Leave out that a station is behind where it is silent: it follows from that."""
    found = list(cases)
    silent = {one.station for one in found if one.code == "silent"}
    return [one for one in found if one.code != "behind" or one.station not in silent]


def of_one(cases: Iterable[StationException]) -> list[StationException]:
    """Do the same with all that is open for one station."""
    found = list(cases)
    silent = any(one.code == "silent" for one in found)
    return [one for one in found if not silent or one.code != "behind"]


def by_kind(cases: Iterable[FoundException]) -> list[StationKind]:
    """Put exceptions of stations together, the heaviest kind and the most of it first.

    Within a kind they keep their order.
    """
    kinds: dict[str, list[FoundException]] = {}
    for one in cases:
        kinds.setdefault(one.code, []).append(one)
    found = [_kind(code, those) for code, those in kinds.items()]
    return sorted(found, key=lambda one: (-one.weight, -len(one.cases), one.code))


def _kind(code: str, cases: Sequence[FoundException]) -> StationKind:
    texts = {one.text for one in cases}
    text = texts.pop() if len(texts) == 1 else ""
    return StationKind(code=code, weight=weight(code), text=text, cases=cases)
