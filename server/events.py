"""An event as the server believes it: a line, when it happened, when it was heard."""

from typing import NamedTuple

import msgspec

from shared.actions import ACTIONS, UNKNOWN, Action, Actions
from shared.lines import Line

__all__ = ["BEGINNING", "Event", "Order", "event_name"]


class Order(NamedTuple):
    """Where an event stands among all: contract, section 5.1."""

    occurred: int
    log: str
    seq: int

    @property
    def name(self) -> str:
        """The event's name, ``<log>:<seq>``."""
        return f"{self.log}:{self.seq}"


BEGINNING = Order(-(2**63), "", 0)
"""Before every event."""


def event_name(log: str, seq: int) -> str:
    """Name an event as the contract does."""
    return f"{log}:{seq}"


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line that was understood.

    ``order.occurred`` is when it happened, in microseconds since 1970, ``lo`` and
    ``hi`` the interval that holds the true moment, ``received`` when it became durable
    here. ``voided_by`` names the void that took it back, as far as is known.
    """

    order: Order
    lo: int
    hi: int
    received: int
    line: Line
    voided_by: str | None = None

    @property
    def name(self) -> str:
        """The event's name, ``<log>:<seq>``."""
        return self.order.name

    def action(self, actions: Actions = ACTIONS) -> Action:
        """Return what the event does; a refused scan is a sighting.

        What the table does not know any more shows nothing, until lines are read again.
        """
        name = "see" if self.line.refused is not None else self.line.action
        return actions.get(name, UNKNOWN)

    def subjects(self) -> tuple[str, ...]:
        """Return the items that the event speaks of as its own."""
        line = self.line
        own = () if line.item is None else (line.item,)
        if line.items is None or line.action != "count" or line.refused is not None:
            return own
        return tuple(dict.fromkeys(own + line.items))
