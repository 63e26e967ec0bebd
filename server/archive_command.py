"""``scantrail-server archive``: lines of old months go into Parquet files."""

import argparse
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from server.archiving import archive
from server.config import load
from server.data_folder import data_folder, hold
from server.noted import note_act
from server.now import now
from server.store.archive import archive_at
from server.store.archive_files import ArchiveFile
from server.storing import archiving
from shared.data_folders import ARCHIVE
from shared.errors import StartError
from shared.moments import SECOND, to_text

__all__ = ["add_commands"]

_ABOUT = """\
Move the lines of old months out of the database, into Parquet files in the folder
archive of the data folder, and go on answering from them. Each file is checked against
what stations signed before anything is taken out. What was interrupted goes on when the
same command is run again. Make a backup afterwards: until then none has the new files.
Where events are kept in a file, stop the server meanwhile; stations keep their lines.
"""
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def _archive(options: argparse.Namespace) -> None:
    config = load(options.config, {})
    data = data_folder(options.data or config.data)
    if not config.store.url:
        hold(data)
    lines = 0

    def tell(file: ArchiveFile) -> None:
        nonlocal lines
        lines += file.lines
        print(f"{file.name}\t{file.lines} lines\t{file.size} bytes", flush=True)  # noqa: T201 # the result

    with archiving(config.store, data) as kept:
        archive(kept, data / ARCHIVE, options.before, tell)
        known = kept.files()
    month = to_text(options.before)[:7]
    if lines:
        note_act(data, f"archived: {lines} lines before {month}", to_text(now()))
        said = (
            f"{lines} lines that were received before {month} are in files of "
            f"{data / ARCHIVE} now. Make a backup now (scantrail-server backup): until "
            "then none has these files, and one that is lost cannot be copied from it"
        )
    else:
        there = sum(file.lines for file in known)
        said = (
            f"nothing in the database was received before {month} and is not archived; "
            f"{len(known)} files of {data / ARCHIVE} have {there} lines"
        )
    print(said, file=sys.stderr)  # noqa: T201 # for the person
    if missing := archive_at(data / ARCHIVE).missing(known):
        raise StartError("\n".join(missing))


def _month(text: str) -> int:
    """Read a month, as the moment at which it begins."""
    found = _MONTH.fullmatch(text)
    if found is None or not int(found[1]):
        reason = f"{text!r} is no month: write it as 2026-05"
        raise argparse.ArgumentTypeError(reason)
    begins = datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
    moment = int(begins.timestamp()) * SECOND
    if moment > now():
        reason = f"{text} has not begun: months are archived when they are over"
        raise argparse.ArgumentTypeError(reason)
    return moment


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``archive`` to the program's commands."""
    add = commands.add_parser(
        "archive",
        help="move lines of old months into Parquet files, and answer from them",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument(
        "--before",
        type=_month,
        required=True,
        metavar="MONTH",
        help="archive what was received before this month began, in UTC: 2026-06",
    )
    add.add_argument("--config", type=Path, metavar="FILE", help="settings, in TOML")
    add.add_argument("--data", metavar="DIR", help="the server's folder")
    add.set_defaults(run=_archive)
