"""What a label carries in the words of GS1, and which thing it names.

biip splits element strings and Digital Links, and knows every application identifier
(AI). It is imported by the first label that needs it, which a station that scans its
own codes never does, and without its table of the companies that issued a number: that
alone would be more than a tenth of a station's memory, and nobody asks it here. What
biip does not decide is here: which AIs make a key (contract, section 6), and that a
wrong check digit is an error.

Source: GS1 General Specifications; GS1 Digital Link Standard: URI Syntax.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

import msgspec

from shared import checkdigits
from shared.aim import Content, Symbol
from shared.faults import Fault, Why

if TYPE_CHECKING:
    from biip import ParseConfig
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI
    from biip.gs1_messages import GS1Message

__all__ = ["SEPARATOR", "Carried", "Name", "is_product", "name", "read"]

SEPARATOR = "\x1d"
"""Ends an element of variable length; FNC1 inside a symbol."""
LONGEST_MESSAGE = 512
"""Characters of element strings that are looked at; a GS1-128 symbol holds 48."""
LONGEST_LINK = 2048

_COMPOSITE = "|]e"
_WEB = ("http://", "https://")
_NONE: Mapping[str, str] = MappingProxyType({})
_CHECKED = {"00": 18, "01": 14, "402": 17, "414": 13, "8003": 14}
"""The AIs with a check digit among those that name things, and where it ends."""

# AI, the AI that goes with it, and whether it names nothing without that one; in the
# order in which they count where a label has several
_KEYS = (
    ("00", "", False),
    ("01", "21", True),
    ("8003", "", False),
    ("8004", "", False),
    ("402", "", False),
    ("401", "", False),
    ("414", "254", False),
)
# Without an identifier, only numbers with a check digit are taken for element strings:
# (401) and (8004) would take any number that begins with these digits.
_LIKELY = re.compile(
    "(?:00[0-9]{18}|01[0-9]{14}|402[0-9]{17}|414[0-9]{13}|80030[0-9]{13}).*", re.ASCII
)
_SSCC_ALONE = re.compile("00[0-9]{18}", re.ASCII)
_BRACKETED = re.compile(r"(?:\([0-9]{2,4}\)[^()]+)+", re.ASCII)
_BRACKET = re.compile(r"\(([0-9]{2,4})\)([^()]+)", re.ASCII)
_PRINTABLE = re.compile("[!-~]+")
_EAN = {
    Content.EAN_13: re.compile("([0-9]{13})(?:[0-9]{2}|[0-9]{5})?", re.ASCII),
    Content.EAN_8: re.compile("([0-9]{8})", re.ASCII),
}
_PRODUCTS = {None: (8, 12, 13, 14), Content.ITF_14: (14,)}


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """What a label carries: its elements, AI to value, in the order on the label.

    ``fault`` says why it cannot be what its form promises.
    ``misread``: the form is right, and a check digit is wrong.
    """

    elements: Mapping[str, str] = _NONE
    fault: Why | None = None
    misread: bool = False


class Name(msgspec.Struct, frozen=True):
    """A key of GS1: ``text`` is the bracketed form, ``ai`` the AI that begins it."""

    text: str
    ai: str


_NOTHING = Carried()


def read(symbol: Symbol | None, data: str) -> Carried:
    """Return what the data carries, by what its symbol promises.

    Without an identifier, element strings are recognised by a separator, by brackets
    as printed under a symbol, or by a check digit that is right.
    """
    if symbol is None:
        return _guess(data)
    return _READERS[symbol.content](symbol.content, data)


def name(elements: Mapping[str, str]) -> Name | None:
    """Return what the elements name, or None where they name no single thing."""
    for ai, with_ai, needed in _KEYS:
        if ai not in elements or (needed and with_ai not in elements):
            continue
        pairs = [(key, elements[key]) for key in (ai, with_ai) if key in elements]
        return Name("".join(f"({key}){value}" for key, value in pairs), ai)
    return None


def is_product(symbol: Symbol | None, data: str) -> bool:
    """Say whether data without elements is a product's number (a GTIN)."""
    lengths = _PRODUCTS.get(None if symbol is None else symbol.content, ())
    digits = data.isascii() and data.isdigit()
    return digits and len(data) in lengths and checkdigits.gs1(data)


def _text(_content: Content, data: str) -> Carried:
    return _link(data) if data.lower().startswith(_WEB) else _NOTHING


def _guess(data: str) -> Carried:
    if data.lower().startswith(_WEB):
        return _link(data)
    if data.startswith("("):
        return _bracketed(data)
    if SEPARATOR in data:
        return _elements(Content.ELEMENTS, data.lstrip(SEPARATOR))
    return _likely(data) if _LIKELY.fullmatch(data) else _NOTHING


def _likely(data: str) -> Carried:
    carried = _elements(Content.ELEMENTS, data)
    sure = not carried.fault or _SSCC_ALONE.fullmatch(data)
    return carried if sure else _NOTHING


