"""The open list on a screen, and the ways in which a touch can close it."""

import msgspec

from edge.packing import packing
from edge.screen import Listing
from edge.texts import read_texts
from edge.workflow import Rules
from edge.workflow.checklist import Checklist
from tests.unit.picker import ENGLISH, Picker, told_station

TABLE = Rules(location="PACK-1")


def _picker(rules: Rules = TABLE) -> Picker:
    picker = Picker(rules, told_station())
    picker.scans("X-HANDOFF", "B-CAS", "B-ANA")
    return picker


def test_without_a_list_there_is_a_table_only_where_things_are_handed_over() -> None:
    assert packing(TABLE, Picker(TABLE, told_station()).state, ENGLISH) is None
    view = packing(TABLE, _picker().state, ENGLISH)
    assert view is not None
    assert (view.container, view.expected, view.close) == ("", None, ())
    assert (view.hands_over, view.giver, view.receiver) == (True, "B-ANA", "B-CAS")


def test_who_gives_who_takes_and_what_remains() -> None:
    picker = _picker()
    picker.scans("C-T9", "P-2", "P-8", "P-2")
    view = packing(TABLE, picker.state, ENGLISH)
    assert view is not None
    assert (view.container, view.giver, view.receiver) == ("C-T9", "B-ANA", "B-CAS")
    assert (view.expected, view.scanned) == (3, 1)
    assert view.missing == Listing(count=2, items=("P-1", "P-3"))
    assert view.foreign == Listing(count=1, items=("P-8",))
    assert view.repeated == Listing(count=1, items=("P-2",))


def test_a_touch_closes_it_as_a_scan_does() -> None:
    picker = _picker()
    picker.scan("C-T9")
    view = packing(TABLE, picker.state, ENGLISH)
    assert view is not None
    assert [touch.code for touch in view.close] == ["X-DONE"]
    picker.scan("P-1")
    view = packing(TABLE, picker.state, read_texts("de"))
    assert view is not None
    assert {touch.code: touch.label for touch in view.close} == {
        "X-SHORT": "nicht da",
        "X-LATER": "kommt später",
        "X-BROKEN": "beschädigt",
    }
    for touch in view.close:
        state = picker.state
        picker.scan(touch.code)
        view = packing(TABLE, picker.state, ENGLISH)
        assert view is not None
        assert view.container == ""
        picker.state = state


def test_only_what_is_allowed_can_be_touched() -> None:
    rules = msgspec.structs.replace(
        TABLE, commands=frozenset({"HANDOFF", "SHORT", "UNDO"})
    )
    picker = _picker(rules)
    picker.scans("C-T9", "P-1")
    view = packing(rules, picker.state, ENGLISH)
    assert view is not None
    assert [touch.code for touch in view.close] == ["X-SHORT"]


def test_contents_that_are_not_known_here_are_said_to_be() -> None:
    picker = _picker()
    picker.scans("C-T10", "P-1")
    view = packing(TABLE, picker.state, ENGLISH)
    assert view is not None
    assert (view.expected, view.scanned) == (None, 1)


def test_a_long_list_is_cut_and_what_is_scanned_is_cleaned() -> None:
    picker = _picker()
    expected = tuple(f"P-{number}" for number in range(60))
    checklist = Checklist(container="C-\x1b[2J", expected=expected)
    scene = msgspec.structs.replace(picker.state.scene, checklist=checklist)
    state = msgspec.structs.replace(picker.state, scene=scene)
    view = packing(TABLE, state, ENGLISH)
    assert view is not None
    assert view.container == "C-<1B>[2J"
    assert (view.missing.count, view.missing.items[-1]) == (60, "P-49")
