"""From key codes to characters: modifiers, locks, dead keys, Alt codes. Pure.

A scanner in keyboard mode presses keys for a host whose layout it was told. What each
key means depends on the keys held and pressed before; this is that state. Control
characters come as Ctrl with a letter, or as Alt with digits on the keypad.
"""

from typing import Final

import msgspec

from edge.scanners.decoded import Damage
from edge.scanners.keymap import (
    KEYPAD,
    LAYOUTS,
    End,
    KeyboardSettings,
    Sign,
    compose,
    separator,
)

__all__ = ["MUTE", "KeyState", "Stroke"]

_SHIFTS = frozenset({42, 54})
_CTRLS = frozenset({29, 97})
_LEFT_ALT, _RIGHT_ALT = 56, 100
_METAS = frozenset({125, 126})
_MODIFIERS = _SHIFTS | _CTRLS | _METAS | {_LEFT_ALT, _RIGHT_ALT}
_CAPS_LOCK = 58
MUTE: Final = _MODIFIERS | {_CAPS_LOCK, 69, 70}
"""Keys that give no character: modifiers, Caps Lock, Num Lock, Scroll Lock."""

_ALT_DIGITS = {code: char for code, char in KEYPAD.items() if char.isdecimal()} | dict(
    zip(range(2, 12), "1234567890", strict=True)
)
_FEWEST_ALT_DIGITS, _MOST_ALT_DIGITS = 2, 4
_ASCII, _BYTES = range(128), range(256)

_CTRL_BY_PLACE = {26: b"\x1b", 27: b"\x1d", 43: b"\x1c"}
"""[ ] and \\ of the us layout; Windows layouts keep these places for Ctrl."""
_CTRL_BY_SIGN = {chr(0x40 | byte): bytes((byte,)) for byte in range(32)}
_CTRL_BY_DIGIT = {"2": b"\0", "6": b"\x1e", "-": b"\x1f"}
"""Scanners leave out Shift of Ctrl+@, Ctrl+^ and Ctrl+_ where digits need none."""


class Stroke(msgspec.Struct, frozen=True):
    """What a key gave.

    ``data`` are its characters; where ``end`` names it as one that may end a read,
    they count only if it does not. ``before`` had waited for it, and counts always.
    """

    data: bytes = b""
    end: End | None = None
    damage: Damage | None = None
    before: bytes = b""


_NOTHING = Stroke()
_NO_SUCH_KEY = Stroke(damage=Damage.KEY)

_KEYS = {
    28: Stroke(b"\r", "enter"),
    96: Stroke(b"\r", "keypad_enter"),
    15: Stroke(b"\t", "tab"),
    101: Stroke(b"\n", "linefeed"),
    1: Stroke(b"\x1b"),
    14: Stroke(b"\b"),
}
_ENDS: dict[bytes, End] = {b"\r": "enter", b"\t": "tab", b"\n": "linefeed"}


