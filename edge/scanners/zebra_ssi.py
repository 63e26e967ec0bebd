"""Zebra's Simple Serial Interface: packets, and what one says to the other. Pure.

Source: Simple Serial Interface Programmer's Guide, 72E-40451. A packet is length (of
all but the checksum), opcode, sender (0 scanner, 4 host), status, data, and the two's
complement of the sum of these bytes in 16 bits, high byte first. The scanner sends one
and waits, some 2 s, for CMD_ACK; else it sends it twice more, marked as sent again.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from edge.scanners import Tone
from shared.protocol import ClockReading

__all__ = [
    "ACK",
    "ANSWERS",
    "NAK_RESEND",
    "WAKEUP",
    "Again",
    "Conversation",
    "Garbled",
    "Message",
    "Packet",
    "Packets",
    "Reply",
    "aim_identifier",
    "beep",
    "encode",
    "led_off",
    "led_on",
    "nak",
]

CMD_ACK, CMD_NAK = 0xD0, 0xD1
BEEP, LED_ON, LED_OFF, DECODE_DATA = 0xE6, 0xE7, 0xE8, 0xF3
WAKEUP = b"\x00"
"""A byte that wakes a scanner in low power mode, before a command."""

_HOST, _SCANNER = 4, 0
_RETRANSMITTED, _CONTINUED = 0x01, 0x02
_HEADER, _CHECKSUM, _LONGEST = 4, 2, 255
_RESEND, _DENIED = 1, 6  # causes of a CMD_NAK


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """One packet. ``status`` is a set of bits; 1: sent again, 2: more follows."""

    opcode: int
    source: int = _HOST
    status: int = 0
    data: bytes = b""

    @property
    def sent_again(self) -> bool:
        """Whether it was sent before."""
        return bool(self.status & _RETRANSMITTED)

    @property
    def continued(self) -> bool:
        """Whether another packet continues it."""
        return bool(self.status & _CONTINUED)


def _checksum(body: bytes) -> bytes:
    return (-sum(body) & 0xFFFF).to_bytes(_CHECKSUM, "big")


def encode(packet: Packet) -> bytes:
    """Return the bytes of a packet.

    Raises:
        ValueError: Its data are too long for one packet.
    """
    length = _HEADER + len(packet.data)
    if length > _LONGEST:
        reason = f"{len(packet.data)} bytes of data; a packet takes 251"
        raise ValueError(reason)
    header = bytes([length, packet.opcode, packet.source, packet.status])
    return header + packet.data + _checksum(header + packet.data)


def nak(cause: int) -> bytes:
    """Refuse a packet: 1 send it again, 2 unexpected, 6 denied."""
    return encode(Packet(opcode=CMD_NAK, data=bytes([cause])))


def beep(code: int) -> bytes:
    """Sound the beeper: 0 to 4 short high, 5 to 9 short low, 10 to 14 long high."""
    return encode(Packet(opcode=BEEP, data=bytes([code])))


def led_on(leds: int = 1) -> bytes:
    """Light the LEDs of a bit mask."""
    return encode(Packet(opcode=LED_ON, data=bytes([leds])))


def led_off(leds: int = 1) -> bytes:
    """Put the LEDs of a bit mask out."""
    return encode(Packet(opcode=LED_OFF, data=bytes([leds])))


ACK = encode(Packet(opcode=CMD_ACK))
NAK_RESEND = nak(_RESEND)

_ONE_HIGH, _TWO_HIGH, _THREE_LONG_LOW, _WARBLE = 0x00, 0x01, 0x11, 0x14
ANSWERS: Mapping[Tone, bytes] = MappingProxyType(
    {
        Tone.GOOD: ACK + beep(_ONE_HIGH),
        Tone.ATTENTION: ACK + beep(_TWO_HIGH),
        Tone.WANTED: ACK + beep(_WARBLE),
        Tone.ERROR: nak(_DENIED) + beep(_THREE_LONG_LOW),
    }
)
"""What tells the scanner what became of a read; DENIED is not sent again."""

_AIM: Mapping[int, bytes] = MappingProxyType(
    {
        0x03: b"]C0",  # Code 128
        0x07: b"]G0",  # Code 93
        0x0A: b"]E4",  # EAN-8
        0x0B: b"]E0",  # EAN-13
        0x0F: b"]C1",  # GS1-128
        0x30: b"]e0",  # GS1 DataBar
        0x31: b"]e0",  # GS1 DataBar Limited
        0x32: b"]e0",  # GS1 DataBar Expanded
        0xC1: b"]d2",  # GS1 DataMatrix
        0xC2: b"]Q3",  # GS1 QR
    }
)


def aim_identifier(code_type: int) -> bytes:
    """Return the AIM identifier of a bar code type, or nothing where it is not sure.

    Code 39, ITF, UPC, Data Matrix, QR, Aztec and PDF417 have several identifiers for
    one type byte. Source: the guide's table of bar code types, ISO/IEC 15424.
    """
    return _AIM.get(code_type, b"")


class Packets:
    """Finds the packets in a stream of bytes, whatever else is in it."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._junk = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Take bytes; return the packets that they complete."""
        self._bytes += data
        return self._scan(final=False)

    def silence(self) -> tuple[list[Packet], bytes]:
        """Note that nothing more comes: what is left is packets or junk.

        Returns:
            The packets in it, and the (first) bytes after them that are none.
        """
        packets = self._scan(final=True)
        junk = bytes(self._junk)
        self._junk.clear()
        return packets, junk

    def _scan(self, *, final: bool) -> list[Packet]:
        packets: list[Packet] = []
        at = 0
        while at < len(self._bytes):
            size = self._bytes[at] + _CHECKSUM
            if size > len(self._bytes) - at and not final:
                break
            packet = _decode(bytes(self._bytes[at : at + size]))
            if packet is None:
                self._drop(self._bytes[at])
                at += 1
            else:
                self._junk.clear()
                packets.append(packet)
                at += size
        del self._bytes[:at]
        return packets

    def _drop(self, byte: int) -> None:
        if len(self._junk) < _LONGEST:
            self._junk.append(byte)


