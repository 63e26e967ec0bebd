"""What a station's outbox holds, read beside the station while it may be running."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge import connection, log_reader, outbox_schema, storage
from edge.logs import State
from shared.errors import StartError

__all__ = ["latest", "peek"]

_T = TypeVar("_T")
_BUSY = 2.0  # seconds to wait for a foreign program that holds the file


def peek(path: Path) -> State | None:
    """Read how far the present log has come, also while a station is running.

    Returns:
        None where there is no outbox yet.

    Raises:
        StartError: It cannot be read.
    """
    return _look(path, log_reader.load) if path.exists() else None


def latest(path: Path, count: int) -> list[bytes]:
    """Read the newest lines, of whatever log, newest first; as ``peek`` does.

    Raises:
        StartError: It cannot be read.
    """
    if not path.exists():
        return []
    return _look(path, lambda db: log_reader.newest(db, count))


def _look(path: Path, work: Callable[[sqlite3.Connection], _T]) -> _T:
    try:
        with outbox_schema.read_only(path, _BUSY) as db:
            return work(db)
    except outbox_schema.NewerError as error:
        if connection.side(path).exists():
            return _look(connection.side(path), work)
        raise StartError(storage.sentence(path, error)) from error
    except (sqlite3.Error, outbox_schema.ForeignError) as error:
        raise StartError(storage.sentence(path, error)) from error
