"""Every order of scans that a tired person can make."""

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.feedback import Expect, Tone
from edge.texts import LANGUAGES, detail, read_texts
from edge.workflow import MODES, Badges, Check, Checks, Rules, Told, rest
from edge.workflow.core import recorded, step
from edge.workflow.state import State
from shared.actions import lacks
from shared.commands import COMMANDS, REASONS
from shared.keys import parse
from shared.lines import MAX_LINE, fit
from shared.moments import SECOND
from shared.reference import (
    KnownContainer,
    KnownLoad,
    KnownLocation,
    KnownOperator,
    Reference,
    WantedItem,
)
from tests.unit.picker import LOG, Picker, read_of

LANGUAGES_READ = [read_texts(language) for language in LANGUAGES]
_COMMANDS = [f"X-{name}" for name in COMMANDS]
_CODES = st.one_of(
    st.sampled_from(_COMMANDS),
    st.sampled_from(["X-UNDO", "X-DONE", "X-COUNT", "X-PACK", "X-STORE"]),
    st.sampled_from(["X-HANDOFF", "X-SHORT", "X-LOAD", "C-1", "M-1", "P-1", "P-2"]),
    st.sampled_from(["P-1", "P-2", "C-1", "C-2", "M-1", "L-A", "L-B", "B-1", "B-2"]),
    st.sampled_from(["", "X-", "X-NO", "09521234543213", "]C100340123450000000018"]),
    st.text(max_size=20).map(lambda text: text.encode().decode("latin-1")),
)
_PAUSES = st.sampled_from([0.0, 0.1, 1.0, 10.0, 61.0, 601.0, 901.0, 1801.0])
_STEPS = st.tuples(_CODES, _PAUSES, st.sampled_from(["gun", "belt"]), st.booleans())
_FLOWS = st.sampled_from(
    [
        ["X-HANDOFF", "B-1", "B-2", "C-1", "P-1"],
        ["X-HANDOFF", "B-1", "B-2", "C-1", "P-1", "X-SHORT"],
        ["X-LOAD", "M-1", "P-1"],
        ["X-PACK", "C-1", "P-1", "P-2"],
        ["X-COUNT", "L-A", "P-1", "P-2"],
        ["X-STORE", "P-1"],
        ["X-DEPART", "M-1", "M-1"],
        ["X-LOAD", "M-1", "C-1", "X-DONE", "X-DEPART", "M-1"],
    ]
).map(lambda codes: [(code, 1.0, "gun", False) for code in codes])
_WALKS = st.lists(st.one_of(_STEPS.map(lambda step: [step]), _FLOWS), max_size=20).map(
    lambda blocks: [step for block in blocks for step in block]
)
_SOME = frozenset({"UNDO", "STORE", "DONE", "PACK", "HANDOFF", "SHORT"})
_CHECKS = st.builds(
    Checks, **{name: st.sampled_from(Check) for name in Checks.__struct_fields__}
)
_RULES = st.builds(
    Rules,
    checks=_CHECKS,
    badges=st.sampled_from(Badges),
    location=st.sampled_from([None, "DOCK-1"]),
    commands=st.sampled_from(
        [None, frozenset({"UNDO", "STORE", "DONE", "PACK", "HANDOFF", "SHORT"})]
    ),
)
_ITEMS = st.lists(st.sampled_from(["P-1", "P-2", "P-3", "C-1", "C-2"]), max_size=4)
_LISTS = _ITEMS.map(lambda items: tuple(dict.fromkeys(items)))
_REFERENCES = st.builds(
    Reference,
    locations=st.sampled_from([(), (KnownLocation(location="A", kind="shelf"),)]),
    operators=st.sampled_from([(), (KnownOperator(operator="B-1"),)]),
    loads=st.tuples(
        st.builds(KnownLoad, load=st.just("M-1"), items=_LISTS),
        st.builds(KnownLoad, load=st.just("C-1"), items=_LISTS),
    ),
    containers=st.tuples(
        st.builds(KnownContainer, container=st.just("C-1"), items=_LISTS),
        st.builds(KnownContainer, container=st.just("M-1"), items=_LISTS),
    ),
    wanted=st.sampled_from([(), (WantedItem(item="P-2", reason="lost", by="EVA"),)]),
    gone=_LISTS,
)
_Walk = list[tuple[str, float, str, bool]]


