"""Keeps the journal on the second path up to date, and reads it where it is needed.

It reads what was saved from the outbox, so that nothing waits in memory; whatever the
second path does, no scan waits for it. Only while the outbox cannot be written does a
scan go there first.
"""

import asyncio
from pathlib import Path

from edge.journal import Journal, read_folder
from edge.logs import Batch
from edge.outbox import Outbox
from edge.salvage import Chunk
from edge.storage import NotSavedError
from shared import chain

__all__ = ["Copying", "adopt", "take_in_journal"]

_LINES = 500  # are copied at once
_BYTES = 1 << 20
_AGAIN = 5.0  # seconds between two tries
_LOOK = 60.0  # seconds after which it looks for files to take away
_PATIENCE = 10.0  # seconds that a scan waits for the second path


class Copying:
    """Copies an outbox into a journal. ``problem`` says why it cannot, if it cannot."""

    def __init__(self, outbox: Outbox, folder: Path, *, again: float = _AGAIN) -> None:
        """Prepare it; ``run`` does it. The outbox may save there what it cannot."""
        self._outbox = outbox
        self._journal = Journal(folder)
        self._folder = folder
        self._again = again
        self._busy = asyncio.Lock()
        self._saved = asyncio.Event()
        self._open = False
        self.problem = ""
        self.copied: tuple[int, int] = (0, 0)
        outbox.on_saved(self._saved.set)
        outbox.second = self.save

    async def run(self) -> None:
        """Copy until cancelled."""
        while True:
            try:
                await self.step()
                self.problem = ""
            except (OSError, NotSavedError, LookupError) as error:
                self.problem = f"the second copy in {self._folder} is behind: {error}"
                await asyncio.sleep(self._again)

    async def step(self) -> None:
        """Copy what there is; where there is nothing, wait for a while.

        Raises:
            OSError: The second path cannot be used now.
            NotSavedError: The outbox cannot be read now.
        """
        self._saved.clear()
        part, after = self._next()
        batch = await self._outbox.batch(
            after, max_lines=_LINES, max_bytes=_BYTES, part=part
        )
        if batch.lines:
            await self.save(batch)
        self.copied = (part, batch.last)
        if batch.lines or part != self._outbox.state.present.id:
            return
        backed_up = {log.name: log.backed_up for log in self._outbox.state.logs}
        await asyncio.to_thread(self._journal.drop, backed_up)
        try:
            async with asyncio.timeout(_LOOK):
                await self._saved.wait()
        except TimeoutError:
            return

    def _next(self) -> tuple[int, int]:
        """Return which log is copied next, and behind which line."""
        state, (part, last) = self._outbox.state, self.copied
        for log in state.logs:
            if log.id == part and last < log.last:
                return part, max(last, log.first)
            if log.id > part and log.last > log.first:
                return log.id, log.first
        return state.present.id, state.last

    async def save(self, batch: Batch) -> None:
        """Write a batch down, durably.

        Raises:
            OSError: It is not durable.
        """
        try:
            async with asyncio.timeout(_PATIENCE), self._busy:
                await asyncio.shield(asyncio.to_thread(self._write, batch))
        except TimeoutError as error:
            reason = f"{self._folder} does not answer"
            raise OSError(reason) from error

    def _write(self, batch: Batch) -> None:
        if not self._open:
            self._journal.open()
            self._open = True
        self._journal.write(batch)


async def adopt(outbox: Outbox, folder: Path) -> int:
    """Put into the outbox what an earlier run could only save on the second path.

    Returns:
        How many lines these were.
    """
    seen, lines, head = False, list[bytes](), b""
    state = outbox.state
    for part, base, some in await asyncio.to_thread(_read, folder):
        if part.name != state.log:
            continue
        if part.last == part.first:
            head = base
        for seq, line in enumerate(some, part.last + 1):
            seen = seen or (seq == state.last + 1 and head == state.head)
            head = chain.link(head, line)
            if seen and seq == state.last + len(lines) + 1:
                lines.append(line)
    if lines:
        await outbox.adopt(lines)
    return len(lines)


def _read(folder: Path) -> list[Chunk]:
    return list(read_folder(folder, newest=2)) if folder.is_dir() else []


async def take_in_journal(outbox: Outbox, folder: Path) -> int:
    """Take in all lines of a journal; return how many there were.

    Raises:
        OSError: It cannot be read.
        NotSavedError: The outbox cannot be written.
    """
    lines, found = 0, read_folder(folder)
    while (chunk := await asyncio.to_thread(next, found, None)) is not None:
        await outbox.take_in(chunk)
        lines += len(chunk.lines)
    return lines
