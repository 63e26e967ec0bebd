"""What is kept of items equals what telling all events from the first on gives.

Random histories reach a real store in any order, some lines twice, several deliveries
in one transaction; after each, every item's answer and exceptions are compared.
`STORE_HISTORIES` says how many; the few of a test run are the first of the many.
"""

import asyncio
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from server.answers import Horizon, answer
from server.delivery import Delivery
from server.exceptions import review
from server.findings import COUNT, Finding
from server.history import tell
from server.site import Site
from server.store import ExceptionQuery, Station, View
from server.store.reading import SqlReader
from server.store.sqlite import SqliteStore
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import ItemAnswer
from tests.properties.histories import ITEMS, LOGS, MINUTE, START, random_history
from tests.properties.model import Scan

HISTORIES = int(os.environ.get("STORE_HISTORIES", "60"))
ONCE_WRONG = (2880, 7417)
"""Histories in which what was kept was not what is told."""
NOW = START + 100_000 * MINUTE
SITE = Site(
    stale={"received": 20 * MINUTE, "loaded": 10 * MINUTE},
    follows={"stored": frozenset({"pick", "see"})},
)
NAMES = {log: str(UUID(int=number)) for number, log in enumerate(LOGS, 1)}


class _World:
    """A store, three stations that have joined, and what each still has to send."""

    def __init__(self, store: SqliteStore, stations: dict[str, Station]) -> None:
        self.store, self.stations = store, stations
        self.lines: dict[str, list[bytes]] = {log: [] for log in LOGS}
        self.sent = dict.fromkeys(LOGS, 0)

    def record(self, scan: Scan) -> None:
        self.lines[scan.log].append(encode(_line(scan)))

    async def send(self, log: str, count: int, again: int) -> None:
        after = max(0, self.sent[log] - again)
        self.sent[log] += count
        lines = self.lines[log][: self.sent[log]]
        heads = chain.walk(chain.start(NAMES[log]), lines)
        delivery = Delivery(
            log=NAMES[log],
            after=after,
            lines=lines[after:],
            heads=heads[after:],
            signature=b"",
            clock=None,
        )
        await self.store.append(self.stations[log], delivery)


def _line(scan: Scan) -> Line:
    log, _, seq = (scan.voids or "").rpartition(":")
    return Line(
        seq=scan.seq,
        at=to_text(scan.occurred),
        action=scan.action,
        item=scan.item,
        location=scan.location,
        container=scan.container,
        operator=scan.operator,
        items=scan.items or (() if scan.action == "count" else None),
        voids=f"{NAMES.get(log, log)}:{seq}" if scan.voids else None,
        status=scan.status,
        exception=scan.exception,
        title=scan.title,
        refused="said_no" if scan.refused else None,
    )


@asynccontextmanager
async def _world(path: Path) -> AsyncIterator[_World]:
    clock = iter(range(NOW, NOW + 10**9, SECOND // 2))
    store = await SqliteStore.open(path, lambda: next(clock), SITE)
    try:
        await store._writer.run(lambda c: c.execute("PRAGMA synchronous = OFF"))
        stations = {}
        for log, name in NAMES.items():
            code = log.encode()
            await store.invite(
                log, location=None, kind="station", code_hash=code, expires=NOW * 2
            )
            stations[log] = await store.enrol(
                code, log=name, token_hash=code, public_key=b"", version="", host=""
            )
        yield _World(store, stations)
    finally:
        await store.close()


def _told(
    connection: sqlite3.Connection, view: View
) -> dict[str, tuple[ItemAnswer, list[Finding]]]:
    """Tell every item from its first event on."""
    reader = SqlReader(connection, view)
    found = {}
    for item in ITEMS:
        telling = tell(reader, item, SITE.actions)
        told = answer(
            telling,
            item,
            at=view.at,
            known_at=view.known_at,
            horizon=Horizon(),
            site=SITE,
        )
        findings = review(telling.world, item, telling.said, view.at, site=SITE)
        found[item] = told, findings.findings
    return found


def _comparable(told: ItemAnswer) -> dict[str, object]:
    fields = msgspec.structs.asdict(told)
    for name in ("at", "known_at", "complete_until", "behind"):
        del fields[name]
    return fields


async def _difference(store: SqliteStore) -> str | None:
    now = store.present()
    told = await store._read(lambda c: _told(c, View(at=now, known_at=now)))
    kept = await store.exceptions(ExceptionQuery(open=None, limit=10_000))
    for item, (expected, findings) in told.items():
        found = await store.item(item)
        if _comparable(found) != _comparable(expected):
            return f"{item} is {found}, expected {expected}"
        # a count that came late opened nothing that is open now
        wanted = {f[:5] for f in findings if f.open or f.code != COUNT}
        listed = {
            (f.code, f.since, f.event, f.text, f.until)
            for f in kept
            if f.item == item and (f.until is None or f.code != COUNT)
        }
        if listed != wanted:
            return f"{item} has {listed}, expected {wanted}"
    return None


async def _play(rng: random.Random, path: Path) -> str | None:
    scans = random_history(rng, rng.choice((4, 10, 25, 50)))
    if rng.random() < 0.5:  # told as it happens, else station by station
        scans.sort(key=lambda scan: (scan.occurred, scan.log, scan.seq))
    async with _world(path) as world:
        for scan in scans:
            world.record(scan)
        turns = [scan.log for scan in scans]
        while turns:
            together = turns[: rng.choice((1, 1, 2, 5, 12))]
            del turns[: len(together)]
            await asyncio.gather(
                *(
                    world.send(log, together.count(log), rng.choice((0, 0, 1, 3)))
                    for log in sorted(set(together))
                )
            )
            wrong = await _difference(world.store)
            if wrong is not None:
                return wrong
    return None


def _remove(folder: Path, name: str) -> None:
    for file in folder.glob(f"{name}*"):
        file.unlink()


@pytest.mark.parametrize("part", range(4))
async def test_what_is_kept_equals_what_is_told(part: int, tmp_path: Path) -> None:
    for seed in range(part, HISTORIES, 4):
        await _hold(seed, tmp_path)


@pytest.mark.parametrize("seed", ONCE_WRONG)
async def test_what_was_wrong_once_is_right(seed: int, tmp_path: Path) -> None:
    await _hold(seed, tmp_path)


async def _hold(seed: int, folder: Path) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    wrong = await _play(rng, folder / str(seed))
    assert wrong is None, f"seed {seed}: {wrong}"
    _remove(folder, str(seed))
