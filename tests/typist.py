# ruff: noqa: RUF001 - accents and signs are the subject here, not look-alikes
"""A scanner that types: text becomes the key events that a keyboard would send.

Written apart from ``edge.scanners.keymap``: the keys are named by what is printed on a
keyboard of the United States, as in the drawings of scanner manuals. ``S`` before a key
is Shift, ``G`` AltGr, ``T`` both; ``+`` after it a space, which a dead key needs.
"""

from collections.abc import Iterable, Iterator

from edge.scanners.keyboard import Event

CAPS = {
    cap: code
    for row, first in (
        ("1234567890-=", 2),
        ("qwertyuiop[]", 16),
        ("asdfghjkl;'`", 30),
        ("\\zxcvbnm,./", 43),
    )
    for code, cap in enumerate(row, first)
} | {"102": 86, " ": 57, "enter": 28, "tab": 15, "kpenter": 96}

SHIFT, RIGHT_SHIFT, CTRL, ALT, ALTGR, CAPS_LOCK = 42, 54, 29, 56, 100, 58
KEYPAD = dict(zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True))

_LETTERS = {letter: letter for letter in "abcdefghijklmnopqrstuvwxyz"}
_AZERTY = _LETTERS | dict(zip("aqwzm", "qazw;", strict=True))
_QWERTZ = _LETTERS | dict(zip("yz", "zy", strict=True))
_PLAIN_DIGITS = {digit: digit for digit in "0123456789"}
_SHIFTED_DIGITS = {digit: f"S{digit}" for digit in "0123456789"}

_SIGNS = {
    "us": """! S1 @ S2 # S3 $ S4 % S5 ^ S6 & S7 * S8 ( S9 ) S0 - - _ S- = = + S=
        [ [ { S[ ] ] } S] \\ \\ | S\\ ; ; : S; ' ' " S' ` ` ~ S` , , < S, . . > S.
        / / ? S/""",
    "uk": """! S1 " S2 £ S3 $ S4 % S5 ^ S6 & S7 * S8 ( S9 ) S0 - - _ S- = = + S=
        [ [ { S[ ] ] } S] # \\ ~ S\\ ; ; : S; ' ' @ S' ` ` ¬ S` , , < S, . . > S.
        / / ? S/ \\ 102 | S102""",
    "de": """! S1 " S2 § S3 $ S4 % S5 & S6 / S7 ( S8 ) S9 = S0 ? S- ß - ´ =+ ` S=+
        ^ `+ ° S` + ] * S] ~ G] # \\ ' S\\ < 102 > S102 | G102 , , ; S, . . : S.
        - / _ S/ @ Gq { G7 [ G8 ] G9 } G0 \\ G- ² G2 ³ G3 µ Gm
        ä ' Ä S' ö ; Ö S; ü [ Ü S[""",
    "fr": """& 1 é 2 " 3 ' 4 ( 5 - 6 è 7 _ 8 ç 9 à 0 ) - ° S- = = + S= ^ G9 ¨ S[+
        $ ] £ S] ¤ G] * \\ µ S\\ ù ' % S' < 102 > S102 , m ? Sm ; , . S, : . / S.
        ! / § S/ ~ G2+ # G3 { G4 [ G5 | G6 ` G7+ \\ G8 @ G0 ] G- } G= ² `""",
    "be": """& 1 é 2 " 3 ' 4 ( 5 § 6 è 7 ! 8 ç 9 à 0 ) - ° S- - = _ S= ^ [+ ¨ S[+
        $ ] * S] [ G[ ] G] µ \\ £ S\\ ` G\\+ ù ' % S' ´ G'+ < 102 > S102 \\ G102
        , m ? Sm ; , . S, : . / S. = / + S/ ~ G/+ | G1 @ G2 # G3 { G9 } G0
        ² ` ³ S`""",
    "es": """! S1 " S2 · S3 $ S4 % S5 & S6 / S7 ( S8 ) S9 = S0 ' - ? S- ¡ = ¿ S=
        ` [+ ^ S[+ [ G[ + ] * S] ] G] ñ ; Ñ S; ´ '+ ¨ S'+ { G' ç \\ Ç S\\ } G\\
        º ` ª S` \\ G` | G1 @ G2 # G3 ~ G4+ ¬ G6 < 102 > S102 , , ; S, . . : S.
        - / _ S/""",
    "it": """! S1 " S2 £ S3 $ S4 % S5 & S6 / S7 ( S8 ) S9 = S0 ' - ? S- ì = ^ S=
        è [ é S[ [ G[ { T[ + ] * S] ] G] } T] ò ; ç S; @ G; à ' ° S' # G' ù \\ § S\\
        \\ ` | S` < 102 > S102 , , ; S, . . : S. - / _ S/""",
}

