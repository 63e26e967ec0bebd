"""What each order of scans means: the flows of a working day, and the tired ones."""

import msgspec
import pytest

from edge.feedback import Expect, Says, Tone, Word
from edge.texts import detail
from edge.workflow import (
    MODES,
    Badges,
    Mode,
    Rules,
    Where,
)
from edge.workflow.state import Scene
from shared.actions import ACTIONS, lacks
from shared.commands import COMMANDS, REASONS
from shared.keys import Role
from shared.lines import encode, fit
from tests.unit.picker import ENGLISH, LOG, Picker

SITED = Rules(location="DOCK-1")


def test_a_station_that_starts_sees_what_is_scanned_at_its_own_place() -> None:
    picker = Picker(SITED)
    told = picker.scan("P-1")
    assert picker.story() == [("see", "P-1", "DOCK-1", None)]
    assert (told.tone, told.word, told.mode) == (Tone.GOOD, Word.SAVED, "see")


def test_a_line_carries_the_clocks_the_raw_read_and_the_scanner() -> None:
    picker = Picker()
    picker.scan(" p-1", device="gun-7")
    line = picker.last
    assert line.at == "2026-04-24T03:06:50.000000Z"
    assert (line.boot, line.mono, line.synced) == ("boot-1", 10_000_000, True)
    assert (line.raw, line.item, line.device) == (" p-1", "P-1", "gun-7")


@pytest.mark.parametrize(
    "mode",
    ["receive", "accept", "unpack", "stage", "depart", "arrive", "unload", "return"],
)
def test_a_mode_without_a_target_records_each_item_where_the_station_is(
    mode: str,
) -> None:
    picker = Picker(SITED)
    picker.scans(f"X-{mode.upper()}", "P-1", "P-2")
    assert picker.story() == [
        (mode, "P-1", "DOCK-1", None),
        (mode, "P-2", "DOCK-1", None),
    ]


def test_a_place_that_was_scanned_holds_for_what_follows() -> None:
    picker = Picker(SITED)
    picker.scans("X-PICK", "B-BEN", "L-A-01", "P-1", "P-2", "L-A-02", "P-3")
    assert picker.story() == [
        ("pick", "P-1", "A-01", None),
        ("pick", "P-2", "A-01", None),
        ("pick", "P-3", "A-02", None),
    ]
    assert {line.operator for line in picker.lines[2:]} == {"B-BEN"}


def test_store_takes_the_place_first_and_then_items() -> None:
    picker = Picker(SITED)
    assert picker.scan("X-STORE").expects is Expect.LOCATION
    assert picker.scan("L-A-01").expects is Expect.ITEM
    picker.scans("P-1", "P-2")
    assert picker.story() == [
        ("store", "P-1", "A-01", None),
        ("store", "P-2", "A-01", None),
    ]


def test_store_takes_the_item_first_and_then_its_place_which_does_not_stick() -> None:
    picker = Picker(SITED)
    picker.scan("X-STORE")
    assert picker.scan("P-1").expects is Expect.LOCATION
    assert picker.scan("L-A-01").expects is Expect.LOCATION
    picker.scans("P-2", "L-A-02")
    assert picker.story() == [
        ("see", "P-1", None, None),
        ("store", "P-1", "A-01", None),
        ("see", "P-2", None, None),
        ("store", "P-2", "A-02", None),
    ]


def test_an_item_that_waits_is_named_when_another_is_scanned_instead() -> None:
    picker = Picker()
    picker.scans("X-STORE", "P-1")
    told = picker.scan("P-2")
    assert told.says is Says.HELD_INSTEAD
    assert "P-1 was left without one" in detail(told, ENGLISH)
    picker.scan("L-A-01")
    assert picker.story()[-1] == ("store", "P-2", "A-01", None)
    assert not [s for s in picker.story() if s[:2] == ("store", "P-1")]


def test_an_item_that_waits_is_named_when_the_mode_is_left() -> None:
    told = Picker().scans("X-STORE", "P-1", "X-PICK")
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.MODE_LEFT)
    assert detail(told, ENGLISH) == "now: PICK; P-1 was left without its place"


def test_stage_asks_for_a_place_only_where_none_is_known() -> None:
    picker = Picker()
    picker.scan("X-STAGE")
    assert picker.scan("P-1").expects is Expect.LOCATION
    picker.scan("L-LANE-3")
    assert picker.story()[-1] == ("stage", "P-1", "LANE-3", None)


