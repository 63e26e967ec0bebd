"""What a decoder makes of a device's bytes, before it becomes a ``Read``."""

from enum import Enum
from typing import Protocol

import msgspec

__all__ = ["Damage", "Decoded", "Decoder"]


class Damage(Enum):
    """Why a read may not be what the label says. The text is for a person."""

    LOST = "characters were lost on the way to this program"
    GONE = "the scanner was unplugged in the middle of it"
    CUT = "a pause split it, or its end never came"
    KEY = "a key was pressed that the configured layout does not have"
    CHARACTER = "it has a character outside of latin-1"
    CAPS_LOCK = "Caps Lock was on, so upper and lower case are not certain"
    ALT_CODE = "an Alt+digits code does not say which character it means"
    DEAD_KEY = "two dead keys followed each other"
    SLOW = "it came as slowly as a person types"
    LONG = "it is longer than the configured limit; the rest was dropped"
    MALFORMED = "a report of the scanner does not keep to its own descriptor"


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """One read's bytes; ``damage`` says why they are not to be trusted, if so.

    ``unterminated``: silence ended it, not a terminator.
    """

    raw: bytes
    damage: Damage | None = None
    unterminated: bool = False


class Decoder(Protocol):
    """Turns what a device sends into reads: one for each time a device is opened.

    It has no I/O and no clock, and no input makes it raise.
    """

    def feed(self, data: bytes) -> list[Decoded]:
        """Take the bytes of one ``read`` of the device; return what they complete."""

    def silence(self) -> list[Decoded]:
        """Hear that the device has been silent for the idle gap."""

    def gone(self) -> list[Decoded]:
        """Hear that the device has gone; what was in progress comes out damaged."""

    def overrun(self) -> None:
        """Hear that bytes before those that come next are missing.

        What is in progress is damaged, and so is what comes next up to its end.
        """
