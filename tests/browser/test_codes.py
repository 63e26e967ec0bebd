"""The codes by which stations were let in, as an administrator sees them afterwards."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import Warehouse


@pytest.mark.parametrize("look", LOOKS)
def test_who_made_a_code_and_what_became_of_it_is_seen_afterwards(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Ada", **LOOKS[look])
    page.goto(f"{house.url}/access")
    page.get_by_role("link", name="Codes by which stations were let in").click()
    page.get_by_label("Name of the station").fill(f"NEW-{look}")
    page.get_by_role("button", name="Make a code").click()
    code = page.locator(".onetime").inner_text()
    page.goto(f"{house.url}/join")
    row = page.get_by_role("row", name=f"NEW-{look}")
    expect(row).to_contain_text("Ada")
    expect(row).to_contain_text("not used yet")
    expect(page.get_by_role("row", name="PACK-1")).to_contain_text("used 2026-04-23")
    assert code not in page.content()
    look_at(page, axe, tmp_path / f"{look}.png")
