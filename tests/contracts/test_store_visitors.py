"""What came to a place and went from it: what every backend of the store answers."""

from server.console.moves import Move, moves
from server.store import Store, View
from tests.contracts.storing import NOW, joined

PLACE = "DOCK-1"


async def lately(store: Store, most: int = 30) -> list[Move]:
    keys = await store.visitors(PLACE, most)
    told = await store.tell_together(keys, View(at=NOW, known_at=2**62))
    return moves(told, PLACE, most)


async def test_what_came_and_went_is_told_newest_first(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("receive", 1, item="P-1", location=PLACE)
    log.write("store", 2, item="P-1", location="A-1", operator="B-ANA")
    log.write("receive", 3, item="P-2", location="GATE")
    log.write("see", 4, item="P-2", location=PLACE)
    log.write("see", 5, item="P-2", location=PLACE)
    log.write("load", 6, item="P-3", container="M-1", location=PLACE)
    log.write("depart", 7, item="M-1", location=PLACE)
    log.write("receive", 8, item="P-4", location="GATE")
    await log.send()
    found = [(m.item, m.came, m.other, m.gone, m.via) for m in await lately(store)]
    assert found == [
        ("P-3", False, None, True, "M-1"),
        ("M-1", False, None, True, None),
        ("P-3", True, None, False, None),
        ("M-1", True, None, False, None),
        ("P-2", True, "GATE", False, None),
        ("P-1", False, "A-1", False, None),
        ("P-1", True, None, False, None),
    ]


async def test_only_so_many_of_those_that_came_or_went_last_are_told(
    store: Store,
) -> None:
    log = await joined(store, "DOCK-1")
    for n in range(20):
        log.write("see", n, item=f"P-{n:02}", location=PLACE)
    for n in range(10):
        log.write("see", 30 + n, item=f"P-{n:02}", location="A-1")
    log.write("see", 50, item="P-10", location=PLACE)  # it is there still
    await log.send()
    found = await lately(store, 3)
    assert [(m.item, m.came) for m in found] == [
        ("P-09", False),
        ("P-08", False),
        ("P-07", False),
    ]
    assert await store.visitors("NOWHERE", 3) == []