def test_pack_opens_a_container_by_its_label_and_items_go_into_it() -> None:
    picker = Picker(SITED)
    assert picker.scan("X-PACK").expects is Expect.CONTAINER
    assert picker.scan("C-9").expects is Expect.ITEM
    picker.scans("P-1", "P-2", "C-8", "P-3")
    assert picker.story() == [
        ("see", "C-9", "DOCK-1", None),
        ("pack", "P-1", "DOCK-1", "C-9"),
        ("pack", "P-2", "DOCK-1", "C-9"),
        ("see", "C-8", "DOCK-1", None),
        ("pack", "P-3", "DOCK-1", "C-8"),
    ]


def test_pack_takes_the_item_first_too() -> None:
    picker = Picker(SITED)
    picker.scan("X-PACK")
    assert picker.scan("P-1").expects is Expect.CONTAINER
    assert picker.scan("C-9").expects is Expect.CONTAINER
    assert picker.story()[-1] == ("pack", "P-1", "DOCK-1", "C-9")


def test_the_label_of_the_open_container_is_a_repeat() -> None:
    assert Picker().scans("X-PACK", "C-9", "C-9").word is Word.REPEAT


def test_a_mode_that_needs_both_takes_place_and_container_one_by_one() -> None:
    own = Mode(action="pack", where=Where.SCANNED, into=Role.CONTAINER)
    picker = Picker(Rules(modes={**MODES, "box": own}))
    assert picker.scans("X-BOX", "P-1").expects is Expect.CONTAINER
    assert picker.scan("C-9").expects is Expect.LOCATION
    picker.scan("L-A")
    assert picker.story()[-1] == ("pack", "P-1", "A", "C-9")


def test_done_closes_a_container() -> None:
    picker = Picker()
    picker.scans("X-PACK", "C-9", "P-1")
    told = picker.scan("X-DONE")
    assert (told.says, told.expects) == (Says.CLOSED, Expect.CONTAINER)


def test_load_opens_a_load_and_takes_containers_into_it() -> None:
    picker = Picker(SITED)
    assert picker.scan("X-LOAD").expects is Expect.LOAD
    picker.scans("M-3", "P-1", "C-9")
    assert picker.story() == [
        ("see", "M-3", "DOCK-1", None),
        ("load", "P-1", "DOCK-1", "M-3"),
        ("load", "C-9", "DOCK-1", "M-3"),
    ]


def test_a_load_departs_by_its_label() -> None:
    picker = Picker(SITED)
    picker.scans("X-LOAD", "M-3", "P-1", "X-DEPART", "M-3")
    assert picker.story()[-1] == ("depart", "M-3", "DOCK-1", None)


def test_a_tote_is_handed_over_with_one_scan() -> None:
    picker = Picker(Rules(location="PACK-1"))
    picker.scans("X-ACCEPT", "B-CAS", "C-T9")
    assert picker.story() == [("accept", "C-T9", "PACK-1", None)]
    assert picker.last.operator == "B-CAS"


def test_empty_takes_containers_and_refuses_a_parcel_which_it_has_still_seen() -> None:
    picker = Picker(SITED)
    assert picker.scan("X-EMPTY").expects is Expect.CONTAINER
    told = picker.scan("P-1")
    assert (told.word, picker.last.refused) == (Word.REFUSED, "wrong_kind")
    assert (picker.last.item, picker.last.location) == ("P-1", "DOCK-1")
    picker.scan("C-9")
    assert picker.story() == [("empty", "C-9", "DOCK-1", None)]


def test_a_load_cannot_be_packed() -> None:
    picker = Picker()
    told = picker.scans("X-PACK", "C-9", "M-1")
    assert told.says is Says.WRONG_KIND
    assert picker.last.refused == "wrong_kind"


def test_a_count_sees_each_item_at_once_and_ends_with_all_of_them() -> None:
    picker = Picker(SITED)
    assert picker.scan("X-COUNT").expects is Expect.LOCATION
    picker.scans("L-A-01", "P-1", "P-2", "P-1")
    assert picker.told[-1].word is Word.REPEAT
    told = picker.scan("X-DONE")
    assert told.says is Says.COUNT_MADE
    assert picker.story() == [
        ("see", "P-1", "A-01", None),
        ("see", "P-2", "A-01", None),
        ("count", None, "A-01", None),
    ]
    assert picker.last.items == ("P-1", "P-2")


