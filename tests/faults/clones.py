"""Old copies put back, and cards copied: found when they first meet the server."""

import random
import shutil
from pathlib import Path
from typing import NamedTuple

from edge.outbox import Outbox
from tests.edge_server import Model
from tests.faults.checker import Found, check, draft, sent
from tests.faults.mutations import NAME


class Outcome(NamedTuple):
    """A case: what it was, whether it was found at the first contact, what was kept."""

    what: str
    noticed: bool
    found: Found


class _Case:
    """One station's card, its copies, and what all of them confirmed."""

    def __init__(self, folder: Path, luck: random.Random) -> None:
        self.folder = folder
        self.luck = luck
        self.model = Model()
        self.confirmed: list[str] = []
        self.logs: list[str] = []

    async def use(self, card: str, scans: int, *, online: bool = True) -> bool:
        """Start on a card, scan, and send; return whether an alarm was raised."""
        box = await Outbox.open(self.folder / card / NAME)
        try:
            if box.log not in self.logs:
                self.logs.append(box.log)
            for _ in range(scans):
                code = f"P-{len(self.confirmed)}"
                await box.append([draft(code)])
                self.confirmed.append(code)
            if not online:
                return False
            return bool((await sent(box, self.model)).status.alarm)
        finally:
            await box.close()

    def copy(self, of: str, to: str) -> None:
        shutil.rmtree(self.folder / to, ignore_errors=True)
        shutil.copytree(self.folder / of, self.folder / to)

    def some(self, least: int = 0, most: int = 6) -> int:
        return self.luck.randint(least, most)


async def _rollback(case: _Case) -> bool:
    """An old copy is put back; the server has had more since."""
    await case.use("card", case.some(), online=case.luck.random() < 0.7)
    case.copy("card", "copy")
    await case.use("card", case.some(least=1))
    case.copy("copy", "card")
    return await case.use("card", case.some())


async def _clone(case: _Case) -> bool:
    """A card is copied; both go on, and the second meets the server second."""
    await case.use("card", case.some(), online=case.luck.random() < 0.7)
    case.copy("card", "copy")
    await case.use("copy", case.some(least=1), online=False)
    await case.use("card", case.some(least=1))
    return await case.use("copy", case.some())


async def _alternating(case: _Case) -> bool:
    """A copied card and its original are used in turns."""
    await case.use("card", case.some())
    case.copy("card", "copy")
    await case.use("card", case.some(least=1))
    found = await case.use("copy", case.some(least=1))
    for _ in range(case.some(most=3)):
        await case.use(case.luck.choice(["card", "copy"]), case.some())
    return found


async def _twice(case: _Case) -> bool:
    """The same old copy is put back twice."""
    found = await _rollback(case)
    case.copy("copy", "card")
    return await case.use("card", case.some()) and found


CASES = (_rollback, _clone, _alternating, _twice)


async def campaign(folder: Path, count: int, seed: int) -> list[Outcome]:
    """Try so many cases; a seed repeats them exactly."""
    luck = random.Random(seed)  # noqa: S311 - has to be repeated, not secret
    outcomes = []
    for number in range(count):
        make = CASES[number % len(CASES)]
        case = _Case(folder / "case", luck)
        noticed = await make(case)
        # The lines of an old copy that the server never had are on it alone: those
        # that were on the card when it was overwritten had all been sent before.
        found = check(case.confirmed, case.model.logs)
        outcomes.append(Outcome(make.__name__, noticed, found))
        shutil.rmtree(folder / "case", ignore_errors=True)
    return outcomes
