"""What a scanner that imitates a keyboard sends: as HID reports, or for QEMU. Pure.

Usages: HID Usage Tables 1.4, page 0x07. Names: QEMU's QKeyCode.
"""

from collections.abc import Iterator
from typing import Any

from tests.typist import (
    ALT,
    ALTGR,
    CAPS,
    CTRL,
    KEYPAD,
    RIGHT_SHIFT,
    SHIFT,
    Chord,
    chords,
)

__all__ = ["CAPS_LOCK", "KEYBOARD_REPORTS", "for_qemu", "reports"]

KEYBOARD_REPORTS = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501050819012905"
    "910295017503910395067508150025650507190029658100c0"
)
"""The report descriptor of a boot keyboard (HID 1.11, appendix E.6)."""

_BITS = {CTRL: 0x01, SHIFT: 0x02, ALT: 0x04, RIGHT_SHIFT: 0x20, ALTGR: 0x40}
"""Of the keys that are held, in a report's first byte."""

_ROWS = (
    ("abcdefghijklmnopqrstuvwxyz", 4),
    ("1234567890", 30),
    ("-=[]\\", 45),
    (";'`,./", 51),
)
_NAMED = {" ": 44, "enter": 40, "tab": 43, "kpenter": 88, "102": 100}
_USAGES = {
    CAPS[cap]: usage for row, first in _ROWS for usage, cap in enumerate(row, first)
}
_USAGES |= {CAPS[cap]: usage for cap, usage in _NAMED.items()}
_USAGES |= {KEYPAD[digit]: 89 + n for n, digit in enumerate("1234567890")}
"""From the kernel's key codes."""

_ENDS = {"\n": "enter", "\t": "tab"}
_GS = ((CTRL,), (CAPS["]"],))
_QEMU = {"\n": "ret", "\t": "tab", " ": "spc", "-": "minus", ".": "dot", "/": "slash"}
CAPS_LOCK = (bytes((0, 0, 57, 0, 0, 0, 0, 0)), bytes(8))
"""The reports of Caps Lock, pressed and let go."""


def reports(text: str, layout: str = "us") -> Iterator[bytes]:
    """Yield the reports of a text: each key down, with those held, and all up.

    The end of a line is Enter, and GS is Ctrl with the key of ].
    """
    for character in text:
        for held, pressed in _chords(character, layout):
            bits = sum(_BITS[key] for key in held)
            for number, key in enumerate(pressed, 1):
                yield bytes((bits, 0, _USAGES[key], 0, 0, 0, 0, 0))
                yield bytes((bits if number < len(pressed) else 0, 0, *bytes(6)))


def _chords(character: str, layout: str) -> list[Chord]:
    if character in _ENDS:
        return [((), (CAPS[_ENDS[character]],))]
    return [_GS] if character == "\x1d" else chords(character, layout)


def for_qemu(text: str) -> Iterator[dict[str, Any]]:
    """Yield the input events of a text, for QEMU's input-send-event."""
    for character in text:
        name = _QEMU.get(character, character.lower())
        keys = ["shift", name] if character.isupper() else [name]
        for key in keys:
            yield _event(key, down=True)
        for key in reversed(keys):
            yield _event(key, down=False)


def _event(key: str, *, down: bool) -> dict[str, Any]:
    return {
        "type": "key",
        "data": {"down": down, "key": {"type": "qcode", "data": key}},
    }
