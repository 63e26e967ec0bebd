"""Who follows the server's order while many write misses nothing (F-72)."""

import asyncio
from pathlib import Path

from tests.faults.server_scenes import Sender, joined, serving

STATIONS, LINES = 6, 60


async def test_f72_a_reader_behind_many_writers_gets_every_line_once_and_in_order(
    tmp_path: Path,
) -> None:
    senders = [Sender(number, LINES) for number in range(STATIONS)]
    async with serving(tmp_path) as store:

        async def write(sender: Sender) -> None:
            station = await store.station(sender.secret)
            assert station is not None
            for after in range(LINES):
                await store.append(station, sender.delivery(after, after + 1))

        async def follow() -> list[tuple[int, str]]:
            found: list[tuple[int, str]] = []
            while len(found) < STATIONS * LINES:
                last = found[-1][0] if found else 0
                await store.grown(last)
                entries = await store.events(last, 7)
                found += [(entry.position, entry.event) for entry in entries]
            return found

        for sender in senders:
            await joined(store, sender, sender.secret)
        async with asyncio.timeout(60):
            following = asyncio.create_task(follow())
            await asyncio.gather(*map(write, senders))
            found = await following
    assert found == sorted(found)
    assert sorted(name for _, name in found) == sorted(
        f"{sender.log}:{seq}" for sender in senders for seq in range(1, LINES + 1)
    )
