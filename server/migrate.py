"""``scantrail-server migrate-store``: from the file to PostgreSQL, and back."""

import argparse
import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path

from server.backup import DATABASE
from server.config import ServerConfig, load
from server.data_folder import LOCK, data_folder
from server.noted import note_act
from server.now import now
from server.store.moving import Moved
from server.storing import address, driver_missing
from server.transfer import take_back, to_file, to_postgres
from shared import files
from shared.data_folders import ARCHIVE
from shared.errors import StartError
from shared.moments import to_text

__all__ = ["add_commands"]

_ABOUT = """\
Move all events between the file in the data folder and the PostgreSQL database that
[store] url names. No server may run on either meanwhile; stations keep their lines.
What was interrupted goes on when the same command is run again. Nothing is removed from
where it came, but it is served no more; answers are made anew when a server starts on
the other side.
"""


# --- the command ----------------------------------------------------------------------


def migrate(options: argparse.Namespace) -> None:
    """Move everything, and say what was moved."""
    config = load(options.config, {})
    data = data_folder(options.data or config.data)
    try:
        files.lock(data / LOCK)
    except files.LockedError as error:
        reason = f"a server runs on {data}; stop it first"
        raise StartError(reason) from error
    if options.take_back:
        _take_back(data)
        return
    if not config.store.url:
        named = (
            f"{options.config} names no" if options.config else "no --config names a"
        )
        reason = f"{named} [store] url: nothing to move from or to"
        raise StartError(reason)
    with driver_missing():
        found = asyncio.run(_moving(options, config, data / DATABASE))
    print(  # noqa: T201 # the result
        f"moved and compared: {found.lines} lines of {len(found.heads)} logs in "
        f"{found.deliveries} deliveries, last seal {found.seal[:16] or 'none'}"
    )


def _take_back(data: Path) -> None:
    moved = take_back(data / DATABASE)
    note_act(data, f"events that moved away at {moved} taken back", to_text(now()))
    print(  # noqa: T201 # the result
        f"{data / DATABASE} has what there was at {moved}, as a new epoch. Take "
        "[store] url out of the settings, and see that no server starts on that "
        "database. Stations send again what came later; scantrail-server restored "
        "shows how far they are"
    )


def _moving(
    options: argparse.Namespace, config: ServerConfig, path: Path
) -> Coroutine[None, None, Moved]:
    url, site = address(config.store), config.site()
    # where the servers on PostgreSQL have theirs
    data = Path(config.data)
    archive = (data if data.is_dir() else path.parent) / ARCHIVE
    if options.to == "file":
        return to_file(url, path, site, _tell, copy=options.copy, archive=archive)
    if not path.exists():
        reason = f"there is no {path} to move from"
        raise StartError(reason)
    return to_postgres(path, url, site, _tell, archive=archive)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 # for the person


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``migrate-store`` to the program's commands."""
    add = commands.add_parser(
        "migrate-store",
        help="move all events from the file to PostgreSQL, or back",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the settings, with [store] url",
    )
    add.add_argument("--data", metavar="DIR", help="the server's folder")
    way = add.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", choices=["postgresql", "file"], help="where to")
    way.add_argument(
        "--take-back",
        action="store_true",
        help="serve the file again from which all moved to a database that is given "
        "up; what was written there since is not in it",
    )
    add.add_argument(
        "--copy",
        action="store_true",
        help="to a file in another folder, while servers go on with PostgreSQL",
    )
    add.set_defaults(run=migrate)