def test_an_empty_shelf_can_be_counted() -> None:
    picker = Picker()
    picker.scans("X-COUNT", "L-A-01", "X-DONE")
    assert (picker.last.action, picker.last.items) == ("count", ())
    assert lacks(picker.last) is None


def test_an_item_before_the_place_of_a_count_is_seen_and_not_counted() -> None:
    picker = Picker(SITED)
    told = picker.scans("X-COUNT", "P-1")
    assert (told.says, told.expects) == (Says.PLACE_FIRST, Expect.LOCATION)
    assert picker.story() == [("see", "P-1", "DOCK-1", None)]
    picker.scans("L-A-01", "X-DONE")
    assert picker.last.items == ()


@pytest.mark.parametrize("code", ["L-A-02", "X-PICK"])
def test_a_count_that_has_begun_is_not_lost_by_a_wrong_scan(code: str) -> None:
    picker = Picker()
    picker.scans("X-COUNT", "L-A-01", "P-1")
    assert picker.scan(code).says is Says.COUNT_OPEN
    picker.scan("X-DONE")
    assert (picker.last.location, picker.last.items) == ("A-01", ("P-1",))


def test_a_count_that_no_line_can_hold_is_not_made_and_says_so() -> None:
    picker = Picker()
    picker.scans("X-COUNT", "L-A-01")
    number = 0
    while picker.told[-1].says is not Says.COUNT_FULL:
        picker.scan(f"P-{number:060}")
        number += 1
        assert number < 1000
    assert picker.last.action == "see"
    told = picker.scan("X-DONE")
    assert told.says is Says.COUNT_TOO_LONG
    assert "count" not in [line.action for line in picker.lines]
    assert max(len(encode(line)) for line in picker.lines) <= 16 * 1024


def test_what_was_looked_for_and_not_found_is_no_sighting_in_either_order() -> None:
    picker = Picker()
    picker.scans("X-MISS", "L-A-01", "P-1")
    assert picker.story() == [("miss", "P-1", "A-01", None)]
    picker = Picker()
    picker.scans("X-MISS", "P-1", "L-A-01")
    assert picker.story() == [("miss", "P-1", "A-01", None)]
    assert picker.lines[1].item == "P-1"


# Badges


def test_the_same_badge_again_is_out() -> None:
    picker = Picker()
    assert picker.scan("B-7").says is Says.BADGE_IN
    assert picker.scan("P-1").names["operator"] == "B-7"
    assert picker.scan("B-7").says is Says.BADGE_OUT
    assert "operator" not in picker.scan("P-2").names
    assert [line.reason for line in picker.lines[::2]] == ["badge_in", "badge_out"]
    assert [line.operator for line in picker.lines] == ["B-7", "B-7", "B-7", None]


def test_another_badge_takes_over_and_inherits_no_place() -> None:
    picker = Picker()
    picker.scans("X-STORE", "B-7", "L-A-01", "B-8")
    assert picker.state.operator == "B-8"
    assert picker.state.scene == Scene(mode="store")


@pytest.mark.parametrize("badge", ["B-7", "B-8"])
def test_a_count_that_a_badge_ends_is_said_to_be_dropped(badge: str) -> None:
    told = Picker().scans("B-7", "X-COUNT", "L-A-01", "P-1", badge)
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.COUNT_DROPPED)
    assert "the count of A-01 was not finished" in detail(told, ENGLISH)


def test_badging_in_after_the_place_keeps_the_place() -> None:
    picker = Picker()
    picker.scans("X-PICK", "L-A-01", "B-7", "P-1")
    assert picker.story() == [("pick", "P-1", "A-01", None)]


def test_nobody_badged_in_is_said_where_it_matters() -> None:
    picker = Picker()
    assert picker.scan("X-PICK").expects is Expect.BADGE
    told = picker.scan("P-1")
    assert (told.tone, told.says) == (Tone.ATTENTION, Says.NO_HOLDER)
    assert picker.story() == [("pick", "P-1", None, None)]


def test_a_site_can_do_without_badges() -> None:
    picker = Picker(Rules(badges=Badges.OFF))
    assert picker.scan("X-PICK").expects is Expect.ITEM
    assert picker.scan("P-1").tone is Tone.GOOD


def test_a_site_can_insist_on_badges() -> None:
    picker = Picker(Rules(badges=Badges.REQUIRED))
    told = picker.scans("X-PICK", "P-1")
    assert (told.tone, told.expects) == (Tone.ERROR, Expect.BADGE)
    assert picker.last.refused == "no_badge"
    picker.scans("B-7", "P-1")
    assert picker.story() == [("pick", "P-1", None, None)]


# Undo


def test_undo_voids_the_last_scan_and_walks_back() -> None:
    picker = Picker()
    picker.scans("X-STORE", "L-A-01", "P-1", "P-2")
    picker.scans("X-UNDO", "X-UNDO", "X-UNDO")
    assert [line.voids for line in picker.lines[-3:]] == [
        f"{LOG}:4",
        f"{LOG}:3",
        f"{LOG}:2",
    ]
    assert picker.state.scene == Scene(mode="store")


def test_undo_goes_back_to_the_scene_before() -> None:
    picker = Picker()
    picker.scans("X-STORE", "P-1", "L-A-01")
    picker.scan("X-UNDO")
    assert picker.state.scene.waiting == "P-1"
    picker.scan("L-A-02")
    assert picker.story()[-1] == ("store", "P-1", "A-02", None)


def test_what_was_undone_can_be_scanned_again_at_once() -> None:
    picker = Picker()
    picker.scans("X-RECEIVE", "P-1", "X-UNDO", "P-1", after=1)
    assert [line.action for line in picker.lines[1:]] == ["receive", "void", "receive"]


def test_undo_passes_over_what_did_nothing() -> None:
    picker = Picker()
    picker.scans("X-RECEIVE", "P-1", "P-1", "nonsense", "X-UNDO")
    assert picker.last.voids == f"{LOG}:2"


def test_undo_of_a_count_opens_it_again() -> None:
    picker = Picker()
    picker.scans("X-COUNT", "L-A-01", "P-1", "X-DONE", "X-UNDO", "P-2", "X-DONE")
    assert picker.last.items == ("P-1", "P-2")


def test_undo_never_undoes_an_undo() -> None:
    picker = Picker()
    picker.scans("P-1", "X-UNDO")
    told = picker.scan("X-UNDO")
    assert (told.says, picker.last.action) == (Says.NOTHING_TO_UNDO, "note")


def test_undo_does_not_reach_into_another_persons_work() -> None:
    picker = Picker()
    assert picker.scans("B-7", "P-1", "B-8", "X-UNDO").says is Says.NOTHING_TO_UNDO


def test_undo_of_what_was_not_recorded_yet_voids_nothing() -> None:
    picker = Picker()
    picker.scan("P-1")
    frame = msgspec.structs.replace(picker.state.history[-1], events=())
    picker.state = msgspec.structs.replace(picker.state, history=(frame,))
    assert picker.scan("X-UNDO").says is Says.NOTHING_TO_UNDO


def test_what_a_station_remembers_is_bounded() -> None:
    picker = Picker()
    picker.scans(*(f"P-{number}" for number in range(200)), after=0.1)
    assert len(picker.state.history) == 50
    assert len(picker.state.scene.known) == 128


# Repeats: F-27, both reads are stored, and only one of them means something


@pytest.mark.parametrize("after", [0.1, 20.0])
def test_f27_a_repeat_is_kept_and_shows_nothing_new(after: float) -> None:
    picker = Picker(SITED)
    picker.scans("X-DEPART", "P-1")
    told = picker.scan("P-1", after)
    assert (told.tone, told.word) == (Tone.ATTENTION, Word.REPEAT)
    line = picker.last
    assert (line.action, line.item, line.reason) == ("note", "P-1", "repeat")
    assert line.raw == "P-1"
    assert not ACTIONS[line.action].evidence


def test_f27_the_same_scan_much_later_is_meant() -> None:
    picker = Picker()
    picker.scans("X-RECEIVE", "P-1")
    picker.scan("P-1", 31)
    assert [s[0] for s in picker.story()] == ["receive", "receive"]


def test_f27_the_same_item_in_another_context_is_no_repeat() -> None:
    picker = Picker()
    picker.scans("X-RECEIVE", "P-1", "L-A", "P-1", "X-STAGE", "L-B", "P-1", after=1)
    picker.scans("X-RECEIVE", "P-1", after=1)
    assert picker.told[-1].word is Word.SAVED
    assert [s[0] for s in picker.story()] == ["receive"] * 2 + ["stage", "receive"]


