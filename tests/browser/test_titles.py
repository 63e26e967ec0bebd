"""Items are found by what they are called, and called so wherever they stand out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import LOOKS, enter, go_through
from tests.browser.warehouse import Warehouse, warehouse

SCREENS = (
    "/find?q=chain",
    "/items/P-4714",
    "/items/P-4714/report",
    "/exceptions",
    "/exceptions/search-list",
    "/find",
    "/incidents?days=1",
    "/places/DOCK-1",
    "/loads/M-2",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse(tmp_path_factory.mktemp("house")) as found:
        found.do(
            found.tells(
                "SHOP",
                {"action": "note", "item": "P-4712", "title": "Étui of a ring"},
                {"action": "note", "item": "P-4714", "title": "<b>Gold</b> chain"},
                {"action": "note", "item": "P-9999", "title": "never scanned ring"},
            )
        )
        yield found


def test_words_of_a_title_find_the_item_and_are_marked_as_such(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.get_by_role("searchbox").fill("etui ring")
    page.keyboard.press("Enter")
    found = page.get_by_role("region", name="By what they are called")
    expect(found.locator("tbody tr")).to_have_count(1)
    expect(found.locator("tbody tr")).to_contain_text("Étui of a ring")
    found.get_by_role("link", name="P-4712").click()
    page.get_by_role("heading", name="P-4712 Étui of a ring").wait_for()
    page.get_by_role("searchbox").fill("ring")
    page.keyboard.press("Enter")
    expect(found.locator("tbody tr")).to_have_count(3)
    expect(found).to_contain_text("never scanned ring")


def test_a_scanned_key_goes_straight_to_its_item(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.get_by_role("searchbox").fill("p-4711")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="P-4711 engagement-ring").wait_for()


@pytest.mark.parametrize("look", LOOKS)
def test_titles_are_shown_as_text_wherever_an_item_stands_out(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    go_through(page, house, SCREENS, axe, tmp_path, says="<b>Gold</b> chain")
