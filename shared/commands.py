"""The commands that a station can be told with a barcode: ``X-`` and a name.

Data only: what a command does is the station's business.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COMMANDS", "REASONS"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "RECEIVE": "Receive",
        "STORE": "Store",
        "PICK": "Pick",
        "ACCEPT": "Accept",
        "HANDOFF": "Hand over, by list",
        "PACK": "Pack into",
        "UNPACK": "Unpack",
        "EMPTY": "Empty a container",
        "STAGE": "Stage",
        "LOAD": "Load",
        "DEPART": "Depart",
        "ARRIVE": "Arrive",
        "UNLOAD": "Unload",
        "RETURN": "Return",
        "SEE": "See: it is here",
        "COUNT": "Count a location",
        "MISS": "Miss: not found here",
        "SHORT": "Close: not there",
        "LATER": "Close: comes later",
        "BROKEN": "Close: damaged",
        "UNDO": "Undo the last scan",
        "DONE": "Done",
        "CANCEL": "Cancel",
    }
)
"""Name (what follows ``X-``) to a short title for people."""

REASONS = ("SHORT", "LATER", "BROKEN")
"""The commands that say why a list is closed although something is missing."""
