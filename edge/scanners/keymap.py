# ruff: noqa: RUF001 - accents and signs are the subject here, not look-alikes
"""Keyboard layouts as data, and how a scanner that imitates a keyboard is set up.

Key codes are those of ``linux/input-event-codes.h``. The layouts are what scanners
imitate when they are set to a country: the Windows layouts of that country, which for
every sign below are also ``us``, ``gb``, ``de``, ``fr``, ``be``, ``es`` and ``it`` of
xkeyboard-config (model pc105). Where the two disagree about a key, it is left out: a
read that uses it comes out damaged, not guessed.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

__all__ = [
    "FUNCTION_KEYS",
    "KEYPAD",
    "LAYOUTS",
    "DevicePath",
    "End",
    "KeyboardSettings",
    "Layout",
    "Separator",
    "Sign",
    "compose",
    "separator",
]

_NONE = "∅"
"""No sign on this key at this level."""

_ROWS = (
    (41, *range(2, 14)),  # ` 1 2 … 0 - =
    tuple(range(16, 28)),  # Q … P [ ]
    (*range(30, 41), 43),  # A … L ; ' \
    (86, *range(44, 54)),  # the 102nd key, Z … M , . /
)
"""The key codes of the four rows, left to right."""

_SPACE = 57
_LATIN_1 = 256

KEYPAD: Mapping[int, str] = MappingProxyType(
    dict(
        zip((71, 72, 73, 75, 76, 77, 79, 80, 81, 82), "7894561230", strict=True),
    )
    | {55: "*", 74: "-", 78: "+", 98: "/", 117: "="}
)
"""The keypad, whatever Num Lock says: scanners press it for its digits."""


class Sign(msgspec.Struct, frozen=True):
    """What a key gives at one level; a dead key waits for the next key."""

    char: str
    dead: bool = False


_Level = tuple[str, str, str, str]
"""One string for each row, a sign for each key."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A country's layout.

    ``signs`` maps (key code, level) to a sign; level is 1 with Shift, plus 2 with
    AltGr. ``locks_letters``: Caps Lock acts on letters only; otherwise hosts disagree
    what it does elsewhere.
    """

    signs: Mapping[tuple[int, int], Sign]
    locks_letters: bool
    digits_plain: bool
    """Whether digits need no Shift."""

    def letter(self, code: int) -> bool:
        """Whether a key's plain and shifted signs are one letter's two cases."""
        plain, shifted = self.signs.get((code, 0)), self.signs.get((code, 1))
        if plain is None or shifted is None:
            return False
        return plain.char != shifted.char and plain.char.upper() == shifted.char


def _layout(
    *levels: _Level,
    dead: Mapping[int, str] = MappingProxyType({}),
    locks_letters: bool = True,
    decimal: str = "",
) -> Layout:
    signs = {(_SPACE, level): Sign(" ") for level in (0, 1)}
    for level, rows in enumerate(levels):
        for codes, row in zip(_ROWS, rows, strict=True):
            for code, char in zip(codes, row, strict=True):
                if char != _NONE:
                    signs[code, level] = Sign(char, char in dead.get(code, ""))
    for code, char in (*KEYPAD.items(), *([(83, decimal)] if decimal else ())):
        signs |= {(code, level): Sign(char) for level in (0, 1)}
    return Layout(
        signs=MappingProxyType(signs),
        locks_letters=locks_letters,
        digits_plain=levels[0][0][1] == "1",
    )


_US = _layout(
    ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "∅zxcvbnm,./"),
    ("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', "∅ZXCVBNM<>?"),
    decimal=".",
)

_UK = _layout(
    ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"),
    ('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"),
    ("∅∅∅∅€∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅∅"),
    decimal=".",
)

_DE = _layout(
    ("^1234567890ß´", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
    ('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
    ("∅∅²³∅∅∅{[]}\\∅", "@∅€∅∅∅∅∅∅∅∅~", "∅∅∅∅∅∅∅∅∅∅∅∅", "|∅∅∅∅∅∅µ∅∅∅"),
    dead={41: "^", 13: "´`"},
    locks_letters=False,
    decimal=",",
)

_FR = _layout(
    ("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"),
    ("∅1234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
    ("∅∅~#{[|`\\^@]}", "∅∅€∅∅∅∅∅∅∅∅¤", "∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅∅"),
    dead={26: "^¨", 3: "~", 8: "`"},
    locks_letters=False,
    decimal=".",
)

_BE = _layout(
    ("²&é\"'(§è!çà)-", "azertyuiop^$", "qsdfghjklmùµ", "<wxcvbn,;:="),
    ("³1234567890°_", "AZERTYUIOP¨*", "QSDFGHJKLM%£", ">WXCVBN?./+"),
    ("∅|@#∅∅^∅∅{}∅∅", "∅∅€∅∅∅∅∅∅∅[]", "∅∅∅∅∅∅∅∅∅∅´`", "\\∅∅∅∅∅∅∅∅∅~"),
    dead={26: "^¨", 40: "´", 43: "`", 53: "~"},
    locks_letters=False,
)

_ES = _layout(
    ("º1234567890'¡", "qwertyuiop`+", "asdfghjklñ´ç", "<zxcvbnm,.-"),
    ('ª!"·$%&/()=?¿', "QWERTYUIOP^*", "ASDFGHJKLÑ¨Ç", ">ZXCVBNM;:_"),
    ("\\|@#~∅¬∅∅∅∅∅∅", "∅∅€∅∅∅∅∅∅∅[]", "∅∅∅∅∅∅∅∅∅∅{}", "∅∅∅∅∅∅∅∅∅∅∅"),
    dead={26: "`^", 40: "´¨", 5: "~"},
    decimal=".",
)

_IT = _layout(
    ("\\1234567890'ì", "qwertyuiopè+", "asdfghjklòàù", "<zxcvbnm,.-"),
    ('|!"£$%&/()=?^', "QWERTYUIOPé*", "ASDFGHJKLç°§", ">ZXCVBNM;:_"),
    ("∅∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅€∅∅∅∅∅∅∅[]", "∅∅∅∅∅∅∅∅∅@#∅", "∅∅∅∅∅∅∅∅∅∅∅"),
    ("∅∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅{}", "∅∅∅∅∅∅∅∅∅∅∅∅", "∅∅∅∅∅∅∅∅∅∅∅"),
    decimal=".",
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {"us": _US, "uk": _UK, "de": _DE, "fr": _FR, "be": _BE, "es": _ES, "it": _IT}
)
"""Every layout by its name."""

_ACCENTS = {"^": "\u0302", "´": "\u0301", "`": "\u0300", "¨": "\u0308", "~": "\u0303"}
"""A dead key's sign, and the combining character that it stands for."""


