"""The packing table: who gave, who took, what should have come, what did not."""

import pytest

from edge.feedback import Expect, Says, Tone, Word
from edge.texts import detail
from edge.workflow import MODES, Badges, Checking, Checklist, Mode, Rules
from shared.actions import lacks
from shared.keys import Role
from shared.reference import KnownLoad, Reference
from tests.unit.picker import ENGLISH, LOG, Picker, told_station

TABLE = Rules(location="PACK-1")


def _at_the_table(rules: Rules = TABLE) -> Picker:
    picker = Picker(rules, told_station())
    picker.scans("X-HANDOFF", "B-CAS", "B-ANA")
    return picker


def _list(picker: Picker) -> Checklist:
    checklist = picker.state.scene.checklist
    assert checklist is not None
    return checklist


def test_the_first_badge_takes_and_the_second_hands_over() -> None:
    picker = Picker(TABLE, told_station())
    assert picker.scan("X-HANDOFF").expects is Expect.BADGE
    assert picker.scan("B-CAS").expects is Expect.GIVER
    told = picker.scan("B-ANA")
    assert (told.says, told.expects) == (Says.GIVER, Expect.ITEM)
    told = picker.scan("P-1")
    assert detail(told, ENGLISH) == "P-1 accepted at PACK-1 by B-CAS from B-ANA"
    assert (picker.last.operator, picker.last.giver) == ("B-CAS", "B-ANA")
    assert picker.scan("B-BEN").says is Says.GIVER
    assert picker.scan("B-CAS").says is Says.BADGE_OUT
    assert picker.state.scene.giver is None


def test_a_tote_is_taken_as_a_whole_with_one_scan_and_done() -> None:
    picker = _at_the_table()
    told = picker.scan("C-T9")
    assert (told.says, told.names["total"]) == (Says.LIST_OPENED, "3")
    told = picker.scan("X-DONE")
    assert (told.tone, told.says) == (Tone.GOOD, Says.LIST_WHOLE)
    assert picker.story() == [("accept", "C-T9", "PACK-1", None)]
    assert picker.state.scene.checklist is None


def test_the_end_of_a_list_ends_the_handoff_and_the_next_giver_is_asked_for() -> None:
    for end in (["X-DONE"], ["P-1", "X-SHORT"]):
        picker = _at_the_table()
        told = picker.scans("C-T9", *end)
        assert told.expects is Expect.GIVER
        assert picker.state.scene.giver is None
        assert picker.state.operator == "B-CAS"
        assert picker.scan("C-T10").says is Says.NOBODY_GIVES
        picker.scans("X-UNDO", "X-UNDO")
        assert picker.state.scene.giver == "B-ANA"


def test_a_tote_is_taken_package_by_package() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-2", "P-1")
    assert picker.told[-1].names["number"] == "2"
    assert _list(picker).missing == ("P-3",)
    told = picker.scan("P-3")
    assert (told.says, told.expects) == (Says.LIST_COMPLETE, Expect.DONE)
    assert picker.scan("X-DONE").says is Says.LIST_DONE
    assert [s[:2] for s in picker.story()] == [
        ("accept", "C-T9"),
        ("accept", "P-2"),
        ("accept", "P-1"),
        ("accept", "P-3"),
    ]


def test_a_repeat_and_a_foreign_package_are_on_the_list_as_such() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1", "P-8")
    assert picker.scan("P-1", 60).word is Word.REPEAT
    checklist = _list(picker)
    assert checklist.scanned == ("P-1",)
    assert checklist.foreign == ("P-8",)
    assert checklist.repeated == ("P-1",)
    assert picker.scan("C-T9", 60).word is Word.REPEAT


def test_what_is_missing_is_named_and_closed_only_with_a_reason() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1")
    told = picker.scan("X-DONE")
    assert (told.tone, told.expects) == (Tone.ATTENTION, Expect.REASON)
    assert detail(told, ENGLISH) == (
        "2 of 3 missing: P-2, P-3; scan them, or the reason"
    )
    count = len(picker.lines)
    told = picker.scan("X-LATER")
    assert detail(told, ENGLISH) == "C-T9 closed without 2 of 3: comes later"
    note, *missed = picker.lines[count:]
    assert (note.action, note.reason, note.container) == (
        "note",
        "closed_short",
        "C-T9",
    )
    assert [(m.action, m.item, m.location, m.reason, m.raw) for m in missed] == [
        ("miss", "P-2", "PACK-1", "later", None),
        ("miss", "P-3", "PACK-1", "later", None),
    ]
    assert {line.operator for line in missed} == {"B-CAS"}
    assert all(lacks(line) is None for line in missed)


