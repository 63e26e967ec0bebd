"""What a scanner on a serial port is, and where its codes end: its configuration."""

from typing import Annotated, Literal

import msgspec

from edge.scanners.framing import Framing
from edge.scanners.profiles import ProfileName

__all__ = [
    "FramingSettings",
    "Marker",
    "Name",
    "PortSettings",
    "SerialSettings",
    "SsiSettings",
    "marker_bytes",
    "marker_name",
]

_NAMED = {
    "CR": b"\r",
    "LF": b"\n",
    "CRLF": b"\r\n",
    "TAB": b"\t",
    "STX": b"\x02",
    "ETX": b"\x03",
    "EOT": b"\x04",
    "NUL": b"\x00",
    "RS": b"\x1e",
}
_GROUP_SEPARATOR = b"\x1d"

Name = Annotated[str, msgspec.Meta(max_length=64)]
Marker = Annotated[str, msgspec.Meta(max_length=32)]
PortPath = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(/.+|[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}(:.+)?)$", max_length=4096
    ),
]


def marker_bytes(marker: str) -> bytes:
    """Return the bytes of a marker: one of the names, or the text itself in latin-1."""
    try:
        return _NAMED.get(marker) or marker.encode("latin-1")
    except UnicodeEncodeError as error:
        reason = f"{marker!r} has characters that are no single byte (latin-1)"
        raise ValueError(reason) from error


def marker_name(data: bytes) -> str:
    """Return how bytes are written as a marker: by name where they have one."""
    names = {known: name for name, known in _NAMED.items()}
    return names.get(data) or data.decode("latin-1")


class FramingSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Where one code ends and the next begins.

    Markers are names (CR, LF, CRLF, TAB, STX, ETX, EOT, NUL, RS) or the text itself.

    Attributes:
        terminators: What ends a code; any of them does. None: only silence does.
        start: What begins a code, one character such as STX. None: nothing does.
        prefix: What the scanner puts before each code; taken off.
        suffix: What it puts between the code and its terminator; taken off.
        idle_gap_ms: Silence that ends a code without a terminator, in milliseconds.
        max_length: Bytes of one code that are kept; a longer one is damaged.
    """

    terminators: Annotated[tuple[Marker, ...], msgspec.Meta(max_length=8)] = (
        "CR",
        "LF",
        "CRLF",
    )
    start: Marker = ""
    prefix: Marker = ""
    suffix: Marker = ""
    idle_gap_ms: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 120
    max_length: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 8192

    def __post_init__(self) -> None:
        """Refuse markers that would take codes apart.

        Raises:
            ValueError: Which marker, and why.
        """
        start, ends = (
            marker_bytes(self.start),
            [marker_bytes(end) for end in self.terminators],
        )
        if len(start) > 1:
            reason = f"start is {self.start!r}; expected one character, such as STX"
            raise ValueError(reason)
        if b"" in ends or any(_GROUP_SEPARATOR in end for end in [start, *ends]):
            reason = "a marker is empty or GS, which separates fields inside GS1 codes"
            raise ValueError(reason)
        if start and any(start in end for end in ends):
            reason = f"start {self.start!r} is also in a terminator; expected another"
            raise ValueError(reason)
        marker_bytes(self.prefix)
        marker_bytes(self.suffix)

    @property
    def idle_gap(self) -> float:
        """The idle gap in seconds."""
        return self.idle_gap_ms / 1000

    def framing(self) -> Framing:
        """Return it as bytes."""
        return Framing(
            terminators=tuple(marker_bytes(end) for end in self.terminators),
            start=marker_bytes(self.start),
            prefix=marker_bytes(self.prefix),
            suffix=marker_bytes(self.suffix),
            max_length=self.max_length,
            tail=4 * 1000 * self.idle_gap_ms,
        )


class PortSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A serial port; the fields that ``serial`` and ``ssi`` share.

    Attributes:
        port: Its path, best one of /dev/serial/by-id or by-path, or what to look for:
            VENDOR:PRODUCT or VENDOR:PRODUCT:SERIAL, as in 0c2e:0b61.
        name: What the scanner is called in events and messages; else the port.
        baud: Bits per second.
        data_bits: 7 or 8.
        parity: none, even, odd, mark or space.
        stop_bits: 1 or 2.
        flow: Who holds whom back: none, rts-cts or xon-xoff. With none, what does not
            fit into a megabyte while the station is stuck is dropped, and says so.
    """

    port: PortPath
    name: Name = ""
    baud: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 9600
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd", "mark", "space"] = "none"
    stop_bits: Literal[1, 2] = 1
    flow: Literal["none", "rts-cts", "xon-xoff"] = "none"

    @property
    def device(self) -> str:
        """The scanner's name."""
        return self.name or self.port


class SerialSettings(
    PortSettings, frozen=True, kw_only=True, tag_field="kind", tag="serial"
):
    """A scanner on a serial port: RS-232, or USB as a COM port.

    The fields of ``PortSettings``, and:

    Attributes:
        framing: Where one code ends and the next begins.
        profile: What is sent to the scanner after a scan has been saved or refused.
        resend_window_ms: For how long the same code again is a repetition by the
            scanner, in milliseconds; else what the profile says.
    """

    framing: FramingSettings = FramingSettings()
    profile: ProfileName = "none"
    resend_window_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] | None = None


class SsiSettings(PortSettings, frozen=True, kw_only=True, tag_field="kind", tag="ssi"):
    """A Zebra scanner on a serial port, in its Simple Serial Interface.

    The fields of ``PortSettings``, and:

    Attributes:
        resend_window_ms: For how long a packet marked as sent again may be the latest
            read once more, in milliseconds.
        max_length: Bytes of one code that are kept; a longer one is damaged.
    """

    resend_window_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 10_000
    max_length: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 8192
