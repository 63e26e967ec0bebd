"""What others do in the data folder while the server runs, told where it belongs."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from server import backup
from server.backup import Published
from server.noted import take_acts
from server.own_log import OwnLog
from server.store import Store
from shared.errors import ScantrailError
from shared.moments import to_moment

__all__ = ["follow_acts", "follow_backups"]

_LOG = logging.getLogger("scantrail.server")
_LOOK = 2.0  # seconds between two looks


async def follow_backups(data: Path, store: Store, tell: Callable[[int], None]) -> None:
    """Tell the store of each backup that is published, until cancelled.

    ``tell`` is told when the latest one was made.
    """
    known: Published | None = None
    while True:
        found = await asyncio.to_thread(backup.published, data)
        if found is not None:
            tell(to_moment(found.made_at))
        if found is not None and found != known:
            try:
                await store.mark_backed_up(found.acked)
            except ScantrailError as error:
                _LOG.warning("the backup of %s is not noted yet: %s", data, error)
            else:
                known = found
                _LOG.info("stations are told of the backup of %s", found.made_at)
        await asyncio.sleep(_LOOK)


async def follow_acts(data: Path, own: OwnLog) -> None:
    """Write what administrators did on this machine into the server's own log."""
    while True:
        if not await take_acts(data, own.write):
            await asyncio.sleep(_LOOK)
