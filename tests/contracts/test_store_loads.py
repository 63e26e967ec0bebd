"""Loads that left, and what was on them: what every backend of the store answers."""

import pytest

from server.manifest import Manifest
from server.store import DepartureQuery, Store, View
from shared.moments import SECOND
from tests.contracts.storing import AGO, NOW, Log, joined

EVER = 2**62
MINUTE = 60


def then(at: int) -> int:
    """Return the moment so many seconds after an hour ago."""
    return AGO + at * SECOND


async def left(store: Store, **asked: object) -> list[str]:
    query = DepartureQuery(**{"until": EVER, "known_at": EVER, **asked})  # type: ignore[arg-type]
    return [one.load for one in (await store.departures(query)).found]


async def a_load_leaves(store: Store) -> Log:
    """M-1 leaves with a carton, a parcel in it and a stranger, without P-3."""
    log = await joined(store, "DOCK-1")
    for item in ("P-1", "P-2", "P-3"):
        log.write("expect", 0, item=item, container="M-1")
    log.write("note", 0, item="P-3", title="engagement ring")
    log.write("store", 1, item="P-3", location="A-1")
    log.write("pack", 2, item="P-1", container="C-1", location="X", operator="B-ANA")
    log.write("load", 3, item="C-1", container="M-1", location="X", operator="B-BEN")
    log.write("load", 4, item="P-2", container="M-1", location="X", operator="B-BEN")
    log.write("load", 5, item="P-9", container="M-1", location="X", operator="B-BEN")
    log.write("load", 6, item="P-8", container="M-1", location="X", operator="B-BEN")
    log.write("unload", 7, item="P-8", location="X", operator="B-BEN")
    log.write("depart", 10, item="M-1", location="X", operator="B-CEM")
    await log.send()
    return log


def told(found: Manifest) -> dict[str, tuple[str, ...]]:
    return {one.item: one.inside for one in found.aboard}


async def test_what_was_aboard_is_as_of_the_departure(store: Store) -> None:
    log = await a_load_leaves(store)
    before = len(log.lines)
    log.write("return", 20, item="P-2", location="X")
    log.write("see", 21, item="P-9", location="A-1")
    log.write("load", 22, item="P-3", container="M-1", location="X")
    await log.send(before)
    found = await store.manifest("M-1", View(at=NOW, known_at=EVER))
    assert told(found) == {"C-1": (), "P-1": ("C-1",), "P-2": (), "P-9": ()}
    assert [one.item for one in found.extra] == ["C-1", "P-9"]
    (lacking,) = found.lacking
    assert (lacking.item, lacking.title) == ("P-3", "engagement ring")
    assert (lacking.location, lacking.since) == ("A-1", then(1))
    scans = {one.item: one.scan.line for one in found.aboard}
    assert (scans["P-1"].action, scans["P-1"].operator) == ("pack", "B-ANA")
    assert (scans["P-2"].action, scans["P-2"].operator) == ("load", "B-BEN")
    assert found.left is not None
    assert found.left.name == f"{log.name}:12"
    assert found.whole


async def test_a_load_that_is_here_is_compared_as_of_the_moment(store: Store) -> None:
    await a_load_leaves(store)
    found = await store.manifest("M-1", View(at=then(4), known_at=EVER))
    assert told(found) == {"C-1": (), "P-1": ("C-1",), "P-2": ()}
    assert found.left is None
    assert found.departures == []
    nothing = await store.manifest("M-7", View(at=NOW, known_at=EVER))
    assert (nothing.known, nothing.aboard, nothing.lacking) == (False, [], [])


async def test_a_load_that_came_back_is_here_and_left_before(store: Store) -> None:
    log = await a_load_leaves(store)
    before = len(log.lines)
    log.write("arrive", 30, item="M-1", location="X")
    log.write("depart", 40, item="M-1", location="X")
    await log.send(before)
    here = await store.manifest("M-1", View(at=then(35), known_at=EVER))
    assert here.left is None
    assert len(here.departures) == 1
    again = await store.manifest("M-1", View(at=then(50), known_at=EVER))
    assert again.left is not None
    assert again.left.order.occurred == then(40)
    assert len(again.departures) == 2


async def test_loads_that_left_are_listed_newest_first(store: Store) -> None:
    log = await a_load_leaves(store)
    before = len(log.lines)
    log.write("depart", 15, item="P-77", location="X")  # an item, not a load
    log.write("depart", 20, item="M-2", location="X")
    log.write("note", 20, item="TRUCK-9", title="a lorry")
    log.write("expect", 20, item="P-5", container="TRUCK-9")
    log.write("depart", 30, item="TRUCK-9", location="X")
    log.write("depart", 35, item="M-3", location="X", refused="not_on_manifest")
    wrong = log.write("depart", 40, item="M-4", location="X")
    log.write("void", 41, voids=wrong, reason="still here")
    await log.send(before)
    assert await left(store) == ["TRUCK-9", "M-2", "M-1"]
    assert await left(store, since=then(11), until=then(25)) == ["M-2"]
    assert await left(store, q="M-") == ["M-2", "M-1"]
    assert await left(store, known_at=0) == []
    page = await store.departures(DepartureQuery(until=EVER, known_at=EVER, limit=2))
    assert page.after is not None
    assert await left(store, after=page.after) == ["M-1"]
    (first, *_) = page.found
    assert (first.scan.station, first.scan.occurred) == ("DOCK-1", then(30))


async def test_a_departure_counts_from_when_it_was_known(store: Store) -> None:
    log = await joined(store, "DOCK-1")
    log.write("depart", 0, item="M-1", location="X")
    receipt = await log.send()
    log.write("void", 1, voids=f"{log.name}:1", reason="mistaken")
    await log.send(1)
    assert await left(store) == []
    assert await left(store, known_at=receipt.received) == ["M-1"]
    found = await store.manifest("M-1", View(at=NOW, known_at=EVER))
    assert found.left is None


@pytest.mark.parametrize("other", ["P-1", "C-1"])
async def test_nothing_is_on_a_load_twice_or_in_itself(
    store: Store, other: str
) -> None:
    log = await joined(store, "DOCK-1")
    log.write("pack", 1, item=other, container="M-1", location="X")
    log.write("load", 2, item=other, container="M-1", location="X")
    log.write("load", 3, item="M-1", container=other, location="X")
    await log.send()
    found = await store.manifest("M-1", View(at=NOW, known_at=EVER))
    assert len(found.aboard) == len({one.item for one in found.aboard}) <= 1
