"""What to send to a scanner so that its beep means "saved". Pure data.

Such a scanner is configured not to beep by itself, and to wait for its host's answer.
Three of the four tones say that the scan was recorded; only ``ERROR`` denies it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from edge.scanners import Read, Tone

__all__ = ["NO_PROFILE", "PROFILES", "Profile", "ProfileName", "is_resend"]

ProfileName = Literal["none", "honeywell-host-ack", "ack-nak", "datalogic", "bel"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How one family of scanners is answered.

    Attributes:
        answers: The bytes for each tone; empty where nothing is sent.
        resend_window: Microseconds, counted from a transmission. The same bytes again
            within it are that read once more, not another. 0: never sent again.
        most_answers: How often one read is answered. A scanner that repeats itself
            for as long as it is refused would otherwise never be done.
        source: Where the bytes and the times are written down.
    """

    answers: Mapping[Tone, bytes]
    resend_window: int = 0
    most_answers: int = 4
    source: str


def _profile(
    good: bytes,
    error: bytes,
    *,
    attention: bytes,
    wanted: bytes,
    source: str,
    resend_window: int = 0,
) -> Profile:
    answers = {
        Tone.GOOD: good,
        Tone.ERROR: error,
        Tone.ATTENTION: attention,
        Tone.WANTED: wanted,
    }
    return Profile(
        answers=MappingProxyType(answers), resend_window=resend_window, source=source
    )


NO_PROFILE = _profile(
    b"", b"", attention=b"", wanted=b"", source="a scanner that cannot be told"
)

PROFILES: Mapping[ProfileName, Profile] = MappingProxyType(
    {
        "none": NO_PROFILE,
        "honeywell-host-ack": _profile(
            b"\x1b7,",
            b"\x1b8,",
            attention=b"\x1b7,\x1b4,",
            wanted=b"\x1b7,\x1b6,\x1b6,",
            source="Honeywell user guides (2020, 8680i, CS19A), Host Command "
            "Acknowledgment: ESC 7 good, ESC 8 bad, ESC 4 and 6 a low and a high beep, "
            "a comma ends each; after 10 s the scanner gives up, and does not repeat",
        ),
        "ack-nak": _profile(
            b"\x06",
            b"\x15",
            attention=b"\x06",
            wanted=b"\x06",
            resend_window=1_000_000,
            source="Honeywell 1902, MS9540 and Symbol LS9208 guides, ACK/NAK: ends at "
            "06, sends again at 15, three to five times; where time-outs are retried, "
            "too, the window has to be longer than the scanner's time-out",
        ),
        "datalogic": _profile(
            b"B",
            b"F",
            attention=b"BB",
            wanted=b"BBB",
            resend_window=1_000_000,
            source="Datalogic product reference guides, RS-232 host commands: B or 01 "
            "good read tone, F not on file; ACK NAK time-out from 200 ms",
        ),
        "bel": _profile(
            b"\x07",
            b"\x07\x07\x07",
            attention=b"\x07\x07",
            wanted=b"\x07\x07",
            source="Symbol DS9808 and DS9208 guides, Beep on BEL: a high beep each",
        ),
    }
)


def is_resend(window: int, earlier: Read | None, read: Read) -> bool:
    """Say whether ``read`` is ``earlier`` sent again.

    It is where the same bytes came again within ``window`` microseconds of the last
    time that they were sent, from the same device. What was damaged once may be
    whole now, so it is no repetition.
    """
    if not window or earlier is None or earlier.damaged or read.damaged:
        return False
    same = (earlier.device, earlier.raw) == (read.device, read.raw)
    return same and 0 <= read.clock.mono - earlier.clock.mono <= window
