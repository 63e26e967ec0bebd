"""Writing what stations deliver: many deliveries at once, by a few connections."""

from collections.abc import Callable, Sequence
from functools import partial
from zlib import crc32

from server.delivery import Delivery
from server.problems import ProblemError
from server.site import Site
from server.store import Receipt, Station
from server.store.group import LINES, Group
from server.store.postgres.database import Worker
from server.store.postgres.hearing import Hearing
from server.store.postgres.remembered import Remembered
from server.store.postgres.retelling import Check
from server.store.postgres.writing import Appending

__all__ = ["Lanes"]

MOST_TOGETHER = 64
"""Deliveries in one transaction, at most."""
MOST_LINES = 4_000
"""Lines after which a transaction takes no more: others wait for its items."""

_One = tuple[Station, Delivery]
_Result = Receipt | ProblemError


class Lanes:
    """One lane a connection; deliveries of a log always take the same one.

    Args:
        writers: The connections.
        site: The site's rules.
        check: Looks whether this process may write by the rules that it knows.
        hearing: Is told what was written.
        now: This process's clock.
        clock: What gives moments instead of the database's clock, for tests.
    """

    def __init__(
        self,
        writers: Sequence[Worker],
        site: Site,
        *,
        check: Check,
        hearing: Hearing,
        now: Callable[[], int],
        clock: Callable[[], int] | None,
    ) -> None:
        self._site, self._check, self._hearing = site, check, hearing
        self._now, self._clock = now, clock
        self._lanes: list[Group[_One, Receipt]] = [
            Group(
                partial(self._append_together, writer, Remembered()),
                MOST_TOGETHER,
                size=_lines_of,
                room=LINES,
            )
            for writer in writers
        ]

    async def append(self, station: Station, delivery: Delivery) -> Receipt:
        """Append what is new of a delivery, once its turn has come."""
        lane = self._lanes[crc32(delivery.log.encode()) % len(self._lanes)]
        return await lane.do((station, delivery))

    async def close(self) -> None:
        """Finish what is waiting."""
        for lane in self._lanes:
            await lane.close()

    async def _append_together(
        self, writer: Worker, remembered: Remembered, batch: list[_One]
    ) -> list[_Result]:
        """Append deliveries; those of one log one after the other."""
        results: dict[int, _Result] = {}
        waiting = list(enumerate(batch))
        while waiting:
            chosen = _together(waiting)
            found = await self._append(writer, remembered, [one for _, one in chosen])
            results.update(
                (place, one) for (place, _), one in zip(chosen, found, strict=True)
            )
            waiting = [pair for pair in waiting if pair[0] not in results]
        return [results[place] for place in range(len(batch))]

    async def _append(
        self, writer: Worker, remembered: Remembered, batch: Sequence[_One]
    ) -> list[_Result]:
        appending = Appending(
            batch,
            self._site,
            check=self._check,
            heard=self._now(),
            clock=None if self._clock is None else self._clock(),
            floor=self._hearing.given,
            remembered=remembered,
        )
        outcome = await writer.transact(appending, appending.begin)
        remembered.note(appending.versions)
        if outcome.turn is not None:
            await self._hearing.note(outcome.turn)
        return outcome.receipts


def _together(waiting: list[tuple[int, _One]]) -> list[tuple[int, _One]]:
    """Choose what goes into one transaction: of each log one delivery, in order."""
    logs: set[str] = set()
    lines, chosen = 0, []
    for place, one in waiting:
        delivery = one[1]
        if delivery.log not in logs and (not lines or lines < MOST_LINES):
            chosen.append((place, one))
            lines += len(delivery.lines)
        logs.add(delivery.log)
    return chosen


def _lines_of(one: tuple[Station, Delivery]) -> int:
    return len(one[1].lines)
