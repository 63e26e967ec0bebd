"""Places, badges and stations: what is known of them, from wherever they are named."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import Warehouse


@pytest.mark.parametrize("look", LOOKS)
def test_a_place_says_what_came_and_went(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/places/A-02-07")
    moves = page.get_by_role("region", name="Came and went lately").locator("tbody tr")
    expect(moves).to_have_count(2)
    expect(moves.nth(0)).to_contain_text("went to DOCK-2")
    expect(moves.nth(0)).to_contain_text("engagement-ring")
    expect(moves.nth(0)).to_contain_text("B-CEM")
    expect(moves.nth(1)).to_contain_text("came from DOCK-1")
    page.goto(f"{house.url}/places/DOCK-1")
    expect(moves.filter(has_text="off the site").first).to_contain_text("went")
    look_at(page, axe, tmp_path / f"{look}.png")


NAMED = (
    ("/items/P-4711", "B-ANA", "/people/B-ANA"),
    ("/items/P-4711", "DOCK-2", "/places/DOCK-2"),
    ("/items/P-4711", "PACK-1", "/stations/PACK-1"),
    ("/items/P-4711", "M-1", "/loads/M-1"),
    ("/items/P-4711/report", "B-ANA", "/people/B-ANA"),
    ("/exceptions", "B-BEN", "/people/B-BEN"),
    ("/exceptions", "DOCK-1", "/places/DOCK-1"),
    ("/exceptions/search-list", "B-ANA", "/people/B-ANA"),
    ("/events", "PACK-1", "/stations/PACK-1"),
    ("/loads/M-1", "B-BEN", "/people/B-BEN"),
    ("/loads/M-2", "DOCK-1", "/stations/DOCK-1"),
    ("/find?q=471", "DOCK-2", "/stations/DOCK-2"),
)
"""On which page something is named, and where that leads."""


def test_whatever_is_named_leads_to_what_is_known_of_it(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    for screen, named, leads in NAMED:
        page.goto(f"{house.url}{screen}")
        link = page.locator(f'#main a[href="{leads}"]', has_text=named).first
        expect(link, screen).to_be_visible()
        link.click()
        page.get_by_role("heading", name=named).first.wait_for()
