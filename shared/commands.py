"""The commands that a station can be told with a barcode: ``X-`` and a name.

Data only: what a command does is the station's business.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COMMANDS"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "RECEIVE": "Receive",
        "STORE": "Store",
        "PICK": "Pick",
        "ACCEPT": "Accept a handoff",
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
        "UNDO": "Undo the last scan",
        "DONE": "Done",
        "CANCEL": "Cancel",
    }
)
"""Name (what follows ``X-``) to a short title for people."""
