"""The modes of a station, as a table.

A mode is what a scan of an item means until another mode is scanned (``X-PICK``). One
row says all of it; the core asks the row and the action's effects, never the name. A
site adds rows of its own in the station's settings.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from shared.actions import ACTIONS
from shared.keys import Role

__all__ = ["MODES", "Checking", "Mode", "Where"]


class Where(Enum):
    """Which place an item is recorded at."""

    HERE = "here"
    """The place that was scanned last; else the station's own, where it has one."""
    KNOWN = "known"
    """The same; but where neither is known, the place has to be scanned."""
    SCANNED = "scanned"
    """Only a place that was scanned will do."""


class Checking(Enum):
    """Whether a list of what should be there is kept."""

    OFF = "off"
    SHOWN = "shown"
    """What is missing is shown, and may stay so."""
    SETTLED = "settled"
    """A list that was begun is closed with something missing only by a reason."""


_ALL = (Role.PARCEL, Role.CONTAINER, Role.LOAD, Role.UNSAID)
_PACKAGES = (Role.PARCEL, Role.CONTAINER, Role.UNSAID)
_TARGETS = frozenset({Role.CONTAINER, Role.LOAD})


class Mode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mode: one row of the table.

    Attributes:
        action: What is recorded of each item: one of the contract, or the site's own.
        where: Which place it is recorded at. here: the one scanned last, else the
            station's own; known: the same, but there has to be one; scanned: only one
            that was scanned.
        takes: What an item's label may be: parcel, container, load, or unsaid (a label
            that does not tell). Anything else is refused, and recorded as seen.
        into: container or load: a label of that role is open until another is scanned,
            and items go into it.
        checks: Whether a list of what should be in a container is kept, once its label
            is scanned. off; shown: what is missing is shown; settled: a list that was
            begun is closed with something missing only by a reason of the sheet.
        giver: Whether a second badge is of the person who hands over.
        places: The kinds of place, as the server lists them, that items belong at in
            this mode; empty: any.
    """

    action: str
    where: Where = Where.HERE
    takes: tuple[Role, ...] = _PACKAGES
    into: Role | None = None
    checks: Checking = Checking.OFF
    giver: bool = False
    places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a row whose lines would lack what their action needs.

        Raises:
            ValueError: What is lacking.
        """
        known = ACTIONS.get(self.action)
        needs = set(known.needs if known else ()) - {"item", "items"}
        given = {"location"} if self.where is not Where.HERE else set()
        given |= {"container"} if self.into in _TARGETS else set()
        if needs - given:
            reason = f"{self.action} needs a {' and a '.join(sorted(needs - given))}"
            raise ValueError(reason)
        if self.into not in {None, *_TARGETS}:
            reason = "into is container or load, or left out"
            raise ValueError(reason)


MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "see": Mode(action="see", takes=_ALL),
        "receive": Mode(action="receive", takes=_ALL),
        "store": Mode(action="store", where=Where.SCANNED),
        "pick": Mode(action="pick"),
        "accept": Mode(action="accept"),
        "handoff": Mode(action="accept", giver=True, checks=Checking.SETTLED),
        "pack": Mode(
            action="pack", takes=(Role.PARCEL, Role.UNSAID), into=Role.CONTAINER
        ),
        "unpack": Mode(action="unpack"),
        "empty": Mode(action="empty", takes=(Role.CONTAINER, Role.LOAD, Role.UNSAID)),
        "stage": Mode(action="stage", where=Where.KNOWN),
        "load": Mode(action="load", into=Role.LOAD, checks=Checking.SHOWN),
        "depart": Mode(action="depart", takes=_ALL),
        "arrive": Mode(action="arrive", takes=_ALL),
        "unload": Mode(action="unload"),
        "return": Mode(action="return"),
        "count": Mode(action="count", where=Where.SCANNED),
        "miss": Mode(action="miss", where=Where.SCANNED, takes=_ALL),
    }
)
"""The default table; ``X-`` and the name in capitals is the mode's command."""
