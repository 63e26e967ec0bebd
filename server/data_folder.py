"""The folder that a server keeps everything in: found, begun, and held."""

import sys
from contextlib import suppress
from pathlib import Path

from shared import files
from shared.data_folders import for_server
from shared.errors import StartError

__all__ = [
    "KEYS",
    "LOCK",
    "MOST_PROCESSES",
    "begun_data_folder",
    "data_folder",
    "hold",
    "hold_one_of_many",
    "made_data_folder",
]

KEYS = "keys"
"""The folder of bearer keys in it."""
LOCK = "lock"
"""The file in it that whoever writes holds."""
MOST_PROCESSES = 64
"""Servers on one folder, at most, where their database is on PostgreSQL."""


def data_folder(path: str | Path) -> Path:
    """Return a server's folder, which is there already.

    Raises:
        StartError: There is none: a slip of the pen would make a second, empty one.
            Or it is a station's.
    """
    folder = Path(path)
    for_server(folder)
    if not folder.is_dir():
        reason = (
            f"there is no folder {folder}: see whether it is the server's, or start "
            f"one with it first (scantrail-server serve --data {folder})"
        )
        raise StartError(reason)
    return folder


def begun_data_folder(path: str | Path) -> Path:
    """Return a server's folder; where there is none, make it, and say so aloud.

    A key may be made before the server's first start.

    Raises:
        StartError: It cannot be made, or is a station's.
    """
    folder = Path(path)
    for_server(folder)
    if not folder.is_dir():
        try:
            files.make_folder(folder)
        except OSError as error:
            reason = f"{folder}: {error.strerror}"
            raise StartError(reason) from error
        print(  # noqa: T201
            f"{folder} was not there: a new server's data begins in it. If a server "
            f"has its data elsewhere, this key is not one of its own.",
            file=sys.stderr,
        )
    return folder


def made_data_folder(folder: Path) -> Path:
    """Return a server's folder, made where there is none.

    Raises:
        StartError: It cannot be made, or is a station's.
    """
    for_server(folder)
    try:
        files.make_folder(folder)
    except OSError as error:
        reason = f"the data folder {folder} cannot be made: {error.strerror}"
        raise StartError(reason) from error
    return folder


def hold(data: Path) -> None:
    """Hold the folder for this process, until it ends in whatever way.

    Raises:
        StartError: Another server has it; two writers could lose what was acknowledged.
    """
    try:
        files.lock(data / LOCK)
    except files.LockedError as error:
        reason = f"another server runs on {data}; stop it, or choose another --data"
        raise StartError(reason) from error


def hold_one_of_many(data: Path) -> int:
    """Hold a place in the folder among processes on one database; return its number.

    Raises:
        StartError: There are very many already.
    """
    for number in range(1, MOST_PROCESSES + 1):
        with suppress(files.LockedError):
            files.lock(data / (LOCK if number == 1 else f"{LOCK}-{number}"))
            return number
    reason = f"{MOST_PROCESSES} servers run on {data} already; give some another --data"
    raise StartError(reason)
