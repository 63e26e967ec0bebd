"""Which stations could have seen an item, and how much they have told. Pure.

Those are the stations whose scans are in its story; those that stand at its last place
or at another of its way, or where the load stands on which it should leave; and those
that did with other items what comes next.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import msgspec

from server.answers import Horizon
from server.console.timeline import Gap, Step
from server.station_exceptions import Seen
from shared.api.stations import Untold
from shared.hosts import HostLine

__all__ = ["Witness", "nearest_first", "then_at", "witnesses"]

MOST = 12
"""Stations that are named of those that could have seen an item."""


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A station that could have seen an item, and why.

    ``until``: up to when it has told everything, if it ever did. ``behind``: that is
    before the moment that is looked at, so that a scan of it may be missing.
    """

    station: str
    why: str
    until: int | None
    behind: bool


def witnesses(
    seen: Iterable[Seen],
    story: Iterable[Step | Gap],
    last: Collection[str],
    horizon: Horizon,
    following: Sequence[str] = (),
) -> list[Witness]:
    """Return the stations that could have seen an item, the nearest first.

    Args:
        seen: All stations.
        story: The item's line of time, newest first.
        last: Where it was last, and where its load stands.
        horizon: Which stations have not told everything.
        following: The stations that do what comes next, those that do it most first.
    """
    active = {one.name: one for one in seen if one.active and one.kind == "station"}
    steps = [one for one in story if isinstance(one, Step) and one.scan]
    route = {one.line.location for one in steps if one.line.location}
    untold = {name for name, _ in horizon.behind}
    reasons = (
        ("last", (one.name for one in active.values() if one.location in last)),
        ("scanned", (one.station for one in steps)),
        ("next", following),
        ("route", (one.name for one in active.values() if one.location in route)),
    )
    found: dict[str, str] = {}
    for why, names in reasons:
        for name in names:
            if name in active:
                found.setdefault(name, why)
    return [
        Witness(
            station=name,
            why=why,
            until=active[name].horizon,
            behind=name in untold,
        )
        for name, why in list(found.items())[:MOST]
    ]


def nearest_first(
    behind: Iterable[Untold], witnesses_: Iterable[Witness]
) -> list[Untold]:
    """Put those that have not told everything in order: who could have seen it first.

    Args:
        behind: The stations that have not, those that are silent longest first.
        witnesses_: The stations that could have seen the item.
    """
    ranks = {one.station: rank for rank, one in enumerate(witnesses_)}
    return sorted(behind, key=lambda one: ranks.get(one.station, len(ranks)))


def then_at(
    lines: Iterable[tuple[str, HostLine]],
    action: str,
    allowed: Collection[str] = (),
) -> list[str]:
    """Return at which stations items were scanned next after an action, most first.

    Args:
        lines: What was told lately, the oldest first: station and line.
        action: What was done with the item last.
        allowed: The actions that are expected next; none: whichever came.
    """
    done: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for station, line in lines:
        if line.item is None or line.refused is not None:
            continue
        followed = done.get(line.item) == action != line.action
        if followed and (not allowed or line.action in allowed):
            counts[station] += 1
        done[line.item] = line.action
    return [station for station, _ in counts.most_common()]
