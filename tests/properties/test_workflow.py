"""Every order of scans that a tired person can make."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.feedback import Expect
from edge.texts import detail
from edge.workflow import MODES, Badges, Rules
from edge.workflow.core import recorded, step
from edge.workflow.state import State
from shared.actions import lacks
from shared.keys import parse
from shared.lines import MAX_LINE, fit
from tests.unit.picker import ENGLISH, LOG, Picker, read_of

_COMMANDS = [f"X-{name.upper()}" for name in MODES] + ["X-UNDO", "X-DONE", "X-CANCEL"]
_CODES = st.one_of(
    st.sampled_from(_COMMANDS),
    st.sampled_from(["X-UNDO", "X-DONE", "X-COUNT", "X-PACK", "X-STORE"]),
    st.sampled_from(["P-1", "P-2", "C-1", "C-2", "M-1", "L-A", "L-B", "B-1", "B-2"]),
    st.sampled_from(["", "X-", "X-NO", "09521234543213", "]C100340123450000000018"]),
    st.text(max_size=20).map(lambda text: text.encode().decode("latin-1")),
)
_PAUSES = st.sampled_from([0.0, 0.1, 1.0, 10.0, 61.0, 601.0, 901.0, 1801.0])
_WALKS = st.lists(
    st.tuples(_CODES, _PAUSES, st.sampled_from(["gun", "belt"]), st.booleans()),
    max_size=40,
)
_RULES = st.builds(
    Rules,
    badges=st.sampled_from(Badges),
    location=st.sampled_from([None, "DOCK-1"]),
    commands=st.sampled_from([None, frozenset({"UNDO", "STORE", "DONE", "PACK"})]),
)
_Walk = list[tuple[str, float, str, bool]]


def _walked(rules: Rules, walk: _Walk) -> Picker:
    picker = Picker(rules)
    for code, pause, device, damaged in walk:
        picker.scan(code, pause, device, damaged=damaged and pause == 1.0)
    return picker


@given(rules=_RULES, walk=_WALKS)
def test_no_scan_is_lost(rules: Rules, walk: _Walk) -> None:
    picker = _walked(rules, walk)
    assert [line.raw for line in picker.lines] == [code for code, *_ in walk]
    assert len(picker.told) == len(walk)


@given(rules=_RULES, walk=_WALKS)
def test_every_line_has_what_its_action_needs_and_fits(
    rules: Rules, walk: _Walk
) -> None:
    for line in _walked(rules, walk).lines:
        assert lacks(line) is None
        assert len(fit(line)) <= MAX_LINE
        assert line.action != "pack" or line.refused or line.container


@given(rules=_RULES, walk=_WALKS)
def test_every_scan_is_answered_in_words_with_one_thing_expected(
    rules: Rules, walk: _Walk
) -> None:
    for told in _walked(rules, walk).told:
        assert isinstance(told.expects, Expect)
        assert detail(told, ENGLISH)
        assert told.mode in MODES


@given(rules=_RULES, walk=_WALKS)
def test_a_void_names_a_line_that_was_not_voided_and_is_no_void(
    rules: Rules, walk: _Walk
) -> None:
    lines = _walked(rules, walk).lines
    voided = [line.voids for line in lines if line.action == "void"]
    assert len(set(voided)) == len(voided)
    for index, line in enumerate(lines):
        if line.voids is not None:
            log, _, seq = line.voids.rpartition(":")
            named = lines[int(seq) - 1]
            assert log == LOG
            assert int(seq) <= index
            assert (named.action, named.reason) not in {
                ("void", "undo"),
                ("note", "repeat"),
            }
            assert named.refused is None


@given(rules=_RULES, walk=_WALKS, code=_CODES)
def test_undo_undoes_exactly_one_and_goes_back_to_the_scene_before(
    rules: Rules, walk: _Walk, code: str
) -> None:
    picker = _walked(rules, walk)
    picker.scan("P-SETTLE", 2.0)  # whatever had run out has, after this
    before = picker.state
    picker.scan(code, 2.0)
    did = len(picker.state.history) > len(before.history)
    number = len(picker.lines)
    if rules.commands is not None or not did:
        return
    picker.scan("X-UNDO", 2.0)
    assert [line.voids for line in picker.lines[number:]] == [f"{LOG}:{number}"]
    assert picker.state.scene == before.scene
    assert picker.state.history == before.history


@given(walk=_WALKS)
def test_repeated_undo_walks_back_through_all_and_then_stops(walk: _Walk) -> None:
    picker = _walked(
        Rules(), [(code, 1.0, device, False) for code, _, device, _ in walk]
    )
    can = len(picker.state.history)
    for _ in range(can):
        picker.scan("X-UNDO", 1.0)
        assert picker.last.action == "void"
    picker.scan("X-UNDO", 1.0)
    assert picker.last.action == "note"


@given(rules=_RULES, walk=_WALKS)
def test_an_item_is_recorded_only_in_the_mode_that_was_shown(
    rules: Rules, walk: _Walk
) -> None:
    picker = Picker(rules)
    for code, pause, device, _ in walk:
        shown = picker.state.scene.mode
        picker.scan(code, pause, device)
        if picker.last.action not in {"note", "void", "see"}:
            assert picker.last.action in {MODES[shown].action, MODES["see"].action}


@given(walk=_WALKS)
@settings(max_examples=30)
def test_the_same_walk_gives_the_same_lines(walk: _Walk) -> None:
    assert _walked(Rules(), walk).lines == _walked(Rules(), walk).lines


@given(rules=_RULES, walk=_WALKS, code=_CODES)
def test_a_step_that_is_not_recorded_changes_nothing(
    rules: Rules, walk: _Walk, code: str
) -> None:
    picker = _walked(rules, walk)
    before: State = picker.state
    copy = msgspec.structs.replace(before)
    read = read_of(code.encode("latin-1", "replace"), picker.mono + 5)
    first = step(rules, before, parse(code), read)
    again = step(rules, before, parse(code), read)
    assert before == copy
    assert first == again
    assert recorded(first.state, ("x:1",)) == recorded(again.state, ("x:1",))
