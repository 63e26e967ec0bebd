"""What is remembered of an outbox beside it, so that another file in its place shows.

A small file, not flushed: where it is lost, damage shows only later, to the server.
"""

import contextlib
from pathlib import Path

import msgspec

__all__ = ["Mark", "forget", "read", "write"]

_LONGEST = 64  # names that are kept, the latest


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox as it was.

    ``is_open``: it was in use, so that its ``-wal`` has to be there. ``head`` (hex) is
    the head of ``log`` after line ``last``. ``boot`` is the boot in which it was so.
    ``names`` are its logs; ``whole``: all that
    this station ever had, so that others are another station's.
    """

    is_open: bool
    log: str
    last: int
    head: str
    boot: str = ""
    names: tuple[str, ...] = ()
    whole: bool = False

    def grown(self, names: tuple[str, ...]) -> "Mark":
        """Return it with names added; where they become too many, not all are known."""
        known = tuple(dict.fromkeys((*self.names, *names)))
        whole = self.whole and len(known) <= _LONGEST
        return msgspec.structs.replace(self, names=known[-_LONGEST:], whole=whole)


def _of(path: Path) -> Path:
    return path.with_name(f"{path.name}.mark")


def read(path: Path) -> Mark | None:
    """Read what is remembered of the outbox ``path``; None where there is nothing."""
    with contextlib.suppress(OSError, ValueError):
        return msgspec.json.decode(_of(path).read_bytes(), type=Mark)
    return None


def write(path: Path, mark: Mark) -> None:
    """Remember it, if the disk takes it."""
    beside = _of(path).with_name(f"{_of(path).name}.new")
    with contextlib.suppress(OSError):
        beside.touch(mode=0o600)
        beside.write_bytes(msgspec.json.encode(mark))
        beside.replace(_of(path))


def forget(path: Path) -> None:
    """Forget what is remembered of an outbox that was set aside, but for its names."""
    old = read(path)
    if old is not None:
        write(path, msgspec.structs.replace(old, is_open=False, log="", last=0))
