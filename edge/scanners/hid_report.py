"""Reports of HID point-of-sale bar code scanners: descriptor, fields, reads. Pure.

Sources: Device Class Definition for HID 1.11, section 6.2.2 (items of a report
descriptor); HID Point of Sale Usage Tables 1.02, section 3 (usage page 0x8C: symbology
identifiers, decoded data, decode data continued); HID Usage Tables, page 1 (byte
count). Such a scanner needs no layout and no terminator: a report says how long it is,
what symbology it comes from, and whether the next one continues it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from edge.scanners.decoded import Damage, Decoded

__all__ = [
    "Field",
    "PosDecoder",
    "PosLayout",
    "Report",
    "parse_descriptor",
    "parse_report",
]

_BYTE_COUNT: Final = 0x0001_003B
_IDENTIFIERS: Final = (0x008C_00FB, 0x008C_00FC, 0x008C_00FD)
_DATA: Final = 0x008C_00FE
_CONTINUED: Final = 0x008C_00FF

_MAIN, _GLOBAL, _LOCAL = 0, 1, 2
_INPUT = 8
_USAGE_PAGE, _SIZE, _REPORT_ID, _COUNT, _PUSH, _POP = 0, 7, 8, 9, 10, 11
_USAGE = 0
_LONG_ITEM = 0xFE
_MOST_DESCRIPTOR = 4096  # HID_MAX_DESCRIPTOR_SIZE of linux/hid.h
_MOST_BITS = 8 * 16_384  # HID_MAX_BUFFER_SIZE of linux/hid.h


class Field(msgspec.Struct, frozen=True):
    """Where a value lies in a report, after its id: all in bits."""

    offset: int
    size: int
    count: int

    @property
    def end(self) -> int:
        """The bit after its last."""
        return self.offset + self.size * self.count


class PosLayout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the report with the decoded data keeps its values.

    ``report_id`` is 0 where the device has one report and does not number it.
    """

    report_id: int
    data: Field
    length: Field | None = None
    identifiers: tuple[Field, ...] = ()
    continued: Field | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One report: a part of a code, or the whole."""

    data: bytes
    identifier: bytes = b""
    continued: bool = False
    malformed: bool = False


class _Globals(msgspec.Struct, frozen=True):
    page: int = 0
    size: int = 0
    count: int = 0
    report_id: int = 0


class _Parser:
    """Walks a descriptor, and collects the fields of its input reports."""

    def __init__(self) -> None:
        self.fields: dict[int, dict[int, Field]] = {}
        self._globals = _Globals()
        self._stack: list[_Globals] = []
        self._usages: list[int] = []
        self._lengths: dict[int, int] = {}

    def take(self, kind: int, tag: int, value: int, width: int) -> None:
        """Take one item; what is of no interest is passed over."""
        if kind == _GLOBAL:
            self._global(tag, value)
        elif kind == _LOCAL and tag == _USAGE:
            # a usage of four bytes has its page with it; others take it when used
            self._usages.append(value if width > 2 else -1 - value)  # noqa: PLR2004
        elif kind == _MAIN:
            if tag == _INPUT:
                self._input()
            self._usages.clear()

    def _global(self, tag: int, value: int) -> None:
        names = {_USAGE_PAGE: "page", _SIZE: "size", _COUNT: "count"}
        if tag in names:
            change = {names[tag]: value}
            self._globals = msgspec.structs.replace(self._globals, **change)
        elif tag == _REPORT_ID:
            self._globals = msgspec.structs.replace(self._globals, report_id=value)
        elif tag == _PUSH:
            self._stack.append(self._globals)
        elif tag == _POP and self._stack:
            self._globals = self._stack.pop()

    def _input(self) -> None:
        """Place the usages; the last one holds for all fields that remain."""
        now = self._globals
        offset = self._lengths.get(now.report_id, 0)
        self._lengths[now.report_id] = offset + now.size * now.count
        if self._lengths[now.report_id] > _MOST_BITS:
            return
        fields = self.fields.setdefault(now.report_id, {})
        usages = [u if u >= 0 else (now.page << 16) - 1 - u for u in self._usages]
        for place, usage in enumerate(usages[: now.count]):
            last = place == len(usages) - 1
            count = now.count - place if last else 1
            fields.setdefault(usage, Field(offset + place * now.size, now.size, count))


def _items(descriptor: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield (type, tag, value, bytes of the value) until the end, or the first cut."""
    at = 0
    while at < len(descriptor):
        prefix = descriptor[at]
        if prefix == _LONG_ITEM:
            at += 3 + (descriptor[at + 1] if at + 1 < len(descriptor) else 0)
            continue
        width = (0, 1, 2, 4)[prefix & 3]
        value = descriptor[at + 1 : at + 1 + width]
        if len(value) < width:
            return
        yield prefix >> 2 & 3, prefix >> 4, int.from_bytes(value, "little"), width
        at += 1 + width


