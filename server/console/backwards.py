"""Looking through lines from the newest back, a bounded number for each page."""

from collections.abc import Callable, Sequence

import msgspec
from aiohttp import web

from server.problems import invalid
from server.store import Entry, Store
from shared.hosts import HostLine, host_line

__all__ = ["MOST", "Looked", "Row", "back", "before", "position"]

MOST = 100
"""Lines on a page."""
WINDOW = 2000
"""Lines that are read at once."""
MOST_LOOKED = 20_000
"""Lines that one page looks through."""


class Row(msgspec.Struct, frozen=True):
    """A line, and how it reads; ``None`` where it does not."""

    entry: Entry
    line: HostLine | None


class Looked(msgspec.Struct, frozen=True):
    """What was found; ``before`` leads on, ``None`` where there is no more."""

    rows: list[Row]
    before: int | None


async def back(
    store: Store, fits: Callable[[Row], bool], start: int, stop: int = 0
) -> Looked:
    """Look backwards from a position, as far as one page does.

    Args:
        store: Has the lines.
        fits: Whether a line is one of those that are asked for.
        start: The position of the last line that may be.
        stop: The position behind which the first one is.
    """
    rows: list[Row] = []
    low, end = start, max(stop, start - MOST_LOOKED)
    while low > end:
        begin = max(end, low - WINDOW)
        for entry in reversed(await store.events(begin, low - begin)):
            if entry.position > low:
                continue
            row = Row(entry, host_line(entry.line))
            if fits(row):
                rows.append(row)
            if len(rows) == MOST:
                return Looked(rows, _on(entry.position - 1, stop))
        low = begin
    return Looked(rows, _on(low, stop))


def _on(low: int, stop: int) -> int | None:
    return low if low > stop else None


async def position(store: Store, until: int) -> int:
    """Return the last position that was heard by a moment: positions come in time."""
    low, high = 0, store.position()
    while low < high:
        middle = (low + high) // 2
        found: Sequence[Entry] = await store.events(middle, 1)
        if found and found[0].received <= until:
            low = found[0].position
        else:
            high = middle
    return low


def before(request: web.Request) -> int | None:
    """Return from where a page goes on; ``None``: it is the first.

    Raises:
        ProblemError: 400 where that is no position.
    """
    text = request.query.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 # of 64 bits
        reason = "before: not a position that this page gave"
        raise invalid(reason)
    return int(text) if text else None