def _decode(data: bytes) -> Packet | None:
    if len(data) < _HEADER + _CHECKSUM or data[0] != len(data) - _CHECKSUM:
        return None
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if checksum != _checksum(body) or body[2] != _SCANNER:
        return None
    return Packet(opcode=body[1], source=body[2], status=body[3], data=body[_HEADER:])


class Reply(msgspec.Struct, frozen=True):
    """To be sent to the scanner at once."""

    data: bytes


class Message(msgspec.Struct, frozen=True):
    """One bar code, to be answered after it was saved."""

    raw: bytes
    clock: ClockReading
    damaged: bool = False


class Again(msgspec.Struct, frozen=True):
    """The latest message was sent again: its answer was late, or lost."""

    clock: ClockReading


class Garbled(msgspec.Struct, frozen=True):
    """Something came that was no packet; the scanner is asked for it again."""


Outcome = Reply | Message | Again | Garbled


class _Latest(msgspec.Struct, frozen=True):
    """The latest message: its last packet, when that came, and out of how many."""

    data: bytes
    mono: int
    parts: int


class Conversation:
    """The host's part: what to do at each thing that the scanner sends.

    Args:
        window: Microseconds in which a packet marked as sent again may be the latest
            message once more.
        max_length: Bytes of a message that are kept.
    """

    def __init__(self, *, window: int, max_length: int) -> None:
        self._window = window
        self._max_length = max_length
        self._packets = Packets()
        self._parts: list[bytes] = []
        self._latest: _Latest | None = None
        self._clock: ClockReading | None = None

    def feed(self, data: bytes, clock: ClockReading) -> list[Outcome]:
        """Take bytes that came at ``clock``."""
        return self._all(self._packets.feed(data), clock)

    def silence(self, clock: ClockReading) -> list[Outcome]:
        """Note that the scanner waits: what was garbled is asked for again."""
        packets, junk = self._packets.silence()
        outcomes = self._all(packets, clock)
        if not junk:
            return outcomes
        if self._latest is not None and self._latest.parts == 1:
            # the junk may have been another scan of the same code: a double is
            # better than a loss
            self._latest = None
        return [*outcomes, Garbled(), Reply(NAK_RESEND)]

    def cut(self, clock: ClockReading) -> list[Outcome]:
        """Note that the scanner has gone: half a message is a damaged one."""
        packets, junk = self._packets.silence()
        return [*self._all(packets, clock), *self._broken(clock, junk)]

    def _all(self, packets: list[Packet], clock: ClockReading) -> list[Outcome]:
        return [outcome for packet in packets for outcome in self._one(packet, clock)]

    def _one(self, packet: Packet, clock: ClockReading) -> list[Outcome]:
        if packet.opcode in (CMD_ACK, CMD_NAK):
            return []  # its answer to a beep
        if packet.opcode != DECODE_DATA or not packet.data:
            return [Reply(ACK)]
        before = self._abandoned(clock)
        self._clock = clock
        if packet.continued:
            return before + self._part(packet)
        return before + self._last_part(packet, clock)

    def _abandoned(self, clock: ClockReading) -> list[Outcome]:
        """Give up parts whose rest did not come while the scanner would repeat it."""
        late = self._clock is not None and clock.mono - self._clock.mono > self._window
        return self._broken(clock, b"") if late else []

    def _broken(self, clock: ClockReading, rest: bytes) -> list[Outcome]:
        """Make a damaged message of what there is, if there is anything."""
        parts, self._parts = self._parts, []
        if not parts and not rest:
            return []
        raw = b"".join(part[1:] for part in parts) + rest
        return [Message(raw[: self._max_length], clock, damaged=True)]

    def _part(self, packet: Packet) -> list[Outcome]:
        repeated = packet.sent_again and self._parts[-1:] == [packet.data]
        room = sum(map(len, self._parts)) <= self._max_length + len(self._parts)
        if not repeated and room:
            self._parts.append(packet.data)
        return [Reply(ACK)]

    def _last_part(self, packet: Packet, clock: ClockReading) -> list[Outcome]:
        latest = self._latest
        if latest is not None and self._is_again(packet, latest, clock):
            self._latest = _Latest(packet.data, clock.mono, latest.parts)
            return [Again(clock)]
        parts, self._parts = [*self._parts, packet.data], []
        self._latest = _Latest(packet.data, clock.mono, len(parts))
        return [self._message(parts, clock)]

    def _is_again(self, packet: Packet, latest: _Latest, clock: ClockReading) -> bool:
        soon = clock.mono - latest.mono <= self._window
        same = packet.sent_again and packet.data == latest.data
        return same and soon and not self._parts

    def _message(self, parts: list[bytes], clock: ClockReading) -> Message:
        code_type = parts[0][0]
        text = b"".join(part[1:] for part in parts)
        told = aim_identifier(code_type)
        mixed = any(part[0] != code_type for part in parts)
        damaged = mixed or len(text) > self._max_length
        raw = text[: self._max_length].removeprefix(told)
        return Message(told + raw, clock, damaged=damaged)
