"""Whose data folder it is: a station's and a server's are never the same one."""

from contextlib import suppress
from pathlib import Path

from shared.errors import StartError

__all__ = ["ARCHIVE", "DATABASE", "OUTBOX", "for_server", "for_station"]

OUTBOX = "outbox.db"
"""The name of the outbox in a station's data folder."""
DATABASE = "scantrail.db"
"""The name of the database in a server's data folder."""
ARCHIVE = "archive"
"""The name of the folder in it with the files of archived lines."""


def for_station(folder: Path) -> None:
    """Make sure that a folder is not a server's alone.

    Raises:
        StartError: It is: a station would begin beside the server's files.
    """
    _not_of("server", folder, theirs=DATABASE, mine=OUTBOX)


def for_server(folder: Path) -> None:
    """Make sure that a folder is not a station's alone.

    Raises:
        StartError: It is: a server would begin beside the station's files.
    """
    _not_of("station", folder, theirs=OUTBOX, mine=DATABASE)


def _not_of(whose: str, folder: Path, *, theirs: str, mine: str) -> None:
    with suppress(OSError):  # what cannot be looked at is said where it is opened
        if (folder / theirs).exists() and not (folder / mine).exists():
            reason = (
                f"{folder} is a {whose}'s folder ({theirs} is in it); "
                "name another with --data"
            )
            raise StartError(reason)
