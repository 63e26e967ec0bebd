"""The floor map and the figures in a browser: what each is for, as a person does it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from shared.moments import to_text
from tests.browser.conftest import Opens
from tests.browser.day_of_floor import busy_floor
from tests.browser.looking import WIDER, findings
from tests.browser.visiting import HOSTILE, LOOKS, enter, go_through
from tests.browser.warehouse import HOUR, Warehouse
from tests.serving import NOW

THEN = to_text(NOW - 5 * HOUR)
FLOORS = ("/floor", f"/floor?at={THEN}")
SCREENS = (
    *FLOORS,
    "/figures",
    "/figures?days=1",
    f"/figures?days=28&at={THEN}",
    "/incidents",
    "/incidents?by=step&days=1",
    "/incidents?by=station",
    f"/incidents?at={to_text(NOW - 400 * HOUR)}",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with busy_floor(tmp_path_factory.mktemp("floor")) as found:
        yield found


@pytest.mark.parametrize("look", LOOKS)
def test_every_screen_fits_and_axe_finds_nothing(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    go_through(page, house, SCREENS, axe, tmp_path)


@pytest.mark.parametrize("look", LOOKS)
def test_the_slider_goes_through_the_day_and_back_to_live(
    house: Warehouse, opened: Opens, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    page.get_by_role("navigation").get_by_role("link", name="Floor").click()
    floor = page.locator("#floor")
    expect(floor).to_contain_text("As of 2026-04-24 03:06:40")
    now = floor.locator(".lead").inner_text()
    slider = page.get_by_label("Through the day")
    slider.press("Home")
    expect(page.locator("#mark-text")).to_have_text("00:00")
    expect(floor).to_contain_text("as it was at 2026-04-24 00:00:00")
    assert "at=2026-04-24T00:00:00.000Z" in page.url
    assert slider.get_attribute("aria-valuetext") == "00:00"
    assert floor.locator(".lead").inner_text() != now
    slider.press("ArrowRight")
    expect(floor).to_contain_text("as it was at 2026-04-24 00:05:00")
    slider.press("End")
    expect(floor.locator(".lead")).to_have_text(now)
    assert page.url == f"{house.url}/floor"
    expect(page.locator("#mark-text")).to_have_text("live")


def test_the_map_and_its_table_say_the_same_and_each_place_opens_its_list(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/floor")
    row = page.get_by_role("row", name="PACK-1")
    count = row.locator("td").nth(1).inner_text()
    assert int(count) > 0
    drawn = page.locator(".map a", has_text="PACK-1")
    expect(drawn.locator(".number")).to_have_text(count)
    drawn.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="PACK-1").wait_for()
    page.go_back()
    row.get_by_role("link", name="PACK-1").click()
    here = page.get_by_role("region", name="Here now")
    expect(here).to_contain_text(f"Items: {count}")


def test_another_moment_of_the_floor_needs_no_script(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera", java_script_enabled=False)
    page.goto(f"{house.url}/floor")
    expect(page.get_by_label("Through the day")).to_be_hidden()
    page.get_by_label("Exactly at").fill("2026-04-23T22:30:10")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#floor")).to_contain_text("as it was at 2026-04-23 22:30:10")
    page.get_by_role("link", name="Back to live").click()
    assert page.url == f"{house.url}/floor"


@pytest.mark.parametrize("look", LOOKS)
def test_the_floor_can_be_seen_as_it_was_known_and_its_places_too(
    house: Warehouse, opened: Opens, look: str
) -> None:
    page = enter(opened, house, "Sina", **LOOKS[look])
    page.goto(f"{house.url}/floor")
    page.get_by_label("Exactly at").fill("2026-04-23T22:06:40")
    page.get_by_label("as we knew it at").fill("2026-04-23T21:30:00")
    page.get_by_role("button", name="Show").click()
    floor = page.locator("#floor")
    expect(floor).to_contain_text("as we knew it at 2026-04-23 21:30:00")
    expect(floor).to_contain_text("items were at a known place")
    expect(floor).not_to_contain_text("as it should be")  # stations: not kept
    knew = floor.locator("table").first.inner_text()
    slider = page.get_by_label("Through the day")
    slider.press("ArrowLeft")
    expect(page.locator("#mark-text")).to_have_text("22:00")
    page.wait_for_url("**/floor?at=2026-04-23T22:00:00.000Z&known_at=2026-04-23T21:30*")
    page.goto(f"{house.url}/floor?at=2026-04-23T22:06:40Z")
    expect(floor).to_contain_text("by all that is known today")
    assert floor.locator("table").first.inner_text() != knew
    row = page.get_by_role("row", name="PACK-1")
    count = (row.locator("td").nth(1).text_content() or "").strip()
    row.get_by_role("link", name="PACK-1").click()
    expect(page.locator("main")).to_contain_text(f"There then: {count}")
    expect(page.locator("main")).to_contain_text("looking at the past")
    page.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(page.get_by_role("region", name="Where it was")).to_be_visible()
    assert page.evaluate(WIDER) == 0


def test_f25_hostile_places_are_text_on_the_map(
    house: Warehouse, opened: Opens, axe: str
) -> None:
    long = "L-" + "W" * 4096
    house.do(
        house.tells(
            "SHOP",
            *(
                {"action": "note", "location": text, "title": text, "x": 2.0, "y": 9.0}
                for text in (*HOSTILE, long)
            ),
        )
    )
    house.do(
        house.tells(
            "GATE",
            *(
                {"action": "receive", "item": f"P-H{number}", "location": text}
                for number, text in enumerate(HOSTILE)
            ),
        )
    )
    page = enter(opened, house, "Vera", **LOOKS["hand-dark"])
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    then = f"at={to_text(NOW)}&known_at={to_text(NOW)}"
    past = [f"/places/{quote(text, safe='')}?{then}" for text in HOSTILE]
    for screen in (*FLOORS, *past, f"/floor?{then}"):
        page.goto(f"{house.url}{screen}")
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate(WIDER) == 0
        assert findings(page, axe) == []
    page.goto(f"{house.url}/floor")
    page.get_by_role("link", name="=HYPERLINK(1)").last.click()
    assert page.url.endswith(f"/places/{quote('=HYPERLINK(1)', safe='')}")


def test_the_figures_stand_beside_their_definitions_and_can_be_taken(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.get_by_role("navigation").get_by_role("link", name="Figures").click()
    page.get_by_label("Period").select_option("a day")
    page.get_by_role("button", name="Show").click()
    row = page.get_by_role("row", name="Handoffs confirmed in time")
    expect(row).to_contain_text("87.5 % (56 / 64)")
    expect(row).to_contain_text("those that somebody took over within it")
    dwell = page.get_by_role("region", name="Time per step")
    picked = dwell.get_by_role("row", name="picked")
    for words in ("6 min 40 s", "1 h 0 min"):
        expect(picked).to_contain_text(words)
    expect(dwell.locator("svg.wide circle")).to_have_count(
        dwell.locator("tbody tr").count()
    )
    expect(page.get_by_role("region", name="Expected steps")).to_contain_text(
        "received, stored, picked, taken over, packed"
    )
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV time per step").click()
    rows = taken.value.path().read_text("utf-8").splitlines()
    assert rows[0] == "period,step,count,p50_seconds,p90_seconds,p99_seconds"
    assert "now,picked,63,400.0,3600.0,3600.0" in rows


OVER = """
() => {
  const found = [];
  for (const svg of document.querySelectorAll(".chart > svg")) {
    if (!svg.getClientRects().length) continue;
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")]
      .map((one) => one.getBoundingClientRect());
    boxes.forEach((a, at) => {
      if (a.left < frame.left - 1 || a.right > frame.right + 1) found.push("cut off");
      for (const b of boxes.slice(at + 1)) {
        const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (wide > 1 && high > 4) found.push("on one another");
      }
    });
  }
  return found;
}
"""
"""The labels of charts that cannot be read."""


@pytest.mark.parametrize("look", LOOKS)
def test_every_label_of_a_chart_can_be_read_and_its_table_says_the_same(
    house: Warehouse, opened: Opens, look: str
) -> None:
    page = enter(opened, house, "Ada", **LOOKS[look])
    for days in (1, 7, 28):
        for screen in ("incidents?", "incidents?by=station&", "figures?"):
            page.goto(f"{house.url}/{screen}days={days}")
            page.locator(".chart > svg:visible").first.wait_for()
            assert page.evaluate(OVER) == [], screen
    hours = page.get_by_role("region", name="Scans per hour")
    hours.get_by_text("The same figures").click()
    bars, rows = hours.locator("svg:visible rect.bar"), hours.locator("tbody tr")
    assert bars.count() == rows.count() > 1
    said = hours.locator("svg:visible g").last.locator("title").text_content() or ""
    name, now, before = rows.last.locator("td").all_text_contents()
    assert said == f"{name}: {now} ({before})"


def test_figures_can_be_seen_as_they_were_known(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.goto(f"{house.url}/figures?days=1&known_at={THEN}")
    scans = page.get_by_role("row", name="Scans of an item").locator("td").nth(1)
    known = int(scans.inner_text())
    expect(page.locator("#figures")).to_contain_text("as we knew it at")
    page.goto(f"{house.url}/figures?days=1")
    assert 0 < known < int(scans.inner_text())


def test_incidents_are_told_by_cause_step_and_station_and_lead_to_their_reports(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.get_by_role("navigation").get_by_role("link", name="Incidents").click()
    groups = page.get_by_role("region", name="By cause")
    overdue = groups.get_by_role("row", name="Handoff overdue")
    for words in ("8", "67 %", "A scan by the one who takes over"):
        expect(overdue).to_contain_text(words)
    expect(groups.locator("svg.wide rect.bar")).to_have_count(
        groups.locator("tbody tr").count()
    )
    page.get_by_label("By", exact=True).select_option("Step")
    page.get_by_role("button", name="Show").click()
    by_step = page.get_by_role("region", name="By step")
    expect(by_step.get_by_role("row", name="counted")).to_contain_text("33 %")
    page.get_by_label("By", exact=True).select_option("Station")
    page.get_by_role("button", name="Show").click()
    by_station = page.get_by_role("region", name="By station")
    expect(by_station.get_by_role("link", name="GATE")).to_be_visible()
    each = page.get_by_role("region", name="Each of them")
    each.get_by_role("link", name="P-0303").click()
    first = page.get_by_role("region", name="The first step")
    expect(first).to_contain_text("nobody took it over within 30 min")


def test_a_report_is_taken_as_pdf_or_the_page_says_what_it_needs(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.goto(f"{house.url}/items/P-0303/report")
    with page.expect_download() as taken:
        page.get_by_role("link", name="PDF").click()
    assert taken.value.suggested_filename == "report-P-0303.pdf"
    assert taken.value.path().read_bytes().startswith(b"%PDF-")


def test_the_sites_plan_lies_beneath_its_places(
    house: Warehouse, opened: Opens, axe: str
) -> None:
    """It is the last of this house: the plan stays."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20">'
        '<rect x="1" y="1" width="38" height="18" fill="none" stroke="black"/></svg>'
    )
    plan = house.service.folder / "plan.svg"
    plan.write_text(drawing)
    house.service.context.plan = plan
    page = enter(opened, house, "Sina")
    page.goto(f"{house.url}/floor")
    beneath = page.locator(".layers img")
    expect(beneath).to_be_visible()
    assert beneath.evaluate("(image) => image.naturalWidth") > 0
    dock = (
        page.locator(".over-plan a", has_text="DOCK-2").locator("rect").bounding_box()
    )
    under = beneath.bounding_box()
    assert dock is not None
    assert under is not None
    scale = under["width"] / 40
    assert dock["x"] - under["x"] == pytest.approx(14 * scale, abs=2)
    assert dock["y"] - under["y"] == pytest.approx(3 * scale, abs=2)
    assert findings(page, axe) == []
