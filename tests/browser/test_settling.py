"""What one cause made wrong is settled together, and each by a record of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import HOUR, Warehouse, warehouse

LEFT = ("P-801", "P-802", "P-803")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Warehouse]:
    with warehouse(tmp_path) as found:
        found.do(_departs_without(found))
        yield found


async def _departs_without(house: Warehouse) -> None:
    """M-8 leaves without three parcels; the shop says of one that it was shipped."""
    by = {"location": "DOCK-1", "operator": "B-BEN", "ago": HOUR}
    await house.tells(
        "SHOP",
        *(
            {"action": "expect", "item": item, "container": "M-8", "ago": 2 * HOUR}
            for item in LEFT
        ),
    )
    await house.tells(
        "DOCK-1",
        *({"action": "receive", "item": item, **by} for item in LEFT),
        {"action": "depart", "item": "M-8", **by},
    )
    await house.tells("SHOP", {"action": "claim", "item": "P-801", "status": "shipped"})


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_ticked_is_settled_with_it(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Sina", **LOOKS[look])
    page.goto(f"{house.url}/exceptions?code=missing_from_manifest")
    case = page.locator(".case", has_text="M-8").filter(
        has=page.get_by_role("heading", name="P-801")
    )
    for words in (
        "Last known: received, at DOCK-1 since",
        "Also open for it: Another system says otherwise.",
        "Of the same cause, for other items: 2.",
    ):
        expect(case).to_contain_text(words)
    case.get_by_text("Deal with it").click()
    kin = case.get_by_role("group", name="Of the same cause")
    expect(kin.get_by_role("checkbox")).to_have_count(3)
    look_at(page, axe, tmp_path / f"{look}.png")
    kin.get_by_label("Another system says otherwise · P-801").check()
    kin.get_by_label("Missing from its load · P-803").check()
    case.get_by_label("Reason").fill("goes on the next lorry")
    case.get_by_role("button", name="Settle it").click()
    said = page.locator("#done")
    expect(said).to_contain_text("Settled together, each by a record of its own")
    for words in (
        "P-801 (Missing from its load)",
        "P-801 (Another system says otherwise)",
        "P-803 (Missing from its load)",
        "Sina",
    ):
        expect(said).to_contain_text(words)
    expect(page.locator(".case", has_text="M-8")).to_have_count(1)
    for item, records in (("P-801", 2), ("P-803", 1), ("P-802", 0)):
        page.goto(f"{house.url}/items/{item}")
        story = page.get_by_role("region", name="What happened")
        told = story.locator("li", has_text="goes on the next lorry")
        expect(told).to_have_count(records)


def test_all_of_a_cause_are_settled_from_an_items_page(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Sina")
    page.goto(f"{house.url}/items/P-802")
    said = page.get_by_role("region", name="Where it is")
    expect(said).to_contain_text("It should have left on M-8, which has gone.")
    wrong = page.get_by_role("region", name="What is wrong")
    wrong.get_by_text("Settle it, with a reason").click()
    wrong.get_by_label("Reason").fill("the lorry was full")
    wrong.get_by_role("button", name="Settle all 3 together").click()
    expect(page.locator("#done")).to_contain_text("P-803 (Missing from its load)")
    expect(wrong).to_have_count(0)
    page.goto(f"{house.url}/exceptions")
    left = page.locator(".case", has_text="M-8")
    expect(left).to_have_count(0)
    expect(page.locator(".case", has_text="P-801")).to_contain_text("Another system")
    page.goto(f"{house.url}/events?action=resolve")
    expect(page.locator("#lines tbody tr")).to_have_count(3)
