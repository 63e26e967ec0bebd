"""Reference data: what a station keeps so that it can refuse, warn and find offline.

Contract, section 3.4. The server writes this document, every station keeps a copy.
A list that is empty says nothing: where a site keeps no list of its locations, none
is unknown.
"""

import msgspec

__all__ = [
    "KnownContainer",
    "KnownLoad",
    "KnownLocation",
    "KnownOperator",
    "Reference",
    "WantedItem",
]


class KnownLocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place of the site. ``kind`` is a word of the site's (dock, shelf, table)."""

    location: str
    name: str = ""
    kind: str = ""


class KnownOperator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person with a badge."""

    operator: str
    name: str = ""


class KnownLoad(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A load that has not left, and what is expected on it."""

    load: str
    name: str = ""
    items: tuple[str, ...] = ()


class KnownContainer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A container that is on the site, and all that is in it, as scans have shown."""

    container: str
    items: tuple[str, ...] = ()


class WantedItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item that every station looks out for.

    ``by`` is who wants it, ``since`` RFC 3339 in UTC.
    """

    item: str
    reason: str = ""
    by: str = ""
    since: str = ""


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole document.

    ``made_at`` is when the server wrote it, RFC 3339 in UTC. ``containers`` are those
    that hold something, the one told of last first, and ``gone`` the items that left
    the site lately, newest first; each as many as the server's limit lets through.
    ``settings`` are the station's, set at the server: a table as in its settings file.
    """

    made_at: str = ""
    locations: tuple[KnownLocation, ...] = ()
    operators: tuple[KnownOperator, ...] = ()
    loads: tuple[KnownLoad, ...] = ()
    containers: tuple[KnownContainer, ...] = ()
    wanted: tuple[WantedItem, ...] = ()
    gone: tuple[str, ...] = ()
    settings: dict[str, object] = {}
