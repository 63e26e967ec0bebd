"""What a scanner on a serial port is set to, from the bytes that came. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from edge.doctor import Finding, Severity
from edge.identify import Analysis, Code
from edge.identify.match import (
    Match,
    found,
    of_identifiers,
    of_separator,
    of_sheet,
    recognise,
    still_to_scan,
)
from edge.scanners.framing import Framer, Unmark
from edge.scanners.port_settings import FramingSettings, SerialSettings, marker_name
from edge.terminal_display import clean
from shared.protocol import ClockReading

__all__ = ["Piece", "analyse"]

_SILENCE = 200_000  # microseconds between two codes; within one, converters wait 16 ms
_LINE_ENDS = (b"\r\n", b"\r", b"\n")
_ENDS = (*_LINE_ENDS, b"\t", b"\x03", b"\x04", b"\x00", b"\x1e")
_PART = re.compile(rb".*?(?:\x03?\r\n|\x03?[\r\n]|[\t\x03\x04\x00\x1e])|.+", re.DOTALL)
_LONGEST = 48


class Piece(NamedTuple):
    """Bytes, and when they came, in microseconds of a clock that never jumps."""

    time: int
    data: bytes


class _Burst(NamedTuple):
    """What came between two silences, and what of it is no code of the sheet."""

    data: bytes
    match: Match | None


def analyse(settings: SerialSettings, pieces: Sequence[Piece]) -> Analysis:
    """Return what the bytes tell of a scanner.

    Args:
        settings: The port, as it was opened.
        pieces: Everything that came since, as it came.
    """
    bursts = _bursts(pieces)
    parity = _parity(bursts)
    if parity:
        settings = msgspec.structs.replace(settings, data_bits=7, parity=parity)
        bursts = [_burst(_seven(burst.data)) for burst in bursts]
    framing = _framing([burst.match for burst in bursts if burst.match])
    made = msgspec.structs.replace(settings, framing=framing)
    codes = _codes(framing, bursts)
    inner = [match for code in codes if (match := recognise(code.text))]
    return Analysis(
        codes=tuple(codes),
        rest=still_to_scan(inner),
        findings=(
            *of_sheet(inner, (c.text for c in codes if recognise(c.text) is None)),
            *_readable(bursts, settings.baud),
            *_told(framing, bursts),
            *of_separator(inner),
            *of_identifiers(inner),
            *_left(inner),
        ),
        settings=made,
    )


def _bursts(pieces: Sequence[Piece]) -> list[_Burst]:
    """Part the bytes at silences, with the marks of noisy ones taken out."""
    unmark, parts = Unmark(), [bytearray()]
    latest = pieces[0].time if pieces else 0
    for time, data in pieces:
        if time - latest > _SILENCE and parts[-1]:
            parts.append(bytearray())
        for plain, _ in unmark.feed(data):
            parts[-1] += plain
        latest = time
    return [burst for part in parts if part for burst in _parted(bytes(part))]


def _parted(data: bytes) -> list[_Burst]:
    """Part what came without a pause at what may end a code, if that makes sense."""
    whole = _burst(data)
    if whole.match is not None:
        return [whole]
    parts = [_burst(part) for part in _PART.findall(data)]
    return parts if any(part.match for part in parts) else [whole]


def _burst(data: bytes) -> _Burst:
    return _Burst(data, recognise(data.decode("latin-1")))


def _seven(data: bytes) -> bytes:
    return bytes(byte & 0x7F for byte in data)


def _parity(bursts: Sequence[_Burst]) -> str:
    """Return the parity, where codes read right once the eighth bit is taken off."""
    if not bursts or any(burst.match for burst in bursts):
        return ""
    if not all(recognise(_seven(burst.data).decode("latin-1")) for burst in bursts):
        return ""
    odd = {byte.bit_count() % 2 for burst in bursts for byte in burst.data}
    return {frozenset({0}): "even", frozenset({1}): "odd"}.get(frozenset(odd), "mark")


# --- where codes begin and end --------------------------------------------------------


def _framing(matches: Sequence[Match]) -> FramingSettings:
    """Return how codes are framed: what stands around most of them."""
    around = Counter(
        (_head(match), match.after.encode("latin-1", "replace")) for match in matches
    )
    if not around:
        return FramingSettings()
    ((head, tail), _) = around.most_common(1)[0]
    end = next((end for end in _ENDS if tail.endswith(end)), b"")
    suffix = tail[: len(tail) - len(end)]
    start = head[:1] if head[:1] < b" " else b""
    default = FramingSettings()
    terminators = default.terminators if end in _LINE_ENDS else ()
    if end and end not in _LINE_ENDS:
        terminators = (marker_name(end),)
    return FramingSettings(
        terminators=terminators,
        start=marker_name(start) if start else "",
        prefix=marker_name(head[len(start) :]) if head[len(start) :] else "",
        suffix=marker_name(suffix) if suffix else "",
    )


def _head(match: Match) -> bytes:
    """Return what the scanner puts before a code, but for a wrong identifier."""
    before = match.before
    if not match.identified and before[-3:-2] == "]":
        before = before[:-3]
    return before.encode("latin-1", "replace")


def _codes(framing: FramingSettings, bursts: Iterable[_Burst]) -> list[Code]:
    """Read the bytes again, as the station will."""
    made = []
    for burst in bursts:
        framer = Framer(framing.framing())
        frames = [*framer.feed(burst.data, _NEVER), *framer.silence()]
        for frame in frames:
            text = frame.raw.decode("latin-1")
            match = recognise(text)
            right = match is not None and match.exact and not frame.damaged
            made.append(Code(text=text, number=match.number if match and right else 0))
    return made


_NEVER = ClockReading(at=0, boot="", mono=0, synced=False)


# --- telling --------------------------------------------------------------------------


def _readable(bursts: Sequence[_Burst], baud: int) -> Iterator[Finding]:
    if bursts and not any(burst.match for burst in bursts):
        shown = clean(bursts[-1].data.decode("latin-1"), _LONGEST)
        yield found(
            Severity.WRONG,
            f"no code of the sheet can be read at {baud} baud; this came: {shown}",
            "see the scanner's speed, and try --baud 115200, 19200, 38400 or 57600",
        )


def _told(framing: FramingSettings, bursts: Sequence[_Burst]) -> Iterator[Finding]:
    if not any(burst.match for burst in bursts):
        return
    if not framing.terminators:
        yield found(
            Severity.WARNING,
            "nothing ends a code; only silence does, which takes longer",
            "set a suffix of CR in the scanner",
        )
    else:
        yield found(
            Severity.FINE, f"a code ends with one of: {', '.join(framing.terminators)}"
        )
    for name in ("start", "prefix", "suffix"):
        marker = getattr(framing, name)
        if marker:
            yield found(
                Severity.NOTE, f"{name} is {clean(marker)}; the settings take it off"
            )


def _left(matches: Iterable[Match]) -> Iterator[Finding]:
    if any(m.after or (m.before and m.before[:1] != "]") for m in matches):
        yield found(
            Severity.WRONG,
            "what stands around the codes is not always the same",
            "set one prefix and one suffix for all symbologies in the scanner",
        )
    if any(match.swapped for match in matches):
        yield found(
            Severity.WRONG,
            "upper and lower case are exchanged",
            "switch off 'invert case' in the scanner's settings",
        )
