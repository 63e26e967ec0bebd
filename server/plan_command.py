"""``scantrail-server plan``: the site's plan, which lies beneath the floor map."""

import argparse
import sys
from pathlib import Path

from server.site_plan import PlanError, plan
from shared import files
from shared.errors import StartError

__all__ = ["PLAN", "add_commands"]

PLAN = "plan.svg"
"""Its name in the server's folder."""


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 # about what was done


def put(options: argparse.Namespace) -> None:
    """Take a drawing over, or away."""
    kept = Path(options.data) / PLAN
    if options.file is None:
        kept.unlink(missing_ok=True)
        files.sync_folder(kept.parent)
        _tell("There is no plan any more.")
        return
    try:
        found = plan(options.file.read_bytes())
    except OSError as error:
        reason = f"{options.file} cannot be read: {error.strerror}"
        raise StartError(reason) from error
    except PlanError as error:
        reason = f"{options.file} cannot be the plan: {error}. Nothing was changed."
        raise StartError(reason) from error
    files.make_folder(kept.parent)
    files.write(kept, found.svg)
    left, top, width, height = found.frame
    _tell(
        f"The plan shows x {left:g} to {left + width:g} and y {top:g} to "
        f"{top + height:g}: the measure in which places have their x, y, w and h."
    )
    if found.left_out:
        names = ", ".join(f"{n} {name}" for name, n in sorted(found.left_out.items()))
        _tell(f"Left out: {names}.")


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``plan`` to the program's commands."""
    add = commands.add_parser(
        "plan", help="put a drawing of the site, SVG, beneath the floor map"
    )
    add.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="an SVG; without, take it away",
    )
    add.add_argument("--data", required=True, metavar="DIR", help="the server's folder")
    add.set_defaults(run=put)