def compose(dead: str, char: str) -> str:
    """Return what a dead key and the next sign give together.

    A letter takes the accent, a space gives the accent itself, and anything else
    stands beside it, as on Windows.
    """
    if char == " ":
        return dead
    composed = unicodedata.normalize("NFC", char + _ACCENTS[dead])
    if len(composed) == 1 and ord(composed) < _LATIN_1:
        return composed
    return dead + char


class Separator(msgspec.Struct, frozen=True):
    """How a scanner sends the GS1 separator, besides as 0x1D itself."""

    code: int | None = None
    """A key of its own."""
    byte: bytes | None = None
    """Another character."""


_CODES = (*range(59, 69), 87, 88, *range(183, 195))
FUNCTION_KEYS: Mapping[str, int] = MappingProxyType(
    {f"f{number}": code for number, code in enumerate(_CODES, 1)}
)
"""The key codes of f1 to f24."""


def separator(text: str) -> Separator:
    """Read a setting of how GS arrives.

    ``ctrl+]`` and ``alt+029`` are always understood; beside them ``f1`` to ``f24``,
    ``ctrl+`` and a letter, ``alt+`` and a number up to 255, or one character.

    Raises:
        ValueError: It is none of these; the text says what is.
    """
    name = text.lower()
    if name in FUNCTION_KEYS:
        return Separator(code=FUNCTION_KEYS[name])
    char = _named_character(name) if len(text) > 1 else text
    try:
        byte = char.encode("latin-1")
    except UnicodeEncodeError:
        byte = b""
    if len(byte) != 1 or byte == b"\r":
        reason = (
            f"the separator is set to {text!r}; expected ctrl+] or alt+029 (both are "
            "always understood), f1 to f24, ctrl+ and a letter, alt+ and a number "
            "from 0 to 255, or one character of latin-1; but not Enter (CR)"
        )
        raise ValueError(reason)
    return Separator() if byte == b"\x1d" else Separator(byte=byte)


