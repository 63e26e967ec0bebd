"""A badge's page: what was done with it, by what, when, and page by page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import MINUTE, Warehouse, warehouse

MANY = 130


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse(tmp_path_factory.mktemp("house")) as found:
        found.do(_much(found))
        yield found


async def _much(house: Warehouse) -> None:
    """B-ZOE receives many parcels, and hands one over to B-ANA."""
    by = {"location": "DOCK-1", "operator": "B-ZOE"}
    await house.tells(
        "DOCK-1",
        *(
            {"action": "receive", "item": f"P-6{number:03}", "ago": MINUTE, **by}
            for number in range(MANY)
        ),
        {"action": "accept", "item": "P-6000", **by, "operator": "B-ANA"}
        | {"giver": "B-ZOE"},
    )


@pytest.mark.parametrize("look", LOOKS)
def test_what_was_done_with_a_badge_is_seen_newest_first_and_page_by_page(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/people/B-ZOE")
    deeds = page.get_by_role("region", name="What was done with this badge")
    rows = deeds.locator("tbody tr")
    expect(rows).to_have_count(100)
    expect(rows.first).to_contain_text("handed over to B-ANA")
    expect(rows.nth(1)).to_contain_text(f"P-6{MANY - 1:03}")
    look_at(page, axe, tmp_path / f"{look}.png")
    deeds.get_by_role("link", name="Older lines").click()
    expect(rows).to_have_count(MANY + 1 - 100)
    expect(rows.last).to_contain_text("P-6000")
    expect(deeds.get_by_role("link", name="Older lines")).to_have_count(0)
    rows.last.get_by_role("link", name="P-6000").click()
    page.get_by_role("heading", name="P-6000").wait_for()


def test_deeds_are_narrowed_down_by_what_was_done_and_by_days(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/people/B-BEN")
    deeds = page.get_by_role("region", name="What was done with this badge")
    rows = deeds.locator("tbody tr")
    deeds.get_by_label("What", exact=True).select_option("store")
    deeds.get_by_role("button", name="Show").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("engagement-ring")
    deeds.get_by_role("link", name="All, newest first").click()
    every = rows.count()
    deeds.get_by_label("From", exact=True).fill("2026-04-24")
    deeds.get_by_role("button", name="Show").click()
    expect(rows.first).to_be_visible()
    today = rows.count()
    deeds.get_by_label("From", exact=True).fill("")
    deeds.get_by_label("to", exact=True).fill("2026-04-23")
    deeds.get_by_role("button", name="Show").click()
    expect(deeds).to_contain_text("heard more than a day after the period")
    assert 0 < rows.count() == every - today
    page.goto(f"{house.url}/people/B-BEN?begin=2026-04-25")
    expect(deeds).to_contain_text("Nothing was done with this badge")


def test_who_handed_over_and_what_was_taken_back_is_told_of_both(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/people/B-ANA")
    deeds = page.get_by_role("region", name="What was done with this badge")
    expect(deeds.get_by_role("row", name="P-6000")).to_contain_text("from B-ZOE")
    back = deeds.get_by_role("row", name="taken back")
    expect(back).to_contain_text("wrong shelf")
    back.get_by_role("link", name="this scan").click()
    expect(page.locator(".notice")).to_contain_text("Taken back by")
