"""Choosing the language of the pages, from the door on; and what the door says."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opens
from tests.browser.looking import WIDER
from tests.browser.visiting import LOOKS, look_at
from tests.browser.warehouse import PASSWORD, Warehouse


@pytest.mark.parametrize("look", LOOKS)
def test_a_language_is_chosen_at_the_door_and_stays(
    house: Warehouse, opened: Opens, axe: str, tmp_path: Path, look: str
) -> None:
    page = opened(f"{house.url}/exceptions?order=age", **LOOKS[look])
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Bei Scantrail anmelden").wait_for()
    expect(page.locator("[aria-current]")).to_have_text("Deutsch")
    look_at(page, axe, tmp_path / f"{look}-door.png")
    page.get_by_label("Name").fill("Vera")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Was anzusehen ist").wait_for()
    assert page.url == f"{house.url}/exceptions?order=age"
    page.get_by_role("button", name="Español").click()
    page.get_by_role("navigation").get_by_text("Excepciones").wait_for()
    assert page.url == f"{house.url}/exceptions?order=age"
    page.get_by_role("button", name="Salir").click()
    page.get_by_label("Contraseña").wait_for()


def test_choosing_a_language_needs_no_script(house: Warehouse, opened: Opens) -> None:
    page = opened(
        f"{house.url}/sign-in", **LOOKS["desk-light"], java_script_enabled=False
    )
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Bei Scantrail anmelden").wait_for()


def test_the_door_speaks_to_the_person_and_to_the_administrator_apart(
    house: Warehouse, opened: Opens
) -> None:
    page = opened(f"{house.url}/sign-in", **LOOKS["hand-dark"])
    expect(page.locator("#main")).to_contain_text("An administrator of this console")
    command = page.get_by_text("scantrail-server person add")
    expect(command).to_be_hidden()
    page.get_by_text("For whoever sets this server up").click()
    expect(command).to_be_visible()
    assert page.evaluate(WIDER) == 0
