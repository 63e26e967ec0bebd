"""Files of archived lines: what the database knows of them, and copies of them."""

import os
import shutil
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

import msgspec

from server.store.parquet import Signed
from shared.errors import StartError
from shared.files import make_folder, settle

__all__ = ["ArchiveFile", "Ends", "bring", "differs", "hashed"]


class ArchiveFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows of a file.

    ``first`` and ``last`` are the positions of its first and its last line, ``size`` is
    in bytes, ``sha256`` in hex. Up to the position ``taken`` its lines are in the
    database no more.
    """

    name: str
    first: int
    last: int
    lines: int
    size: int
    sha256: str
    taken: int


Ends = dict[int, Signed]
"""What came with deliveries, by the position of the last line of each."""


def hashed(path: Path) -> str:
    """Return the SHA-256 of a file, in hex, as the disk has it.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file_digest(file, "sha256").hexdigest()


def differs(file: ArchiveFile, log: str, seq: int) -> StartError:
    """Return what is wrong where a line is not as a file has it."""
    reason = (
        f"line {seq} of log {log} is another in archive/{file.name} than in the "
        "database; nothing more is taken out of that. See: scantrail-server verify"
    )
    return StartError(reason)


def bring(
    known: Sequence[ArchiveFile], source: Path, to: Path, older: Path | None = None
) -> None:
    """Copy files of an archive into another folder, durably, but those that are there.

    Args:
        known: The files.
        source: The folder that they are in.
        to: The other folder.
        older: One with copies of some: what is whole in it is there under both names.

    Raises:
        OSError: One cannot be read or written.
    """
    if known:
        make_folder(to)
    for file in known:
        if not (to / file.name).exists() and not _linked(file, older, to):
            beside = to / f"{file.name}.new"
            shutil.copyfile(source / file.name, beside)
            settle(beside, to / file.name)


def _linked(file: ArchiveFile, older: Path | None, to: Path) -> bool:
    """Give a sound copy of a file another name; return whether there was one."""
    if older is None:
        return False
    try:
        if hashed(older / file.name) != file.sha256:
            return False
        (to / file.name).hardlink_to(older / file.name)
    except OSError:  # it is not there, or on another disk
        return False
    return True
