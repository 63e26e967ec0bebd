"""What became of each scan, as lines of text: for a station without a screen.

Scan after scan, in order, whole, and nothing that moves: it reads the same over ssh,
in a journal and through a pipe. Whatever was scanned is cleaned before it is shown
(contract, I8): a code can neither move the cursor nor turn the text around.
"""

import os
from collections.abc import Callable, Mapping
from textwrap import wrap
from types import MappingProxyType
from typing import TextIO

import msgspec

from edge.feedback import Caption, Feedback, Tone, Word
from edge.texts import Texts, detail, mode_name

__all__ = [
    "Style",
    "TerminalDisplay",
    "bells",
    "clean",
    "columns_of",
    "painted",
    "style_for",
]

_LONGEST = 48
_NARROWEST = 20
_ESCAPE = "\x1b"
_COLOURS = {
    Tone.GOOD: "32",  # green; SGR codes of ECMA-48, 8.3.117
    Tone.ATTENTION: "33",
    Tone.ERROR: "31",
    Tone.WANTED: "35",
}
_BELLS = {Tone.GOOD: 1, Tone.ATTENTION: 2, Tone.ERROR: 3, Tone.WANTED: 4}
_SHAPES = {Tone.GOOD: "✔", Tone.ATTENTION: "▲", Tone.ERROR: "✖", Tone.WANTED: "★"}
_PLAIN_SHAPES: Mapping[Tone, str] = MappingProxyType(
    {
        Tone.GOOD: "[ok]",
        Tone.ATTENTION: "[! ]",
        Tone.ERROR: "[XX]",
        Tone.WANTED: "[**]",
    }
)


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How lines are written: with colour, with bells, with which characters."""

    colour: bool = False
    bell: bool = False
    shapes: Mapping[Tone, str] = _PLAIN_SHAPES
    unicode: bool = False


def style_for(
    stream: TextIO,
    environ: Mapping[str, str] = os.environ,
    *,
    colour: str = "auto",
    bell: bool = True,
) -> Style:
    """Return the style that suits a stream.

    Colour and bells are for terminals; ``NO_COLOR`` (https://no-color.org) and a dumb
    terminal are respected unless ``colour`` is ``always``.
    """
    terminal = stream.isatty()
    wants = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Style(
        colour=colour == "always" or (colour == "auto" and wants),
        bell=bell and terminal,
        shapes=_SHAPES if _can_show(stream) else _PLAIN_SHAPES,
        unicode=_can_show(stream),
    )


def _can_show(stream: TextIO) -> bool:
    try:
        "".join((*_SHAPES.values(), "…→")).encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def clean(text: str, longest: int = _LONGEST) -> str:
    """Return text from outside so that a terminal can only show it.

    What cannot be printed (control characters, ESC, marks that turn the direction) is
    written as its number, ``<1B>``; of a long text the middle is left out.
    """
    if len(text) > longest:
        head = longest * 2 // 3
        text = f"{text[:head]}…{text[head + 1 - longest :]}"
    return "".join(c if c.isprintable() else f"<{ord(c):02X}>" for c in text)


def painted(
    style: Style, text: str, tone: Tone | None, *, inverse: bool = False
) -> str:
    """Return a text in the colour of a tone, or in inverse; plain without colour."""
    codes = (["7"] if inverse else []) + (["1", _COLOURS[tone]] if tone else [])
    if not style.colour or not codes:
        return text
    return f"{_ESCAPE}[{';'.join(codes)}m{text}{_ESCAPE}[0m"


def bells(style: Style, tone: Tone) -> str:
    """Return the bells of a tone, which say how bad it is; none where none are rung."""
    return chr(7) * _BELLS[tone] if style.bell else ""


class TerminalDisplay:
    """Writes lines to a stream, broken where its terminal is too narrow for them."""

    def __init__(
        self,
        stream: TextIO,
        style: Style,
        texts: Texts,
        columns: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Take a stream; ``columns`` tells how wide it is, where that matters."""
        self._stream = stream
        self._style = style
        self._texts = texts
        self._columns = columns

    def show(self, feedback: Feedback) -> None:
        """Say what became of a scan: shape, word, code, what happened, what is next."""
        texts, tone = self._texts, feedback.tone
        word = f"{self._style.shapes[tone]} {texts.words[feedback.word]}"
        named = {name: clean(value) for name, value in feedback.names.items()}
        named["reason"] = clean(feedback.names.get("reason", ""), longest=200)
        sentence = detail(msgspec.structs.replace(feedback, names=named), texts)
        mode, next_ = mode_name(feedback.mode, texts), texts.expects[feedback.expects]
        after = f"[{clean(mode)}, {texts.captions[Caption.NEXT].lower()}: {next_}]"
        code = clean(feedback.code)
        code = "" if not code or sentence.startswith(f"{code} ") else f"{code}: "
        head, *rest = self._lines(word, f"{code}{sentence}", after)
        told = word.ljust(_width(texts, self._style))
        head = painted(self._style, told, tone) + head[len(told) :]
        rings = feedback.word is not Word.READY
        sound = bells(self._style, tone) if rings else ""
        self._write("\n".join([head, *rest]) + sound)

    def _lines(self, word: str, sentence: str, after: str) -> list[str]:
        """Return one line, or as many as a narrow terminal needs for it."""
        columns, word = self._columns(), word.ljust(_width(self._texts, self._style))
        whole = f"{word}  {sentence}  {after}"
        if columns is None or len(whole) <= columns:
            return [whole]
        parts = (line for text in (sentence, after) for line in wrap(text, columns - 2))
        return [
            word.ljust(_width(self._texts, self._style)),
            *(f"  {p}" for p in parts),
        ]

    def say(self, text: str, tone: Tone = Tone.ATTENTION) -> None:
        """Say something that is not about a scan: a scanner, the server, the clock."""
        columns = self._columns()
        text = f"-- {clean(text, longest=400)}"
        lines = [text] if columns is None else wrap(text, columns)
        self._write("\n".join(painted(self._style, line, tone) for line in lines))

    def _write(self, text: str) -> None:
        """Write lines at once, so that no other can come between."""
        stream = self._stream
        try:
            encoding = stream.encoding or "utf-8"
            stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            stream.flush()
        except (OSError, ValueError):
            # Nobody looks any more (a closed pipe, a hung-up ssh): scans go on.
            return


def _width(texts: Texts, style: Style) -> int:
    """Return how wide shape and word are, so that what follows stands in a column."""
    shape = max(len(shape) for shape in style.shapes.values())
    return shape + 1 + max(len(texts.words[word]) for word in Word)


def columns_of(stream: TextIO) -> int | None:
    """Return how wide a terminal is; ``None`` for what is none, or does not tell."""
    try:
        columns, _ = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return None
    return max(columns, _NARROWEST) if columns else None
