"""``scantrail-station identify`` on the command line."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from edge.config import FILE
from edge.streams import result

__all__ = ["add"]

_ABOUT = """\
Find out how a scanner is set up: scan the set-up sheet, and see the raw keys or bytes,
the layout, Caps Lock, the form of GS, the terminator, the identifiers, and the settings
for it. Without SPEC it lists what could be a scanner, and asks. With several, the first
that is scanned with is the one that is meant. No other device is opened.
"""


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add it to the station's commands."""
    made = command("identify", _run, "find out how a scanner is set up", _ABOUT)
    made.add_argument(
        "specs",
        nargs="*",
        metavar="SPEC",
        help="evdev:PATH, hidpos:PATH or serial:PATH; only these are opened (default: "
        "ask which)",
    )
    made.add_argument(
        "--write",
        action="store_true",
        help=f"write the settings into {FILE} in the data folder",
    )
    made.add_argument("--name", default="", help="what to call the scanner")
    made.add_argument(
        "--baud", type=int, default=9600, help="of a serial port (%(default)s)"
    )
    made.add_argument(
        "--seconds",
        type=float,
        default=60,
        metavar="N",
        help="how long to wait for the next code (%(default)s)",
    )


def _run(options: argparse.Namespace) -> int:
    # Only who asks needs it; a station that runs has no memory to give away.
    from edge.identify.session import Wish, identify  # noqa: PLC0415

    wish = Wish(
        specs=tuple(options.specs),
        data=Path(options.data),
        write=options.write,
        name=options.name,
        baud=options.baud,
        seconds=options.seconds,
    )
    ask = input if sys.stdin.isatty() else None
    return 0 if identify(wish, result, ask=ask) else 1
