"""Loads, as the dock and the manager look at them: those here, and those that left."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from shared.moments import to_text
from tests.browser.conftest import Opens
from tests.browser.sheets import overprinted, printed
from tests.browser.visiting import LOOKS, enter, go_through
from tests.browser.warehouse import HOUR, MINUTE, Warehouse, warehouse
from tests.serving import NOW

RING = "=1+1 engagement ring"
"""What would be a formula in a spreadsheet."""
LEFT_AT = NOW - 2 * HOUR


def _scan(action: str, item: str, minute: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    ago = 2 * HOUR + (30 - minute) * MINUTE
    by = {"location": "DOCK-1", "operator": "B-BEN"}
    return {"action": action, "item": item, "ago": ago, **by, **more}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse(tmp_path_factory.mktemp("house")) as found:
        found.do(_loads(found))
        yield found


async def _loads(house: Warehouse) -> None:
    """M-3 leaves without a ring and with a stranger; sixty others left before."""
    ago = 3 * HOUR
    expected = [f"P-{n}" for n in (501, 502, 503)]
    await house.tells(
        "SHOP",
        {"action": "note", "item": "M-3", "kind": "load", "title": "Rome", "ago": ago},
        *(
            {"action": "expect", "item": item, "container": "M-3", "ago": ago}
            for item in expected
        ),
        {"action": "note", "item": "P-503", "title": RING, "ago": ago},
    )
    await house.tells(
        "DOCK-1",
        *(_scan("depart", f"M-1{n:02}", n - 60) for n in range(60)),
        _scan("store", "P-503", 1, location="A-02-07"),
        _scan("pack", "P-501", 2, container="C-7", location="PACK-1"),
        _scan("load", "C-7", 3, container="M-3"),
        _scan("load", "P-502", 4, container="M-3"),
        _scan("load", "P-509", 5, container="M-3"),
        _scan("depart", "M-3", 30, operator="B-CEM"),
        _scan("depart", "M-3", 31),  # scanned twice: it left once
        _scan("return", "P-502", 60),
    )


def test_a_load_that_left_is_found_with_all_that_was_on_it(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.get_by_role("navigation").get_by_role("link", name="Loads").click()
    left = page.get_by_role("region", name="Have left")
    rows = left.get_by_role("row", name="M-3")
    expect(rows).to_have_count(1)
    for words in ("Rome", "B-CEM", "DOCK-1"):
        expect(rows).to_contain_text(words)
    expect(rows.locator("td").nth(4)).to_have_text("4")
    expect(rows.locator("td").nth(5)).to_have_text("1")
    expect(rows.locator("td").nth(6)).to_have_text("2")
    rows.get_by_role("link", name="M-3").click()
    page.get_by_role("heading", name="M-3 Rome").wait_for()
    gone = page.get_by_role("region", name="It has left")
    expect(gone).to_contain_text("B-CEM")
    expect(page.locator("#main")).to_contain_text(
        "It left without 1 of the 3 that were expected, and with 2 that were not."
    )
    missing = page.get_by_role("region", name="Missing")
    expect(missing).to_contain_text(RING)
    expect(missing).to_contain_text("at A-02-07 since")
    extra = page.get_by_role("region", name="not expected")
    expect(extra.get_by_role("row", name="P-509")).to_contain_text("B-BEN")
    there = page.get_by_role("region", name="On board, expected")
    expect(there.get_by_role("row", name="P-501")).to_contain_text("C-7")
    there.get_by_role("row", name="P-502").get_by_role("link", name="loaded").click()
    page.get_by_role("heading", name="loaded · P-502").wait_for()


def test_the_item_that_left_leads_to_its_load(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/items/P-501")
    said = page.get_by_role("region", name="Where it is")
    expect(said).to_contain_text("It left on M-3")
    said.get_by_role("link", name="M-3").click()
    page.get_by_role("heading", name="M-3 Rome").wait_for()
    page.get_by_role("link", name="Its own story").click()
    page.get_by_role("link", name="What was on it").click()
    page.get_by_role("heading", name="M-3 Rome").wait_for()


def test_loads_that_left_are_searched_by_key_and_day_and_paged(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/loads")
    rows = page.get_by_role("region", name="Have left").locator("tbody tr")
    expect(rows).to_have_count(24)  # of 25 departures one was a repeat
    page.get_by_role("link", name="Those that left before").click()
    expect(rows).to_have_count(25)
    page.get_by_role("link", name="Those that left before").click()
    expect(rows.last).to_contain_text("M-2")
    form = page.get_by_role("search", name="Narrow down the loads")
    form.get_by_label("Load").fill("m-15")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(10)
    page.get_by_role("link", name="All loads").click()
    form.get_by_label("to", exact=True).fill("2026-04-22")
    form.get_by_role("button", name="Show").click()
    expect(page.locator("#main")).to_contain_text("No load that left fits.")
    assert "end=2026-04-22" in page.url


def test_loads_are_seen_as_they_were_at_another_moment(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    before = to_text(LEFT_AT - 20 * MINUTE)
    page.goto(f"{house.url}/loads?at={before}")
    here = page.get_by_role("region", name="Had not left then")
    expect(here.get_by_role("row", name="M-3")).to_contain_text("Rome")
    here.get_by_role("link", name="M-3").click()
    main = page.locator("#main")
    expect(main).to_contain_text("You are looking at the past")
    expect(main).to_contain_text("It had not left yet.")
    page.get_by_role("link", name="Back to now").click()
    expect(main).to_contain_text("It has left")


def test_the_board_counts_loads_that_lack_something_and_those_that_left_so(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/board")
    tile = page.locator(".tile", has_text="Loads that left incomplete")
    expect(tile.locator(".figure")).to_have_text("1")
    expect(tile).to_contain_text("in the last 24 hours; still being loaded here: 1")
    tile.click()
    page.get_by_role("heading", name="Loads", exact=True).wait_for()


def test_the_manifest_is_printed_and_taken_away_without_formulas(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/loads/M-3")
    page.get_by_role("link", name="Manifest").click()
    page.get_by_role("heading", name="Manifest M-3 Rome").wait_for()
    sheets = printed(page.pdf(format="A4"))
    assert [overprinted(sheet) for sheet in sheets] == [[]] * len(sheets)
    words = " ".join(word.text for sheet in sheets for word in sheet)
    for part in ("MISSING", "P-503", "C-7", "B-CEM", "Checked by"):
        assert part in words
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    table = Path(taken.value.path()).read_text("utf-8")
    assert taken.value.suggested_filename == "manifest-M-3.csv"
    assert f",'{RING},missing," in table
    assert "M-3,P-501,,on board,C-7,pack," in table


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_loads_fit_and_axe_finds_nothing(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    earlier = f"at={to_text(LEFT_AT - 20 * MINUTE)}"
    screens = (
        "/loads",
        "/loads/M-3",
        "/loads/M-3/manifest",
        "/loads/M-100",
        f"/loads?{earlier}",
        f"/loads/M-3?{earlier}",
        "/items/P-501",
    )
    go_through(page, house, screens, axe, tmp_path)
