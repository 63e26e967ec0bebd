"""Where items are, since when, and on what evidence; and what happened to each."""

import msgspec

from shared.api.stations import Untold

__all__ = ["ItemAnswer", "ItemEvent", "ItemEvents", "ItemException", "ItemPage"]


class ItemException(msgspec.Struct, kw_only=True):
    """A contradiction or an omission that a person should look at."""

    code: str
    since: str
    event: str
    text: str


class ItemAnswer(msgspec.Struct, kw_only=True, gc=False):
    """Where an item is, since when, on what evidence: ``GET /v1/items/{item}``.

    Events are named ``<log>:<seq>``. ``path`` is what the item is in, nearest first.
    """

    item: str
    known: bool
    status: str | None = None
    status_since: str | None = None
    status_event: str | None = None
    location: str | None = None
    location_since: str | None = None
    location_event: str | None = None
    custodian: str | None = None
    custodian_since: str | None = None
    container: str | None = None
    path: list[str] = []
    title: str | None = None
    exceptions: list[ItemException] = []
    at: str
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []


class ItemPage(msgspec.Struct, kw_only=True):
    """``GET /v1/items``; ``cursor`` leads to what follows, ``None`` at the end."""

    items: list[ItemAnswer]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []


class ItemEvent(msgspec.Struct, kw_only=True):
    """One event of an item's history.

    ``line`` is what the station wrote. ``via`` is the container through which the
    event speaks of the item, where it is not the item's own. ``basis`` is what its time
    rests on: ``clock``, ``boot``, ``synced``, or ``guess`` where only its neighbours in
    the log tell.
    """

    event: str
    occurred_at: str
    occurred_lo: str
    occurred_hi: str
    basis: str
    received_at: str
    station: str
    line: msgspec.Raw
    voided_by: str | None = None
    via: str | None = None


class ItemEvents(msgspec.Struct, kw_only=True):
    """``GET /v1/items/{item}/events``, in the order in which things happened."""

    item: str
    events: list[ItemEvent]
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []
