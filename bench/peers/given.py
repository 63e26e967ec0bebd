"""The rows that all of them take, and what came of it."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bench.work import batches

__all__ = ["Batch", "Given", "NotHereError", "Taken", "given"]

_AHEAD = 86_400_000_000


class NotHereError(Exception):
    """It is not installed; the text says how it is."""


class Batch(NamedTuple):
    """Rows of a station's log: ``after`` + 1 and on; each an item, and its bytes."""

    station: int
    after: int
    rows: list[tuple[str, bytes]]

    def numbered(self) -> Iterator[tuple[int, str, bytes]]:
        """Give each row with its position in the log."""
        for seq, (item, data) in enumerate(self.rows, self.after + 1):
            yield seq, item, data


class Given(NamedTuple):
    """Each station's batches, in their order."""

    stations: list[list[Batch]]

    def turns(self) -> Iterator[Batch]:
        """Give the batches as they come when the stations take turns."""
        for turn in zip(*self.stations, strict=True):
            yield from turn

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(batch.rows) for batch in self.turns())

    def some(self, rounds: int, stations: int) -> "Given":
        """Return the first batches of the first stations."""
        return Given([one[:rounds] for one in self.stations[:stations]])

    @property
    def again(self) -> "Given":
        """A batch that a station sends again, because it heard no answer."""
        return self.some(1, 1)


class Taken(NamedTuple):
    """How many rows a second were taken.

    ``there`` is how many rows there were at the end, once a batch had come
    once more; ``None`` where nothing says so.
    """

    rate: float
    there: int | None = None


def given(stations: int, rounds: int) -> Given:
    """Write the rows: those with which `bench.stations` sends to Scantrail, too."""
    start = time.time_ns() // 1000 - _AHEAD
    found = []
    for number in range(stations):
        after, mine = 0, list[Batch]()
        for rows in islice(batches(number, start), rounds):
            mine.append(Batch(number, after, rows))
            after += len(rows)
        found.append(mine)
    return Given(found)