def _elements(_content: Content, data: str) -> Carried:
    """Read element strings, with those of a composite component behind a linear one."""
    if data.lower().startswith(_WEB):  # no AI begins so; printed by mistake, and clear
        return _link(data)
    linear, _, component = data.partition(_COMPOSITE)
    return _with_component(_message(linear), component)


def _ean(content: Content, data: str) -> Carried:
    linear, _, component = data.partition(_COMPOSITE)
    match = _EAN[content].fullmatch(linear)
    if match is None:
        return Carried(fault=Why(Fault.PRODUCT_LENGTH))
    return _with_component(_checked([("01", match[1].zfill(14))]), component)


def _add_on(_content: Content, _data: str) -> Carried:
    return Carried(fault=Why(Fault.ADD_ON))


def _with_component(linear: Carried, component: str) -> Carried:
    if linear.fault or not component:
        return linear
    behind = _message(component[1:])  # without the modifier of its identifier
    if behind.fault:
        return behind
    return _checked([*linear.elements.items(), *behind.elements.items()])


def _message(data: str) -> Carried:
    if not data:
        return Carried(fault=Why(Fault.NOTHING))
    if len(data) > LONGEST_MESSAGE or not data.isascii():
        return Carried(fault=Why(Fault.NO_GS1_TEXT))
    biip = _biip()
    try:
        found = biip.message.parse(data, config=biip.config).element_strings
    except biip.errors:
        return Carried(fault=Why(Fault.NO_ELEMENTS))
    return _checked((element.ai.ai, element.value) for element in found)


def _bracketed(data: str) -> Carried:
    """Read ``(01)09521234543213(21)1234`` as people write it, AI for AI."""
    if not _BRACKETED.fullmatch(data):
        return Carried(fault=Why(Fault.BRACKETS))
    pairs = _BRACKET.findall(data)
    carried = _message(SEPARATOR.join(ai + value for ai, value in pairs))
    if carried.fault or dict(pairs) == carried.elements:
        return carried
    return Carried(fault=Why(Fault.BRACKETED))


def _link(data: str) -> Carried:
    if len(data) > LONGEST_LINK or not _PRINTABLE.fullmatch(data):
        return Carried(fault=Why(Fault.NO_ADDRESS))
    biip = _biip()
    try:
        found = biip.link.parse(data, config=biip.config).element_strings
    except biip.errors:
        return Carried(fault=Why(Fault.NO_DIGITAL_LINK))
    return _checked((element.ai.ai, element.value) for element in found)


def _checked(pairs: Iterable[tuple[str, str]]) -> Carried:
    elements: dict[str, str] = {}
    for ai, value in pairs:
        if elements.setdefault(ai, value) != value:
            return Carried(fault=Why(Fault.TWO_VALUES, ai))
        if not value.isascii():
            return Carried(fault=Why(Fault.VALUE, ai))
        if ai in _CHECKED and not checkdigits.gs1(value[: _CHECKED[ai]]):
            return Carried(fault=Why(Fault.CHECK_DIGIT, ai), misread=True)
    return Carried(elements=MappingProxyType(elements))


_READERS: dict[Content, Callable[[Content, str], Carried]] = {
    Content.TEXT: _text,
    Content.ITF_14: _text,
    Content.ELEMENTS: _elements,
    Content.EAN_13: _ean,
    Content.EAN_8: _ean,
    Content.ADD_ON: _add_on,
}


class _Biip(msgspec.Struct, frozen=True):
    message: "type[GS1Message]"
    link: "type[GS1DigitalLinkURI]"
    config: "ParseConfig"
    errors: tuple[type[Exception], ...]


class _Unasked:
    """Stands for a prefix of biip's: who issued a number is not known, nor asked."""

    @staticmethod
    def extract(_value: str) -> None:
        """Return none: of no number is it known."""


_PREFIXES = "biip.gs1_prefixes"
_ISSUERS = ("GS1Prefix", "GS18Prefix", "GS1CompanyPrefix")


def _no_prefixes() -> ModuleType:
    """Return the part of biip that it would fill with its tables as it is imported."""
    module = ModuleType(_PREFIXES)
    for name_ in _ISSUERS:
        setattr(module, name_, _Unasked)
    return module


@cache
def _biip() -> _Biip:
    """Import biip, when the first label needs it."""
    sys.modules.setdefault(_PREFIXES, _no_prefixes())  # it has no setting for this
    from biip import BiipException, ParseConfig  # noqa: PLC0415 - see the docstring above
    from biip.gs1_digital_link_uris import GS1DigitalLinkURI  # noqa: PLC0415
    from biip.gs1_messages import GS1Message  # noqa: PLC0415

    # a date that does not exist is no reason to lose a parcel's number beside it
    config = ParseConfig(gs1_element_strings_verify_date=False)
    # besides its own, what a parser can trip over in data that nobody foresaw
    errors = (BiipException, ArithmeticError, LookupError, ValueError)
    return _Biip(GS1Message, GS1DigitalLinkURI, config, errors)
