"""Which display a station has in its terminal: the whole screen, or line after line."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TextIO

from edge.config import DisplaySettings
from edge.feedback import Feedback
from edge.scanners.settings import ScannerSettings, TerminalSettings
from edge.screen import Screen
from edge.terminal_display import TerminalDisplay, columns_of, style_for
from edge.terminal_screen import TerminalScreen
from edge.texts import Texts

__all__ = ["Display", "display_for"]


class Display(NamedTuple):
    """What a station tells: a scan's outcome, a notice, its whole screen.

    ``redraw`` is for a terminal of another size, ``close`` gives it back.
    """

    show: Callable[[Feedback], None]
    say: Callable[[str], None]
    look: Callable[[Screen], None] | None = None
    redraw: Callable[[], None] = lambda: None
    close: Callable[[], None] = lambda: None


def display_for(
    settings: DisplaySettings,
    texts: Texts,
    scanners: Iterable[ScannerSettings],
    *,
    out: TextIO,
    aside: TextIO,
    environ: Mapping[str, str] = os.environ,
) -> Display:
    """Return the display that suits a terminal, a pipe or a file.

    Args:
        settings: What the configuration says.
        texts: The language.
        scanners: A terminal in which codes are typed cannot be kept still.
        out: Where scans are shown.
        aside: Where notices go, where they have no place on a screen.
        environ: Names the terminal.
    """
    typed = any(isinstance(scanner, TerminalSettings) for scanner in scanners)
    still = out.isatty() and environ.get("TERM", "dumb") != "dumb"
    if settings.terminal == "lines" or not still or typed:
        return _lines(settings, texts, out, aside)
    style = style_for(out, environ, colour=settings.colour, bell=settings.bell)
    screen = TerminalScreen(out, style, texts)
    _log_to(screen)
    return Display(
        show=lambda _: None,
        say=screen.say,
        look=screen.show,
        redraw=screen.redraw,
        close=screen.close,
    )


def _lines(
    settings: DisplaySettings, texts: Texts, out: TextIO, aside: TextIO
) -> Display:
    style = style_for(out, colour=settings.colour, bell=settings.bell)
    lines = TerminalDisplay(out, style, texts, lambda: columns_of(out))
    plain = style_for(aside, colour=settings.colour)
    notices = TerminalDisplay(aside, plain, texts, lambda: columns_of(aside))
    return Display(show=lines.show, say=notices.say)


class _OnScreen(logging.Handler):
    """Log records as notices: beside a screen there is nowhere else to write them."""

    def __init__(self, screen: TerminalScreen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; the first line is what fits."""
        self._screen.say(record.getMessage())


def _log_to(screen: TerminalScreen) -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_OnScreen(screen))
