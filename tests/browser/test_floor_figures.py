"""The floor as a manager reads it: by area, in an order, on a phone, and on the map."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.day_of_floor import busy_floor
from tests.browser.looking import WIDER, findings
from tests.browser.visiting import LOOKS, enter
from tests.browser.warehouse import Warehouse
from tests.serving import Log

SMALL = """
(least) => [...document.querySelectorAll(".map text, .areas a *")]
  .map((one) => [one.textContent, one.getBoundingClientRect(), one])
  .filter(([, box, one]) => one instanceof SVGElement
    ? one.getAttribute("font-size") * one.getScreenCTM().a < least
    : parseFloat(getComputedStyle(one).fontSize) < least)
  .map(([text]) => text)
"""
"""What is written smaller than so many pixels."""
COVERED = """
() => [...document.querySelectorAll(".map a")].flatMap((place) => {
  const sign = place.querySelector("use.station")?.getBoundingClientRect();
  const code = place.querySelector(".code-text").getBoundingClientRect();
  return sign && sign.left < code.right ? [place.textContent] : [];
})
"""
"""The places whose code is beneath the mark of a station."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with busy_floor(tmp_path_factory.mktemp("floor")) as found:
        found.do(_long_name(found))
        yield found


async def _long_name(house: Warehouse) -> None:
    """A station at a place whose name takes all the room there is."""
    place = {"action": "note", "location": "MEZZANINE-NORTH", "title": "Store"}
    await house.tells("SHOP", {**place, "x": 2.0, "y": 9.0, "w": 8.0, "h": 4.0})
    told = {"name": "WIDE-1", "location": place["location"]}
    _, made = await house.service.call("POST", "/v1/stations", json=told)
    await Log(house.service, "WIDE-1").enrol(str(made["code"]))


@pytest.mark.parametrize("look", LOOKS)
def test_figures_of_the_floor_can_be_read_and_no_mark_covers_a_name(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/floor")
    assert page.evaluate(SMALL, 9) == []
    expect(
        page.locator(".map a", has_text="MEZZANINE").locator("use.station")
    ).to_be_attached()
    assert page.evaluate(COVERED) == []
    areas = page.get_by_role("region", name="By area")
    dock = areas.get_by_role("link", name="DOCK")
    box = dock.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= LOOKS[look]["viewport"]["width"]
    page.screenshot(path=tmp_path / f"{look}.png", full_page=True)
    assert page.evaluate(WIDER) == 0
    dock.click()
    table = page.get_by_role("region", name="The same figures: Area DOCK")
    expect(table.get_by_role("row")).to_have_count(3)
    assert findings(page, axe) == []


@pytest.mark.parametrize("look", LOOKS)
def test_the_table_of_the_floor_is_put_in_order_and_stays_so(
    house: Warehouse, opened: Opens, axe: str, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.goto(f"{house.url}/floor")
    order = page.get_by_role("navigation", name="In the order of")
    order.get_by_role("link", name="most items").click()
    page.wait_for_url("**/floor?sort=count&*")
    counts = page.locator("#floor tbody tr td:nth-child(2)")
    found = [int(text) for text in counts.all_inner_texts()]
    assert len(found) > 5
    assert found == sorted(found, reverse=True)
    expect(order.locator("[aria-current]")).to_have_text("most items")
    assert findings(page, axe) == []
    assert page.evaluate(WIDER) == 0
    page.get_by_label("Through the day").press("Home")
    page.wait_for_url("**/floor?at=2026-04-24T00:00:00.000Z&sort=count")
    expect(page.locator("#floor")).to_contain_text("as it was at 2026-04-24 00:00:00")
    then = [int(text) for text in counts.all_inner_texts()]
    assert then == sorted(then, reverse=True)
    page.get_by_label("Through the day").press("End")
    page.wait_for_url(f"{house.url}/floor?sort=count")
