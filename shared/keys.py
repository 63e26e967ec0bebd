"""Scanned text becomes a key: contract, section 6.

``parse`` never raises, whatever comes: what cannot be read is a value with a reason.

AIM identifiers decide first, then GS1, then prefixes, then carriers' numbers, then the
site's patterns. Scanners that send no identifiers leave some codes open; these are
decided so:

- eight, twelve, thirteen or fourteen digits with a right check digit are a product's
  number, and refused, also where they could be element strings (``96385074`` is a
  GTIN-8, and AI 96 with a value) or a carrier's number (twelve digits can be both
  UPC-A and FedEx Express). A site that names the carrier, or has a pattern for its own
  numbers, gets the item;
- element strings need a separator, brackets, or a check digit that is right.
  GIAI (8004) and GINC (401) have none, and are not recognised alone.
"""

import re
from collections.abc import Callable
from enum import Enum

import msgspec

from shared import carriers, gs1
from shared.aim import Content, Symbol, identify
from shared.faults import Fault, Why
from shared.patterns import Pattern

__all__ = ["Key", "Kind", "Role", "Site", "SitePattern", "parse"]

LONGEST_CODE = 128
"""Characters of one of our own codes behind its prefix, at most."""
LONGEST_TEXT = 4096
"""Characters that are looked at; no symbol of a label holds more in practice."""


