"""What is wrong with the disk under an outbox, in words, and what follows from it."""

import errno
import sqlite3
from pathlib import Path

from edge.outbox_schema import ForeignError
from shared.errors import ScantrailError

__all__ = ["NotSavedError", "is_damage", "is_passing", "sentence", "survives"]

_TROUBLE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space on it",
    sqlite3.SQLITE_READONLY: "it cannot be written; see who owns it, and whether its "
    "disk is mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; see who owns it and its folder, "
    "and whether its disk is full",
    sqlite3.SQLITE_IOERR: "its disk reports an error; see the system's log, and "
    "replace the disk",
    sqlite3.SQLITE_BUSY: "another program holds it; close that program",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is no outbox",
}
_SHORT_READ = 522  # SQLITE_IOERR_SHORT_READ: the file ends too early
_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_ERROR,  # a table or a column that is not there
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_FORMAT,
    }
)
_SURVIVED = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY})
_PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENFILE, errno.EMFILE}
)


class NotSavedError(ScantrailError):
    """Nothing was written; the text says why, and what to do. A later try may work."""


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR))


def is_damage(error: Exception) -> bool:
    """Whether the file itself is not what it should be; another one has to be begun."""
    if isinstance(error, ForeignError):
        return True
    if not isinstance(error, sqlite3.Error):
        return False
    code = _code(error)
    return code & 0xFF in _DAMAGE or code == _SHORT_READ


def is_passing(error: Exception) -> bool:
    """Whether it may be over by itself, so that it is no reason not to start."""
    if isinstance(error, OSError):
        return error.errno in _PASSING
    return isinstance(error, sqlite3.Error)


def survives(error: sqlite3.Error) -> bool:
    """Whether the connection can still be trusted.

    After a write or a flush that failed, nobody knows what the disk has; the file has
    to be opened and read again.
    """
    return _code(error) & 0xFF in _SURVIVED


def sentence(path: Path, error: Exception) -> str:
    """Say what happened, to what, and what to do."""
    if isinstance(error, sqlite3.Error):
        said = _TROUBLE.get(_code(error) & 0xFF, f"it cannot be used: {error}")
    elif isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        said = _TROUBLE[sqlite3.SQLITE_FULL]
    elif isinstance(error, OSError) and error.errno == errno.EROFS:
        said = _TROUBLE[sqlite3.SQLITE_READONLY]
    elif isinstance(error, OSError):
        said = f"{error.strerror}; see who owns it and its folder"
    else:
        said = str(error)
    return f"{path}: {said}"
