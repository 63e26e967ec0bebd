"""What a site has decided: its table of actions, its deadlines, its next steps. Pure.

A site without a file of its own works by the contract's table and its deadline.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from shared.actions import ACTIONS, Actions, Place
from shared.moments import SECOND

__all__ = ["DEFAULT", "SHIPPED", "Site"]

SHIPPED = "shipped"
"""What other systems call an item that has left, whatever this site calls it."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A site's rules. Spans are in microseconds.

    ``handoff``: how long what was picked may wait for somebody to take it over.
    ``stale``: how long an item may stay in a status, for those that have a limit.
    ``follows``: the actions that are expected next, for statuses that say so.
    """

    actions: Actions = ACTIONS
    handoff: int = 30 * 60 * SECOND
    stale: Mapping[str, int] = MappingProxyType({})
    follows: Mapping[str, frozenset[str]] = MappingProxyType({})

    @property
    def gone(self) -> frozenset[str]:
        """The statuses of what has left the site."""
        return frozenset(
            action.status
            for action in self.actions.values()
            if action.place is Place.GONE and action.status is not None
        )


DEFAULT = Site()
"""The contract's own."""
