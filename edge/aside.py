"""Files that cannot be used are set aside: renamed beside the outbox, never deleted.

``outbox.db`` becomes ``outbox.db.aside-1``, its ``-wal`` and ``-shm`` likewise, so that
they can still be opened together. What is proven whole in them is taken in later.
"""

import re
from pathlib import Path

from shared import files

__all__ = ["found", "next_name", "set_aside", "torn"]

_PARTS = ("", "-wal", "-shm", "-journal")


def torn(path: Path, *, was_open: bool) -> str:
    """Say what is missing of an outbox that is not open; empty where nothing is.

    SQLite would delete a ``-wal`` without its main file, and do without one that is
    gone: both would hide the loss of lines.

    Args:
        path: Its main file.
        was_open: It was not closed before this program began, so it has a ``-wal``.
    """
    size = _size(path)
    wal = _size(_beside(path, "-wal"))
    if not size and wal:
        return "its main file is gone"
    if size and wal is None and was_open:
        return "its -wal file is gone"
    return ""


def set_aside(path: Path, under: Path | None = None) -> Path | None:
    """Rename what there is of an outbox; return the new name of its main file.

    The main file goes first. Where that was interrupted, the rest follows it now.

    Args:
        path: Its main file.
        under: The outbox that it is named after, if that is another one.

    Returns:
        None where there was nothing.

    Raises:
        OSError: They cannot be renamed; the files keep their names.
    """
    there = [part for part in _PARTS if _beside(path, part).exists()]
    if not there:
        return None
    numbers, under = _numbers(under or path), under or path
    newest = max(numbers, default=0)
    cut_off = (
        newest
        and not path.exists()
        and not _beside(_named(under, newest), "-wal").exists()
    )
    to = _named(under, newest if cut_off else newest + 1)
    for part in there:
        _beside(path, part).rename(_beside(to, part))
    files.sync_folder(path.parent)
    return to


def next_name(path: Path) -> Path:
    """Return the name that the next main file would be set aside under."""
    return _named(path, max(_numbers(path), default=0) + 1)


def found(path: Path) -> list[Path]:
    """Return the main files that were set aside, the oldest first."""
    return [_named(path, number) for number in sorted(_numbers(path))]


def _numbers(path: Path) -> set[int]:
    pattern = re.compile(re.escape(path.name) + r"\.aside-(\d{1,9})(-wal|-shm)?")
    try:
        names = [beside.name for beside in path.parent.iterdir()]
    except OSError:
        return set()
    return {int(m[1]) for name in names if (m := pattern.fullmatch(name))}


def _named(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.aside-{number}")


def _beside(path: Path, part: str) -> Path:
    return path.with_name(path.name + part)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
