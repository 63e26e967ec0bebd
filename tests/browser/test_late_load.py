"""What was known of a load when its departure was heard, where it was otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shared.moments import SECOND
from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import HOUR, MINUTE, Warehouse, warehouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Warehouse]:
    with warehouse(tmp_path) as found:
        found.do(_loaded_late(found))
        yield found


async def _loaded_late(house: Warehouse) -> None:
    """M-9 leaves with two parcels; that the second was on it comes in afterwards."""
    by = {"location": "DOCK-1", "operator": "B-BEN"}
    await house.tells(
        "SHOP",
        *(
            {"action": "expect", "item": item, "container": "M-9", "ago": 2 * HOUR}
            for item in ("P-901", "P-902")
        ),
    )
    first = {"action": "load", "item": "P-901", "container": "M-9", "ago": HOUR}
    left = {"action": "depart", "item": "M-9", "ago": 10 * MINUTE}
    await house.tells("DOCK-1", {**first, **by}, {**left, **by})
    house.service.now += 60 * SECOND
    second = {**first, "item": "P-902", "location": "DOCK-2", "operator": "B-CEM"}
    await house.tells("DOCK-2", second)


@pytest.mark.parametrize("look", LOOKS)
def test_what_was_known_otherwise_is_said_and_can_be_looked_at(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/loads/M-9")
    gone = page.get_by_role("region", name="It has left")
    expect(gone).to_contain_text(
        "something else was known of it: on board 1, missing 1"
    )
    expect(page.get_by_role("region", name="Missing (0)")).to_be_visible()
    look_at(page, axe, tmp_path / f"{look}.png")
    gone.get_by_role("link", name="Look at that").click()
    missing = page.get_by_role("region", name="Missing (1)")
    expect(missing).to_contain_text("P-902")
    expect(gone).to_contain_text("by what was known at")
    expect(gone.get_by_role("link", name="Look at that")).to_have_count(0)


def test_where_the_same_was_known_no_link_leads_to_the_same(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/loads/M-2")
    gone = page.get_by_role("region", name="It has left")
    expect(gone).to_contain_text("the same was known of it")
    expect(gone.get_by_role("link", name="Look at that")).to_have_count(0)


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_as_expected_is_folded_where_it_is_much(
    house: Warehouse, opened: Opens, look: str
) -> None:
    items = [f"P-93{number:02}" for number in range(25)]
    on_it = {"container": "M-93", "location": "DOCK-1"}
    expected = ({"action": "expect", "item": i, "container": "M-93"} for i in items)
    house.do(house.tells("SHOP", *expected))
    loaded = ({"action": "load", "item": item, **on_it} for item in items[1:])
    house.do(house.tells("DOCK-1", *loaded))
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/loads/M-93")
    there = page.get_by_role("region", name="On board, expected (24)")
    expect(there.get_by_role("row", name=items[9])).to_be_hidden()
    expect(page.get_by_role("region", name="Not yet loaded (1)")).to_be_visible()
    there.get_by_text("Show all 24").click()
    expect(there.get_by_role("row", name=items[9])).to_be_visible()