def _named_character(name: str) -> str:
    kind, _, rest = name.partition("+")
    if kind == "ctrl" and len(rest) == 1 and rest in "abcdefghijklmnopqrstuvwxyz[\\]^_":
        return chr(ord(rest) & 0x1F)
    if kind == "alt" and re.fullmatch("[0-9]{1,4}", rest) and int(rest) < _LATIN_1:
        return chr(int(rest))
    return ""


End = Literal["enter", "keypad_enter", "tab", "linefeed"]
"""A key, or the control character of the same meaning, that can end a read."""


DevicePath = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(/.+|[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}(:.+)?)$", max_length=4096
    ),
]
"""A path, VENDOR:PRODUCT, or VENDOR:PRODUCT:PORT."""


class KeyboardSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="keyboard",
):
    """A USB scanner that imitates a keyboard.

    Attributes:
        path: Its path, best one of /dev/input/by-id or by-path, or what to look for:
            VENDOR:PRODUCT or VENDOR:PRODUCT:PORT, as in 05e0:1200:1-1.2.
        name: What the scanner is called in events and messages; else the path.
        layout: The country that the scanner is set to.
        terminators: The keys that end a read; none where the scanner sends none.
        idle_gap_ms: Silence that ends a read without a terminator, in milliseconds.
        separator: How the GS1 separator arrives: see ``separator``.
        caps_lock: What to make of letters while the host's Caps Lock light is on:
            ``refuse`` marks the read damaged; ``apply`` where the scanner compensates
            (it inverts its case then); ``ignore`` where it does not.
        dead_keys: Whether a dead key composes with the next one, or stands alone.
        alt_codes: The code page of Alt+128 to Alt+255 without a leading zero.
        slow_ms: Mean milliseconds from key to key above which a person is typing, and
            the read is damaged; 0 does not judge.
        max_length: Bytes of one code that are kept; a longer one is damaged.
        grab: Whether to take the device for this program alone. Without it the codes
            are typed into the console or a window, too.
    """

    path: DevicePath
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    layout: Literal["us", "uk", "de", "fr", "be", "es", "it"] = "us"
    terminators: tuple[End, ...] = ("enter", "keypad_enter", "tab")
    idle_gap_ms: Annotated[int, msgspec.Meta(ge=20, le=10_000)] = 120
    separator: str = "ctrl+]"
    caps_lock: Literal["refuse", "apply", "ignore"] = "refuse"
    dead_keys: Literal["compose", "plain"] = "compose"
    alt_codes: Literal["refuse", "cp437", "cp850", "latin-1"] = "refuse"
    slow_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 60
    max_length: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = 8192
    grab: bool = True

    @property
    def device(self) -> str:
        """The scanner's name."""
        return self.name or self.path

    def __post_init__(self) -> None:
        """Refuse a separator that cannot be understood.

        Raises:
            ValueError: ``separator`` is not one of those that ``separator`` reads.
        """
        separator(self.separator)
