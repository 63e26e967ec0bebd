"""The demo as a person meets it: at a terminal of its own, with keys pressed."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.programs import PATIENCE, at_server, until

CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A terminal in which the demo runs, with somebody who types and reads."""

    def __init__(self, data: Path) -> None:
        self._pid, self._screen = pty.fork()
        if self._pid == 0:  # pragma: no cover # becomes the demo
            demo = [sys.executable, "-m", "server.client.demo", "--data", str(data)]
            os.execv(demo[0], demo)  # noqa: S606 # a terminal program under test
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def reads(self, text: str, times: int = 1) -> None:
        """Wait until something stands on the screen, so many times."""
        end = time.monotonic() + PATIENCE
        while self.shown.count(text) < times and self._take(end - time.monotonic()):
            pass
        assert self.shown.count(text) >= times, self.shown

    def _take(self, seconds: float) -> bool:
        """Take in what is shown next; false once nothing more can come."""
        if seconds <= 0 or not select.select([self._screen], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._screen, 65536)
        except OSError:  # nobody has the terminal open any more
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def status(self) -> int:
        """Wait for the end, and return the exit status."""
        end = time.monotonic() + PATIENCE
        while self._take(end - time.monotonic()):
            pass
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        os.close(self._screen)
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "demo")
    yield opened
    opened.close()


def _running(data: Path) -> list[str]:
    """Return the command lines of processes that work on the data folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(data) in command:
                found.append(command)
    return found


def test_ctrl_c_ends_all_of_it_and_keeps_what_was_saved(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.reads("Ctrl-C ends at once")
    terminal.type("X-RECEIVE\nP-1\n")
    terminal.reads("P-1 received")
    assert len(_running(tmp_path / "demo")) == 3
    terminal.type(CTRL_C)
    assert terminal.status() == 0
    assert "What was saved stays in" in terminal.shown
    assert "Traceback" not in terminal.shown
    until(lambda: not _running(tmp_path / "demo"), "server and station have ended")
    assert (tmp_path / "demo" / "station" / "outbox.db").exists()


def test_ctrl_d_ends_it_with_where_everything_is(terminal: Terminal) -> None:
    terminal.reads("Ctrl-C ends at once")
    terminal.type("X-RECEIVE\nP-1\nX-STORE\nP-1\nL-A-02\n")
    terminal.reads("P-1 stored at A-02")
    terminal.type(CTRL_D)
    assert terminal.status() == 0
    assert re.search(r"^P-1 +stored", terminal.shown, re.MULTILINE)
    assert not re.search(r"^P-SIM-", terminal.shown, re.MULTILINE)


def test_a_warehouse_lives_around_it_and_says_that_it_is_simulated(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.reads("Ctrl-C ends at once")
    for text in ("console  http://", "sign in  as demo", "a simulated warehouse"):
        assert text in terminal.shown
    until(lambda: _simulated(tmp_path) > 1000, "the hours before are told")
    before = _simulated(tmp_path)
    until(lambda: _simulated(tmp_path) > before, "it goes on")
    terminal.type(CTRL_C)
    assert terminal.status() == 0
    assert "Traceback" not in terminal.shown


def _simulated(folder: Path) -> int:
    """Return how many lines of the simulation are at the server."""
    lines = at_server(folder / "demo" / "server")
    return sum(b"-SIM-" in line for _, line in lines)
