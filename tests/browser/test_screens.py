"""Each thing that the screen can show: seen, heard, and looked at by axe."""

from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, Playwright

from edge.decisions import State as Link
from edge.feedback import Word
from edge.health import ScannerReport
from edge.screen import NOTHING_YET, Listing, PackingView, Screen, remember
from edge.sync import SyncStatus
from edge.terminal_display import clean
from edge.texts import LANGUAGES, read_texts
from tests.browser.conftest import CHROMIUM, FLAGS, Opens
from tests.browser.looking import CUT, SMALL, WIDER, findings, notes, text, until_scan
from tests.browser.screens import (
    MUCH,
    NOON,
    OFFLINE,
    PACKING,
    WORDS,
    feedback,
    memory,
    shown,
    state,
    well,
)
from tests.browser.serving import Stage, staged

BUSY = (Word.SAVED, Word.REPEAT, Word.SAVED, Word.UNKNOWN, *[Word.SAVED] * 5)
SIZES = {"table": (1280, 800), "small": (800, 480), "hand": (390, 844)}
LOOKS: dict[str, dict[str, object]] = {
    f"{size}-{scheme}": {
        "viewport": {"width": width, "height": height},
        "color_scheme": scheme,
    }
    for size, (width, height) in SIZES.items()
    for scheme in ("light", "dark")
}
TROUBLE = well(
    unsaved=3,
    unsaved_problem="the disk is full",
    clock_synced=False,
    scanners=(
        ScannerReport(device="left", connected=False),
        ScannerReport(device="right", connected=True),
    ),
)
EMPTY_TABLE = PackingView(hands_over=True, receiver="B-ANA")
STATES: dict[str, Screen] = {
    "start": shown(NOTHING_YET, at_rest=True),
    **{word.value: shown(memory(*BUSY, word)) for word in WORDS},
    "offline": shown(memory(*BUSY, Word.WAITING), sync=OFFLINE),
    "trouble": shown(memory(*BUSY, Word.NOT_SAVED), report=TROUBLE),
    "packing": shown(memory(*BUSY, Word.SAVED), packing=PACKING),
    "packing-much": shown(memory(*BUSY, Word.UNKNOWN), packing=MUCH),
    "packing-empty": shown(memory(*BUSY, Word.SAVED), packing=EMPTY_TABLE),
}


