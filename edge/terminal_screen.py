"""The station's screen in a terminal, full and still: also over ssh, also 40 wide.

``draw`` is pure: a `Screen`, and as many rows of as many columns as there are. Only the
rows that changed are written, all at once, so that nothing flickers. Everything in a
`Screen` has been cleaned of what a label could do to a terminal (contract, I8).
"""

import os
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple, TextIO
from unicodedata import combining, east_asian_width

from edge.feedback import Caption, Tone
from edge.screen import PackingView, Screen, Told
from edge.terminal_display import Style, bells, clean, painted
from edge.texts import Texts

__all__ = ["Row", "Size", "TerminalScreen", "cells", "draw", "size_of"]

_OPEN = "\x1b[?1049h\x1b[?25l\x1b[2J"  # xterm: the other buffer, no cursor, cleared
_CLOSE = "\x1b[?25h\x1b[?1049l"
_LEAST = (20, 6)
_BAR = 3  # rows of the bar that says what became of the scan
_BIG = 20  # rows from which there is room for it


class Size(NamedTuple):
    """How large a terminal is."""

    columns: int
    rows: int


class Row(NamedTuple):
    """One row, and how it stands out: its tone, and whether it is a bar."""

    text: str
    tone: Tone | None = None
    bar: bool = False


def cells(text: str) -> int:
    """Return how many columns a printable text takes in a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(combining(char) != 0 for char in text)


def _cut(text: str, columns: int) -> str:
    """Return as much of a text as fits, with a mark where something is left out."""
    if cells(text) <= columns:
        return text
    kept = ""
    for char in text:
        if cells(kept + char) > columns - 1:
            break
        kept += char
    return kept + "…"


def _centred(text: str, columns: int) -> str:
    text = _cut(text, columns)
    return " " * ((columns - cells(text)) // 2) + text


def _wrapped(text: str, columns: int, most: int) -> list[str]:
    lines = wrap(text, columns) if text else []
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [_cut(line, columns) for line in lines]


def draw(
    screen: Screen, notice: str, texts: Texts, size: Size, style: Style
) -> list[Row]:
    """Return the rows of a terminal, exactly as many as it has.

    From above: who, where and in which mode; what became of the last scan; what is
    next; a list that is open; the scans before; and below how the station stands.
    """
    columns, rows = size
    head = [Row(_cut(_head(screen, texts), columns), bar=True)]
    body = list(_latest(screen, texts, size, style))
    if screen.packing is not None:
        body += _packing(screen.packing, texts, columns)
    foot = list(_foot(screen, notice, columns))
    room = rows - len(head) - len(foot)
    body = body[:room]
    body += _recent(screen, texts, columns, room - len(body), style)
    body += [Row("")] * (room - len(body))
    return [*head, *body, *foot][:rows]


def _head(screen: Screen, texts: Texts) -> str:
    badge = screen.badge or texts.captions[Caption.NOBODY]
    place = screen.place or texts.captions[Caption.NOWHERE]
    parts = [screen.mode, place, screen.container, badge, screen.station]
    return "  ".join(part for part in parts if part)


def _latest(screen: Screen, texts: Texts, size: Size, style: Style) -> Iterator[Row]:
    columns, rows = size
    told = screen.latest
    margin = [Row("", told.tone, bar=True)] * (_BAR // 2 if rows >= _BIG else 0)
    title = _centred(f"{style.shapes[told.tone]} {told.title}", columns)
    yield from (*margin, Row(title, told.tone, bar=True), *margin)
    if told.code:
        yield Row(_centred(told.code, columns), told.tone)
    yield from map(Row, _wrapped(told.text, columns, 4))
    next_ = f"{texts.captions[Caption.NEXT]}: {screen.next}"
    yield Row(_cut(f"→ {next_}" if style.unicode else f"> {next_}", columns), Tone.GOOD)


def _packing(packing: PackingView, texts: Texts, columns: int) -> list[Row]:
    captions = texts.captions
    people = f"{packing.giver or '?'} > {packing.receiver or '?'}"
    lists = [
        (Caption.MISSING, packing.missing, Tone.ATTENTION),
        (Caption.FOREIGN, packing.foreign, Tone.ERROR),
        (Caption.REPEATED, packing.repeated, None),
    ]
    known = packing.expected is not None
    total = (
        f"/{packing.expected}" if known else f", {captions[Caption.UNKNOWN_CONTENTS]}"
    )
    figures = f"{captions[Caption.SCANNED]} {packing.scanned}{total}"
    rows = [Row(_cut(f"{packing.container}  {figures}  {people}", columns))]
    for caption, listing, tone in lists:
        if listing.count:
            more = listing.count - len(listing.items)
            items = ", ".join([*listing.items, f"+{more}"] if more else listing.items)
            text = f"{captions[caption]} {listing.count}: {items}"
            rows += [Row(line, tone) for line in _wrapped(text, columns, 2)]
    return rows


def _recent(
    screen: Screen, texts: Texts, columns: int, room: int, style: Style
) -> list[Row]:
    """Return the scans before the last one, as far as there is room for two or more."""
    before = screen.recent[1:]
    if room < 3 or not before:  # noqa: PLR2004 - a gap, a heading and one scan
        return []
    heading = f"-- {texts.captions[Caption.LAST_SCANS]}"
    lines = [_before(told, texts, style) for told in before[: room - 2]]
    return [Row(""), Row(heading), *(Row(_cut(line, columns)) for line in lines)]


def _before(told: Told, texts: Texts, style: Style) -> str:
    mark = f" ({texts.captions[Caption.UNDONE]})" if told.undone else ""
    return f"{style.shapes[told.tone]} {told.code}{mark}  {told.text}"


def _foot(screen: Screen, notice: str, columns: int) -> Iterator[Row]:
    if notice:
        yield Row(_cut(f"-- {notice}", columns), Tone.ATTENTION)
    wrong = [light for light in screen.lights if light.tone is not None]
    for light in wrong[:2]:
        text = f"{light.name}: {light.text}" if light.name else light.text
        yield Row(_cut(text, columns), light.tone)
    parts = [screen.waiting_text]
    parts += [f"{light.name} {light.text}" for light in screen.lights if not light.tone]
    yield Row(_cut("  ".join(parts), columns))


def size_of(stream: TextIO) -> Size:
    """Return how large a terminal is; what no terminal is counts as 80 times 24."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, rows = 80, 24
    return Size(max(columns, _LEAST[0]), max(rows, _LEAST[1]))


