"""A restore drill: a backup is put into a folder of its own, and checked there."""

import shutil
from pathlib import Path

from server import backup
from server.backup import BackupError
from server.store.audit import Report, opened, report

__all__ = ["drill"]


def drill(folder: Path, data: Path, now: int) -> Report:
    """Restore a backup beside a running server, and check all that came out of it.

    Args:
        folder: The backup's.
        data: The server's data folder, which gives the room for it.
        now: In microseconds since 1970.

    Raises:
        BackupError: It would not restore to what was received; the text says why.
    """
    scratch = data / backup.SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        manifest = backup.restore(folder, scratch, now)
        marks = {manifest.deliveries: manifest.seal} if manifest.deliveries else {}
        with opened(scratch / backup.DATABASE) as restored:
            found = report(restored, marks)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if found.findings or found.lines != manifest.lines:
        first = found.findings[0].text if found.findings else "lines are missing"
        reason = (
            f"the backup {folder} restores to something else than was received: "
            f"{first}. Keep the older ones, and make a new one."
        )
        raise BackupError(reason)
    return found