LOOKED_AT = (
    *("start", "saved", "repeat", "unknown", "wanted", "offline", "trouble"),
    *("packing", "packing-much", "packing-empty"),
)
"""One of each kind: for axe, which takes its time."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as running:
        yield running


def see(stage: Stage, page: Page, screen: Screen) -> None:
    """Show a screen, and wait until it is there."""
    shown_before = page.evaluate("document.getElementById('badge').textContent")
    mark = "B-2" if shown_before == "B-1" else "B-1"
    stage.show(msgspec.structs.replace(screen, badge=mark))
    page.locator("#badge", has_text=mark).wait_for()


@pytest.mark.parametrize("look", LOOKS)
def test_every_state_can_be_seen_and_touched(
    stage: Stage, opened: Opens, tmp_path: Path, look: str
) -> None:
    page = opened(stage.url, **LOOKS[look])
    for name, screen in STATES.items():
        see(stage, page, screen)
        page.screenshot(path=tmp_path / f"{name}-{look}.png")
        assert page.evaluate(SMALL) == [], name
        assert page.evaluate(CUT) == [], name
        assert page.evaluate(WIDER) == 0, name


@pytest.mark.parametrize("look", ["table-light", "hand-dark"])
def test_axe_finds_nothing(stage: Stage, opened: Opens, axe: str, look: str) -> None:
    page = opened(stage.url, **LOOKS[look])
    for name in LOOKED_AT:
        see(stage, page, STATES[name])
        assert findings(page, axe) == [], name


def test_a_scan_has_shape_word_colour_and_code(stage: Stage, opened: Opens) -> None:
    page = opened(stage.url)
    latest = page.locator("#latest")
    for word, tone in WORDS.items():
        see(stage, page, shown(memory(word)))
        assert text(page, "#title") == read_texts("en").words[word]
        assert text(page, "#code") == "P-4701"
        assert latest.get_attribute("data-tone") == tone.value
        assert latest.locator("use").get_attribute("href") == f"#{tone.value}"


def test_each_tone_differs_in_rhythm_pitch_and_timbre(
    stage: Stage, opened: Opens
) -> None:
    see(stage, page := opened(stage.url), shown(memory()))
    heard = {}
    for word in (Word.SAVED, Word.REPEAT, Word.UNKNOWN, Word.WANTED):
        before = shown(memory())
        stage.show(before)
        stage.show(shown(memory(word)))
        until_scan(page, "P-4701")
        heard[word] = notes(page)
        see(stage, page, before)
    rhythms = [tuple(note["from"] for note in played) for played in heard.values()]
    assert [len(rhythm) for rhythm in rhythms] == [1, 2, 3, 4]
    assert len({note["wave"] for played in heard.values() for note in played}) == 4
    assert len({played[0]["pitch"] for played in heard.values()}) == 4


def test_scans_that_come_at_once_sound_as_the_worst_of_them(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED)))
    notes(page)
    see(stage, page, shown(memory(Word.SAVED, Word.UNKNOWN, Word.REPEAT, Word.SAVED)))
    assert {note["wave"] for note in notes(page)} == {"sawtooth"}


def test_a_page_that_is_loaded_again_is_silent_about_old_scans(
    stage: Stage, opened: Opens
) -> None:
    stage.show(shown(memory(Word.UNKNOWN, Word.SAVED)))
    page = opened(stage.url)
    until_scan(page, "P-4702")
    page.reload()
    until_scan(page, "P-4702")
    assert notes(page) == []


HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "entities": "&lt;b&gt;&amp;&#x202e;",
    "rtl": "P-\u202e1234\u2066\u2069\u200f",
    "controls": "P-\x00\x07\x1b[2J\r\n\x7f\x9b",
    "template": "{{page}}${title}{item}</dd>",
    "hebrew": "\u05d0\u05d1\u05d2-123",
    "long": "P-" + "9" * 4096,
    "wide": "W" * 200 + "\U0001f4a9" * 50,
}


def test_f25_a_label_is_never_more_than_text(stage: Stage, opened: Opens) -> None:
    page = opened(stage.url, viewport={"width": 800, "height": 480})
    see(stage, page, shown(memory(Word.SAVED), packing=PACKING))
    elements = page.evaluate("document.querySelectorAll('body *').length")
    for kind, code in HOSTILE.items():
        told = feedback(Word.REFUSED, code, location=code, operator=code)
        kept = remember(NOTHING_YET, told, state(code, operator=code), NOON, _EN)
        one = Listing(count=1, items=(clean(code),))
        packing = PackingView(
            container=clean(code), hands_over=True, foreign=one, missing=one
        )
        see(stage, page, shown(kept, packing=packing))
        after = page.evaluate("document.querySelectorAll('body *').length")
        assert after <= elements, kind
        assert page.locator("img, main script").count() == 0, kind
        assert len(text(page, "#code")) <= 64 * 12, kind
        said = text(page, "main")
        assert all(c.isprintable() or c in "\n\t" for c in said), kind
        assert page.evaluate(CUT) == [], kind
        assert page.evaluate(WIDER) == 0, kind


_EN = read_texts("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_speaks_the_languages_of_the_station(
    opened: Opens, language: str
) -> None:
    texts = read_texts(language)
    with staged(language) as stage:
        stage.show(shown(memory(Word.WAITING, language=language), language=language))
        page = opened(stage.url, viewport={"width": 800, "height": 480})
        until_scan(page, "P-4701")
        assert text(page, "#title") == texts.words[Word.WAITING]
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate(CUT) == []
        assert page.title() == texts.page["title"]


def test_what_is_well_is_grey_and_what_is_not_is_said_in_words(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED)))
    assert page.locator("#lights [data-tone]").count() == 0
    see(stage, page, shown(memory(Word.SAVED), sync=OFFLINE, report=TROUBLE))
    assert text(page, "#waiting") == "12 waiting, safe here"
    said = text(page, "#lights")
    for words in ("cannot be reached", "not synchronised", "left", "missing", "3 NOT"):
        assert words in said


def test_a_server_that_is_told_at_once_does_not_make_the_screen_flicker(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED)))
    page.evaluate(
        """() => { window.changes = 0;
        new MutationObserver(() => window.changes++).observe(
          document.getElementById("waiting"), { childList: true }); }"""
    )
    sending = SyncStatus(state=Link.SENDING, waiting=1)
    see(stage, page, shown(memory(Word.SAVED), sync=sending))
    see(stage, page, shown(memory(Word.SAVED, Word.SAVED)))
    assert page.evaluate("window.changes") == 0


def test_the_packing_table_shows_what_is_there_and_what_is_not(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED), packing=PACKING))
    assert text(page, "#packing-container") == "C-0815"
    assert (text(page, "#giver"), text(page, "#receiver")) == ("B-BEN", "B-ANA")
    assert text(page, "#tally").split() == ["5", "/", "9"]
    assert "P-9999" in text(page, "[data-list=foreign]")
    assert "P-4707" in text(page, "[data-list=missing]")
    see(stage, page, shown(memory(Word.SAVED), packing=MUCH))
    assert page.locator("[data-list=missing] .count").inner_text() == "160"
    assert page.locator("[data-list=missing] li").count() == 51
    see(stage, page, shown(memory(Word.SAVED), packing=PACKING))
    page.get_by_role("button", name="comes later").click()
    page.wait_for_function("document.activeElement === document.body")
    assert stage.touched.pop() == ("X-LATER", 1)
    see(stage, page, shown(memory(Word.SAVED)))
    assert not page.locator("#packing").is_visible()


def test_a_touch_that_comes_too_late_is_said_to_have_done_nothing(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED)))
    stage.obeys = False
    page.get_by_role("button", name="Undo").click()
    page.locator("#not-done", has_text="Not done").wait_for()
    stage.obeys = True
    see(stage, page, shown(memory(Word.SAVED, Word.SAVED)))
    assert text(page, "#not-done") == ""


def test_everything_can_be_done_with_a_keyboard(stage: Stage, opened: Opens) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED), packing=PACKING))
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
    assert reached == ["damaged", "comes later", "not there", "Undo P-4701"]
    with page.expect_response("**/touch"):
        page.keyboard.press("Enter")
    assert stage.touched.pop() == ("X-UNDO", 1)


AS_FAST = 60  # milliseconds between two keys
KEY_TIMES = """
() => { window.times = [];
document.addEventListener("keydown", () => window.times.push(performance.now()),
  { capture: true }); }
