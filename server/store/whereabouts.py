"""Whether all of a server's database is in its file, or was moved."""

import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from shared.errors import StartError

__all__ = ["MOVED", "MOVING", "MovedError", "connected", "half", "must_be_here"]
__all__ += ["must_be_whole"]


class MovedError(StartError):
    """Not all of a server's events are in a file; the text says what to do."""


MOVING, MOVED = "moving", "moved"
"""What is noted in a file that is half moved, and in one whose events moved away."""

_DONE = {"ro": "read", "rw": "used"}
"""What is done to a file that is opened in a mode."""


def half(path: Path) -> Path:
    """Return the file that is moved into, until all of it is there and checked."""
    return path.with_name(f"{path.name}.moving")


def must_be_whole(path: Path) -> None:
    """See that nothing is half moved into a file.

    Raises:
        MovedError: It is.
    """
    if half(path).exists():
        raise _half_moved(path, half(path))


def must_be_here(path: Path, meta: Mapping[str, str]) -> None:
    """See by what is noted in a file that all of it is there.

    Raises:
        MovedError: It is half moved there, or all of it moved away.
    """
    if MOVING in meta:
        raise _half_moved(path, path)
    must_be_whole(path)
    if MOVED in meta:
        raise _moved_away(path, meta[MOVED])


def connected(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file that has all of a database: to read (``ro``), or to write (``rw``).

    Raises:
        StartError: It cannot be opened, or its events are elsewhere.
    """
    must_be_whole(path)
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(uri, uri=True, isolation_level=None)
            undo.enter_context(closing(connection))
            meta = dict(connection.execute("SELECT name, value FROM meta"))
        except sqlite3.Error as error:
            reason = f"the database {path} cannot be {_DONE[mode]} ({error})"
            raise StartError(reason) from error
        must_be_here(path, meta)
        undo.pop_all()
        return connection


def _half_moved(path: Path, into: Path) -> MovedError:
    reason = (
        f"{path} is only half moved: run the same scantrail-server migrate-store "
        f"again. To stay where events are, take {into} away instead"
    )
    return MovedError(reason)


def _moved_away(path: Path, noted: str) -> MovedError:
    """Return what is wrong with a file whose events moved away.

    Args:
        path: The file.
        noted: What is noted of that: when, and where to.
    """
    moment, _, where = noted.partition(" ")
    reason = (
        f"all events of {path} moved away at {moment} to {where}, and go on there: "
        "name the settings with that [store] url (--config). To go back: "
        "scantrail-server migrate-store --to file, or --take-back if that is lost"
    )
    return MovedError(reason)
