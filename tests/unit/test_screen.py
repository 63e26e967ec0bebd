"""What the screen shows, as a value: scans, undo, and how the station stands."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.battery import Battery
from edge.decisions import State as Link
from edge.feedback import Alarm, Says, Tone, Word
from edge.health import ScannerReport
from edge.screen import NOTHING_YET, RECENT, Memory, Screen, Standing, remember, screen
from edge.sync import Raised, SyncStatus
from edge.texts import LANGUAGES, read_texts
from edge.workflow import State
from shared.moments import SECOND
from tests.browser.screens import (
    NOON,
    OFFLINE,
    PACKING,
    RULES,
    feedback,
    memory,
    shown,
    state,
    well,
)

EN = read_texts("en")
UNDONE = msgspec.structs.replace(
    feedback(code="X-UNDO", undone="P-2"), says=Says.UNDONE
)


def _after(*steps: tuple[str, State]) -> Memory:
    kept = NOTHING_YET
    for code, then in steps:
        told = UNDONE if code == "X-UNDO" else feedback(code=code)
        kept = remember(kept, told, then, NOON, EN)
    return kept


def test_before_the_first_scan_the_station_is_ready() -> None:
    begun = shown(NOTHING_YET, at_rest=True)
    assert (begun.latest.word, begun.latest.title) == (Word.READY, "READY")
    assert (begun.number, begun.recent, begun.undo) == (0, (), None)


def test_a_scan_is_told_with_word_sentence_and_time() -> None:
    told = shown(memory(Word.SAVED)).latest
    assert (told.number, told.code, told.title) == (1, "P-4701", "SAVED")
    assert told.text == "P-4701 stored at A-02-03"
    assert told.at == "2026-03-01T10:00:07.300000Z"


def test_the_last_ten_scans_are_listed_newest_first() -> None:
    listed = shown(memory(*[Word.SAVED] * 14)).recent
    assert [told.code for told in listed] == [f"P-47{n:02}" for n in range(14, 4, -1)]
    assert len(listed) == RECENT


def test_what_the_station_says_by_itself_is_shown_and_not_listed() -> None:
    kept = memory(Word.SAVED)
    rested = msgspec.structs.replace(
        feedback(code=""), word=Word.READY, says=Says.RESTED
    )
    after = remember(kept, rested, state(), NOON, EN)
    assert after.count == kept.count
    assert after.recent == kept.recent
    assert after.latest is not None
    assert after.latest.word is Word.READY


def test_undo_marks_the_scan_that_it_took_back_and_no_other() -> None:
    kept = _after(
        ("P-1", state("P-1")),
        ("P-2", state("P-1", "P-2")),
        ("P-9", state("P-1", "P-2")),
        ("X-UNDO", state("P-1")),
    )
    marks = [(told.code, told.undone) for told in kept.recent]
    assert marks == [("X-UNDO", False), ("P-9", False), ("P-2", True), ("P-1", False)]


def test_undo_after_undo_marks_the_scan_before() -> None:
    kept = _after(
        ("P-1", state("P-1")),
        ("P-2", state("P-1", "P-2")),
        ("X-UNDO", state("P-1")),
        ("X-UNDO", state()),
    )
    assert [told.code for told in kept.recent if told.undone] == ["P-2", "P-1"]


def test_undo_is_offered_for_the_scan_that_it_would_take_back() -> None:
    offered = shown(memory(Word.SAVED, Word.SAVED)).undo
    assert offered is not None
    assert (offered.code, offered.label) == ("X-UNDO", "Undo P-4702")


def test_undo_is_not_offered_where_there_is_nothing_or_it_is_not_allowed() -> None:
    kept = memory(Word.SAVED)
    assert shown(kept, undoable=False).undo is None
    rules = msgspec.structs.replace(RULES, commands=frozenset({"PICK"}))
    sync = SyncStatus(state=Link.UP_TO_DATE)
    standing = Standing("DOCK-1", rules, state("P-1"), sync, well())
    assert screen(kept, standing, EN).undo is None


def test_a_touch_counts_only_on_the_screen_that_offers_it() -> None:
    now = shown(memory(Word.SAVED, Word.SAVED))
    assert now.offers("X-UNDO", 2)
    assert not now.offers("X-UNDO", 1)
    assert not now.offers("X-DEPART", 2)
    assert not shown(memory(Word.SAVED), undoable=False).offers("X-UNDO", 1)


def test_a_list_can_be_closed_by_touch_as_it_offers() -> None:
    made = shown(memory(Word.SAVED), packing=PACKING)
    assert made.offers("X-LATER", 1)
    assert not made.offers("X-DONE", 1)
    assert not shown(memory(Word.SAVED)).offers("X-LATER", 1)


def _tones(made: Screen) -> dict[str, Tone | None]:
    return {light.part: light.tone for light in made.lights}


def test_what_is_well_has_no_colour() -> None:
    made = shown(memory(Word.SAVED))
    assert _tones(made) == {"scanner": None, "server": None, "clock": None}
    assert made.waiting_text == "nothing waiting"


@pytest.mark.parametrize("link", Link)
def test_every_state_of_the_server_is_said_in_every_language(link: Link) -> None:
    for language in LANGUAGES:
        made = shown(NOTHING_YET, language=language, sync=SyncStatus(state=link))
        (light,) = (one for one in made.lights if one.part == "server")
        assert light.text
        assert (light.tone is None) == (link in {Link.UP_TO_DATE, Link.SENDING})


def test_what_is_wrong_is_said_with_its_part() -> None:
    report = well(
        clock_synced=False,
        unsaved=3,
        unsaved_problem="the disk is full",
        scanners=(ScannerReport(device="left", connected=False),),
    )
    sync = msgspec.structs.replace(OFFLINE, alarm=Raised(kind=Alarm.REWOUND))
    made = shown(memory(Word.WAITING), sync=sync, report=report)
    assert made.waiting_text == "12 waiting, safe here"
    assert _tones(made) == {
        "scanner": Tone.ERROR,
        "server": Tone.ATTENTION,
        "clock": Tone.ATTENTION,
        "disk": Tone.ERROR,
        "alarm": Tone.ATTENTION,
    }
    assert any("3 NOT saved" in light.text for light in made.lights)


def test_a_station_without_a_scanner_says_so() -> None:
    made = shown(NOTHING_YET, report=well(scanners=()))
    assert _tones(made)["scanner"] is Tone.ERROR


@given(code=st.text(max_size=6000))
def test_f25_no_code_turns_or_hides_what_is_shown(code: str) -> None:
    told = feedback(Word.REFUSED, code, location=code, reason=code)
    kept = remember(NOTHING_YET, told, state(code, operator=code), NOON, EN)
    made = shown(kept)
    texts = [made.latest.code, made.latest.text, made.badge, made.recent[0].code]
    assert made.undo
    assert all(text.isprintable() for text in [*texts, made.undo.label])
    assert len(made.latest.code) <= 64 * 12
    assert len(msgspec.json.encode(made)) < 65_536


def _lights(**fields: object) -> dict[str, tuple[str, Tone | None]]:
    made = shown(memory(Word.SAVED), report=well(**fields))
    return {light.part: (light.text, light.tone) for light in made.lights}


def test_a_battery_is_shown_and_is_a_warning_once_it_is_low() -> None:
    assert "battery" not in _lights()
    assert _lights(battery=Battery(percent=81))["battery"] == ("81 %", None)
    low = Battery(percent=20)
    assert _lights(battery=low)["battery"] == ("20 %", Tone.ATTENTION)
    charged = Battery(percent=5, charging=True)
    assert _lights(battery=charged)["battery"] == ("5 %", None)


def test_the_age_of_what_the_server_told_is_shown_once_it_is_old() -> None:
    now = 10_000 * SECOND
    assert "data" not in _lights(at=now, told_at=None)
    assert "data" not in _lights(at=now, told_at=now - 3_599 * SECOND)
    old = _lights(at=now, told_at=now - 8_000 * SECOND)
    assert old["data"] == ("2 h 13 min old", Tone.ATTENTION)
