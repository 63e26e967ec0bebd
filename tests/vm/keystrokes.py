"""What a scanner that imitates a US keyboard sends: as HID reports, or for QEMU. Pure.

Usages: HID Usage Tables 1.4, page 0x07. Names: QEMU's QKeyCode.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["KEYBOARD_REPORTS", "for_qemu", "reports"]

KEYBOARD_REPORTS = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501050819012905"
    "910295017503910395067508150025650507190029658100c0"
)
"""The report descriptor of a boot keyboard (HID 1.11, appendix E.6)."""

_LEFT_SHIFT = 0x02
_PLAIN = {letter: 4 + n for n, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
_PLAIN |= {digit: 30 + n for n, digit in enumerate("1234567890")}
_PLAIN |= {"\n": 40, "\t": 43, " ": 44, "-": 45, ".": 55, "/": 56}
_SHIFTED = {letter.upper(): _PLAIN[letter] for letter in "abcdefghijklmnopqrstuvwxyz"}
_QEMU = {"\n": "ret", "\t": "tab", " ": "spc", "-": "minus", ".": "dot", "/": "slash"}


def reports(text: str) -> Iterator[bytes]:
    """Yield the reports of a text: each key down, with its shift, and all up."""
    for character in text:
        shift = _LEFT_SHIFT if character in _SHIFTED else 0
        usage = _SHIFTED.get(character) or _PLAIN[character]
        yield bytes((shift, 0, usage, 0, 0, 0, 0, 0))
        yield bytes(8)


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
