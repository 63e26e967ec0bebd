"""What a person should look at: the list of exceptions."""

import msgspec

from shared.api.stations import Untold

__all__ = ["ExceptionPage", "FoundException"]


class FoundException(msgspec.Struct, kw_only=True):
    """An exception of an item or of a station; open where ``until`` is ``None``."""

    item: str | None = None
    station: str | None = None
    code: str
    since: str
    until: str | None = None
    event: str | None = None
    text: str


class ExceptionPage(msgspec.Struct, kw_only=True):
    """``GET /v1/exceptions``, newest first; ``cursor`` as in ItemPage."""

    exceptions: list[FoundException]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []
