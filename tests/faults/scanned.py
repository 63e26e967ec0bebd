"""The program that the faults are made to happen to: a station's capture, no less.

It scans codes one after another, and writes each down once it was confirmed; a code
that was refused is tried again by the station itself.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge import care as care_module
from edge.capture import Capture
from edge.care import Care, take_in
from edge.feedback import Feedback
from edge.outbox import Outbox
from edge.scanners import Read, Tone
from edge.storage import NotSavedError
from edge.workflow import Rules
from shared.protocol import ClockReading
from tests.faults.mutations import NAME

_AGAIN = 0.02  # seconds between two tries
_BALLAST = 1 << 20
_PATIENCE = 2.0
_LONG_WAL = 50_000  # bytes: so that it is written back now and then


class Gun:
    """A scanner that tells what was confirmed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.told = asyncio.Event()
        self._tell = tell

    async def confirm(self, read: Read, tone: Tone) -> None:
        if tone is not Tone.ERROR:
            self._tell(read.raw.decode())
            self.told.set()


def _shown(_: Feedback) -> None:
    pass


async def main(
    folder: Path, first: int, count: int, tell: Callable[[str], None]
) -> None:
    """Scan ``count`` codes, and tell what was confirmed.

    Raises:
        TimeoutError: A code was refused for long.
    """
    care_module._LONG_WAL = _LONG_WAL
    box = await Outbox.open(folder / NAME, ballast=_BALLAST)
    gun, care = Gun(tell), Care(box)
    capture = Capture(box, Rules(), show=_shown, retry=_AGAIN)
    scan = capture.sink(gun)
    running = asyncio.create_task(capture.run())
    for number in range(first, first + count):
        gun.told.clear()
        clock = ClockReading(at=number, boot="b", mono=number * 10**6, synced=True)
        await scan(Read(raw=b"P-%d" % number, device="gun", clock=clock))
        async with asyncio.timeout(_PATIENCE):
            await gun.told.wait()
        await care.step()
        try:
            await take_in(box, box.file.notices.append)
        except (NotSavedError, OSError):
            continue
    running.cancel()
    await asyncio.wait([running])
    await box.close()
