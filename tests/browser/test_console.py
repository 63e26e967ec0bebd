"""The console in a browser: what each screen is for, done as a person does it."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from shared.moments import to_text
from tests.browser.conftest import Opens
from tests.browser.looking import WIDER, findings
from tests.browser.sheets import overprinted, printed
from tests.browser.visiting import HOSTILE, LOOKS, enter, go_through, look_at
from tests.browser.warehouse import HOUR, Warehouse
from tests.serving import NOW, Log

SCREENS = (
    "/find",
    "/find?q=471",
    "/find?q=NOTHING",
    "/items/P-4711",
    "/items/P-4711?at=2026-04-23T22:00:00Z&known_at=2026-04-24T01:00:00Z",
    "/items/P-4711/report",
    "/items/P-4714/report",
    "/places/DOCK-1",
    "/people/B-ANA",
    "/exceptions",
    "/exceptions/search-list",
    "/board",
    "/loads",
    "/loads/M-1",
    "/loads/M-1/manifest",
    "/stations",
    "/stations/DOCK-2",
    "/join",
    "/access",
    "/system",
    "/me",
    "/prove?to=/access",
    "/events",
    "/events?station=DOCK-1&action=load",
    "/events?item=NOTHING",
    "/labels",
    "/labels?kind=locations&prefix=A-03-&count=30",
    "/labels?kind=commands&symbology=qr",
    "/labels?kind=parcels&source=typed&typed=%3Cb%3E",
)


@pytest.mark.parametrize("look", LOOKS)
def test_a_second_factor_is_set_up(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = enter(opened, house, "Vera", **LOOKS[look])
    for language in ("en", "de", "es"):
        page.set_extra_http_headers({"Accept-Language": language})
        page.goto(f"{house.url}/me")
        for step in ("account", "secret"):
            picture = tmp_path / f"{look}-{language}-{step}.png"
            look_at(page, axe, picture)
            if step == "account":
                page.locator("form[action='/me/second'] button").click()
                page.locator("svg.qr").wait_for()
    page.locator("#confirm").fill("000000")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert findings(page, axe) == []


@pytest.mark.parametrize("look", LOOKS)
def test_every_screen_fits_and_axe_finds_nothing(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = opened(f"{house.url}/", **LOOKS[look])
    assert findings(page, axe) == []
    page = enter(opened, house, "Ada", **LOOKS[look])
    go_through(page, house, SCREENS, axe, tmp_path)


def test_a_part_of_a_code_leads_to_the_item_and_every_word_to_its_scan(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.get_by_role("searchbox").fill("471")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="P-4711").click()
    said = page.get_by_role("region", name="Where it is")
    for words in (
        "It has been picked",
        "at DOCK-2",
        "B-ANA has held it",
        "should leave on M-1",
    ):
        expect(said).to_contain_text(words)
    expect(said).to_contain_text("DOCK-2 has told nothing since")
    said.get_by_role("link", name="picked").click()
    page.get_by_role("heading", name="picked · P-4711").wait_for()
    expect(page.get_by_role("region", name="What the scanner sent")).to_contain_text(
        "50 2d 34 37 31 31"
    )
    expect(page.locator("pre").first).to_contain_text('"action":"pick"')


def test_a_scanner_that_types_needs_no_focus(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/board")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.type("P-4712")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="P-4712").wait_for()


def test_the_line_of_time_shows_gaps_what_came_late_and_what_was_taken_back(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/items/P-4711")
    story = page.get_by_role("region", name="What happened")
    expect(story.locator(".gap")).to_have_count(4)
    expect(story).to_contain_text("happened 00:06:40, heard 02:06:40")
    taken_back = story.locator(".void")
    expect(taken_back.locator("s")).to_contain_text("B-09-01")
    expect(taken_back).to_contain_text("Reason: wrong shelf")


def test_one_can_look_at_another_moment_and_share_it(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/items/P-4711")
    page.get_by_text("Look at another moment").last.click()
    before = NOW - 2 * HOUR
    page.get_by_label("as we knew it at").fill(to_text(before)[:19])
    page.get_by_role("button", name="Show").click()
    said = page.get_by_role("region", name="Where it was")
    expect(said).to_contain_text("at A-02-07")  # DOCK-2 had not been heard yet
    for words in ("It had been picked since", "B-ANA had held it", "4 h 0 min before"):
        expect(said).to_contain_text(words)
    step = page.get_by_role("region", name="What changed our mind").locator("li").first
    for words in (
        "On Friday, 2026-04-24 02:06:40, we learnt that it had been scanned as seen",
        "at DOCK-2, 2026-04-24 00:06:40, by B-CEM, at station DOCK-2",
        "It came in late: 2 h 0 min after it happened",
        "Until then we believed that it had been at A-02-07",
        "from then on, that it had been at DOCK-2",
    ):
        expect(step).to_contain_text(words)
    page.get_by_text("Look at another moment").last.click()
    page.get_by_role("link", name="Link to exactly this moment").click()
    shared = page.url
    assert "known_at=2026-04-24T01:06:40" in shared
    page.get_by_role("link", name="at DOCK-2, 2026-04-24").click()
    page.get_by_role("heading", name="seen · P-4711").wait_for()
    page.go_back()
    page.get_by_role("link", name="Back to now").first.click()
    present = page.get_by_role("region", name="Where it is")
    expect(present).to_contain_text("at DOCK-2")
    page.goto(shared)
    expect(said).to_contain_text("at A-02-07")


@pytest.mark.parametrize("look", LOOKS)
def test_what_changed_our_mind_stands_behind_the_answer(
    house: Warehouse, opened: Opens, look: str
) -> None:
    page = enter(opened, house, "Ada", **LOOKS[look])
    then = to_text(NOW - 2 * HOUR)
    page.goto(f"{house.url}/items/P-4711?at={then}&known_at={then}")
    answer = page.get_by_role("region", name="Where it was").bounding_box()
    minds = page.get_by_role("region", name="What changed our mind").bounding_box()
    story = page.get_by_role("region", name="What happened").bounding_box()
    assert answer is not None
    assert minds is not None
    assert story is not None
    assert answer["y"] < minds["y"] < story["y"]
    page.get_by_role("link", name="M-1").first.click()
    assert "known_at=" in page.url, "one stays in the past"
    expect(page.locator(".travel")).to_contain_text("looking at the past")


def test_an_exception_is_taken_on_remarked_on_and_settled(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Sina")
    page.get_by_role("navigation").get_by_role("link", name="Exceptions").click()
    case = page.locator(".case", has_text="P-4714")
    case.get_by_text("Deal with it").click()
    case.get_by_role("button", name="I see to it").click()
    expect(case).to_contain_text("Sina is seeing to it")
    case.get_by_text("Deal with it").click()
    case.get_by_label("Remark").fill("came back with the driver")
    case.get_by_role("button", name="Write it down").click()
    case.get_by_text("Deal with it").click()
    case.get_by_label("Reason").fill("put onto the next load")
    case.get_by_role("button", name="Settle it").click()
    expect(case).to_have_count(0)
    page.goto(f"{house.url}/items/P-4714")
    story = page.get_by_role("region", name="What happened")
    for words in ("came back with the driver", "put onto the next load", "Sina"):
        expect(story).to_contain_text(words)


def test_who_only_looks_is_offered_nothing_to_do(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    for screen in ("/items/P-4711", "/exceptions", "/stations/DOCK-1", "/stations"):
        page.goto(f"{house.url}{screen}")
        assert page.locator("main form[method=post]").count() == 0, screen
        assert page.get_by_role("link", name="Let a station join").count() == 0


def test_the_search_list_says_where_to_look(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Vera")
    page.goto(f"{house.url}/exceptions/search-list")
    row = page.get_by_role("row", name="P-4711")
    for words in ("engagement-ring", "with B-ANA, who holds it", "at DOCK-2"):
        expect(row).to_contain_text(words)
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation").is_visible()


def test_the_board_follows_by_itself_and_says_when_it_does_not(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    page.clock.install()
    page.goto(f"{house.url}/board")
    expect(page.locator("#live")).to_contain_text("live since 03:06:40")
    assert page.locator(".tile").count() <= 7
    tile = page.locator(".tile", has_text="Loads that left incomplete")
    expect(tile).to_contain_text("still being loaded here: 1")
    plain = page.locator(".tile", has_text="Wanted items")
    assert "attention" not in (plain.get_attribute("class") or "")
    want = {"action": "note", "item": "P-4711", "wanted": True}
    house.do(house.tells("SHOP", want))
    expect(plain).to_contain_text("1")
    expect(plain).to_contain_text("Open it")
    page.route("**/live", lambda route: route.abort())
    page.context.set_offline(True)
    page.clock.fast_forward(13_000)
    expect(page.locator("#live")).to_contain_text("Not live")


def test_a_station_is_let_in_and_the_page_turns_to_online(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Ada")
    page.goto(f"{house.url}/join")
    page.get_by_label("Name of the station").fill("NEW-1")
    page.get_by_label("Place where it stands").fill("DOCK-1")
    page.get_by_role("button", name="Make a code").click()
    code = page.locator(".onetime").inner_text()
    expect(page.locator("pre")).to_contain_text(f"scantrail-station join {house.url}")
    expect(page.locator("#joined")).to_contain_text("Waiting for the station")
    log = house.logs["NEW-1"] = Log(house.service, "NEW-1")
    _, joined = house.do(log.enrol(code))
    log.token = str(joined["token"])
    house.do(house.tells("NEW-1"))
    expect(page.locator("#joined")).to_contain_text("It is online", timeout=15_000)


def test_a_stolen_station_is_revoked(house: Warehouse, opened: Opens) -> None:
    house.do(house.joins("STOLEN-1"))
    page = enter(opened, house, "Ada")
    page.goto(f"{house.url}/stations/STOLEN-1")
    page.get_by_label("Reason").fill("stolen at night")
    page.get_by_role("button", name="Revoke it").click()
    expect(page.locator("#station")).to_contain_text("It is revoked")


def test_a_load_shows_what_is_missing_and_where_that_is(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.get_by_role("navigation").get_by_role("link", name="Loads").click()
    page.get_by_role("link", name="M-1").click()
    missing = page.get_by_role("region", name="Not yet loaded")
    expect(missing.get_by_role("row", name="P-4711")).to_contain_text("engagement-ring")
    expect(missing).to_contain_text("at DOCK-2 since")
    expect(page.get_by_role("region", name="not expected")).to_contain_text("P-4715")
    page.get_by_role("link", name="Manifest").click()
    page.get_by_role("heading", name="Manifest M-1").wait_for()
    assert len(page.pdf(format="A4")) > 1000


def test_the_report_names_the_first_wrong_step_and_how_complete_it_is(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.goto(f"{house.url}/items/P-4714")
    page.get_by_role("link", name="Incident report").click()
    first = page.get_by_role("region", name="The first step")
    for words in ("Seen after it left", "night", "departed", "A scan at the gate"):
        expect(first).to_contain_text(words)
    complete = page.get_by_role("region", name="How complete")
    expect(complete).to_contain_text("Stations not heard since")
    assert len(page.pdf(format="A4")) > 1000


def test_a_report_of_a_moment_before_all_scans_is_no_all_clear(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    page.goto(f"{house.url}/items/P-4714/report?at={to_text(NOW - 400 * HOUR)}")
    first = page.get_by_role("region", name="The first step")
    expect(first).to_contain_text("it cannot be judged")
    expect(first.locator(".shape.good")).to_have_count(0)


LONGER = """mm => {
  document.getElementById("ever").style.paddingTop = `${mm}mm`;
  const rows = document.querySelector("#ever + table tbody");
  for (const row of [1, 2, 3, 4]) rows.append(rows.firstElementChild.cloneNode(true));
}"""
"""Puts the table of what was wrong lower on its page, and makes it longer."""


def test_nothing_of_a_report_is_printed_over_another_part_of_it(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Otto")
    broken = 0
    for mm in range(20, 180, 40):
        page.goto(f"{house.url}/items/P-4714/report")
        page.evaluate(LONGER, mm)
        sheets = printed(page.pdf(format="A4"))
        heads = sum(word.text == "Kind" for sheet in sheets for word in sheet)
        broken += heads > 1
        assert [overprinted(sheet) for sheet in sheets] == [[]] * len(sheets), mm
        texts = [" ".join(word.text for word in sheet) for sheet in sheets]
        assert texts[-1].endswith("Times are in UTC.")
        assert not texts[-1].startswith("Times"), "a page for a line that is no part"
    assert broken, "the table was to go on on another page"


def test_f25_hostile_labels_are_text_and_break_no_page(
    house: Warehouse, opened: Opens
) -> None:
    raw = "<script>" + "9" * 4096
    house.do(
        house.tells(
            "DOCK-1",
            *(
                {"action": "receive", "item": text, "location": text, "raw": raw}
                for text in HOSTILE
            ),
        )
    )
    page = enter(opened, house, "Sina", **LOOKS["hand-dark"])
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for text in HOSTILE:
        page.goto(f"{house.url}/find")
        page.get_by_role("searchbox").fill(text)
        page.keyboard.press("Enter")
        page.wait_for_url("**/items/**")
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate(WIDER) == 0, text
        item = page.url.partition("?")[0]
        for past in ("?known_at=2026-04-23T20:30:00Z", "/report"):
            page.goto(f"{item}{past}")
            assert page.locator("main img, main script").count() == 0
            assert page.evaluate(WIDER) == 0, text
        page.goto(item)
        page.locator("a.evidence").first.click()
        page.wait_for_url("**/events/**")
        assert page.evaluate(WIDER) == 0, text
        expect(
            page.get_by_role("region", name="What the scanner sent")
        ).to_contain_text("<script>999")


@pytest.mark.parametrize("look", LOOKS)
def test_exceptions_come_by_pages_and_stations_with_what_is_wrong_first(
    house: Warehouse, opened: Opens, axe: str, look: str
) -> None:
    items = [f"P-{look}-{number}" for number in range(30)]
    house.do(house.joins(f"PICK-{look}"))
    house.do(
        house.tells(
            f"PICK-{look}",
            *(
                {"action": "pick", "item": item, "location": "A-1", "ago": HOUR}
                for item in items
            ),
        )
    )
    page = enter(opened, house, "Otto", **LOOKS[look])
    page.goto(f"{house.url}/exceptions?code=handoff_overdue&order=age")
    cases, first = page.locator(".case"), page.locator(".case h2").first
    expect(cases).to_have_count(20)
    before = first.inner_text()
    page.get_by_role("link", name="The next page").click()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("Page 2 of")
    assert first.inner_text() != before
    assert page.evaluate(WIDER) == 0
    assert findings(page, axe) == []
    page.goto(f"{house.url}/exceptions?page=999999999999")
    expect(cases).not_to_have_count(0)
    page.goto(f"{house.url}/stations")
    expect(page.locator("#stations .lead")).to_contain_text("with something wrong")
    height = "document.querySelector('#stations table').scrollHeight"
    rows = page.locator("#stations tbody tr").count()
    assert page.evaluate(height) < 150 * rows, "a station takes little room"


def test_everything_is_reached_with_the_keyboard(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Sina")
    page.goto(f"{house.url}/exceptions")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("To the content")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(outline) == "solid"
    assert {"Board", "Sign out", "Show", "Search list"} <= reached