class KeyState:
    """What is held, locked or waiting on one keyboard.

    Args:
        settings: The layout and the ways of this scanner.
        caps_light: Whether its Caps Lock light was on when it was opened.
    """

    def __init__(self, settings: KeyboardSettings, *, caps_light: bool = False) -> None:
        self._settings = settings
        self._layout = LAYOUTS[settings.layout]
        self._separator = separator(settings.separator)
        self._held: set[int] = set()
        self._alt_digits = ""
        self._dead = ""
        self._caps = caps_light
        self._caps_light = caps_light

    def press(self, code: int) -> Stroke:
        """Return what pressing a key gives, with what had waited for it."""
        if code in MUTE:
            return self._mute(code)
        return self._given(self._stroke(code))

    def release(self, code: int) -> Stroke:
        """Return what letting a key go gives: the last Alt key gives its code."""
        self._held.discard(code)
        if not self._alt_digits or self._alt():
            return _NOTHING
        digits, self._alt_digits = self._alt_digits, ""
        return self._given(self._alt_code(digits))

    def light(self, *, on: bool) -> None:
        """Hear that the host switched the Caps Lock light."""
        self._caps = self._caps_light = on

    def lost(self) -> None:
        """Forget what is held or waiting: events were lost, it may have changed."""
        self._held.clear()
        self._alt_digits = ""
        self._dead = ""

    def finish(self) -> Stroke:
        """Return what still waits when a read ends; nothing waits afterwards."""
        dead, self._dead = self._dead, ""
        digits, self._alt_digits = self._alt_digits, ""
        damage = Damage.ALT_CODE if digits else None
        return Stroke(dead.encode("latin-1"), damage=damage)

    def _given(self, stroke: Stroke) -> Stroke:
        return self._separated(self._after_dead(_ending(stroke)))

    def _mute(self, code: int) -> Stroke:
        if code in _MODIFIERS:
            self._held.add(code)
        elif code == _CAPS_LOCK:
            self._caps = not self._caps
        return _NOTHING

    def _alt(self) -> bool:
        """Whether Alt is held for digits: the left one alone; scanners use no other."""
        return _LEFT_ALT in self._held and not self._ctrl()

    def _ctrl(self) -> bool:
        return not _CTRLS.isdisjoint(self._held)

    def _altgr(self) -> bool:
        """AltGr is the right Alt key, or Ctrl with the left one, as on Windows.

        A layout without AltGr has no signs on its level, so that the key is damage.
        """
        by_two = self._ctrl() and _LEFT_ALT in self._held
        return _RIGHT_ALT in self._held or by_two

    def _stroke(self, code: int) -> Stroke:
        if code == self._separator.code:
            return Stroke(b"\x1d")
        if code in _KEYS:
            return _KEYS[code]
        if not _METAS.isdisjoint(self._held):
            return _NO_SUCH_KEY
        if self._alt():
            return self._alt_digit(code)
        sign = self._sign(code)
        if self._ctrl() and _LEFT_ALT not in self._held:
            return self._control(code, sign)
        return self._typed(code, sign)

    def _alt_digit(self, code: int) -> Stroke:
        if code not in _ALT_DIGITS or len(self._alt_digits) == _MOST_ALT_DIGITS:
            return _NO_SUCH_KEY
        self._alt_digits += _ALT_DIGITS[code]
        return _NOTHING

    def _alt_code(self, digits: str) -> Stroke:
        """Alt+29 and Alt+029 are byte 29; above 127 a leading zero means Windows-1252.

        Without the zero it is the host's old code page, which only a setting can tell.
        """
        if len(digits) < _FEWEST_ALT_DIGITS:
            return Stroke(damage=Damage.ALT_CODE)
        number = int(digits)
        page = "cp1252" if digits[0] == "0" else self._settings.alt_codes
        if number in _ASCII:
            return Stroke(bytes((number,)))
        if number not in _BYTES or page == "refuse":
            return Stroke(damage=Damage.ALT_CODE)
        return _bytes_of(bytes((number,)).decode(page, errors="replace"))

    def _sign(self, code: int) -> Sign | None:
        level = (not _SHIFTS.isdisjoint(self._held)) + 2 * self._altgr()
        if self._caps_applies() and self._layout.letter(code) and level in (0, 1):
            level = 1 - level
        return self._layout.signs.get((code, level))

    def _caps_applies(self) -> bool:
        by_light = self._caps_light and self._settings.caps_lock != "apply"
        return self._caps and not by_light

    def _control(self, code: int, sign: Sign | None) -> Stroke:
        """Ctrl with a letter, or with @ to _ of ASCII, is a control character."""
        if _RIGHT_ALT in self._held:
            return self._altgr_with_ctrl(sign)
        char = sign.char.upper() if sign else ""
        by_digit = _CTRL_BY_DIGIT if self._layout.digits_plain else {}
        data = _CTRL_BY_PLACE.get(code) or _CTRL_BY_SIGN.get(char) or by_digit.get(char)
        return Stroke(data) if data else _NO_SUCH_KEY

    def _altgr_with_ctrl(self, sign: Sign | None) -> Stroke:
        """It may be AltGr as Windows reports it, or Ctrl with the sign under AltGr."""
        if sign is None or sign.char in _CTRL_BY_SIGN:
            return _NO_SUCH_KEY
        return self._character(sign)

    def _typed(self, code: int, sign: Sign | None) -> Stroke:
        if sign is None:
            return _NO_SUCH_KEY
        stroke = self._character(sign)
        if self._caps and self._case_is_unsure(code, sign):
            return msgspec.structs.replace(stroke, damage=Damage.CAPS_LOCK)
        return stroke

    def _case_is_unsure(self, code: int, sign: Sign) -> bool:
        """Whether Caps Lock, being on, may have changed what this key means."""
        signs, policy = self._layout.signs, self._settings.caps_lock
        if self._altgr() or signs.get((code, 0)) == signs.get((code, 1)):
            return False
        if self._caps_light and policy != "apply":
            return policy == "refuse" and sign.char.isalpha()
        if self._layout.letter(code):
            return False
        return sign.char.isalpha() or not self._layout.locks_letters

    def _character(self, sign: Sign) -> Stroke:
        if not sign.dead or self._settings.dead_keys == "plain":
            return _bytes_of(sign.char)
        waiting, self._dead = self._dead, sign.char
        if waiting:
            return Stroke(before=waiting.encode("latin-1"), damage=Damage.DEAD_KEY)
        return _NOTHING

    def _after_dead(self, stroke: Stroke) -> Stroke:
        """Let what a key gives meet the dead key before it."""
        if not self._dead or not stroke.data:
            return stroke
        dead, self._dead = self._dead, ""
        if stroke.end:
            return msgspec.structs.replace(stroke, before=dead.encode("latin-1"))
        text = compose(dead, stroke.data.decode("latin-1"))
        return msgspec.structs.replace(stroke, data=text.encode("latin-1"))

    def _separated(self, stroke: Stroke) -> Stroke:
        """Give the separator its own byte."""
        byte = self._separator.byte
        if byte is None or byte not in stroke.data:
            return stroke
        data = stroke.data.replace(byte, b"\x1d")
        return msgspec.structs.replace(stroke, data=data, end=None)


def _ending(stroke: Stroke) -> Stroke:
    """Let CR, TAB and LF mean their keys, however they were typed."""
    if stroke.end is None and stroke.data in _ENDS:
        return msgspec.structs.replace(stroke, end=_ENDS[stroke.data])
    return stroke


def _bytes_of(char: str) -> Stroke:
    try:
        return Stroke(char.encode("latin-1"))
    except UnicodeEncodeError:
        return Stroke(b"?", damage=Damage.CHARACTER)
