"""Why what was read is no key: values, which a station says in its own language.

The English sentence is the fault's value; it is what a line keeps and a program reads.
"""

from enum import Enum

import msgspec

__all__ = ["Fault", "Why"]


class Fault(Enum):
    """What is the matter with a label; ``{}`` is what it is about."""

    PRODUCT = (
        "It names a product, not a package. Scan the package's own label; "
        "where there is none, put one on."
    )
    PRODUCT_OR_PARCEL = (
        "It can be a product's number or {}'s. Scan another barcode of the label, "
        "or have the scanner send AIM identifiers."
    )
    TOO_LONG = "It has more than {} characters."
    PRODUCT_LENGTH = "It is too long or too short for a product's number."
    ADD_ON = "It is what stands beside a product's number, without it."
    NOTHING = "It is empty."
    NO_GS1_TEXT = "It is too long, or not made of GS1's characters."
    NO_ELEMENTS = (
        "It is no GS1 element string; it may be cut short, or its separators were lost."
    )
    BRACKETS = "Its brackets are not those of GS1 element strings."
    BRACKETED = "Its brackets do not go around GS1 application identifiers."
    NO_ADDRESS = "It is too long, or not made of a web address's characters."
    NO_DIGITAL_LINK = "It is a web address, and no GS1 Digital Link."
    TWO_VALUES = "It has two different values of ({})."
    VALUE = "The value of ({}) is not made of GS1's characters."
    CHECK_DIGIT = (
        "The check digit of ({}) is wrong. Scan it once more; "
        "if it stays wrong, the label is misprinted."
    )


class Why(msgspec.Struct, frozen=True):
    """A fault, and what it is about: an application identifier, a carrier, a number."""

    fault: Fault
    about: str = ""

    def __str__(self) -> str:
        """Return the English sentence."""
        return self.fault.value.format(self.about)
