"""What can be found wrong with an item: each exception of contract section 5. Pure."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = [
    "AWAY",
    "CLAIM",
    "COUNT",
    "EXCEPTIONS",
    "LATE",
    "MANIFEST",
    "OVERDUE",
    "SEEN",
    "STALE",
    "UNEXPECTED",
    "Finding",
    "Kind",
    "Review",
    "in_order",
]


class Kind(NamedTuple):
    """When an exception opens, and when it closes; a ``resolve`` closes each."""

    opens: str
    closes: str


SEEN = "seen_after_departure"
AWAY = "away_from_container"
OVERDUE = "handoff_overdue"
CLAIM = "claim_contradicted"
COUNT = "missed_in_count"
MANIFEST = "missing_from_manifest"
LATE = "loaded_after_departure"
STALE = "stale"
UNEXPECTED = "unexpected_step"

EXCEPTIONS: Mapping[str, Kind] = MappingProxyType(
    {
        SEEN: Kind(
            "something gone was scanned here, without coming back",
            "it departs again, `return`, `receive`",
        ),
        AWAY: Kind(
            "a look (`see`, `count`, a refused scan) ended its stay, the container not"
            " having gone",
            "a later own action with a status other than found",
        ),
        OVERDUE: Kind(
            "picked, and no other change of holder for 30 minutes (the site's limit)",
            "any change of holder",
        ),
        CLAIM: Kind(
            "the latest claim says shipped, and the status is not shipped",
            "the status is shipped, a later claim",
        ),
        COUNT: Kind(
            "in no container, here, last seen at the counted location, and not in the"
            " count",
            "any later evidence of its place",
        ),
        MANIFEST: Kind(
            "the load of its latest `expect` has departed without it",
            "it departs later, a later `expect`",
        ),
        LATE: Kind(
            "put into something that had already gone, and still in it",
            "it leaves it",
        ),
        STALE: Kind(
            "longer in its status than the site allows for this status",
            "any change of status",
        ),
        UNEXPECTED: Kind(
            "an own action that the site does not expect after the status before it",
            "a later own action with a status",
        ),
    }
)
"""Every exception of an item. The last two are there where a site asks for them."""


class Finding(NamedTuple):
    """An exception: since when, the event that shows it, and a sentence.

    ``until`` is when it closed, and ``closed_by`` the event that closed it; both are
    ``None`` while it is open. One code can have many findings, one after the other.
    """

    code: str
    since: int
    event: str
    text: str
    until: int | None = None
    closed_by: str | None = None

    @property
    def open(self) -> bool:
        """Whether it still is."""
        return self.until is None


class Review(NamedTuple):
    """All that was ever found of an item up to a moment, the oldest first.

    ``due`` is the next moment at which something opens by itself if nothing happens
    until then; ``None`` where nothing waits.
    """

    findings: list[Finding]
    due: int | None

    @property
    def open(self) -> list[Finding]:
        """What is open now, oldest first."""
        return [finding for finding in self.findings if finding.open]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Put findings in order, the oldest first."""
    return sorted(findings, key=lambda one: (one.since, one.event, one.code))
