"""What administrators do with the programs on the server's machine, for its own log.

A program that makes a key or adds a person leaves a file in the folder ``acts`` of the
data folder; the server writes each as a line of its own log, and removes the file. So
what is done while no server runs is told, too, by the next one.
"""

import getpass
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from uuid import uuid4

import msgspec

from shared import files
from shared.hosts import HostLine

__all__ = ["note_act", "take_acts"]

_LOG = logging.getLogger("scantrail.server")
_FOLDER = "acts"
_MOST_AT_ONCE = 100
_LONGEST = 2000
"""Characters of a text or a name that are kept."""


class _Act(msgspec.Struct, frozen=True, kw_only=True):
    by: str
    text: str
    at: str


def note_act(data: Path, text: str, at: str) -> None:
    """Leave a note of what was done.

    Args:
        data: The server's data folder.
        text: What was done, to whom.
        at: When, RFC 3339.

    Raises:
        OSError: It cannot be left.
    """
    folder = data / _FOLDER
    files.make_folder(folder)
    act = _Act(by=f"{_who()}, on the server's machine", text=text[:_LONGEST], at=at)
    files.write(folder / f"{at}-{uuid4().hex}.json", msgspec.json.encode(act))


def _who() -> str:
    """Return the person's name at the machine, also where he became another user."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a number without a name
        return f"user {os.getuid()}"


async def take_acts(
    data: Path, write: Callable[[Sequence[HostLine]], Awaitable[object]]
) -> int:
    """Write what was left as lines, the oldest first; return how many there were.

    A file that cannot be read is set aside, and told to the log.
    """
    found = sorted((data / _FOLDER).glob("*.json"))[:_MOST_AT_ONCE]
    for path in found:
        try:
            act = msgspec.json.decode(path.read_bytes(), type=_Act)
        except (OSError, ValueError) as error:
            _LOG.warning("%s cannot be read, and is set aside: %s", path.name, error)
            path.rename(path.with_suffix(".unread"))
            continue
        by, reason = act.by[:_LONGEST], f"at {act.at}"
        await write(
            [HostLine(seq=1, at="", action="note", by=by, text=act.text, reason=reason)]
        )
        path.unlink()
    return len(found)
