"""Late scans of what many others scanned since: the worst that stations can bring.

Lorries were loaded and have left. Then stations come back that had put parcels onto the
same lorries before that, each with a few: whatever is on a lorry has to be told anew.
Meanwhile another station scans parcels that have to do with none of it, until lists
are whole again.
`SCANTRAIL_BENCH_LATE` says how many stations come back (40).
"""

import asyncio
import os
import time
from pathlib import Path

import aiohttp

from bench.measure import Row, percentile
from bench.programs import server, servers_on
from bench.stations import Sending, joined
from server.app import PARTLY_OLD
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.postgres import postgres, why_not

__all__ = ["late"]

STATIONS = int(os.environ.get("SCANTRAIL_BENCH_LATE", "40"))
EACH = 10
"""Late lines of a station."""
LORRIES, ON_BOARD = 10, 200
_HOUR = 3_600 * SECOND
_MILLI = 1000.0
_PAUSE = 0.02
_BATCH = 1_000


class _Writer:
    """Writes a station's lines, each a second after the one before."""

    def __init__(self, begins: int) -> None:
        self._at, self._seq = begins, 0

    def line(self, action: str, item: str, container: str | None = None) -> bytes:
        """Write the next line."""
        self._at, self._seq = self._at + SECOND // 10, self._seq + 1
        return encode(
            Line(
                seq=self._seq,
                at=to_text(self._at),
                boot="7f3c1d2e-0000-4000-8000-000000000001",
                mono=self._at % (1 << 40),
                synced=True,
                action=action,
                item=item,
                location="GATE-1",
                container=container,
            )
        )


def _loaded(now: int) -> list[bytes]:
    """Write how the lorries were loaded, one after the other, and left."""
    told = _Writer(now - _HOUR)
    lines = []
    for lorry in range(LORRIES):
        onto = f"M-LATE-{lorry}"
        lines += [
            told.line("load", f"P-LATE-{lorry}-{n:04}", onto) for n in range(ON_BOARD)
        ]
        lines.append(told.line("depart", onto))
    return lines


def _late(now: int, station: int) -> list[bytes]:
    """Write what a station had put onto each of them before."""
    told = _Writer(now - 2 * _HOUR + station * SECOND)
    return [
        told.line("load", f"P-LATER-{station:04}-{n:02}", f"M-LATE-{n % LORRIES}")
        for n in range(EACH)
    ]


async def _present(
    session: aiohttp.ClientSession, one: Sending, over: asyncio.Event
) -> list[float]:
    """Scan until it is over; return how long each acknowledgement took, in ms."""
    told, times = _Writer(time.time_ns() // 1000), list[float]()
    while not over.is_set():
        one.add([told.line("receive", f"P-NOW-{len(times):06}")])
        began = time.perf_counter()
        await one.send(session)
        times.append((time.perf_counter() - began) * _MILLI)
        await asyncio.sleep(_PAUSE)
    return times


async def _until_told(session: aiohttp.ClientSession, url: str, key: str) -> None:
    """Return once a list is whole, and all that came late is in it."""
    many = f"{url}/v1/items?container=M-LATE-0&limit=1000"
    while True:
        async with session.get(
            many, headers={"Authorization": f"Bearer {key}"}
        ) as answer:
            found = await answer.json()
            if PARTLY_OLD not in answer.headers:
                break
    expected = ON_BOARD + STATIONS * EACH // LORRIES
    if len(found["items"]) != expected:
        reason = f"{len(found['items'])} on a lorry, expected {expected}"
        raise RuntimeError(reason)


async def _measured(where: str, urls: list[str]) -> list[Row]:
    key, now = os.environ["SCANTRAIL_KEY"], time.time_ns() // 1000
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        gate = await joined(session, urls[0], key)
        lines = _loaded(now)
        for begin in range(0, len(lines), _BATCH):
            gate.add(lines[begin : begin + _BATCH])
        await gate.send(session)
        back = []
        for number in range(STATIONS):
            one = await joined(session, urls[number % len(urls)], key)
            one.add(_late(now, number))
            back.append(one)
        present = await joined(session, urls[0], key)
        over = asyncio.Event()
        scanning = asyncio.create_task(_present(session, present, over))
        await asyncio.sleep(_PAUSE)
        began = time.perf_counter()
        await asyncio.gather(*(one.send(session) for one in back))
        seconds = time.perf_counter() - began
        await _until_told(session, urls[0], key)
        told = time.perf_counter() - began
        over.set()
        times = await scanning
    many = STATIONS * EACH
    return [
        Row(f"{where}: {many} late lines of shared loads", many / seconds, None, "1/s"),
        Row(f"{where}: lists are whole after", told * _MILLI, None, "ms"),
        Row(f"{where}: a present scan meanwhile, p50", _at(times, 50), None, "ms"),
        Row(f"{where}: the same, the longest", max(times), None, "ms"),
    ]


def _at(times: list[float], percent: int) -> float:
    return percentile(times, percent) if len(times) > 1 else times[0]


async def late(folder: Path) -> list[Row]:
    """Late scans on SQLite, and on PostgreSQL with one server and with two."""
    async with server(folder / "file") as url:
        rows = await _measured("SQLite", [url])
    if why_not():
        print(f"not measured: {why_not()}")
        return rows
    with postgres(durable=True) as database:
        for count, name in ((1, "PostgreSQL"), (2, "PostgreSQL, two servers")):
            async with servers_on(folder, database, count) as urls:
                rows += await _measured(name, urls)
    return rows
