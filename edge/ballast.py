"""Room on the disk that is kept aside, so that a full disk does not stop a station.

A file of a fixed size that holds nothing. When the disk is full it is taken away, and
what it held is enough for thousands of scans; it comes back once there is room.
"""

import contextlib
import os
from pathlib import Path

__all__ = ["MEBIBYTE", "Ballast"]

MEBIBYTE = 1 << 20
_PRIVATE = 0o600
_SPARE = 2  # times its size that has to be free before it is made again


class Ballast:
    """One file. Its failure is never more than that there is no ballast.

    ``released``: it was taken away, and there is no room yet to make it again.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Prepare it; ``size`` is in bytes, and 0 keeps none."""
        self._path = path
        self._size = size
        self.released = False

    @property
    def here(self) -> bool:
        """Whether there is room kept aside."""
        return self._path.exists()

    def keep(self) -> None:
        """Make the file, where there is ample room and it is not there."""
        if not self._size or self.here:
            return
        with contextlib.suppress(OSError):
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < _SPARE * self._size:
                return
            self._make()
            self.released = False

    def _make(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, _PRIVATE)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        except OSError:
            self.release()
        finally:
            os.close(descriptor)

    def release(self) -> bool:
        """Give the room back; return whether there was any."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            self.released = True
            return True
        return False
