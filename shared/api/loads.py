"""Loads: what is on them and should be, and by which scans they left."""

import msgspec

from shared.api.stations import Untold

__all__ = [
    "Departure",
    "DeparturePage",
    "LoadManifest",
    "LoadPage",
    "LoadState",
    "NotOnLoad",
    "OnLoad",
]


class LoadState(msgspec.Struct, kw_only=True):
    """A load that has not left.

    ``on_board`` is what is in it now, however deep; ``extra`` is on board and was not
    expected. ``told_at`` is when somebody last said something of it.
    """

    load: str
    name: str
    told_at: str
    expected: list[str]
    on_board: list[str]
    missing: list[str]
    extra: list[str]


class LoadPage(msgspec.Struct, kw_only=True):
    """``GET /v1/loads``, those told of last first."""

    loads: list[LoadState]
    complete_until: str | None = None
    behind: list[Untold] = []


class OnLoad(msgspec.Struct, kw_only=True):
    """Something on a load, and the scan that put it there.

    ``inside`` is what it is in on the load, nearest first. ``expected``: it should
    leave on this load.
    """

    item: str
    title: str | None
    inside: list[str]
    expected: bool
    event: str
    action: str
    scanned_at: str
    operator: str | None
    location: str | None
    station: str


class NotOnLoad(msgspec.Struct, kw_only=True):
    """Something that should be on a load and is not, and where it was seen last."""

    item: str
    title: str | None
    status: str | None
    location: str | None
    location_since: str | None
    location_event: str | None


class Departure(msgspec.Struct, kw_only=True):
    """A scan by which a load left. ``operator`` is whose badge it has, if any."""

    load: str
    name: str
    event: str
    departed_at: str
    received_at: str
    operator: str | None
    location: str | None
    station: str


class LoadManifest(msgspec.Struct, kw_only=True):
    """``GET /v1/loads/{load}``: what is on it, and what should be.

    Where it has left, ``departed`` is by which scan, and all else is as of then.
    ``departures`` are all of them, the last one last. ``whole``: all that is on it was
    looked at; of more than 5,000 only those put there last are.
    """

    load: str
    name: str
    known: bool
    departed: Departure | None
    departures: list[Departure]
    on_board: list[OnLoad]
    missing: list[NotOnLoad]
    whole: bool
    at: str
    known_at: str
    complete_until: str | None = None
    behind: list[Untold] = []


class DeparturePage(msgspec.Struct, kw_only=True):
    """``GET /v1/departures``: by which scans loads left, newest first."""

    departures: list[Departure]
    cursor: str | None = None
    complete_until: str | None = None
    behind: list[Untold] = []
