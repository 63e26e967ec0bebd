"""Carriers' tracking numbers: a table of public formats, and the look-up in it.

A number is compared in upper case and without spaces; that is also its key (contract,
section 6), so which row knows it is only information. Rows may overlap, and the first
that fits names the carrier: fifteen digits can be FedEx's or DPD's, and a postal
routing code (420 and a ZIP) in front of a USPS number stays part of the key.

A row needs a check digit, or a form that nothing else has (``TBA`` and twelve digits).
Rows without either would take any number of their length for a parcel; they are
``asked``: they count only at a site that names the carrier among those it works with.
"""

import re
from collections.abc import Set as AbstractSet
from functools import cache

import msgspec

from shared.checkdigits import (
    Check,
    dhl_mod7,
    fedex_mod11,
    gs1,
    iso7064_37_36,
    s10,
    ups,
)

__all__ = ["FORMATS", "ISSUERS", "LONGEST", "Format", "Tracking", "find", "normal"]

LONGEST = 34
"""Characters in a tracking number, at most."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One row: how a carrier's numbers look.

    ``form`` is a regular expression for all of the number. Its group, where it has one,
    is what ``check`` is asked about. ``source`` is the publication it follows.
    """

    issuer: str
    name: str
    form: str
    check: Check | None = None
    asked: bool = False
    source: str


class Tracking(msgspec.Struct, frozen=True):
    """A tracking number: ``number`` as a key, and the row that knows it."""

    number: str
    format: Format


# ISO 3166-1 alpha-2: where S10 numbers are issued
_COUNTRIES = (
    "A[DEFGILMOQRSTUWXZ]|B[ABDEFGHIJLMNOQRSTVWYZ]|C[ACDFGHIKLMNORUVWXYZ]|D[EJKMOZ]"
    "|E[CEGHRST]|F[IJKMOR]|G[ABDEFGHILMNPQRSTUWY]|H[KMNRTU]|I[DELMNOQRST]|J[EMOP]"
    "|K[EGHIMNPRWYZ]|L[ABCIKRSTUVY]|M[ACDEFGHKLMNOPQRSTUVWXYZ]|N[ACEFGILOPRUZ]|OM"
    "|P[AEFGHKLMNRSTWY]|QA|R[EOSUW]|S[ABCDEGHIJKLMNORSTVXYZ]|T[CDFGHJKLMNORTVWZ]"
    "|U[AGMSYZ]|V[ACEGINU]|W[FS]|Y[ET]|Z[AMW]"
)
# service type codes of the confirmation services that came before IMpb
_SERVICE = "(?:0[1-8]|14|2[1-6]|34|56|7[0-3]|8[235])"
_ROUTING = "(?:420[0-9]{5}(?:[0-9]{4})?)?"
_MAILER_9 = "[0-9]{3}9[0-9]{8}"
_MAILER_6 = "[0-9]{3}[0-8][0-9]{5}"
_IMPB = (
    f"94{_MAILER_9}(?:[0-9]{{8}}|[0-9]{{12}}|[0-9]{{16}})"
    f"|9[25]{_MAILER_9}(?:[0-9]{{8}}|[0-9]{{12}})"
    f"|9[345]{_MAILER_6}(?:[0-9]{{11}}|[0-9]{{15}})"
)


def _usps_without_91(number: str) -> bool:
    """Say whether the digit is right for the number, or for it with its AI 91."""
    return gs1(number) or gs1("91" + number)


