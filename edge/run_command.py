"""``scantrail-station run``: from what was asked for to a station that runs."""

import argparse
import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge.config import FILE, Config, load, texts
from edge.displays import Display, display_for
from edge.knowledge import configured
from edge.scanners.settings import ScannerSettings, TerminalSettings, from_spec
from edge.station import Setup, run
from edge.streams import let_go_of_output, note
from shared import logfmt
from shared.advisories import affected
from shared.errors import StartError
from shared.installed import installed
from shared.version import VERSION

__all__ = ["add"]

_SWITCH = 0.0005
"""Seconds that a thread may keep the interpreter from another. The kernel holds some
ten characters for the thread that reads a scanner, and Python's 5 ms, several times in
a row, are too long for a fast one."""
_YES = {"yes", "y", "ja", "j", "s\u00ed", "si", "s"}

_ABOUT = """\
Run the station until it is told to end (Ctrl-C). Each scan gives one line on standard
output; "SAVED" means that it is durable on this machine. Without a network the station
goes on, and sends by itself once the server is back.

Scan X-RECEIVE, X-STORE, X-PICK, … to say what the next scans mean, X-UNDO to take the
last one back, and a badge (B-…) to badge in and out. An item is P-…, C-… (a container),
M-… (a load) or any GS1 or carrier's label; a place is L-….
"""


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add it to the station's commands."""
    made = command("run", _run, "scan, save, and send", _ABOUT)
    made.add_argument(
        "--scanner",
        metavar="SPEC",
        action="append",
        default=[],
        help="serial:PATH, evdev:PATH, tcp:HOST:PORT, terminal and others; may be "
        "repeated (default: those in the configuration, else the terminal)",
    )
    made.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the configuration (default: {FILE} in the data folder, if it is there)",
    )
    made.add_argument(
        "--drain",
        action="store_true",
        help="at the end of the input, wait until the server has acknowledged "
        "everything, and end; the status is 0 only then",
    )
    made.add_argument(
        "--new", action="store_true", help="begin a station in DIR without being asked"
    )
    made.add_argument(
        "--verbose", action="store_true", help="log more, for a developer"
    )


def _run(options: argparse.Namespace) -> int:
    logfmt.begin(logging.INFO if options.verbose else logging.ERROR)
    for sentence in affected(installed):
        note(sentence)
    sys.setswitchinterval(_SWITCH)
    data = Path(options.data)
    config = configured(load(options.config, data), options.config, data)
    named = tuple(from_spec(spec) for spec in options.scanner)
    scanners = named or config.scanner or _standard_input()
    # to drain what is not there fails by itself
    _see_that_it_is_meant(data, new=options.new or options.drain)
    setup, display = _setup(options, data, config, scanners)
    try:
        waiting = asyncio.run(_until_told(setup, display))
    finally:
        display.close()
        let_go_of_output()
    if waiting:
        note(f"{waiting} lines wait for the server, safe in {data}")
    return 1 if waiting and options.drain else 0


def _see_that_it_is_meant(data: Path, *, new: bool) -> None:
    """See that no station begins by a slip of the pen.

    Where nobody is there to be asked, it begins, as a scan is worth more than a name,
    and says so.

    Raises:
        StartError: It was not meant.
    """
    if new or (data.is_dir() and any(data.iterdir())):
        return
    told = f"there is no station in {data}: a new one begins there, of no server"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        note(f"{told}. Was another folder meant, or is it to join first?")
        return
    note(f"{told}. One that has joined is in the folder that it joined in.")
    answer = ""
    with suppress(EOFError):
        answer = input("Begin it? (yes, or nothing) ").strip().casefold()
    if answer not in _YES:
        reason = (
            "nothing was begun: name the station's folder with --data, let it join "
            "first, or begin one with --new"
        )
        raise StartError(reason)


def _setup(
    options: argparse.Namespace,
    data: Path,
    config: Config,
    scanners: tuple[ScannerSettings, ...],
) -> tuple[Setup, Display]:
    words = texts(config.display, data)
    display = display_for(
        config.display, words, scanners, out=sys.stdout, aside=sys.stderr
    )
    setup = Setup(
        data=data,
        config=config,
        scanners=scanners,
        drain=options.drain,
        version=VERSION,
        texts=words,
        show=display.show,
        say=display.say,
        look=display.look,
    )
    return setup, display


def _standard_input() -> tuple[ScannerSettings, ...]:
    """Return the terminal as the scanner, where something can come from there."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        mode = 0
    if os.isatty(0) or any(
        kind(mode) for kind in (stat.S_ISFIFO, stat.S_ISREG, stat.S_ISSOCK)
    ):
        return (TerminalSettings(),)
    reason = (
        "no scanner is named, and nothing can be typed here; name one with "
        f"--scanner, or in {FILE} in the data folder"
    )
    raise StartError(reason)


async def _until_told(setup: Setup, display: Display) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGWINCH, display.redraw)
    return await run(setup, stop)
