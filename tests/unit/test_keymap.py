# ruff: noqa: RUF001 - accents and signs are the subject here, not look-alikes
import ctypes
import ctypes.util

import msgspec
import pytest

from edge.scanners.keyboard import KeyboardDecoder, KeyboardSettings
from edge.scanners.keymap import LAYOUTS, Separator, compose, separator
from tests import typist
from tests.typist import Typist

PRINTABLE = "".join(map(chr, range(32, 127)))


def read_back(layout: str, text: str) -> list[tuple[bytes, object]]:
    decoder = KeyboardDecoder(
        msgspec.convert(
            {"kind": "keyboard", "path": "/dev/input/x", "layout": layout},
            KeyboardSettings,
        )
    )
    typed = Typist(layout).scan(text)
    return [(d.raw, d.damage) for event in typed for d in decoder.feed(event)]


def test_every_layout_that_can_be_configured_is_there() -> None:
    assert set(LAYOUTS) == {"us", "uk", "de", "fr", "be", "es", "it"}


@pytest.mark.parametrize("layout", typist.LAYOUTS)
def test_printable_ascii_comes_out_as_it_was_typed(layout: str) -> None:
    assert read_back(layout, PRINTABLE) == [(PRINTABLE.encode(), None)]


@pytest.mark.parametrize("layout", typist.LAYOUTS)
def test_every_sign_of_a_layout_comes_out_as_it_was_typed(layout: str) -> None:
    text = "".join(typist.TABLES[layout])
    assert read_back(layout, text) == [(text.encode("latin-1"), None)]


@pytest.mark.parametrize("layout", typist.LAYOUTS)
def test_a_layout_has_no_sign_that_the_typist_does_not_know(layout: str) -> None:
    known = set(typist.TABLES[layout]) | set("€~`^´¨")
    assert {sign.char for sign in LAYOUTS[layout].signs.values()} <= known


class _Names(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_char_p)
        for name in ("rules", "model", "layout", "variant", "options")
    ]


class _Xkb:
    """The same layout, as libxkbcommon reads it from xkeyboard-config."""

    def __init__(self, layout: str) -> None:
        name = ctypes.util.find_library("xkbcommon")
        if name is None:
            pytest.skip("libxkbcommon is not installed (Debian: libxkbcommon0)")
        self._library = library = ctypes.CDLL(name)
        library.xkb_context_new.restype = ctypes.c_void_p
        library.xkb_keymap_new_from_names.restype = ctypes.c_void_p
        names = _Names(b"evdev", b"pc105", layout.encode(), b"", b"")
        context = ctypes.c_void_p(library.xkb_context_new(0))
        keymap = library.xkb_keymap_new_from_names(context, ctypes.byref(names), 0)
        if not keymap:
            pytest.skip("xkeyboard-config is not installed (Debian: xkb-data)")
        self._keymap = ctypes.c_void_p(keymap)

    def sign(self, code: int, level: int) -> str:
        symbols = ctypes.POINTER(ctypes.c_uint32)()
        count = self._library.xkb_keymap_key_get_syms_by_level(
            self._keymap, code + 8, 0, level, ctypes.byref(symbols)
        )
        if count < 1:
            return ""
        text = ctypes.create_string_buffer(64)
        self._library.xkb_keysym_get_name(symbols[0], text, 64)
        dead = _DEAD.get(text.value.decode())
        if dead:
            return dead
        self._library.xkb_keysym_to_utf8(symbols[0], text, 64)
        return text.value.decode()


_DEAD = {
    "dead_circumflex": "^",
    "dead_acute": "´",
    "dead_grave": "`",
    "dead_diaeresis": "¨",
    "dead_tilde": "~",
}
_OTHERWISE = {("it", 26, 3), ("it", 27, 3)}
"""Windows has braces there; xkeyboard-config has them with AltGr on 7 and 0, too."""


@pytest.mark.parametrize("layout", typist.LAYOUTS)
def test_a_layout_agrees_with_xkeyboard_config(layout: str) -> None:
    xkb = _Xkb({"uk": "gb"}.get(layout, layout))
    for (code, level), sign in LAYOUTS[layout].signs.items():
        same = code in typist.KEYPAD.values() or code in {55, 57, 74, 78, 98, 117}
        if not same and (layout, code, level) not in _OTHERWISE:
            at = 1 if code == 83 else level  # with Num Lock
            assert xkb.sign(code, at) == sign.char, (layout, code, level)


@pytest.mark.parametrize(
    ("dead", "char", "text"),
    [
        ("^", "a", "â"),
        ("¨", "U", "Ü"),
        ("~", "n", "ñ"),
        ("´", "y", "ý"),
        ("`", " ", "`"),
        ("^", "1", "^1"),
        ("^", "w", "^w"),  # ŵ is not latin-1, and no layout here composes it
        ("~", "~", "~~"),
    ],
)
def test_a_dead_key_meets_the_next_sign(dead: str, char: str, text: str) -> None:
    assert compose(dead, char) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ctrl+]", Separator()),
        ("alt+029", Separator()),
        ("Alt+29", Separator()),
        ("F8", Separator(code=66)),
        ("f12", Separator(code=88)),
        ("f13", Separator(code=183)),
        ("ctrl+b", Separator(byte=b"\x02")),
        ("alt+0232", Separator(byte=b"\xe8")),
        ("|", Separator(byte=b"|")),
        ("+", Separator(byte=b"+")),
    ],
)
def test_a_separator_is_a_key_or_a_character(text: str, expected: Separator) -> None:
    assert separator(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "f25", "ctrl+", "ctrl+ä", "alt+256", "alt+", "alt+00029", "€", "ctrl+m", "gs"],
)
def test_any_other_separator_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="f1 to f24"):
        separator(text)
    settings = {"kind": "keyboard", "path": "0c2e:0b61", "separator": text}
    with pytest.raises(msgspec.ValidationError, match="f1 to f24"):
        msgspec.convert(settings, KeyboardSettings)


@pytest.mark.parametrize("path", ["event3", "", "0c2e", "0c2e:0b6", "../x"])
def test_a_path_that_names_no_device_is_refused(path: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="path"):
        msgspec.convert({"kind": "keyboard", "path": path}, KeyboardSettings)


def test_the_device_is_named_by_its_path_unless_it_has_a_name() -> None:
    assert KeyboardSettings(path="05e0:1200").device == "05e0:1200"
    assert KeyboardSettings(path="05e0:1200", name="dock 3").device == "dock 3"