class Kind(Enum):
    """What a key names, or why it names nothing."""

    ITEM = "item"
    LOCATION = "location"
    OPERATOR = "operator"
    COMMAND = "command"
    REFUSED = "refused"
    """It was read, and cannot be an item: a product's number, a bad check digit."""
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
    the AIM identifier, and at most LONGEST_TEXT of it). ``symbology`` is the AIM
    identifier without its bracket (``C1``) where the scanner sent one. ``why`` says
    why it is REFUSED; UNKNOWN has one where something can be said.
    ``issuer`` is the carrier whose form a tracking number has.
    """

    kind: Kind
    text: str
    role: Role = Role.UNSAID
    symbology: str | None = None
    why: Why | None = None
    issuer: str = ""

    @property
    def reason(self) -> str:
        """``why`` as an English sentence, empty where there is none."""
        return "" if self.why is None else str(self.why)


class SitePattern(msgspec.Struct, frozen=True):
    """Codes of the site's own that are items, and what for."""

    pattern: Pattern
    role: Role = Role.UNSAID


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What a site says of labels.

    ``carriers`` are those it works with, of ``shared.carriers.ISSUERS``: their numbers
    count also where they carry no check digit, or could be a product's.
    """

    patterns: tuple[SitePattern, ...] = ()
    carriers: frozenset[str] = frozenset()


class _Scan(msgspec.Struct, frozen=True):
    """What the steps below look at."""

    symbol: Symbol | None
    text: str
    carried: gs1.Carried


_ANYWHERE = Site()
_BLANKS = " \t\r\n\0"
_OWN = re.compile(
    rf"[ \t\r\n]*([PCMLBX])-([A-Z0-9.\-]{{1,{LONGEST_CODE}}})[ \t\r\n]*",
    re.ASCII | re.IGNORECASE,
)
_OWN_KINDS = {
    "P": (Kind.ITEM, Role.PARCEL),
    "C": (Kind.ITEM, Role.CONTAINER),
    "M": (Kind.ITEM, Role.LOAD),
    "L": (Kind.LOCATION, Role.UNSAID),
    "B": (Kind.OPERATOR, Role.UNSAID),
    "X": (Kind.COMMAND, Role.UNSAID),
}
_STRIPPED = frozenset("LX")
_GS1_KINDS = {
    "00": (Kind.ITEM, Role.UNSAID),
    "01": (Kind.ITEM, Role.UNSAID),
    "8003": (Kind.ITEM, Role.CONTAINER),
    "8004": (Kind.ITEM, Role.UNSAID),
    "402": (Kind.ITEM, Role.LOAD),
    "401": (Kind.ITEM, Role.LOAD),
    "414": (Kind.LOCATION, Role.UNSAID),
}
_EAN = frozenset({Content.EAN_13, Content.EAN_8, Content.ADD_ON})


def parse(raw: str, site: Site = _ANYWHERE) -> Key:
    """Turn what a scanner sent (bytes as latin-1) into a key."""
    own = _OWN.fullmatch(raw)
    if own is not None:  # without an identifier nothing else begins like this
        return _own_key(own, None)
    symbol, data = identify(raw)
    text = data.strip(_BLANKS)
    if not text.strip(gs1.SEPARATOR):
        return _key(Kind.EMPTY, "", symbol)
    if len(text) > LONGEST_TEXT:
        why = Why(Fault.TOO_LONG, str(LONGEST_TEXT))
        return _key(Kind.UNKNOWN, text[:LONGEST_TEXT], symbol, why=why)
    return _known(_Scan(symbol, text, gs1.read(symbol, text)), site)


def _known(scan: _Scan, site: Site) -> Key:
    keys = (step(scan, site) for step in _STEPS)
    found = next((key for key in keys if key is not None), None)
    if found is not None:
        return found
    return _key(Kind.UNKNOWN, scan.text, scan.symbol, why=scan.carried.fault)


def _key(
    kind: Kind,
    text: str,
    symbol: Symbol | None,
    *,
    role: Role = Role.UNSAID,
    why: Why | None = None,
    issuer: str = "",
) -> Key:
    return Key(
        kind=kind,
        text=text,
        role=role,
        symbology=None if symbol is None else symbol.identifier,
        why=why,
        issuer=issuer,
    )


def _own_key(match: re.Match[str], symbol: Symbol | None) -> Key:
    letter, rest = match[1].upper(), match[2].upper()
    kind, role = _OWN_KINDS[letter]
    text = rest if letter in _STRIPPED else f"{letter}-{rest}"
    return _key(kind, text, symbol, role=role)


def _refuse(scan: _Scan, why: Why | None) -> Key:
    return _key(Kind.REFUSED, scan.text, scan.symbol, why=why)


def _gs1(scan: _Scan, _site: Site) -> Key | None:
    """What an identifier, a Digital Link or an element string says for certain."""
    name = gs1.name(scan.carried.elements)
    if name is not None:
        kind, role = _GS1_KINDS[name.ai]
        return _key(kind, name.text, scan.symbol, role=role)
    if "01" in scan.carried.elements:
        return _refuse(scan, Why(Fault.PRODUCT))
    if scan.symbol is None:
        return None
    if scan.carried.misread or scan.symbol.content in _EAN:
        return _refuse(scan, scan.carried.fault)
    return None


def _own(scan: _Scan, _site: Site) -> Key | None:
    """Our own code, read with an identifier of a symbol that holds no GS1 data."""
    if scan.symbol is None or scan.symbol.content is Content.ELEMENTS:
        return None
    match = _OWN.fullmatch(scan.text)
    return match and _own_key(match, scan.symbol)


def _carrier(scan: _Scan, site: Site) -> Key | None:
    found = carriers.find(scan.text, site.carriers)
    if found is None or _is_open(scan, found, site):
        return None
    issuer = found.format.issuer
    return _key(Kind.ITEM, found.number, scan.symbol, role=Role.PARCEL, issuer=issuer)


def _is_open(scan: _Scan, found: carriers.Tracking, site: Site) -> bool:
    """Say whether the number could as well be a product's."""
    named = found.format.issuer in site.carriers
    return not named and gs1.is_product(scan.symbol, found.number)


def _pattern(scan: _Scan, site: Site) -> Key | None:
    for row in site.patterns:
        if row.pattern.matches(scan.text):
            return _key(Kind.ITEM, scan.text, scan.symbol, role=row.role)
    return None


def _refused(scan: _Scan, _site: Site) -> Key | None:
    """What nobody claimed, and is likely a product's number or a misread SSCC."""
    if scan.carried.misread:
        return _refuse(scan, scan.carried.fault)
    number = carriers.normal(scan.text)
    if not gs1.is_product(scan.symbol, number):
        return None
    found = carriers.find(number)
    issuer = found.format.issuer if found else ""
    fault = Fault.PRODUCT_OR_PARCEL if issuer else Fault.PRODUCT
    return _refuse(scan, Why(fault, issuer))


_Step = Callable[[_Scan, Site], Key | None]
_STEPS: tuple[_Step, ...] = (_gs1, _own, _carrier, _pattern, _refused)