class TerminalScreen:
    """Keeps a terminal as the station's screen is."""

    def __init__(
        self,
        stream: TextIO,
        style: Style,
        texts: Texts,
        size: Callable[[], Size] | None = None,
    ) -> None:
        """Take a terminal; nothing is written before the first screen."""
        self._stream = stream
        self._style = style
        self._texts = texts
        self._size = size or (lambda: size_of(stream))
        self._drawn: Sequence[str] = ()
        self._drawn_for: Size | None = None
        self._screen: Screen | None = None
        self._notice = ""
        self._rung = 0

    def show(self, screen: Screen) -> None:
        """Show how the station is now, and ring if something was scanned."""
        if screen.number != self._rung:
            self._notice = ""
        self._screen = screen
        self._draw(self._ring(screen))

    def say(self, text: str) -> None:
        """Say something that is not about a scan, until the next one."""
        self._notice = clean(text, longest=400)
        self._draw("")

    def redraw(self) -> None:
        """Draw all of it anew: the terminal has another size, or was written to."""
        self._drawn_for = None
        self._draw("")

    def close(self) -> None:
        """Give the terminal back as it was."""
        if self._drawn_for is not None:
            self._write(_CLOSE)
            self._drawn_for = None

    def _ring(self, screen: Screen) -> str:
        rings, self._rung = screen.number != self._rung, screen.number
        return bells(self._style, screen.latest.tone) if rings else ""

    def _draw(self, sound: str) -> None:
        if self._screen is None:
            return
        size = self._size()
        rows = draw(self._screen, self._notice, self._texts, size, self._style)
        lines = [self._line(row, size.columns) for row in rows]
        fresh = size != self._drawn_for
        before = [] if fresh else self._drawn
        changed = [
            f"\x1b[{number};1H{line}\x1b[K"
            for number, line in enumerate(lines, 1)
            if number > len(before) or before[number - 1] != line
        ]
        self._drawn, self._drawn_for = lines, size
        self._write((_OPEN if fresh else "") + "".join(changed) + sound)

    def _line(self, row: Row, columns: int) -> str:
        if row.bar:
            text = row.text + " " * (columns - cells(row.text))
            return painted(self._style, text, row.tone, inverse=True)
        return painted(self._style, row.text, row.tone)

    def _write(self, text: str) -> None:
        if not text:
            return
        stream = self._stream
        try:
            encoding = stream.encoding or "utf-8"
            stream.write(text.encode(encoding, "replace").decode(encoding))
            stream.flush()
        except (OSError, ValueError):
            # Nobody looks any more (a hung-up ssh): scans go on.
            return
