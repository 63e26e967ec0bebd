"""Which display a terminal gets, and where log records go beside a screen."""

import io
import logging
from collections.abc import Iterator

import pytest

from edge.config import DisplaySettings
from edge.displays import Display, display_for
from edge.feedback import Word
from edge.scanners.settings import ScannerSettings, SerialSettings, TerminalSettings
from tests.browser.screens import feedback, memory, shown
from tests.unit.picker import ENGLISH

GUN = SerialSettings(port="/dev/ttyUSB0")


class _Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers[:] = handlers


def _display(
    out: io.StringIO,
    *scanners: ScannerSettings,
    terminal: str = "auto",
    term: str = "xterm",
) -> Display:
    settings = DisplaySettings(terminal=terminal)  # type: ignore[arg-type]
    return display_for(
        settings, ENGLISH, scanners, out=out, aside=out, environ={"TERM": term}
    )


def test_a_terminal_with_a_scanner_of_its_own_shows_the_whole_screen() -> None:
    out = _Tty()
    display = _display(out, GUN)
    assert display.look is not None
    display.show(feedback())
    assert out.getvalue() == ""
    display.look(shown(memory(Word.SAVED)))
    assert "SAVED" in out.getvalue()
    display.close()
    assert out.getvalue().endswith("\x1b[?1049l")


@pytest.mark.parametrize(
    ("out", "scanner", "terminal", "term"),
    [
        (_Tty(), TerminalSettings(), "auto", "xterm"),
        (_Tty(), TerminalSettings(), "screen", "xterm"),
        (_Tty(), GUN, "lines", "xterm"),
        (_Tty(), GUN, "auto", "dumb"),
        (io.StringIO(), GUN, "screen", "xterm"),
    ],
)
def test_where_a_screen_cannot_be_kept_lines_are_written(
    out: io.StringIO, scanner: ScannerSettings, terminal: str, term: str
) -> None:
    display = _display(out, scanner, terminal=terminal, term=term)
    assert display.look is None
    display.show(feedback())
    display.say("the server is back")
    assert "SAVED" in out.getvalue()
    assert "-- the server is back" in out.getvalue()
    assert "\x1b[?1049h" not in out.getvalue()


def test_beside_a_screen_log_records_are_shown_on_it() -> None:
    out = _Tty()
    display = _display(out, GUN)
    assert display.look is not None
    display.look(shown(memory(Word.SAVED)))
    logging.getLogger("edge.sync").error("something has failed\x1b[2J")
    assert "something has failed<1B>[2J" in out.getvalue()