"""


def test_a_scanner_that_types_into_the_page_presses_no_button_and_is_told(
    stage: Stage, opened: Opens
) -> None:
    page = opened(stage.url)
    see(stage, page, shown(memory(Word.SAVED)))
    page.evaluate(KEY_TIMES)
    for _ in range(20):  # a busy machine may type more slowly than any scanner does
        stage.touched.clear()
        page.locator("#undo").focus()
        notes(page)
        page.keyboard.type("P-47 11")
        page.keyboard.press("Enter")
        times = page.evaluate("window.times.splice(0)")
        if max(later - sooner for sooner, later in pairwise(times)) < AS_FAST:
            break
    else:
        pytest.skip("this machine is too busy to type as fast as a scanner")
    page.get_by_role("heading", name="NOT RECORDED").wait_for()
    assert {note["wave"] for note in notes(page)} == {"sawtooth"}
    assert stage.touched == []
    see(stage, page, shown(memory(Word.SAVED, Word.SAVED)))
    assert not page.locator("#typed").is_visible()


@pytest.mark.parametrize(("motion", "moves"), [("reduce", 0), ("no-preference", 1)])
def test_nothing_moves_for_those_who_ask_for_it(
    stage: Stage, opened: Opens, motion: str, moves: int
) -> None:
    page = opened(stage.url, reduced_motion=motion)
    see(stage, page, shown(memory()))
    stage.show(shown(memory(Word.SAVED)))
    until_scan(page, "P-4701")
    assert page.evaluate("document.getAnimations().length") == moves


def test_a_page_of_another_version_is_loaded_anew(opened: Opens) -> None:
    with staged("en") as before:
        page = opened(before.url)
        see(before, page, shown(memory(Word.SAVED)))
        port = int(before.url.rstrip("/").rpartition(":")[2])
    page.locator("#gone").wait_for()
    with staged("es", port) as after:
        after.show(shown(memory(Word.SAVED, language="es"), language="es"))
        page.locator("html[lang=es]").wait_for()
        page.locator("#title", has_text="GUARDADO").wait_for()


def test_a_browser_that_keeps_quiet_is_shown_and_can_be_unlocked(
    stage: Stage, playwright: Playwright
) -> None:
    quiet = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    with closing(quiet), closing(quiet.new_page()) as page:
        page.goto(stage.url)
        see(stage, page, shown(memory(Word.SAVED)))
        page.get_by_role("button", name="The sound is off").click()
        page.locator("#sound").wait_for(state="hidden")
