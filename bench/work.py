"""A day's work at several stations, as the lines that they would send."""

from collections.abc import Iterator

import msgspec

from shared.lines import Line, encode
from shared.moments import SECOND, to_text

__all__ = ["AT_ONCE", "batches"]

AT_ONCE = 1_000
"""Lines in a batch: what a station did with a thousand parcels, one after the other."""

_STEPS = (
    ("receive", "DOCK-1"),
    ("store", "A-01"),
    ("see", "A-01"),
    ("pick", "A-01"),
    ("accept", "PACK-1"),
    ("pack", "PACK-1"),
    ("load", "DOCK-2"),
)
_IN_CARTON = 10
_STEP = SECOND // 100


def batches(
    station: int, start: int, turn: int = 0
) -> Iterator[list[tuple[str, bytes]]]:
    """Give one station's batches for ever: for each line the item, and its bytes.

    A thousand parcels are received, stored, seen, picked, accepted, packed into
    cartons of ten; the cartons are put on a load, which leaves; then come the next.

    Args:
        station: Its number; every station has parcels of its own.
        start: When the first line was written, in microseconds since 1970.
        turn: The number of its first thousand parcels.
    """
    seq = 0
    while True:
        for action, place in _STEPS:
            lines = []
            for item, into, what in _scans(station, turn, action):
                seq += 1
                line = _line(seq, start + seq * _STEP, what, item, f"{place}-{station}")
                lines.append((item, encode(_into(line, into))))
            yield lines
        turn += 1


def _scans(
    station: int, turn: int, action: str
) -> Iterator[tuple[str, str | None, str]]:
    name = f"{station:02}{turn:09}"
    load = f"M-{name}"
    if action != "load":
        for number in range(AT_ONCE):
            carton = f"C-{name}{number // _IN_CARTON:03}" if action == "pack" else None
            yield f"P-{name}{number:03}", carton, action
        return
    for number in range(AT_ONCE // _IN_CARTON):
        yield f"C-{name}{number:03}", load, "load"
    yield load, None, "depart"


def _line(seq: int, at: int, action: str, item: str, place: str) -> Line:
    return Line(
        seq=seq,
        at=to_text(at),
        boot="7f3c1d2e-0000-4000-8000-000000000001",
        mono=at % (1 << 40),
        synced=True,
        action=action,
        item=item,
        location=place,
        operator="B-0001",
        raw=item,
        symbology="]C1",
        device="bench",
    )


def _into(line: Line, container: str | None) -> Line:
    if container is None:
        return line
    return msgspec.structs.replace(line, container=container)