LAYOUTS = tuple(_SIGNS)


def _table(layout: str) -> dict[str, str]:
    azerty = layout in {"fr", "be"}
    letters = _AZERTY if azerty else _QWERTZ if layout == "de" else _LETTERS
    words = _SIGNS[layout].split()
    return (
        {" ": " "}
        | letters
        | {letter.upper(): f"S{key}" for letter, key in letters.items()}
        | (_SHIFTED_DIGITS if azerty else _PLAIN_DIGITS)
        | dict(zip(words[::2], words[1::2], strict=True))
    )


TABLES = {layout: _table(layout) for layout in LAYOUTS}

_HELD = {"S": (SHIFT,), "G": (ALTGR,), "T": (SHIFT, ALTGR)}

Chord = tuple[tuple[int, ...], tuple[int, ...]]
"""Keys held, and the keys pressed meanwhile, one after the other."""


def alt_code(digits: str) -> Chord:
    """Alt held, and digits on the keypad."""
    return (ALT,), tuple(KEYPAD[digit] for digit in digits)


def chords(char: str, layout: str = "us") -> list[Chord]:
    """Return what a scanner presses for a character."""
    key = TABLES[layout].get(char)
    if key is None:
        return [alt_code(f"{ord(char):04}")]
    held = _HELD.get(key[0], ()) if len(key) > 1 else ()
    key = key[1:] if held else key
    space = key[-1] == "+" and len(key) > 1
    first: Chord = held, (CAPS[key[:-1] if space else key],)
    return [first, ((), (CAPS[" "],))] if space else [first]


class Typist:
    """Types with a clock of its own, in microseconds; ``step`` is between reports."""

    def __init__(self, layout: str = "us", *, at: int = 0, step: int = 2000) -> None:
        self.layout = layout
        self.at = at
        self.step = step

    def report(self, *keys: tuple[int, int]) -> Iterator[Event]:
        """Send what the kernel makes of one report of the device."""
        self.at += self.step
        for code, value in keys:
            yield Event(self.at, 4, 4, 458_752 + code)  # MSC_SCAN
            yield Event(self.at, 1, code, value)
        yield Event(self.at, 0, 0, 0)

    def chord(self, chord: Chord) -> Iterator[Event]:
        """Hold keys, press others, let all go."""
        held, pressed = chord
        if held:
            yield from self.report(*((code, 1) for code in held))
        for code in pressed:
            yield from self.report((code, 1))
            yield from self.report((code, 0))
        if held:
            yield from self.report(*((code, 0) for code in held))

    def chords(self, all_chords: Iterable[Chord]) -> list[Event]:
        """Press one after the other."""
        return [event for chord in all_chords for event in self.chord(chord)]

    def key(self, code: int) -> list[Event]:
        """Press a key and let it go."""
        return self.chords([((), (code,))])

    def text(self, text: str) -> list[Event]:
        """Type text without an end."""
        return self.chords(c for char in text for c in chords(char, self.layout))

    def scan(self, text: str, end: str = "enter") -> list[Event]:
        """Type text and a terminator."""
        return [*self.text(text), *self.key(CAPS[end])]

    def pause(self, milliseconds: float) -> None:
        """Do nothing for a while."""
        self.at += round(milliseconds * 1000)


def dropped(at: int) -> Event:
    """What the kernel says when its buffer has overflowed."""
    return Event(at, 0, 3, 0)
