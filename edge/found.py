"""Taking in what of this station's lines lies elsewhere: set aside, a second copy."""

import asyncio
import logging
from pathlib import Path

from edge.care import take_in
from edge.copying import adopt, take_in_journal
from edge.outbox import Outbox
from edge.storage import NotSavedError

__all__ = ["from_second_path", "take_in_found"]

_log = logging.getLogger(__name__)

_LOOK = 1.0  # seconds between two looks at what was set aside


async def from_second_path(outbox: Outbox, folder: Path) -> None:
    """Take over what an earlier run could only save on the second path."""
    try:
        if lines := await adopt(outbox, folder):
            text = f"{lines} lines that were on the second path only are in the outbox"
            outbox.file.notices.append(text)
    except (OSError, NotSavedError) as error:
        _log.warning("the second path cannot be read: %s", error)


async def take_in_found(outbox: Outbox, journal: Path | None) -> None:
    """Take in what was set aside, now and whenever more is; and the journal.

    The journal has what a file had that is gone, or is damaged. Runs until cancelled.
    """
    known = -1
    while True:
        if outbox.file.anew and journal is not None:
            lines = await take_in_journal(outbox, journal)
            outbox.file.anew = False
            outbox.file.notices.append(f"{lines} lines are in {journal}, and kept")
        if known != len(outbox.file.notices):
            known = len(outbox.file.notices)
            await take_in(outbox, outbox.file.notices.append)
        await asyncio.sleep(_LOOK)
