"""The folder that a server keeps everything in, for commands that work beside it."""

from pathlib import Path

from shared.errors import StartError

__all__ = ["data_folder"]


def data_folder(path: str | Path) -> Path:
    """Return a server's folder, which is there already.

    Raises:
        StartError: There is none: a slip of the pen would make a second, empty one.
    """
    folder = Path(path)
    if not folder.is_dir():
        reason = (
            f"there is no folder {folder}: see whether it is the server's, or start "
            f"one with it first (scantrail-server serve --data {folder})"
        )
        raise StartError(reason)
    return folder
