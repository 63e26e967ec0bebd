"""Files that only this program reads, and that survive a power cut.

A file appears under its name whole or not at all: it is written beside it, flushed,
renamed, and the folder is flushed too.
"""

import contextlib
import errno
import fcntl
import os
from pathlib import Path

from shared.errors import ScantrailError

__all__ = ["LockedError", "lock", "make_folder", "settle", "sync_folder", "touch"]
__all__ += ["write"]

_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_PID_DIGITS = 16


class LockedError(ScantrailError):
    """Another process holds the lock; ``holder`` is its process id, or empty."""

    def __init__(self, path: Path, holder: str) -> None:
        self.path = path
        self.holder = holder
        who = f"process {holder}" if holder else "another process"
        super().__init__(f"{path} is held by {who}")


def sync_folder(folder: Path) -> None:
    """Flush a folder: the names in it then survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder for the owner alone, durably; one that is there stays as it is.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    sync_folder(folder.parent)


def touch(path: Path) -> None:
    """Make an empty file for the owner alone, durably; one that is there stays.

    Raises:
        OSError: It cannot be made, read and written.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
    sync_folder(path.parent)


def write(path: Path, data: bytes) -> None:
    """Replace a file's content at once and durably; only the owner can read it.

    Raises:
        OSError: It cannot be written; the old content is still there.
    """
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(beside, flags, _PRIVATE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def settle(beside: Path, path: Path) -> None:
    """Give a file that is written its name, durably; only the owner can read it.

    Raises:
        OSError: It cannot be flushed or renamed.
    """
    descriptor = os.open(beside, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, _PRIVATE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    sync_folder(path.parent)


def lock(path: Path) -> int:
    """Take a lock that the kernel gives back however this process ends.

    Returns:
        The descriptor that holds the lock; closing it lets go. The file stays: taking
        it away would let two processes hold locks on two files of one name.

    Raises:
        LockedError: Another process holds it.
        OSError: The file cannot be made, and its folder cannot be opened either.
    """
    descriptor = _lockable(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, _PID_DIGITS).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise LockedError(path, holder) from error
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the id
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
    return descriptor


def _lockable(path: Path) -> int:
    """Open the file that is locked, or what can stand for it on a disk without room."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        if error.errno not in {errno.EROFS, errno.ENOSPC, errno.EDQUOT}:
            raise
        stand_in = path if path.exists() else path.parent
        return os.open(stand_in, os.O_RDONLY | os.O_CLOEXEC)
