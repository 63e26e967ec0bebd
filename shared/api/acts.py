"""What people do at the server, and the event that each act becomes."""

from typing import Annotated

import msgspec

__all__ = ["Remark", "Settle", "Written"]


class Settle(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/items/{item}/resolve``: somebody settles an exception."""

    exception: Annotated[str, msgspec.Meta(min_length=1)]
    reason: str = ""


class Remark(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/items/{item}/note``: a title for the item, or a remark on it."""

    title: Annotated[str, msgspec.Meta(min_length=1)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    text: Annotated[str, msgspec.Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET


class Written(msgspec.Struct, kw_only=True):
    """An act was written into the server's own log: its event, ``<log>:<seq>``."""

    event: str