FORMATS = (
    Format(
        issuer="UPS",
        name="1Z",
        form="1Z([0-9A-Z]{15}[0-9])",
        check=ups,
        source="UPS Guide to Labeling",
    ),
    Format(
        issuer="UPS",
        name="waybill",
        form="[AHJKTV]([0-9]{10})",
        check=ups,
        source="UPS Guide to Labeling",
    ),
    Format(
        issuer="USPS",
        name="IMpb",
        form=f"(?=.{{22,34}}$){_ROUTING}({_IMPB})",
        check=gs1,
        source="USPS Publication 199",
    ),
    Format(
        issuer="USPS",
        name="confirmation services",
        form=f"{_ROUTING}(91{_SERVICE}[0-9]{{18}})",
        check=gs1,
        source="USPS Publication 91",
    ),
    Format(
        issuer="USPS",
        name="confirmation services, printed without 91",
        form=f"({_SERVICE}[0-9]{{18}})",
        check=_usps_without_91,
        source="USPS Publication 91",
    ),
    Format(
        issuer="FedEx",
        name="Express, 12 digits",
        form="([0-9]{12})",
        check=fedex_mod11,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="FedEx",
        name="Ground, 15 digits",
        form="([0-9]{15})",
        check=gs1,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="FedEx",
        name="Ground, 18 digits, a container type and 16",
        form="0[0124]([0-9]{16})",
        check=gs1,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="FedEx",
        name="Ground 96, 22 digits",
        form="96[0-9]{5}([0-9]{15})",
        check=gs1,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="FedEx",
        name="34 digits, Ground 96 and Express",
        form="(?:96[0-9]{18}|[0-8][0-9]{19})([0-9]{14})",
        check=fedex_mod11,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="FedEx",
        name="ASTRA, 32 digits",
        form="3[0-9]{15}([0-9]{12})[0-9]{4}",
        check=fedex_mod11,
        source="FedEx barcode specification",
    ),
    Format(
        issuer="DHL",
        name="Express waybill",
        form="([0-9]{10,11})",
        check=dhl_mod7,
        source="DHL Express label specification",
    ),
    Format(
        issuer="DHL",
        name="licence plate of DHL Paket (JD) or DHL Parcel Benelux (JVGL)",
        form="J?J(?:D|VGL)[0-9]{9,18}",
        source="ISO/IEC 15459-2, issuing agency UPU (J)",
    ),
    Format(
        issuer="DHL",
        name="eCommerce, GM",
        form="GM(?:[0-9]{16}|[0-9]{18}|[0-9A-F]{20})",
        source="DHL eCommerce labelling guide",
    ),
    Format(
        issuer="DHL",
        name="eCommerce, 14 digits",
        form="[0-9]{14}",
        asked=True,
        source="DHL eCommerce labelling guide",
    ),
    Format(
        issuer="DPD",
        name="parcel label in print, 28 characters",
        form="([0-9]{27}[0-9A-Z])",
        check=iso7064_37_36,
        source="DPD parcel label specification 2.4",
    ),
    Format(
        issuer="DPD",
        name="parcel number, 15 characters",
        form="([0-9]{14}[0-9A-Z])",
        check=iso7064_37_36,
        source="DPD parcel label specification 2.4",
    ),
    Format(
        issuer="DPD",
        name="parcel label's barcode: a percent sign, and no check character",
        form="%[0-9]{27}",
        source="DPD parcel label specification 2.4",
    ),
    Format(
        issuer="Amazon",
        name="Logistics",
        form="TB[ACM][0-9]{12}",
        source="form of the printed labels",
    ),
    Format(
        issuer="Amazon",
        name="international, a letter and 10 digits",
        form="[ACF][0-9]{10}",
        asked=True,
        source="form of the printed labels",
    ),
    Format(
        issuer="UPU",
        name="S10",
        form=f"[A-EGHLMNP-RUVZ][A-Z]([0-9]{{9}})(?:{_COUNTRIES})",
        check=s10,
        source="UPU S10-12",
    ),
)
"""The formats that are known, in the order in which they are asked."""

ISSUERS = frozenset(row.issuer for row in FORMATS)
"""The carriers that a site can name."""


@cache
def _forms() -> tuple[tuple[re.Pattern[str], Format], ...]:
    return tuple((re.compile(row.form, re.ASCII), row) for row in FORMATS)


def normal(text: str) -> str:
    """Return the text in upper case, without spaces and GS1 separators."""
    return "".join(text.split()).upper()


def find(text: str, carriers: AbstractSet[str] = frozenset()) -> Tracking | None:
    """Return the tracking number that the text is, or None where it is none.

    ``carriers`` are those that the site works with, of ISSUERS: their rows come in
    also where they carry no check digit.
    """
    if not text.isascii() or len(number := normal(text)) > LONGEST:
        return None
    if not number.strip("0"):  # nothing but zeros has every check digit right
        return None
    for form, row in _forms():
        match = form.fullmatch(number)
        if match and _stands(match, row, carriers):
            return Tracking(number, row)
    return None


def _stands(match: re.Match[str], row: Format, carriers: AbstractSet[str]) -> bool:
    if row.check is None:
        return not row.asked or row.issuer in carriers
    return row.check(match[1])
