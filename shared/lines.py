"""A line: one event, as the bytes that a station wrote.

Contract, section 2. A line is encoded once, when it is recorded; those bytes are what
is stored, sent, stored again and audited. Decoding never leads back to encoding.
"""

from typing import Annotated, Any

import msgspec

from shared.errors import LineError
from shared.moments import to_moment

__all__ = ["MAX_LINE", "Line", "decode", "encode", "fit", "read_again"]

MAX_LINE = 16 * 1024
"""Bytes in a line, at most."""

_Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Line(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One event in the words of contract section 2; what has no value is ``None``.

    ``seq`` counts from 1. ``at`` is the station's wall clock, RFC 3339 in UTC.
    ``mono`` is in microseconds of CLOCK_BOOTTIME in the boot ``boot``. ``giver`` is the
    badge of who handed over what the ``operator`` took.
    """

    seq: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    at: str
    boot: str | None = None
    mono: _Natural | None = None
    synced: bool | None = None
    action: str
    item: str | None = None
    location: str | None = None
    container: str | None = None
    operator: str | None = None
    giver: str | None = None
    items: tuple[str, ...] | None = None
    voids: str | None = None
    status: str | None = None
    exception: str | None = None
    title: str | None = None
    text: str | None = None
    reason: str | None = None
    refused: str | None = None
    raw: str | None = None
    raw_length: _Natural | None = None
    symbology: str | None = None
    device: str | None = None
    damaged: bool | None = None

    @property
    def moment(self) -> int:
        """``at``, in microseconds since 1970."""
        return to_moment(self.at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """Return the line's bytes, without a newline.

    Raises:
        LineError: They would be more than MAX_LINE.
    """
    data = _encoder.encode(line)
    if len(data) > MAX_LINE:
        reason = f"a line of {len(data)} bytes; the most is {MAX_LINE}"
        raise LineError(reason)
    return data


def fit(line: Line) -> bytes:
    """Encode a line whatever the scanner sent: ``raw`` is shortened where it must be.

    A shortened ``raw`` has ``raw_length`` beside it, the length of the whole.

    Raises:
        LineError: It would be more than MAX_LINE even without its ``raw``.
    """
    data = _encoder.encode(line)
    whole = line.raw or ""
    keep = len(whole)
    while len(data) > MAX_LINE and keep:
        # one character of raw is at most six bytes of JSON
        keep = max(0, keep - max(1, (len(data) - MAX_LINE + 32) // 6))
        short: dict[str, Any] = {"raw": whole[:keep], "raw_length": len(whole)}
        data = _encoder.encode(msgspec.structs.replace(line, **short))
    short_enough = len(data) <= MAX_LINE and keep == len(whole)
    return data if short_enough else _checked(data)


def _checked(data: bytes) -> bytes:
    return encode(decode(data))


def decode(data: bytes) -> Line:
    """Read a line.

    Raises:
        LineError: It is no JSON object in UTF-8 of the fields and types of the
            contract, or too long. Fields that are not known are passed over.
    """
    if len(data) > MAX_LINE:
        reason = f"a line of {len(data)} bytes; the most is {MAX_LINE}"
        raise LineError(reason)
    try:
        line = _decoder.decode(data)
        if not data.isascii():  # what is passed over is shown as it is
            data.decode()
        to_moment(line.at)
    except (ValueError, RecursionError) as error:
        raise LineError(str(error)) from error
    return line


def read_again(data: bytes) -> Line:
    """Read a line that could be read before: what was checked is not checked again."""
    return _decoder.decode(data)
