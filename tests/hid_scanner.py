"""A scanner in HID point-of-sale mode: its descriptor, and the reports of a code.

The layout is what makers document: report 2 with a byte count, three symbology
characters, 56 bytes of data, two bytes of the maker's own, and a bit that says that
the next report continues this one. Sources: HID Point of Sale Usage Tables 1.02;
Access-IS LSR118 manual, appendix B.
"""

import struct

REPORT_ID = 2
ROOM = 56


def item(prefix: int, value: int = 0) -> bytes:
    """One short item of a report descriptor (HID 1.11, 6.2.2.2)."""
    width = (0, 1, 2, 4)[prefix & 3]
    return bytes((prefix,)) + struct.pack("<I", value)[:width]


def descriptor(*, numbered: bool = True, counted: bool = True) -> bytes:
    """A point-of-sale scanner's descriptor, with a status report besides."""
    return b"".join(
        [
            item(0x05, 0x8C),  # usage page: bar code scanner
            item(0x09, 0x02),  # usage: bar code scanner
            item(0xA1, 1),  # collection: application
            item(0x09, 0x12),  # usage: scanned data report
            item(0xA1, 2),  # collection: logical
            item(0x85, REPORT_ID) if numbered else b"",
            item(0x15, 0),
            item(0x26, 255),
            item(0x75, 8),  # report size: 8 bits
            item(0x95, 1),  # report count
            (item(0xA4) + item(0x05, 0x01)) if counted else b"",  # push
            (item(0x09, 0x3B) + item(0x81, 2) + item(0xB4)) if counted else b"",
            item(0x95, 3),
            *(item(0x09, usage) for usage in (0xFB, 0xFC, 0xFD)),
            item(0x81, 2),  # input
            item(0x95, ROOM),
            item(0x09, 0xFE),  # usage: decoded data
            item(0x82, 0x102),  # input, buffered bytes
            item(0x06, 0xFF66),  # a page of the maker's own
            item(0x95, 2),
            item(0x09, 4),
            item(0x09, 0),
            item(0x81, 2),
            item(0x05, 0x8C),
            item(0x25, 1),
            item(0x75, 1),
            item(0x95, 8),
            item(0x09, 0xFF),  # usage: decode data continued
            item(0x81, 2),
            item(0xC0),
            item(0x85, 4) + item(0x75, 8) + item(0x95, 1) if numbered else b"",
            (item(0x09, 0x15) + item(0x81, 2)) if numbered else b"",
            item(0xC0),
        ]
    )


def reports(
    code: bytes,
    identifier: bytes = b"]C1",
    *,
    numbered: bool = True,
    counted: bool = True,
) -> list[bytes]:
    """The reports of a code: full ones, and the rest."""
    parts = [code[at : at + ROOM] for at in range(0, len(code), ROOM)] or [b""]
    return [
        b"".join(
            [
                bytes((REPORT_ID,)) if numbered else b"",
                bytes((len(part),)) if counted else b"",
                identifier.ljust(3, b"\0"),
                part.ljust(ROOM, b"\0"),
                b"\x6a\0",
                bytes((number < len(parts),)),
            ]
        )
        for number, part in enumerate(parts, 1)
    ]