def parse_descriptor(descriptor: bytes) -> PosLayout | None:
    """Return where decoded data lies, or ``None`` where the device has none.

    Never raises, whatever the bytes.
    """
    parser = _Parser()
    for kind, tag, value, width in _items(descriptor[:_MOST_DESCRIPTOR]):
        parser.take(kind, tag, value, width)
    for report_id, fields in parser.fields.items():
        data = fields.get(_DATA)
        if data and data.size == 8 and data.offset % 8 == 0:  # noqa: PLR2004 - bytes
            return _layout(report_id, data, fields)
    return None


def _layout(report_id: int, data: Field, fields: Mapping[int, Field]) -> PosLayout:
    return PosLayout(
        report_id=report_id,
        data=data,
        length=fields.get(_BYTE_COUNT),
        identifiers=tuple(fields[u] for u in _IDENTIFIERS if u in fields),
        continued=fields.get(_CONTINUED),
    )


def parse_report(layout: PosLayout, report: bytes) -> Report | None:
    """Return a report's values, or ``None`` where it is another report. Never raises.

    Without a byte count, the zeros that fill up the last report are taken off.
    """
    if layout.report_id:
        if report[:1] != bytes((layout.report_id & 0xFF,)):
            return None
        report = report[1:]
    start = layout.data.offset // 8
    room = report[start : start + layout.data.count]
    continued = _value(layout.continued, report)
    length = (
        _value(layout.length, report) if layout.length else _filled(room, continued)
    )
    missing = length is None or (layout.continued is not None and continued is None)
    return Report(
        data=room[: length or 0],
        identifier=_identifier(layout, report),
        continued=bool(continued),
        malformed=missing or (length or 0) > len(room),
    )


def _filled(room: bytes, continued: int | None) -> int:
    return len(room) if continued else len(room.rstrip(b"\0"))


def _value(field: Field | None, report: bytes) -> int | None:
    """Return a field's first value; ``None`` where the report ends before it."""
    if field is None or field.offset + field.size > 8 * len(report):
        return None
    bits = int.from_bytes(report, "little") >> field.offset
    return bits & ((1 << field.size) - 1)


def _identifier(layout: PosLayout, report: bytes) -> bytes:
    """Return the AIM identifier (ISO/IEC 15424) as ]xy; nothing where there is none."""
    values = [_value(field, report) or 0 for field in layout.identifiers]
    text = bytes(value & 0xFF for value in values).strip(b"\0").lstrip(b"]")
    known = len(text) == 2 and text.isalnum()  # noqa: PLR2004 - code and modifier
    return b"]" + text if known else b""


class PosDecoder:
    """One scanner's reports become reads; no input makes it raise.

    Args:
        layout: What its descriptor says.
        suffix: What the scanner puts after each code; taken off.
        max_length: Bytes of one code that are kept; a longer one is damaged.
    """

    def __init__(
        self, layout: PosLayout, *, suffix: bytes = b"", max_length: int = 8192
    ) -> None:
        self._layout = layout
        self._suffix = suffix
        self._limit = max_length
        self._start()

    def _start(self) -> None:
        self._data = bytearray()
        self._identifier = b""
        self._damage: Damage | None = None
        self._open = False

    def feed(self, data: bytes) -> list[Decoded]:
        """Take one report, as one read of hidraw gives it.

        After a malformed one nobody knows whether the code ends there: what comes up
        to the next good end, or silence, is one damaged read.
        """
        report = parse_report(self._layout, data)
        if report is None:
            return []
        self._add(report)
        return [] if report.continued or report.malformed else self._finish()

    def silence(self) -> list[Decoded]:
        """Hear that no report came for the idle gap: a continued code has no end."""
        self._hurt(Damage.CUT)
        return self._finish(unterminated=True)

    def gone(self) -> list[Decoded]:
        """Hear that the device has gone: what was in progress is damaged."""
        self._hurt(Damage.GONE)
        return self._finish(unterminated=True)

    def overrun(self) -> None:
        """Hear that reports before those that come next are missing."""
        self._open = True
        self._hurt(Damage.LOST)

    def _hurt(self, damage: Damage) -> None:
        """Keep the first damage."""
        self._damage = self._damage or damage

    def _add(self, report: Report) -> None:
        if self._identifier and report.identifier not in {b"", self._identifier}:
            self._hurt(Damage.LOST)  # another code: the end of this one never came
        self._open = True
        self._identifier = self._identifier or report.identifier
        room = self._limit - len(self._data)
        self._data += report.data[:room]
        if report.malformed:
            self._hurt(Damage.MALFORMED)
        if len(report.data) > room:
            self._hurt(Damage.LONG)

    def _finish(self, *, unterminated: bool = False) -> list[Decoded]:
        data, identifier, damage = bytes(self._data), self._identifier, self._damage
        was_open = self._open
        self._start()
        if not was_open or not (data or identifier or damage):
            return []
        raw = identifier + data.removesuffix(self._suffix)
        return [Decoded(raw=raw, damage=damage, unterminated=unterminated)]
