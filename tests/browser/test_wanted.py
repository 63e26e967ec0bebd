"""Wanted items: who had one looked for learns that it was found."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from shared.moments import SECOND
from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import Warehouse, warehouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Warehouse]:
    with warehouse(tmp_path) as found:
        yield found


@pytest.mark.parametrize("look", LOOKS)
def test_who_wanted_an_item_learns_that_it_was_found(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Sina", **LOOKS[look])
    page.goto(f"{house.url}/items/P-4711")
    page.get_by_label("Why it is wanted").fill("the customer waits")
    page.get_by_role("button", name="Look for it at every station").click()
    wanted = page.get_by_role("region", name="Wanted: every station looks out for it")
    expect(wanted).to_contain_text("by Sina")
    expect(wanted).to_contain_text("Not scanned since then.")
    page.goto(f"{house.url}/items/ring%20of%20Ana")
    doubt = page.get_by_text("No label reads as this code")
    expect(doubt).to_be_visible()
    page.get_by_role("button", name="Look for it at every station").click()
    expect(doubt).to_be_visible()
    house.service.now += 60 * SECOND
    seen = {"action": "see", "item": "P-4711", "location": "B-07-01"}
    house.do(house.tells("DOCK-1", {**seen, "operator": "B-BEN"}))
    page.goto(f"{house.url}/board")
    tile = page.locator(".tile", has_text="Wanted items")
    expect(tile).to_contain_text("1 of them found since")
    tile.click()
    sought = page.get_by_role("region", name="Wanted items (2) · 1 found")
    first = sought.locator("li").first
    for words in ("engagement-ring", "the customer waits", "Found: scanned"):
        expect(first).to_contain_text(words)
    for words in ("at B-07-01", "by B-BEN"):
        expect(first).to_contain_text(words)
    look_at(page, axe, tmp_path / f"{look}.png")
    first.get_by_role("button", name="No longer look for it").click()
    expect(sought).to_have_count(0)
    expect(page.get_by_role("region", name="Wanted items (1)")).to_be_visible()
