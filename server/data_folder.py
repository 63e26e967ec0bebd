"""The folder that a server keeps everything in, for commands that work beside it."""

import sys
from pathlib import Path

from shared import files
from shared.data_folders import for_server
from shared.errors import StartError

__all__ = ["begun_data_folder", "data_folder"]


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
