"""The actions of contract section 4, as data.

Every action is a row of effects; programs ask the row, never the name. A site's own
actions are further rows of the same kind.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from shared.lines import Line

__all__ = [
    "ACTIONS",
    "SIGHTING",
    "UNKNOWN",
    "Action",
    "Actions",
    "Holder",
    "Place",
    "Stay",
    "lacks",
]


class Holder(Enum):
    """What an action does to the item's custodian."""

    KEEPS = "keeps"
    TAKES = "takes"
    """The operator of the event holds the item from here on."""
    RELEASES = "releases"


class Stay(Enum):
    """What an action does to the item's being in a container."""

    KEEPS = "keeps"
    LEAVES = "leaves"
    LOOKS = "looks"
    """Stays if seen at its container's place, else leaves."""
    ENTERS = "enters"
    """Leaves what it was in, and goes into the event's ``container``."""


class Place(Enum):
    """Whether the item is here or gone after an action."""

    UNSAID = "unsaid"
    """The action is no evidence at all."""
    SEEN = "seen"
    """It was here; if it had gone, that contradicts."""
    BACK = "back"
    """It came back."""
    GONE = "gone"
    """It left the site, with all that is in it."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    ``status`` is what the item's status becomes, or ``None`` where it stays.
    ``needs`` names the fields of a line without which the action means nothing.
    ``finds`` is the status of an item that a look finds outside of where it should be.
    ``shows_container``: the scan shows where the container was, too. ``handoff``: what
    was taken has to be taken over in time. ``restarts``: the item's story begins anew,
    which settles that it was seen after it had gone.
    """

    status: str | None = None
    holder: Holder = Holder.KEEPS
    stay: Stay = Stay.KEEPS
    place: Place = Place.SEEN
    needs: tuple[str, ...] = ("item",)
    finds: str | None = None
    empties: bool = False
    shows_container: bool = False
    handoff: bool = False
    restarts: bool = False

    @property
    def evidence(self) -> bool:
        """Whether an event of this action shows anything of where its item was."""
        return self.place is not Place.UNSAID


Actions = Mapping[str, Action]


def _says(*needs: str) -> Action:
    return Action(place=Place.UNSAID, needs=needs)


UNKNOWN = _says()
"""What an action does that the table does not have: it is no evidence of anything."""

SIGHTING = Action(stay=Stay.LOOKS, finds="found")
"""A ``see``; and what a line with ``refused`` counts as, whatever its action."""

ACTIONS: Actions = MappingProxyType(
    {
        "receive": Action(
            status="received", stay=Stay.LEAVES, place=Place.BACK, restarts=True
        ),
        "store": Action(status="stored", holder=Holder.RELEASES, stay=Stay.LEAVES),
        "pick": Action(
            status="picked", holder=Holder.TAKES, stay=Stay.LEAVES, handoff=True
        ),
        "accept": Action(status="accepted", holder=Holder.TAKES, stay=Stay.LOOKS),
        "pack": Action(
            status="packed",
            stay=Stay.ENTERS,
            needs=("item", "container"),
            shows_container=True,
        ),
        "unpack": Action(status="unpacked", stay=Stay.LEAVES, shows_container=True),
        "stage": Action(status="staged", holder=Holder.RELEASES, stay=Stay.LOOKS),
        "load": Action(
            status="loaded",
            holder=Holder.RELEASES,
            stay=Stay.ENTERS,
            needs=("item", "container"),
            shows_container=True,
        ),
        "depart": Action(status="shipped", holder=Holder.RELEASES, place=Place.GONE),
        "arrive": Action(status="arrived", place=Place.BACK),
        "unload": Action(
            status="unloaded",
            stay=Stay.LEAVES,
            place=Place.BACK,
            shows_container=True,
        ),
        "return": Action(
            status="returned",
            holder=Holder.RELEASES,
            stay=Stay.LEAVES,
            place=Place.BACK,
            restarts=True,
        ),
        "see": SIGHTING,
        "count": Action(stay=Stay.LOOKS, finds="found", needs=("location", "items")),
        "empty": Action(empties=True),
        "note": _says(),
        "claim": _says("item", "status"),
        "expect": _says("item", "container"),
        "resolve": _says("item", "exception"),
        "miss": _says("item", "location"),
        "void": _says("voids"),
    }
)
"""Contract section 4, the default table."""


def lacks(line: Line, actions: Actions = ACTIONS) -> str | None:
    """Return why a line cannot be understood, or ``None`` where it can.

    Such a line is stored and acknowledged like any other, but quarantined.
    """
    if line.refused is not None:
        return None
    action = actions.get(line.action)
    if action is None:
        return f"the action {line.action!r} is not known here"
    for name in action.needs:
        if getattr(line, name) is None:
            return _missing(line, action)
    if line.voids is not None and named(line.voids) is None:
        return f"{line.voids[:80]!r} names no event; expected <log>:<seq>"
    return None


def _missing(line: Line, action: Action) -> str:
    missing = [name for name in action.needs if getattr(line, name) is None]
    return f"{line.action} needs {' and '.join(missing)}"


def named(event: str) -> tuple[str, int] | None:
    """Take an event's name, ``<log>:<seq>``, apart; ``None`` where it is none."""
    log, _, seq = event.rpartition(":")
    digits = seq.isascii() and seq.isdigit() and len(seq) < len(str(2**63))
    return (log, int(seq)) if log and digits else None
