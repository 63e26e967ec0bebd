"""What a station without a screen shows, and what a label cannot make it show."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.feedback import Expect, Feedback, Says, Tone, Word
from edge.terminal_display import Style, TerminalDisplay, clean, style_for
from tests.unit.picker import ENGLISH

SAVED = Feedback(
    tone=Tone.GOOD,
    word=Word.SAVED,
    code="P-1",
    says=Says.DONE,
    names={"action": "store", "item": "P-1", "location": "A-01"},
    mode="store",
    expects=Expect.ITEM,
)


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _shown(feedback: Feedback, style: Style | None = None) -> str:
    stream = io.StringIO()
    TerminalDisplay(stream, style or Style(), ENGLISH).show(feedback)
    return stream.getvalue()


def test_a_scan_is_one_line_with_shape_word_code_and_what_is_next() -> None:
    assert _shown(SAVED) == (
        "[ok] SAVED           P-1 stored at A-01  [STORE, next: item]\n"
    )


def test_the_code_is_on_the_line_also_where_the_sentence_speaks_of_another() -> None:
    told = msgspec.structs.replace(SAVED, code="A-01")
    assert "SAVED           A-01: P-1 stored at A-01" in _shown(told)


@pytest.mark.parametrize("tone", Tone)
def test_each_tone_differs_by_shape_alone(tone: Tone) -> None:
    style = style_for(_Terminal(), {})
    told = msgspec.structs.replace(SAVED, tone=tone)
    others = [other for other in Tone if other is not tone]
    assert style.shapes[tone] in _shown(told, style)
    assert all(style.shapes[other] not in _shown(told, style) for other in others)


def test_colour_and_bells_are_for_terminals() -> None:
    assert not style_for(io.StringIO(), {}).colour
    assert not style_for(io.StringIO(), {}).bell
    assert style_for(_Terminal(), {}).colour
    assert style_for(_Terminal(), {}).bell
    assert not style_for(_Terminal(), {}, bell=False).bell
    assert not style_for(_Terminal(), {"NO_COLOR": "1"}).colour
    assert not style_for(_Terminal(), {"TERM": "dumb"}).colour
    assert style_for(io.StringIO(), {}, colour="always").colour
    assert not style_for(_Terminal(), {}, colour="never").colour


def test_a_bell_says_how_bad_it_is() -> None:
    style = Style(bell=True)
    rung = [
        _shown(msgspec.structs.replace(SAVED, tone=t), style).count("\a") for t in Tone
    ]
    assert rung == [1, 2, 3, 4]


def test_f25_a_label_cannot_send_anything_to_the_terminal() -> None:
    evil = "P-\x1b]0;x\x07\x9b2J\r\n\u202eok\u200b"
    told = msgspec.structs.replace(
        SAVED, code=evil, names={"action": "see", "item": evil}
    )
    shown = _shown(told)
    assert shown.count("\n") == 1
    assert all(c.isprintable() for c in shown[:-1])
    assert "<1B>" in shown
    assert "<202E>" in shown


def test_a_long_code_keeps_its_ends() -> None:
    shown = clean("P-" + "1" * 5000 + "42")
    assert len(shown) == 48
    assert shown.startswith("P-1")
    assert shown.endswith("142")


@given(st.text(), st.integers(4, 60))
def test_what_is_clean_is_printable_and_short(text: str, longest: int) -> None:
    shown = clean(text, longest)
    assert shown.isprintable()
    assert len(shown) <= 8 * longest


def test_a_terminal_that_knows_only_ascii_gets_ascii() -> None:
    buffer = io.BytesIO()
    with io.TextIOWrapper(buffer, encoding="ascii") as stream:
        display = TerminalDisplay(stream, style_for(stream, {}), ENGLISH)
        display.show(msgspec.structs.replace(SAVED, code="Ü"))
        assert buffer.getvalue().startswith(b"[ok] SAVED           ?: ")


def test_a_display_that_nobody_looks_at_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    TerminalDisplay(stream, Style(), ENGLISH).say("the server is back")


def test_a_notice_is_a_line_of_its_own_kind() -> None:
    stream = io.StringIO()
    TerminalDisplay(stream, Style(), ENGLISH).say("3 waiting,\nsafe here")
    assert stream.getvalue() == "-- 3 waiting,<0A>safe here\n"


@pytest.mark.parametrize("columns", [20, 40, 60])
def test_a_narrow_terminal_gets_the_same_words_on_more_lines(columns: int) -> None:
    stream, wide = io.StringIO(), io.StringIO()
    TerminalDisplay(stream, Style(), ENGLISH, lambda: columns).show(SAVED)
    TerminalDisplay(wide, Style(), ENGLISH, lambda: 80).show(SAVED)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 1 or columns >= 60
    assert all(len(line) <= columns for line in lines)
    assert stream.getvalue().split() == wide.getvalue().split()


def test_a_notice_is_broken_where_the_terminal_is_narrow() -> None:
    stream = io.StringIO()
    TerminalDisplay(stream, Style(), ENGLISH, lambda: 20).say("a scanner is missing")
    assert all(len(line) <= 20 for line in stream.getvalue().splitlines())
