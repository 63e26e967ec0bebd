"""The whole screen in a terminal: what is drawn, and what is written for it."""

import io
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.feedback import Tone, Word
from edge.screen import Screen
from edge.terminal_display import Style, style_for
from edge.terminal_screen import Row, Size, TerminalScreen, cells, draw, size_of
from edge.texts import LANGUAGES, read_texts
from tests.browser.screens import OFFLINE, PACKING, memory, shown

EN = read_texts("en")
PLAIN = Style()
FULL = msgspec.structs.replace(
    style_for(io.StringIO(), {}), colour=True, bell=True, unicode=True
)
SIZES = [Size(20, 6), Size(40, 12), Size(40, 24), Size(80, 24), Size(200, 60)]


class Terminal(io.StringIO):
    """Does what the sequences say that a screen is written with, and no others."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.rows = [""] * size.rows
        self.other = self.cursor = False
        self.bells = 0
        self.written: list[str] = []

    _PIECE = re.compile(
        r"\x1b\[(?:(?P<at>\d+);1H|(?P<clear>K)|(?P<all>2J)|(?P<sgr>[\d;]*)m"
        r"|\?(?P<mode>1049|25)(?P<on>[hl]))|(?P<bell>\a)|(?P<text>[^\x1b\a]+)"
    )

    def write(self, text: str) -> int:
        self.written.append(text)
        position, row = 0, 0
        while position < len(text):
            piece = self._PIECE.match(text, position)
            assert piece is not None, text[position : position + 20]
            position, row = piece.end(), self._do(piece, row)
        return len(text)

    def _do(self, piece: re.Match[str], row: int) -> int:
        if piece["at"]:
            self.rows[int(piece["at"]) - 1] = ""
            return int(piece["at"]) - 1
        if piece["text"]:
            self.rows[row] += piece["text"]
        self.bells += piece["bell"] is not None
        if piece["all"]:
            self.rows = [""] * self.size.rows
        if piece["mode"] == "1049":
            self.other = piece["on"] == "h"
        if piece["mode"] == "25":
            self.cursor = piece["on"] == "h"
        return row


def _rows(screen: Screen, size: Size, style: Style = PLAIN) -> list[str]:
    return [row.text for row in draw(screen, "", EN, size, style)]


def test_everything_that_matters_is_there_in_eighty_columns() -> None:
    screen = shown(memory(Word.SAVED, Word.REPEAT, Word.SAVED), sync=OFFLINE)
    text = "\n".join(_rows(screen, Size(80, 24)))
    for part in ("STORE", "A-02-03", "B-ANA", "DOCK-1", "[ok] SAVED", "P-4703"):
        assert part in text
    assert "> Next: item" in text
    assert "[! ] P-4702" in text
    assert "12 waiting, safe here" in text
    assert "the server cannot be reached" in text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_fits_however_small_the_terminal_is(size: Size, language: str) -> None:
    texts = read_texts(language)
    kept = memory(Word.SAVED, language=language)
    for packing in (None, PACKING):
        screen = shown(kept, language=language, sync=OFFLINE, packing=packing)
        rows = draw(screen, "a notice " * 20, texts, size, FULL)
        assert len(rows) == size.rows
        assert max(cells(row.text) for row in rows) <= size.columns
        assert any(texts.words[Word.SAVED] in row.text for row in rows)


def test_each_tone_has_its_own_shape_and_word_without_colour() -> None:
    seen = set()
    for word in (Word.SAVED, Word.REPEAT, Word.UNKNOWN, Word.WANTED):
        screen = shown(memory(word))
        bar = next(row for row in _rows(screen, Size(40, 12)) if EN.words[word] in row)
        seen.add(bar.split()[0])
    assert len(seen) == len(Tone)


def test_a_list_shows_what_is_missing_foreign_and_who_takes_it() -> None:
    text = "\n".join(_rows(shown(memory(Word.SAVED), packing=PACKING), Size(80, 40)))
    assert PACKING.container in text
    assert f"{PACKING.giver} > {PACKING.receiver}" in text
    for item in (*PACKING.missing.items[:2], *PACKING.foreign.items):
        assert item in text
    unknown = msgspec.structs.replace(PACKING, expected=None)
    text = "\n".join(_rows(shown(memory(Word.SAVED), packing=unknown), Size(80, 40)))
    assert "contents not known here" in text


@pytest.mark.parametrize("size", SIZES)
def test_what_the_terminal_shows_is_what_was_drawn(size: Size) -> None:
    terminal = Terminal(size)
    display = TerminalScreen(terminal, FULL, EN, lambda: size)
    screens = [
        shown(memory(Word.SAVED)),
        shown(memory(Word.SAVED, Word.REPEAT), packing=PACKING),
        shown(memory(Word.SAVED, Word.REPEAT, Word.WANTED), sync=OFFLINE),
    ]
    for screen in screens:
        display.show(screen)
        expected = [row.text for row in draw(screen, "", EN, size, FULL)]
        assert [row.rstrip() for row in terminal.rows] == [
            row.rstrip() for row in expected
        ]
    assert terminal.other
    assert not terminal.cursor


def test_only_rows_that_changed_are_written_and_nothing_if_none_did() -> None:
    size = Size(80, 24)
    terminal = Terminal(size)
    display = TerminalScreen(terminal, FULL, EN, lambda: size)
    display.show(shown(memory(Word.SAVED)))
    count = len(terminal.written)
    display.show(shown(memory(Word.SAVED)))
    assert len(terminal.written) == count
    display.show(shown(memory(Word.SAVED), sync=OFFLINE))
    assert len(terminal.written) == count + 1
    assert terminal.written[-1].count("H") < 5
    assert "2J" not in terminal.written[-1]


def test_it_rings_once_for_each_scan_and_says_how_bad_it_is() -> None:
    size = Size(80, 24)
    terminal = Terminal(size)
    display = TerminalScreen(terminal, FULL, EN, lambda: size)
    rung = []
    for words in ([Word.SAVED], [Word.SAVED, Word.REPEAT], [Word.SAVED] * 3):
        display.show(shown(memory(*words)))
        display.show(shown(memory(*words), sync=OFFLINE))
        rung.append(terminal.bells)
    assert rung == [1, 3, 4]


def test_a_notice_stays_until_the_next_scan() -> None:
    size = Size(80, 24)
    terminal = Terminal(size)
    display = TerminalScreen(terminal, FULL, EN, lambda: size)
    display.say("too early to be shown")
    assert terminal.written == []
    display.show(shown(memory(Word.SAVED)))
    display.say("scanner gun: unplugged\x1b[2J")
    assert any("unplugged<1B>[2J" in row for row in terminal.rows)
    display.show(shown(memory(Word.SAVED, Word.SAVED)))
    assert not any("unplugged" in row for row in terminal.rows)


def test_a_terminal_of_another_size_is_drawn_anew() -> None:
    terminal = Terminal(Size(80, 24))
    sizes = [Size(80, 24), Size(40, 12)]
    display = TerminalScreen(terminal, FULL, EN, lambda: sizes[0])
    display.show(shown(memory(Word.SAVED)))
    del sizes[0]
    display.redraw()
    assert "2J" in terminal.written[-1]
    assert not any(terminal.rows[12:])


def test_the_terminal_is_given_back_as_it_was() -> None:
    size = Size(80, 24)
    terminal = Terminal(size)
    display = TerminalScreen(terminal, FULL, EN, lambda: size)
    display.close()
    assert terminal.written == []
    display.show(shown(memory(Word.SAVED)))
    display.close()
    assert terminal.cursor
    assert not terminal.other


def test_a_terminal_that_has_gone_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    display = TerminalScreen(stream, FULL, EN, lambda: Size(80, 24))
    display.show(shown(memory(Word.SAVED)))
    display.close()


def test_what_is_no_terminal_counts_as_an_ordinary_one() -> None:
    assert size_of(io.StringIO()) == Size(80, 24)


_TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=90)


@given(_TEXT, _TEXT, st.integers(20, 100), st.integers(6, 40))
def test_f25_no_text_is_wider_than_the_terminal(
    code: str, text: str, columns: int, rows: int
) -> None:
    screen = shown(memory(Word.SAVED, Word.SAVED))
    told = msgspec.structs.replace(screen.latest, code=code, text=text)
    screen = msgspec.structs.replace(
        screen, latest=told, recent=(told, told), place=code, container=text
    )
    drawn: list[Row] = draw(screen, text, EN, Size(columns, rows), FULL)
    assert len(drawn) == rows
    assert all(cells(row.text) <= columns for row in drawn)
