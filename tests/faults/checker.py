"""One checker for all faults: what was confirmed is there once, unchanged, in order."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from edge.outbox import Outbox
from edge.sync import Sync
from shared.lines import Line, decode
from tests.edge_server import Model, ModelLink

AT = "2026-03-01T10:00:00.000000Z"


def draft(code: str) -> Line:
    return Line(seq=1, at=AT, action="see", item=code, raw=code, device="gun")


class Found(NamedTuple):
    """What became of what was confirmed, by its code."""

    lost: list[str]
    doubled: list[str]
    phantom: list[str]
    disordered: list[str]

    @property
    def fine(self) -> bool:
        return not any(self)


def check(
    confirmed: Sequence[str],
    logs: Mapping[str, Iterable[bytes]],
    tried: Iterable[str] = (),
) -> Found:
    """Compare the codes that were confirmed, in order, with what a server has.

    Args:
        confirmed: Each code was scanned once.
        logs: The lines of each log. What is in none of them is lost.
        tried: Codes that may be there, or not: they were never confirmed.
    """
    there = {name: [decode(line).raw or "" for line in logs[name]] for name in logs}
    counts = Counter(raw for codes in there.values() for raw in codes)
    known, place = {*confirmed, *tried}, {c: n for n, c in enumerate(confirmed)}
    disordered = []
    for codes in there.values():
        ours = [place[code] for code in codes if code in place]
        disordered += [confirmed[n] for n, m in pairwise(ours) if n > m]
    return Found(
        lost=[code for code in confirmed if not counts[code]],
        doubled=[code for code, count in counts.items() if count > 1],
        phantom=[code for code in counts if code not in known],
        disordered=disordered,
    )


async def sent(outbox: Outbox, model: Model, steps: int = 400) -> Sync:
    """Bring everything to a server, as the station's sync does."""
    sync = Sync(outbox, ModelLink(model), luck=lambda: 0.0)
    for _ in range(steps):
        await sync.step()
        if outbox.state.at_rest():
            return sync
    reason = f"not sent after {steps} exchanges: {sync.status}"
    raise AssertionError(reason)