def test_f27_what_is_in_the_open_container_is_a_repeat_however_late() -> None:
    picker = Picker()
    picker.scans("X-PACK", "C-9", "P-1", "P-2")
    assert picker.scan("P-1", 300).word is Word.REPEAT
    picker.scans("C-8", "P-1")
    assert picker.story()[-1] == ("pack", "P-1", None, "C-8")


@pytest.mark.parametrize("code", ["B-7", "X-UNDO", "L-A-01"])
def test_f27_a_trembling_trigger_toggles_only_once(code: str) -> None:
    picker = Picker()
    picker.scans("X-RECEIVE", "P-1", "P-2")
    picker.scan(code)
    state = picker.state
    for _ in range(3):
        assert picker.scan(code, 0.1).word is Word.REPEAT
    assert picker.state.scene == state.scene
    assert picker.state.operator == state.operator
    assert picker.state.history == state.history


def test_f27_a_trembling_place_does_not_stick_after_a_pair() -> None:
    picker = Picker()
    picker.scans("X-STORE", "P-1", "L-A-01")
    picker.scan("L-A-01", 0.1)
    assert picker.state.scene.location is None


def test_f27_what_is_typed_or_piped_is_meant_each_time() -> None:
    picker = Picker(Rules(typed=frozenset({"gun"})))
    picker.scans("X-RECEIVE", "P-1", "P-2", "X-UNDO", "X-UNDO", after=0.001)
    assert [line.action for line in picker.lines[-2:]] == ["void", "void"]


def test_f27_a_refusal_that_is_repeated_stays_a_refusal() -> None:
    picker = Picker(Rules(commands=frozenset({"UNDO"})))
    picker.scan("X-PICK")
    assert picker.scan("X-PICK", 0.1).says is Says.NOT_ALLOWED


# Commands


def test_a_command_of_another_sheet_does_nothing() -> None:
    picker = Picker(Rules(commands=frozenset({"RECEIVE", "UNDO"})))
    before = picker.state.scene
    assert picker.scan("X-DEPART").says is Says.NOT_ALLOWED
    assert picker.scan("X-REBOOT").says is Says.NO_SUCH_COMMAND
    assert picker.state.scene == before
    assert [line.reason for line in picker.lines] == ["not_allowed", "no_such_command"]


def test_cancel_drops_what_is_half_done_and_can_be_undone() -> None:
    picker = Picker()
    picker.scans("X-STORE", "L-A-01")
    assert picker.scan("X-CANCEL").expects is Expect.LOCATION
    picker.scan("X-UNDO")
    assert picker.state.scene.location == "A-01"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("X-DONE", Says.NOTHING_TO_FINISH),
        ("X-CANCEL", Says.NOTHING_TO_CANCEL),
        ("X-UNDO", Says.NOTHING_TO_UNDO),
    ],
)
def test_a_command_with_nothing_to_do_says_so(code: str, says: Says) -> None:
    picker = Picker()
    assert picker.scan(code).says is says


def test_done_does_not_hide_that_an_item_still_waits() -> None:
    picker = Picker()
    told = picker.scans("X-STORE", "P-1", "X-DONE")
    assert told.says is Says.UNFINISHED
    assert "P-1 still needs a location" in detail(told, ENGLISH)


# Bad input


@pytest.mark.parametrize(
    ("raw", "word", "reason"),
    [
        (b"", Word.UNKNOWN, "empty"),
        (b"hello", Word.UNKNOWN, "unknown"),
        (b"\x00\xff\x1b[2J\x1d", Word.UNKNOWN, "unknown"),
        (b"P-" + b"9" * 300, Word.UNKNOWN, "too_long"),
        (b"P-" + b"\xff" * 40_000, Word.UNKNOWN, "too_long"),
    ],
)
def test_f25_what_names_nothing_is_kept_with_its_raw_bytes(
    raw: bytes, word: Word, reason: str
) -> None:
    picker = Picker()
    told = picker.scan(raw)
    line = picker.last
    assert (told.tone, told.word) == (Tone.ERROR, word)
    assert (line.action, line.reason, line.item) == ("note", reason, None)
    assert line.raw == raw.decode("latin-1")
    assert lacks(line) is None
    assert len(fit(line)) <= 16 * 1024


def test_f22_a_damaged_read_is_kept_and_never_taken_for_a_code() -> None:
    picker = Picker()
    told = picker.scan("P-1", damaged=True)
    assert (told.word, told.expects) == (Word.DAMAGED, Expect.RESCAN)
    line = picker.last
    assert (line.action, line.item, line.damaged) == ("note", None, True)
    assert line.raw == "P-1"