def test_a_missing_package_that_turns_up_needs_no_reason_any_more() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1", "P-2", "X-DONE")
    assert picker.scan("P-3").expects is Expect.DONE
    assert picker.scan("X-SHORT").says is Says.NO_SHORT_LIST


def test_undo_of_a_short_close_undoes_all_of_its_lines_and_opens_the_list() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1", "X-SHORT")
    count = len(picker.lines)
    assert picker.scan("X-UNDO").says is Says.UNDONE
    voids = [line.voids for line in picker.lines[count:]]
    assert voids == [f"{LOG}:{number}" for number in range(count - 2, count + 1)]
    assert _list(picker).missing == ("P-2", "P-3")


def test_without_a_place_what_is_missing_is_only_a_remark() -> None:
    picker = _at_the_table(Rules())
    picker.scans("C-T9", "P-1", "X-SHORT")
    assert [line.action for line in picker.lines[-2:]] == ["note", "note"]
    assert picker.last.item == "P-3"


@pytest.mark.parametrize("code", ["C-T10", "X-PICK", "B-BEN"])
def test_a_list_that_was_begun_is_not_lost_by_a_wrong_scan(code: str) -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1")
    before = picker.state.scene
    told = picker.scan(code)
    assert (told.says, told.names["number"]) == (Says.LIST_OPEN, "2")
    assert picker.state.scene == before
    assert picker.last.refused == ("list_open" if code == "C-T10" else None)


def test_a_list_that_a_badge_ends_is_said_to_be_dropped() -> None:
    picker = _at_the_table()
    told = picker.scans("C-T9", "P-1", "B-CAS")
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.LIST_DROPPED)


def test_cancel_drops_a_list() -> None:
    picker = _at_the_table()
    picker.scans("C-T9", "P-1", "X-CANCEL")
    assert picker.state.scene.checklist is None


def test_a_tote_that_nobody_told_of_is_taken_and_said_to_be_unknown() -> None:
    picker = _at_the_table()
    told = picker.scan("C-T10")
    assert (told.tone, told.says) == (Tone.GOOD, Says.LIST_UNKNOWN)
    picker.scan("P-1")
    assert _list(picker).scanned == ("P-1",)
    assert picker.scan("X-DONE").says is Says.CLOSED


def test_a_tote_inside_a_load_is_ticked_off_the_loads_list() -> None:
    known = told_station()
    known.update(Reference(loads=(KnownLoad(load="M-3", items=("C-1", "P-2")),)))
    own = Mode(action="accept", checks=Checking.SETTLED, takes=tuple(Role))
    rules = Rules(modes={**MODES, "check": own}, location="PACK-1")
    picker = Picker(rules, known)
    picker.scans("X-CHECK", "B-CAS", "M-3", "C-1")
    assert _list(picker).container == "M-3"
    assert _list(picker).scanned == ("C-1",)


def test_nobody_who_hands_over_is_said_or_insisted_on() -> None:
    picker = Picker(TABLE, told_station())
    told = picker.scans("X-HANDOFF", "B-CAS", "P-1")
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.NOBODY_GIVES)
    picker = Picker(Rules(location="PACK-1", badges=Badges.REQUIRED), told_station())
    told = picker.scans("X-HANDOFF", "B-CAS", "P-1")
    assert (told.says, picker.last.refused) == (Says.NO_GIVER, "no_giver")
    picker = Picker(Rules(location="PACK-1", badges=Badges.OFF), told_station())
    assert picker.scans("X-HANDOFF", "P-1").tone is Tone.GOOD


def test_a_load_shows_what_is_expected_on_it_and_what_remains() -> None:
    picker = Picker(TABLE, told_station())
    told = picker.scans("X-LOAD", "M-3")
    assert detail(told, ENGLISH) == "M-3 is open; 2 expected on it"
    told = picker.scan("P-1")
    assert (told.says, told.names["number"]) == (Says.LIST_ITEM, "1")
    told = picker.scan("X-DONE")
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.CLOSED)
    assert detail(told, ENGLISH) == "M-3 is closed; missing: P-2"
    assert picker.state.scene.container is None
