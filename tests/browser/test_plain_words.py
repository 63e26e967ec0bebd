"""What pages say in plain words: loads, silent stations, scans, sheets of labels."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.sheets import printed
from tests.browser.visiting import LOOKS, enter, look_at
from tests.browser.warehouse import Warehouse


def test_a_load_that_is_here_lacks_nothing_yet(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Otto")
    page.goto(f"{house.url}/loads")
    here = page.get_by_role("region", name="Have not left")
    expect(here.get_by_role("columnheader", name="Not yet loaded")).to_be_visible()
    row = here.get_by_role("row", name="M-1")
    expect(row.locator("td").nth(3)).to_have_text("2")
    assert row.locator("td").nth(3).locator("svg").count() == 0
    page.goto(f"{house.url}/loads/M-1/manifest")
    expect(page.locator("#main")).not_to_contain_text("MISSING")
    row = page.get_by_role("row", name="P-4711")
    expect(row).to_contain_text("not yet loaded")


def test_no_word_of_a_manifest_is_broken(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Otto")
    for language, word in (("en", "expected"), ("de", "erwartet"), ("es", "esperado")):
        page.set_extra_http_headers({"Accept-Language": language})
        page.goto(f"{house.url}/loads/M-1/manifest")
        words = [one.text for sheet in printed(page.pdf(format="A5")) for one in sheet]
        assert word in words, language


@pytest.mark.parametrize(
    ("screen", "says"),
    [
        ("/items/P-4711", "it may be elsewhere than this page says"),
        ("/items/P-4711?at=2026-04-24T03:00:00Z", "it may have been elsewhere"),
        ("/places/DOCK-2", "Items may have come here, or gone"),
        ("/people/B-ANA", "What was taken or handed over there"),
        ("/floor", "some places may show too many items"),
        ("/loads/M-1", "Items may have been put on this load"),
        ("/find?q=471", "What was scanned only there is not found yet"),
        ("/figures", "These figures are without them"),
        ("/incidents", "more incidents may show"),
    ],
)
def test_each_page_says_what_follows_from_a_silent_station(
    house: Warehouse, opened: Opens, screen: str, says: str
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}{screen}")
    said = page.locator(".notice", has_text="may hold scans that have not arrived")
    expect(said).to_contain_text(says)
    said.get_by_role("link", name="How the stations are").click()
    page.get_by_role("heading", name="Stations", exact=True).wait_for()


def test_a_silent_station_looks_the_same_wherever_it_is_named(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/stations")
    row = page.get_by_role("row", name="DOCK-2")
    expect(row.locator(".mark.error")).to_have_text("Silent")
    expect(row).not_to_contain_text("Behind")  # it follows from that
    expect(page.locator("#stations")).to_contain_text("has arrived here")
    page.goto(f"{house.url}/stations/DOCK-2")
    expect(page.locator("#station .notice.error")).to_contain_text("Silent")
    page.goto(f"{house.url}/floor")
    expect(page.locator(".map .station.error").first).to_be_attached()
    expect(page.locator("#floor .mark.error").first).to_be_visible()
    page.goto(f"{house.url}/exceptions?code=silent")
    expect(page.locator(".case .head .shape.error")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_a_scan_is_told_in_words_before_its_fields(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Otto", **LOOKS[look])
    page.goto(f"{house.url}/items/P-4711")
    page.locator(".line .void a.evidence").first.click()
    expect(page.locator(".notice")).to_contain_text("Taken back by this scan.")
    expect(page.locator(".notice")).to_contain_text("Reason: wrong shelf")
    expect(page.locator("table")).to_be_hidden()
    page.get_by_text("Field by field").click()
    row = page.get_by_role("row", name="Time by the station's clock")
    expect(row.locator("td").last).to_have_text("at")
    look_at(page, axe, tmp_path / f"{look}.png")


def test_labels_print_their_sheets_and_nothing_else(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Sina")
    for size, sheets in (("a4", 2), ("62mm", 30)):
        page.goto(f"{house.url}/labels?kind=locations&prefix=A-&count=30&size={size}")
        page.wait_for_function("[...document.images].every((one) => one.complete)")
        found = printed(page.pdf(prefer_css_page_size=True))
        assert len(found) == sheets
        words = [word.text for sheet in found for word in sheet]
        assert words == [f"L-A-{number:03}" for number in range(1, 31)]
