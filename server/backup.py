"""Backups: a copy of everything, checked as a restore would find it; and restoring.

::

    DIR/2026-11-25T20-00-00Z/
        manifest.json    what is in it, with a hash of each file, and the last seal
        scantrail.db     the database, as of one moment
        archive/         the files of archived lines, shared with the backup before
        …                keys and whatever else the data folder holds

A backup is made beside a running server, by a process of its own. It counts once its
copy was opened, and every chain, signature and seal in it was checked; then it is
published in the data folder, and the server tells its stations up to where their lines
are backed up. Only those do stations ever drop.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import file_digest
from pathlib import Path
from uuid import uuid4

import msgspec

from server.store.archive import archive_at
from server.store.archive_files import bring
from server.store.archived import files as files_of
from server.store.audit import Report, opened, report
from server.store.backups import start_over
from server.verify import Kind, worst
from shared import files
from shared.data_folders import ARCHIVE, DATABASE
from shared.errors import ScantrailError, StartError
from shared.moments import to_text

__all__ = [
    "DATABASE",
    "MANIFEST",
    "SCRATCH",
    "BackupError",
    "Manifest",
    "Published",
    "drop_old",
    "make",
    "newest_archive",
    "published",
    "read",
    "restore",
]

MANIFEST = "manifest.json"
PUBLISHED = "backed-up.json"
"""The file in the data folder that says what is backed up."""

SCRATCH = "drill"
"""The folder in the data folder in which a restore is tried."""

_NOT_COPIED = ("lock", PUBLISHED, "sessions", SCRATCH, ARCHIVE)
_PARTIAL = ".partial"


class BackupError(ScantrailError):
    """A backup that cannot be made, or cannot be trusted; the text says what to do."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. ``files`` has the SHA-256 of each file, in hex.

    ``acked`` has the last line and its head of each log; ``seal`` is that after
    ``deliveries`` deliveries.
    """

    made_at: str
    server: str
    epoch: str
    lines: int
    deliveries: int
    seal: str
    acked: dict[str, tuple[int, str]]
    files: dict[str, str]


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What is backed up: of each log the last line, and its head in hex.

    ``folder`` is where that backup was put, as the program that made it saw it.
    """

    made_at: str
    acked: dict[str, tuple[int, str]]
    folder: str = ""


# --- making ---------------------------------------------------------------------------


def make(
    data: Path, to: Path, now: int, copy: Callable[[Path], None] | None = None
) -> tuple[Path, Manifest]:
    """Make a backup of a data folder, check it, and publish that it is there.

    Args:
        data: The server's data folder; the server may run.
        to: The folder of backups; this one gets a folder of its own in it.
        now: The present moment, in microseconds since 1970.
        copy: Writes everything into a new file, as of one moment, where the database
            is not in the data folder.

    Raises:
        BackupError: It was not made; what was begun was taken away.
        StartError: The data folder cannot be read.
    """
    if to.resolve().is_relative_to(data.resolve()):
        # it would be lost with what it is a copy of, and be copied into the next
        reason = (
            f"a backup in the server's own folder {data} is none: it is lost with it. "
            "Name a folder elsewhere with --to, best on another disk."
        )
        raise BackupError(reason)
    name = to_text(now).partition(".")[0].replace(":", "-") + "Z"
    final, partial = to / name, to / f"{name}{_PARTIAL}"
    try:
        files.make_folder(to)
        partial.mkdir(mode=0o700)
        if copy is None:
            _copy_database(data / DATABASE, partial / DATABASE)
            _copy_archive(data, partial, newest_archive(to))
        else:
            copy(partial / DATABASE)
            _as_one_file(partial / DATABASE)
        _copy_others(data, partial)
        manifest = _checked(partial, now)
        files.write(partial / MANIFEST, msgspec.json.encode(manifest))
        partial.rename(final)
        files.sync_folder(to)
        _publish(data, manifest, final)
    except OSError as error:
        reason = (
            f"the backup {final} was not made: {error.strerror or error}. "
            "See whether the folder can be written and has room."
        )
        raise BackupError(reason) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final, manifest


def _copy_database(source: Path, target: Path) -> None:
    """Copy a database as of one moment, whatever is written meanwhile."""
    with opened(source) as live:
        copy = sqlite3.connect(target)
        try:
            live.backup(copy)
        finally:
            copy.close()
    _as_one_file(target)


def newest_archive(to: Path) -> Path | None:
    """Return the folder of archived lines in the newest backup, to share them with it.

    Args:
        to: The folder of backups.
    """
    made = sorted(path.parent for path in to.glob(f"*/{MANIFEST}"))
    whole = [folder for folder in made if folder.suffix != _PARTIAL]
    return whole[-1] / ARCHIVE if whole else None


def _copy_archive(data: Path, to: Path, older: Path | None) -> None:
    """Copy the files of archived lines that the copy of the database knows of."""
    with opened(to / DATABASE) as copy:
        known = files_of(copy)
    if missing := archive_at(data / ARCHIVE).missing(known):
        raise BackupError("\n".join(missing))
    bring(known, data / ARCHIVE, to / ARCHIVE, older)


def _as_one_file(path: Path) -> None:
    """Leave nothing beside a copy that belongs to it."""
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o600)


