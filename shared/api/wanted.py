"""Items that every station looks out for."""

import msgspec

__all__ = ["Sighting", "Want", "Wanted", "WantedPage"]


class Want(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """``PUT /v1/wanted/{item}``."""

    reason: str = ""


class Sighting(msgspec.Struct, kw_only=True):
    """A scan of an item's own label: where, by whose badge, at which station."""

    event: str
    scanned_at: str
    location: str | None
    operator: str | None
    station: str


class Wanted(msgspec.Struct, kw_only=True):
    """An item that every station looks out for: since when, who asked, and why.

    ``found`` is the first scan of it since then. ``warnings`` say why no scan may ever
    find it: that no label reads as such a key.
    """

    item: str
    reason: str
    by: str
    since: str
    event: str
    title: str | None = None
    found: Sighting | None = None
    warnings: list[str] = []


class WantedPage(msgspec.Struct, kw_only=True):
    """``GET /v1/wanted``."""

    wanted: list[Wanted]
