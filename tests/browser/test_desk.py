"""Events, labels, people, keys and the system: the screens of who looks after it."""

from pathlib import Path

from playwright.sync_api import Page, expect

from shared.lines import Line, encode
from shared.moments import to_text
from tests.browser.conftest import Opens
from tests.browser.looking import WIDER
from tests.browser.visiting import enter
from tests.browser.warehouse import Warehouse
from tests.programs import told
from tests.serving import NOW

HAND = {"viewport": {"width": 390, "height": 844}}


def go(page: Page, screen: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=screen).click()


def test_every_line_is_found_and_opens_with_its_bytes(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Vera")
    go(page, "Events")
    page.get_by_text("Narrow it down").click()
    page.get_by_label("Station").fill("PACK-1")
    page.get_by_label("What", exact=True).select_option("pick")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#lines tbody tr")).to_have_count(1)
    page.locator("#lines tbody a.evidence").click()
    expect(page.locator("#main")).to_contain_text('"action":"pick"')
    page.get_by_text("As bytes (hexadecimal)").last.click()
    hexadecimal = page.locator("details pre")
    expect(hexadecimal).to_contain_text(b'"action":"pick"'.hex(" "))
    page.get_by_role("link", name="The line behind it in its log").click()
    expect(page.locator("#main")).to_contain_text('"action":"see"')


def test_an_item_is_found_however_long_ago_and_what_is_odd_is_marked(
    house: Warehouse, opened: Opens
) -> None:
    log = house.logs["DOCK-1"]
    before = len(log.lines)
    odd = Line(seq=before + 1, at=to_text(NOW), action="dance", item="<b>P-9</b>")
    log.put(encode(odd))
    status, _ = house.do(log.send(before))
    assert status == 200
    page = enter(opened, house, "Vera", **HAND)
    page.goto(f"{house.url}/events?odd=1")
    expect(page.locator("#lines")).to_contain_text("Lines not understood")
    expect(page.locator("#lines")).to_contain_text("<b>P-9</b>")
    assert page.locator("#lines b").count() == 0
    page.goto(f"{house.url}/events?item=P-4711")
    assert page.locator("#lines tbody tr").count() >= 5
    expect(page.locator("#lines")).not_to_contain_text("P-4714")
    assert page.evaluate(WIDER) == 0


def test_labels_are_looked_at_and_saved(
    house: Warehouse, opened: Opens, tmp_path: Path
) -> None:
    page = enter(opened, house, "Sina")
    go(page, "Labels")
    page.get_by_label("Begin with").fill("A-03-")
    page.get_by_label("How many").fill("30")
    page.get_by_role("button", name="Show the sheets").click()
    expect(page.get_by_role("region", name="Sheets: 2")).to_be_visible()
    picture = page.get_by_role("img", name="Sheet 1")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    for link, begins in (("Save as PDF", b"%PDF-"), ("Save as SVG (ZIP)", b"PK")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=link).click()
        file = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(file)
        assert file.read_bytes().startswith(begins)


def test_a_code_that_no_station_reads_is_not_printed(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Sina", **HAND)
    page.goto(f"{house.url}/labels")
    page.get_by_label("typed below").check()
    page.get_by_label("One code a line").fill("<b>A</b>,Rack")
    page.get_by_role("button", name="Show the sheets").click()
    expect(page.get_by_role("alert")).to_contain_text("L-<B>A</B>")
    expect(page.get_by_role("alert")).to_contain_text("A to Z")
    assert page.locator("main b").count() == 0
    page.get_by_label("those known here").check()
    page.get_by_role("button", name="Show the sheets").click()
    expect(page.get_by_role("img", name="Sheet 1")).to_be_visible()
    assert page.evaluate(WIDER) == 0


def test_somebody_is_let_in_gets_another_role_and_is_removed(
    house: Warehouse, opened: Opens
) -> None:
    page = enter(opened, house, "Ada")
    go(page, "People and keys")
    people = page.get_by_role("region", name="People", exact=True)
    people.get_by_label("Name").fill("<b>Nora</b>")
    people.get_by_label("Role").last.select_option("operator")
    people.get_by_label("New password").last.fill("quite long enough")
    people.get_by_role("button", name="Add a person").click()
    row = people.get_by_role("row", name="<b>Nora</b>")
    expect(row).to_contain_text("operator")
    assert page.locator("main b").count() == 0
    row.get_by_text("Change").click()
    row.get_by_label("Role").select_option("supervisor")
    row.get_by_role("button", name="Set the role").click()
    expect(row.get_by_role("cell").nth(1)).to_have_text("supervisor")
    row.get_by_text("Change").click()
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    page.get_by_role("link", name="What was done lately").click()
    page.locator("#lines a.evidence").nth(1).click()
    expect(page.locator("#main")).to_contain_text("role of <b>Nora</b>: supervisor")
    expect(page.locator("#main")).to_contain_text("Ada")


def test_a_key_is_made_shown_once_and_ended(house: Warehouse, opened: Opens) -> None:
    page = enter(opened, house, "Ada")
    page.goto(f"{house.url}/access")
    keys = page.get_by_role("region", name="Keys of programs")
    keys.get_by_label("Name, which stands in the log").fill("the shop")
    keys.get_by_label("May").select_option("supervise")
    keys.get_by_label("Days").fill("30")
    keys.get_by_role("button", name="Make a key").click()
    secret = page.get_by_role("region", name="The new key").locator("pre").inner_text()
    assert house.do(house.service.call("GET", "/v1/wanted", secret))[0] == 200
    page.goto(f"{house.url}/access")
    assert secret not in page.content()
    row = keys.get_by_role("row", name="the shop")
    expect(row).to_contain_text("settle, look for items")
    row.get_by_role("button", name="End it").click()
    expect(row).to_have_count(0)
    assert house.do(house.service.call("GET", "/v1/wanted", secret))[0] == 401


def test_the_system_is_checked_and_a_restore_is_tried(
    house: Warehouse, opened: Opens, tmp_path: Path
) -> None:
    page = enter(opened, house, "Ada")
    go(page, "System")
    expect(page.locator("#system")).to_contain_text("There is no backup")
    page.get_by_role("button", name="Check everything").click()
    checks = page.get_by_role("region", name="Checks")
    expect(checks).to_contain_text("All is as it was received", timeout=60_000)
    expect(checks).to_contain_text("every chain, signature and seal")
    data = str(house.folder)
    folder = told(
        "scantrail-server", "backup", "--data", data, "--to", str(tmp_path / "to")
    )
    page.reload()
    backup = page.get_by_role("region", name="Backup")
    expect(backup).to_contain_text("was made")
    expect(backup).to_contain_text(folder)
    page.get_by_role("button", name="Restore drill").click()
    expect(checks).to_contain_text("restored to a folder of its own", timeout=60_000)
    assert not (house.folder / "drill").exists()
    settings = page.get_by_role("region", name="Settings in force")
    expect(settings.get_by_role("row", name="handoff_minutes")).to_contain_text("30")
