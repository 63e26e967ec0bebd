"""The feed: every line that the server holds, in the server's own order.

Contract, section 7, ``GET /v1/events``. A reader that keeps the last position he was
given misses and repeats nothing, whenever he asks again.
"""

import msgspec

from shared.api.stations import Untold

__all__ = ["EVENT_STREAM", "FeedEvent", "FeedHorizon", "FeedPage"]

EVENT_STREAM = "text/event-stream"
"""The media type of server-sent events."""


class FeedEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line.

    ``position`` grows from line to line, not always by one. ``quarantined`` says why
    the line was not understood. ``line`` is what the station wrote; where that is no
    JSON, ``bytes`` has it in base64 instead.
    """

    position: int
    event: str
    station: str
    occurred_at: str
    occurred_lo: str
    occurred_hi: str
    received_at: str
    quarantined: str | None = None
    line: msgspec.Raw | None = None
    bytes: str | None = None


class FeedPage(msgspec.Struct, kw_only=True):
    """``GET /v1/events``: lines behind a position.

    ``position`` is that of the last, to go on from. ``epoch`` changes where the server
    was restored from a backup: then positions begin anew after it.
    """

    events: list[FeedEvent]
    position: int
    more: bool
    epoch: str
    complete_until: str | None = None
    behind: list[Untold] = []


class FeedHorizon(msgspec.Struct, kw_only=True):
    """What a stream says while nothing happens: up to when everything was told."""

    epoch: str
    complete_until: str | None = None
    behind: list[Untold] = []
