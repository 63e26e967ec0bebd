"""``scantrail-station doctor`` on the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path

from edge.config import FILE
from edge.doctor import is_wrong
from edge.streams import result

__all__ = ["add"]

_ABOUT = """\
Look at everything that a station needs: scanners, who holds them and who may open them,
udev rules, programs that seize ports, clock, disk, configuration, outbox, server. Each
finding says what to do. The status is 0 only where nothing is wrong. Run it as the user
that the station runs as; as root it sees more of who holds a device.
"""


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add it to the station's commands."""
    made = command("doctor", _run, "say what is wrong, and what to do about it", _ABOUT)
    made.add_argument("--json", action="store_true", help="for programs")
    made.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the configuration (default: {FILE} in the data folder, if it is there)",
    )
    made.add_argument("--offline", action="store_true", help="do not ask the server")


def _run(options: argparse.Namespace) -> int:
    # Only who looks needs it; a station that runs has no memory to give away.
    from edge.doctor.examination import examine  # noqa: PLC0415
    from edge.doctor.report import in_json, in_words  # noqa: PLC0415

    findings = examine(
        Path(options.data), config=options.config, offline=options.offline
    )
    text = in_json(findings) if options.json else "\n".join(in_words(findings))
    result(text)
    return 1 if any(map(is_wrong, findings)) else 0
