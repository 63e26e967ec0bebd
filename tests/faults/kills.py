"""The real station, killed again and again after 1 to 500 ms, also while it starts."""

import asyncio
import os
import random
import re
import signal
import time
from pathlib import Path
from typing import NamedTuple

from edge import cli
from edge.care import take_in
from edge.outbox import Outbox
from tests.edge_server import Model
from tests.faults.checker import Found, check, sent
from tests.faults.mutations import NAME

CODES = 400  # more than are scanned in a lifetime
LONGEST = 0.5
_SAVED = re.compile(r"SAVED.*?(P-\d+-\d+)")


class Outcome(NamedTuple):
    """What is left of so many lives."""

    cycles: int
    confirmed: int
    found: Found
    notices: int


def _live(folder: Path, cycle: int) -> None:
    """Be a station whose scanner is a file; end only by being killed."""
    codes = "".join(f"P-{cycle}-{number}\n" for number in range(CODES))
    (folder / "codes").write_text(codes)
    given = os.open(folder / "codes", os.O_RDONLY)
    out = os.open(folder / "out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, descriptor in enumerate((given, out, out)):
        os.dup2(descriptor, number)
    cli.main(["run", "--data", str(folder / "station"), "--scanner", "terminal"])
    os._exit(0)


def cycle(folder: Path, number: int, seconds: float) -> list[str]:
    """Let a station live so long; return what it confirmed."""
    (folder / "out").unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _live(folder, number)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not (folder / "out").exists():
        return []
    said = (folder / "out").read_text(errors="replace")
    return _SAVED.findall(said[: said.rfind("\n") + 1])


async def _end(folder: Path, confirmed: list[str], cycles: int) -> Outcome:
    model = Model()
    box = await Outbox.open(folder / "station" / NAME)
    try:
        await take_in(box, box.file.notices.append)
        await sent(box, model, steps=5000)
        notices = len(box.file.notices)
    finally:
        await box.close()
    tried = [f"P-{n}-{m}" for n in range(cycles) for m in range(CODES)]
    return Outcome(cycles, len(confirmed), check(confirmed, model.logs, tried), notices)


def campaign(folder: Path, cycles: int, seed: int) -> Outcome:
    """Kill a station so many times, on one outbox, and send what is in it."""
    luck = random.Random(seed)  # noqa: S311 - has to be repeated, not secret
    confirmed: list[str] = []
    for number in range(cycles):
        confirmed += cycle(folder, number, luck.uniform(0.001, LONGEST))
    return asyncio.run(_end(folder, confirmed, cycles))