def _walked(rules: Rules, walk: _Walk, told: Reference | None = None) -> Picker:
    facts = Told()
    facts.update(told or Reference())
    picker = Picker(rules, facts)
    for code, pause, device, damaged in walk:
        picker.scan(code, pause, device, damaged=damaged and pause == 1.0)
    return picker


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_no_scan_is_lost(told: Reference, rules: Rules, walk: _Walk) -> None:
    picker = _walked(rules, walk, told)
    read = [line.raw for line in picker.lines if line.raw is not None]
    assert read == [code for code, *_ in walk]
    assert len(picker.told) == len(walk)


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_every_line_has_what_its_action_needs_and_fits(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    for line in _walked(rules, walk, told).lines:
        assert lacks(line) is None
        assert len(fit(line)) <= MAX_LINE
        assert line.action != "pack" or line.refused or line.container


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_every_scan_is_answered_in_words_with_one_thing_expected(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    for answer in _walked(rules, walk, told).told:
        assert isinstance(answer.expects, Expect)
        assert answer.mode in MODES
        for texts in LANGUAGES_READ:
            assert detail(answer, texts)


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_a_void_names_a_line_that_was_not_voided_and_is_no_void(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    lines = _walked(rules, walk, told).lines
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


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS, flow=_FLOWS, code=_CODES)
def test_undo_undoes_exactly_one_and_goes_back_to_the_scene_before(
    told: Reference, rules: Rules, walk: _Walk, flow: _Walk, code: str
) -> None:
    rules = msgspec.structs.replace(rules, commands=None)
    picker = _walked(rules, walk, told)
    picker.scan("P-SETTLE", 2.0)  # whatever had run out has, after this
    for scanned in [*(scanned for scanned, *_ in flow), "X-SHORT", code]:
        before, number = picker.state, len(picker.lines)
        picker.scan(scanned, 2.0)
        after, last = picker.state, len(picker.lines)
        if len(after.history) <= len(before.history):
            continue
        picker.scan("X-UNDO", 2.0)
        events = [f"{LOG}:{seq}" for seq in range(number + 1, last + 1)]
        assert [line.voids for line in picker.lines[last:]] == events
        assert picker.state.scene == before.scene
        assert picker.state.history == before.history
        picker.state = after


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


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_an_item_is_recorded_only_in_the_mode_that_was_shown(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    picker = _walked(rules, [], told)
    for code, pause, device, _ in walk:
        shown = picker.state.scene.mode
        picker.scan(code, pause, device)
        if picker.last.action not in {"note", "void", "see", "miss"}:
            assert picker.last.action == MODES[shown].action


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


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_a_refused_scan_is_a_sighting_and_changes_nothing_that_is_open(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    picker = _walked(rules, [], told)
    for code, pause, device, _ in walk:
        picker.mono += round(pause * SECOND)
        picker.state = rest(rules, picker.state, picker.mono)
        before = picker.state
        told_of = picker.scan(code, 0.0, device)
        if picker.last.refused is not None:
            assert told_of.tone in {Tone.ERROR, Tone.WANTED}
            assert picker.state.scene == before.scene
            assert picker.state.operator == before.operator
            assert picker.state.history == before.history


@given(told=_REFERENCES, rules=_RULES, walk=_WALKS)
def test_nothing_is_invented_of_what_was_not_scanned(
    told: Reference, rules: Rules, walk: _Walk
) -> None:
    picker = _walked(rules, walk, told)
    for line in picker.lines:
        if line.raw is None and line.action != "void":
            assert (line.action, line.reason) in _OF_THE_MISSING
            assert line.item is not None


_OF_THE_MISSING = {("note", "missing"), *(("miss", r.lower()) for r in REASONS)}


@given(seed=st.integers(0, 2**32), rules=_RULES)
@settings(max_examples=10)
def test_what_a_station_remembers_is_bounded_however_long_it_runs(
    seed: int, rules: Rules
) -> None:
    luck = Random(seed)  # noqa: S311 - a walk, not a secret
    listed = Reference(
        loads=(KnownLoad(load="C-L", items=tuple(f"P-{n}" for n in range(300))),)
    )
    picker = _walked(rules, [], listed)
    for _ in range(1500):
        codes = [f"P-{luck.randrange(2000)}"] * 20 + ["C-L", f"C-{luck.randrange(50)}"]
        picker.scan(luck.choice([*codes, *_COMMANDS, "L-A", "B-1", "B-2"]), 1.0)
        scene = picker.state.scene
        assert len(picker.state.history) <= 50
        assert len(msgspec.msgpack.encode(scene)) < 64 * 1024