def test_a_products_number_is_refused_and_says_why() -> None:
    picker = Picker()
    told = picker.scan("09521234543213")
    assert (told.tone, told.word) == (Tone.ERROR, Word.REFUSED)
    assert "names a product" in detail(told, ENGLISH)
    line = picker.last
    assert (line.action, line.refused, line.item) == ("note", "not_a_package", None)
    assert line.raw == "09521234543213"


def test_the_sheet_of_commands_and_the_table_of_modes_agree() -> None:
    own = {"UNDO", "DONE", "CANCEL", *REASONS}
    assert set(COMMANDS) == {name.upper() for name in MODES} | own
    for command in COMMANDS:
        assert Picker().scan(f"X-{command}").says is not Says.NO_SUCH_COMMAND


# Time


def test_an_item_that_waits_for_its_place_is_forgotten_first() -> None:
    picker = Picker()
    picker.scans("X-STORE", "P-1")
    picker.scan("L-A-01", 61)
    assert ("store", "P-1", "A-01", None) not in picker.story()
    assert picker.state.scene.location == "A-01"


def test_a_place_is_forgotten_after_a_while() -> None:
    picker = Picker()
    picker.scans("X-STORE", "L-A-01")
    assert picker.scan("P-1", 601).says is Says.HELD


def test_a_station_that_was_left_alone_is_at_rest_again() -> None:
    picker = Picker()
    picker.scans("B-7", "X-STORE", "L-A-01", "P-1")
    picker.scan("P-2", 15 * 60)
    assert picker.story()[-1] == ("see", "P-2", None, None)
    assert picker.state.operator == "B-7"
    assert len(picker.state.history) == 1
    picker.scan("P-3", 30 * 60)
    assert picker.last.operator is None


def test_undo_does_not_bring_back_a_place_that_was_long_left() -> None:
    picker = Picker()
    picker.scans("X-STORE", "L-A-01", "P-1")
    picker.scan("X-UNDO", 601)
    assert picker.last.voids == f"{LOG}:3"
    assert picker.state.scene == Scene(mode="store")


# The table and the words


def test_every_action_of_the_contract_that_is_scanned_has_a_mode_of_its_name() -> None:
    said_elsewhere = {"note", "claim", "expect", "resolve", "void"}
    own = {name for name, mode in MODES.items() if name == mode.action}
    assert own == set(ACTIONS) - said_elsewhere
    assert set(MODES) - own == {"handoff"}


def test_a_mode_goes_into_a_container_where_its_action_enters_one() -> None:
    enters = {name for name, action in ACTIONS.items() if "container" in action.needs}
    assert {name for name, mode in MODES.items() if mode.into} == enters - {"expect"}


def test_a_site_adds_a_mode_as_a_row() -> None:
    own = Mode(action="store", where=Where.KNOWN, takes=(Role.PARCEL,))
    picker = Picker(Rules(modes={**MODES, "quarantine": own}, location="Q-1"))
    picker.scans("X-QUARANTINE", "P-1")
    assert picker.story() == [("store", "P-1", "Q-1", None)]


def test_english_has_a_text_for_everything() -> None:
    assert set(ENGLISH.words) == set(Word)
    assert set(ENGLISH.says) == set(Says)
    assert set(ENGLISH.expects) == set(Expect)
    assert set(ENGLISH.done) == {mode.action for mode in MODES.values()}


def test_braces_in_a_code_are_only_text() -> None:
    told = Picker().scan("P-1")
    code = "P-{item.__class__}{0}{}"
    told = msgspec.structs.replace(told, names={"action": "see", "item": code})
    assert detail(told, ENGLISH) == f"{code} seen"


# Commands of the site's own sheet


def test_f29_only_the_sites_own_sheet_commands_where_it_has_a_word() -> None:
    picker = Picker(Rules(sheet="K7Q2", typed=frozenset({"screen"})))
    told = picker.scan("X-DEPART")
    assert (told.tone, told.says) == (Tone.ERROR, Says.NOT_OURS)
    assert picker.scan("X-DEPART.WRONG").says is Says.NOT_OURS
    assert picker.state.scene.mode == "see"
    assert picker.scan("X-PICK.K7Q2").mode == "pick"
    assert picker.scan("X-STORE", device="screen").mode == "store"
