"""Scanned text becomes a key: contract, section 6.

``parse`` never raises, whatever comes: what cannot be read is a value with a reason.
"""

from enum import Enum

import msgspec

__all__ = ["Key", "Kind", "Role", "parse"]


class Kind(Enum):
    """What a key names, or why it names nothing."""

    ITEM = "item"
    LOCATION = "location"
    OPERATOR = "operator"
    COMMAND = "command"
    REFUSED = "refused"
    """It was read well, and cannot be an item: a product's number, a bad check digit."""
    UNKNOWN = "unknown"
    EMPTY = "empty"


class Role(Enum):
    """What an item is for, as far as its label tells."""

    PARCEL = "parcel"
    CONTAINER = "container"
    LOAD = "load"
    UNSAID = "unsaid"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan names.

    ``text`` is the key of section 6 (for UNKNOWN and REFUSED: what was scanned, without
    the AIM identifier). ``symbology`` is the AIM identifier without its bracket
    (``C1``) where the scanner sent one. ``reason`` says why it is REFUSED, for a person.
    """

    kind: Kind
    text: str
    role: Role = Role.UNSAID
    symbology: str | None = None
    reason: str = ""


_ITEM_ROLES = {"P-": Role.PARCEL, "C-": Role.CONTAINER, "M-": Role.LOAD}
_STRIPPED = {"L-": Kind.LOCATION, "X-": Kind.COMMAND}


def parse(raw: str) -> Key:
    """Turn what a scanner sent (bytes as latin-1) into a key."""
    text = raw.strip().upper()
    prefix, rest = text[:2], text[2:]
    if not text:
        return Key(kind=Kind.EMPTY, text="")
    if rest and prefix in _ITEM_ROLES:
        return Key(kind=Kind.ITEM, text=text, role=_ITEM_ROLES[prefix])
    if rest and prefix in _STRIPPED:
        return Key(kind=_STRIPPED[prefix], text=rest)
    if rest and prefix == "B-":
        return Key(kind=Kind.OPERATOR, text=text)
    return Key(kind=Kind.UNKNOWN, text=raw)
