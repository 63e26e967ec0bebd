"""A program for the guest: saves lines in an outbox for ever, and says which are safe.

Each time that the outbox has said that lines are durable, the number of the last goes
out through the port `events`, out of reach of what then happens to the machine.
"""

import asyncio
import os
import sqlite3
import sys
from functools import partial
from pathlib import Path

from edge import ledger
from edge.clock import read_clock
from edge.outbox import Outbox
from shared.lines import Line
from shared.moments import to_text

_PORTS = Path("/sys/class/virtio-ports")


def _port() -> int:
    (node,) = [
        Path("/dev") / entry.parent.name
        for entry in _PORTS.glob("*/name")
        if entry.read_text().strip() == "events"
    ]
    return os.open(node, os.O_WRONLY)


def draft(number: int) -> Line:
    """Return the line with a number; they differ in length."""
    now = read_clock()
    return Line(
        seq=0,
        at=to_text(now.at),
        boot=now.boot,
        mono=now.mono,
        synced=now.synced,
        action="see",
        item=f"P-{number}",
        raw=f"P-{number}",
        text="x" * (number * 37 % 900),
    )


async def _save_for_ever(path: Path, port: int) -> None:
    box = await Outbox.open(path)
    number = box.last
    os.write(port, f"{number}\n".encode())
    while True:
        several = range(number + 1, number + 2 + number % 3)
        await box.append([draft(one) for one in several])
        number = several[-1]
        os.write(port, f"{number}\n".encode())
        if number % 7 == 0:
            await box.acknowledged(number - 5, 0)
        if number % 11 == 0:  # what the station's care does, now and then
            await box.file.execute(_checkpoint)


def _checkpoint(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


if __name__ == "__main__":
    if sys.argv[2] == "NORMAL":  # the control: as if no one had thought of power cuts
        ledger.transaction = partial(ledger.transaction, synchronous="NORMAL")
    asyncio.run(_save_for_ever(Path(sys.argv[1]), _port()))
