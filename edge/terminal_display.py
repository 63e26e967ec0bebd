"""What became of each scan, as lines of text: for a station without a screen.

A line a scan, in order, whole, and nothing that moves: it reads the same over ssh, in
a journal and through a pipe. Whatever was scanned is cleaned before it is shown
(contract, I8): a code can neither move the cursor nor turn the text around.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TextIO

import msgspec

from edge.feedback import Caption, Feedback, Tone, Word
from edge.texts import Texts, detail, mode_name

__all__ = ["Style", "TerminalDisplay", "clean", "style_for"]

_LONGEST = 48
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
    """How lines are written: with colour, with bells, with which shapes."""

    colour: bool = False
    bell: bool = False
    shapes: Mapping[Tone, str] = _PLAIN_SHAPES


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
    )


def _can_show(stream: TextIO) -> bool:
    try:
        "".join(_SHAPES.values()).encode(stream.encoding or "utf-8")
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


class TerminalDisplay:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO, style: Style, texts: Texts) -> None:
        self._stream = stream
        self._style = style
        self._texts = texts

    def show(self, feedback: Feedback) -> None:
        """Say what became of a scan: shape, word, code, what happened, what is next."""
        texts = self._texts
        shape = self._style.shapes[feedback.tone]
        word = f"{shape} {texts.words[feedback.word]:<{_width(texts)}}"
        named = {name: clean(value) for name, value in feedback.names.items()}
        named["reason"] = clean(feedback.names.get("reason", ""), longest=200)
        sentence = detail(msgspec.structs.replace(feedback, names=named), texts)
        mode, next_ = mode_name(feedback.mode, texts), texts.expects[feedback.expects]
        after = f"{clean(mode)}, {texts.captions[Caption.NEXT].lower()}: {next_}"
        rings = self._style.bell and feedback.word is not Word.READY
        code = clean(feedback.code)
        code = "" if not code or sentence.startswith(f"{code} ") else f"{code}: "
        self._write(
            f"{self._painted(word, feedback.tone)}  {code}{sentence}"
            f"  [{after}]{chr(7) * _BELLS[feedback.tone] * rings}"
        )

    def say(self, text: str, tone: Tone = Tone.ATTENTION) -> None:
        """Say something that is not about a scan: a scanner, the server, the clock."""
        self._write(self._painted(f"-- {clean(text, longest=400)}", tone))

    def _painted(self, text: str, tone: Tone) -> str:
        if not self._style.colour:
            return text
        return f"{_ESCAPE}[1;{_COLOURS[tone]}m{text}{_ESCAPE}[0m"

    def _write(self, line: str) -> None:
        """Write one line at once, so that no other can come between."""
        stream = self._stream
        try:
            encoding = stream.encoding or "utf-8"
            stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
            stream.flush()
        except (OSError, ValueError):
            # Nobody looks any more (a closed pipe, a hung-up ssh): scans go on.
            return


def _width(texts: Texts) -> int:
    return max(len(texts.words[word]) for word in Word)