def _others(data: Path) -> Iterator[Path]:
    """Find what else the data folder holds that a restored server needs."""
    for path in sorted(data.rglob("*")):
        name = path.relative_to(data).parts[0]
        live = name.startswith(DATABASE) or name in _NOT_COPIED
        if path.is_file() and not live and path.suffix != ".new":
            yield path.relative_to(data)


def _copy_others(data: Path, to: Path) -> None:
    for name in _others(data):
        files.make_folder((to / name).parent)
        files.write(to / name, (data / name).read_bytes())


def _checked(folder: Path, now: int) -> Manifest:
    """Open the copy as a restore would, check all of it, and describe it."""
    with opened(folder / DATABASE) as copy:
        found = report(copy, {})
    _must_be_sound(found, "the copy")
    return Manifest(
        made_at=to_text(now),
        server=found.server,
        epoch=found.epoch,
        lines=found.lines,
        deliveries=found.deliveries,
        seal=found.seal,
        acked=found.acked,
        files={str(name): _hash(folder / name) for name in _files(folder)},
    )


def _must_be_sound(found: Report, what: str) -> None:
    if not found.findings:
        return
    first = found.findings[0]
    where = f"log {first.log}, line {first.seq}: " if first.log else ""
    cannot = worst(found.findings) is Kind.UNREAD
    be_looked_at = "cannot be looked at" if cannot else "is not sound"
    reason = (
        f"{what} {be_looked_at} ({where}{first.text}; {len(found.findings)} findings). "
        "Keep the older backups, and see: scantrail-server verify"
    )
    raise BackupError(reason)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST:
            yield path.relative_to(folder)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _publish(data: Path, manifest: Manifest, backup: Path) -> None:
    now = Published(
        made_at=manifest.made_at,
        acked=manifest.acked,
        folder=str(backup.absolute()),
    )
    files.write(data / PUBLISHED, msgspec.json.encode(now))


def published(data: Path) -> Published | None:
    """Return what is backed up, if anything is."""
    try:
        return msgspec.json.decode((data / PUBLISHED).read_bytes(), type=Published)
    except (OSError, ValueError):
        return None


def drop_old(to: Path, keep: int) -> list[Path]:
    """Remove all but the newest ``keep`` backups, and return what was removed.

    What was begun before the newest and never finished goes, too.
    """
    there = sorted(
        path.parent
        for path in to.glob(f"*/{MANIFEST}")
        if path.parent.suffix != _PARTIAL
    )
    old = there[:-keep] if keep > 0 else []
    old += [path for path in to.glob(f"*{_PARTIAL}") if there and path < there[-1]]
    for folder in old:
        shutil.rmtree(folder)
    return old


# --- restoring ------------------------------------------------------------------------


def read(backup: Path) -> Manifest:
    """Read a backup's manifest, and check that its files are those it names.

    Raises:
        BackupError: It is no backup, or not whole.
    """
    try:
        manifest = msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
        there = {str(name): _hash(backup / name) for name in _files(backup)}
    except (OSError, ValueError) as error:
        reason = (
            f"{backup} is not a backup of scantrail-server: it has no {MANIFEST} that "
            "can be read. A copy of a data folder may lack what was written last."
        )
        raise BackupError(reason) from error
    changed = sorted(
        {name for name, _ in set(there.items()) ^ set(manifest.files.items())}
    )
    if changed:
        reason = f"{backup} is not as it was made: {', '.join(changed[:5])} differ"
        raise BackupError(reason)
    return manifest


def restore(backup: Path, data: Path, now: int) -> Manifest:
    """Put a backup's content into an empty data folder, as a new epoch.

    Stations that were told more than it holds notice at their first contact, and send
    again what is missing.

    Raises:
        BackupError: It is no sound backup, or the folder is in use.
    """
    manifest = read(backup)
    if any((data / name).exists() for name in (DATABASE, "lock")):
        reason = (
            f"{data} holds a server's data already, and nothing of it is overwritten. "
            "Move it away, or choose another --data folder."
        )
        raise BackupError(reason)
    with opened(backup / DATABASE) as copy:
        marks = {manifest.deliveries: manifest.seal} if manifest.deliveries else {}
        _must_be_sound(report(copy, marks), f"the backup {backup}")
    try:
        files.make_folder(data)
        for name in map(Path, manifest.files):
            if str(name) != DATABASE:
                files.make_folder((data / name).parent)
                files.write(data / name, (backup / name).read_bytes())
        _new_epoch(backup, data / f"{DATABASE}.new", manifest, now)
        (data / f"{DATABASE}.new").rename(data / DATABASE)
        files.sync_folder(data)
        _publish(data, manifest, backup)
    except OSError as error:
        reason = f"{data} cannot be written: {error.strerror or error}"
        raise BackupError(reason) from error
    return manifest


def _new_epoch(backup: Path, target: Path, manifest: Manifest, now: int) -> None:
    """Copy the database, and note in it that a new life of the server begins."""
    target.unlink(missing_ok=True)
    shutil.copyfile(backup / DATABASE, target)
    target.chmod(0o600)
    copy = sqlite3.connect(target)
    try:
        copy.execute("PRAGMA synchronous = FULL")
        with copy:
            start_over(copy, epoch=str(uuid4()), made_at=manifest.made_at, now=now)
    except sqlite3.Error as error:
        reason = f"{target} cannot be written: {error}"
        raise StartError(reason) from error
    finally:
        copy.close()
