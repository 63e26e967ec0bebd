"""Where to look for an item: silent stations only where they could have seen it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.visiting import enter
from tests.browser.warehouse import Warehouse, warehouse
from tests.serving import Log


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Warehouse]:
    with warehouse(tmp_path) as found:
        found.do(_silent_stations(found))
        yield found


async def _silent_stations(house: Warehouse) -> None:
    """Six that never said anything: five far away, one where P-4711 was last."""
    places = {"NEAR": "DOCK-2", **{f"FAR-{n}": f"YARD-{n}" for n in range(5)}}
    for name, place in places.items():
        told = {"name": name, "location": place}
        _, made = await house.service.call("POST", "/v1/stations", json=told)
        await Log(house.service, name).enrol(str(made["code"]))
    await house.tells(
        "PACK-1", {"action": "see", "item": "P-900", "location": "B-07-01"}
    )


def test_only_stations_that_could_have_seen_an_item_are_asked(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/items/P-4711")
    said = page.locator(".notice", has_text="may hold scans")
    expect(said).to_contain_text("7 stations may hold scans")
    expect(said).to_contain_text("Of these, 2 could have seen it")
    look = page.get_by_role("region", name="Where to look")
    expect(look).to_contain_text("ask at NEAR: it may hold scans")
    expect(look).not_to_contain_text("FAR-")
    page.goto(f"{house.url}/exceptions/search-list")
    row = page.get_by_role("row", name="P-4711")
    expect(row).to_contain_text("at A-02-07")
    expect(row).not_to_contain_text("FAR-")


def test_a_silent_station_off_its_way_is_said_to_be_none_of_an_items(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/items/P-900")
    said = page.locator(".notice", has_text="may hold scans")
    expect(said).to_contain_text("None of these is known to stand on its way.")
    look = page.get_by_role("region", name="Where to look")
    expect(look).to_contain_text("B-07-01")
    expect(look).not_to_contain_text("ask at")
