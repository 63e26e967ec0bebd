"""A record is a line, whatever is in it."""

import io
import logging
import re
import subprocess
import sys

import pytest

from shared.logfmt import Logfmt, quoted

HOSTILE = [
    "P-1\r\nlevel=critical msg=forged",
    "P-1\nlevel=info",
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe\u2028next\u0085line",
    'quote" msg="second',
    "back\\slash\ttab\x00nul\x7f",
    "\ud800",
]


def line(text: str, *, journal: bool = False, level: int = logging.WARNING) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Logfmt(journal=journal))
    record = logging.LogRecord("edge.sync", level, "", 0, "%s is odd", (text,), None)
    handler.handle(record)
    return stream.getvalue()


@pytest.mark.parametrize("text", HOSTILE)
def test_f76_what_was_scanned_cannot_break_a_line_or_a_terminal(text: str) -> None:
    said = line(text)
    assert said.endswith("\n")
    assert said[:-1].isprintable()
    assert re.fullmatch(
        r'level=warning logger=edge\.sync msg="(?:[^"\\]|\\.)* is odd"\n', said
    )


def test_f76_an_exception_is_on_the_line_of_its_record() -> None:
    stream = io.StringIO()
    log = logging.getLogger("tests.logfmt")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Logfmt())
    log.addHandler(handler)
    try:
        int(HOSTILE[0])
    except ValueError:
        log.exception("it failed")
    finally:
        log.removeHandler(handler)
    said = stream.getvalue()
    assert said.count("\n") == 1
    assert 'msg="it failed" error="Traceback' in said
    assert "ValueError: invalid literal" in said


@pytest.mark.parametrize("kind", ["sk", "st"])
def test_a_key_in_a_text_is_cut_short(kind: str) -> None:
    said = quoted(f"Authorization: Bearer {kind}_AbCd-1234_efgh5678ijkl was sent")
    assert said == f'"Authorization: Bearer {kind}_… was sent"'


def test_a_long_text_is_no_long_line() -> None:
    assert len(quoted("x" * 100_000)) < 10_000


def test_the_journal_is_told_the_level() -> None:
    assert line("x", journal=True).startswith("<4>level=warning ")
    assert line("x", journal=True, level=logging.ERROR).startswith("<3>")
    assert line("x", journal=True, level=logging.INFO).startswith("<6>")


def test_the_journal_is_known_by_what_it_says_of_the_descriptor() -> None:
    begin = (
        "import logging, os\nfrom shared import logfmt\n"
        "found = os.fstat(2)\n"
        "logfmt.begin(30, {'JOURNAL_STREAM': f'{found.st_dev}:{found.st_ino}'})\n"
        "logging.warning('here')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", begin], capture_output=True, text=True, check=True
    )
    assert done.stderr == '<4>level=warning logger=root msg="here"\n'
    other = begin.replace("found.st_ino", "found.st_ino + 1")
    done = subprocess.run(
        [sys.executable, "-c", other], capture_output=True, text=True, check=True
    )
    assert done.stderr == 'level=warning logger=root msg="here"\n'
