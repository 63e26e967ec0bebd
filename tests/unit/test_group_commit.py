"""What goes into one transaction: a scan is not held up by the backlogs of others."""

import asyncio

from server.problems import ProblemError
from server.store.group import SHORT, Group

MOST, ROOM, LONG = 8, 300, 100


class Disk:
    """Takes what it is given when it is let to."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        self.gate = asyncio.Event()

    async def transact(self, batch: list[int]) -> list[int | ProblemError]:
        await self.gate.wait()
        await asyncio.sleep(0)
        self.taken.append(batch)
        return list(batch)


def size(one: int) -> int:
    return one


async def test_what_is_short_does_not_wait_behind_what_is_long() -> None:
    disk = Disk()
    group = Group(disk.transact, MOST, size=size, room=ROOM)
    asked = [asyncio.create_task(group.do(LONG + n)) for n in range(12)]
    for _ in range(3):
        await asyncio.sleep(0)  # the first are on their way to the disk
    asked.append(asyncio.create_task(group.do(1)))
    disk.gate.set()
    assert await asyncio.gather(*asked) == [*range(LONG, LONG + 12), 1]
    await group.close()
    assert disk.taken[0] == [LONG, LONG + 1]  # for a third there is no room
    assert disk.taken[1] == [LONG + 2, 1, LONG + 3]
    assert all(sum(batch) <= ROOM for batch in disk.taken)


async def test_what_is_long_is_never_left_waiting_for_what_is_short() -> None:
    disk = Disk()
    group = Group(disk.transact, MOST, size=size, room=ROOM)
    asked = [asyncio.create_task(group.do(SHORT)) for _ in range(5 * MOST)]
    asked += [asyncio.create_task(group.do(2 * ROOM)) for _ in range(2)]
    disk.gate.set()
    await asyncio.gather(*asked)
    await group.close()
    first = [index for index, batch in enumerate(disk.taken) if 2 * ROOM in batch]
    assert len(first) == 2
    assert first[1] <= 2
    assert all(len(batch) <= MOST for batch in disk.taken)
