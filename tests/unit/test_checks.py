"""What the station says where a scan contradicts what it knows, offline too."""

import pytest

from edge.feedback import Says, Tone, Word
from edge.texts import detail
from edge.workflow import MODES, Badges, Check, Checks, Mode, Rules, Told, Where
from shared.lines import Line
from shared.moments import SECOND
from shared.reference import KnownContainer, KnownLoad, Reference, WantedItem
from tests.unit.picker import ENGLISH, LOG, Picker, read_of, told_station

NAMES = Checks.__struct_fields__
REFUSING = Checks(**dict.fromkeys(NAMES, Check.REFUSE))
WARNING = Checks(**dict.fromkeys(NAMES, Check.WARN))
SILENT = Checks(**dict.fromkeys(NAMES, Check.OFF))
SHELVES = {
    **MODES,
    "store": Mode(action="store", where=Where.SCANNED, places=("shelf",)),
}


def picker(checks: Checks, **rules: object) -> Picker:
    made = {"location": "DOCK-2", "modes": SHELVES, "checks": checks, **rules}
    return Picker(Rules(**made), told_station())  # type: ignore[arg-type]


CASES = {
    "unknown_location": ["X-RECEIVE", "L-NOWHERE"],
    "unknown_operator": ["B-MALLORY"],
    "wrong_place": ["X-STORE", "L-COLD-1"],
    "already_shipped": ["X-PICK", "B-ANA", "P-G"],
    "not_on_manifest": ["X-LOAD", "M-3", "P-X"],
    "not_expected": ["X-HANDOFF", "B-ANA", "B-BEN", "C-T9", "P-8"],
    "incomplete_load": ["X-DEPART", "M-3"],
}
ASKED = "incomplete_load"
"""The one that asks before it records all the same."""


def test_there_is_a_case_for_every_check() -> None:
    assert set(CASES) == set(NAMES)


@pytest.mark.parametrize(("name", "codes"), CASES.items())
def test_a_refusal_is_recorded_as_such_and_changes_nothing(
    name: str, codes: list[str]
) -> None:
    person = picker(REFUSING)
    person.scans(*codes[:-1]) if codes[1:] else None
    before = person.state
    told = person.scan(codes[-1])
    assert (told.tone, person.last.refused) == (Tone.ERROR, name)
    assert told.word in {Word.REFUSED, Word.UNKNOWN, Word.WRONG_PLACE}
    assert told.says.value == name
    assert (person.state.scene, person.state.history) == (before.scene, before.history)
    assert person.state.operator == before.operator
    assert detail(told, ENGLISH)


@pytest.mark.parametrize(
    ("name", "codes"), [case for case in CASES.items() if case[0] != ASKED]
)
def test_a_warning_is_recorded_all_the_same(name: str, codes: list[str]) -> None:
    person, silent = picker(WARNING), picker(SILENT)
    told, plain = person.scans(*codes), silent.scans(*codes)
    assert (told.tone, told.says.value) == (Tone.ATTENTION, name)
    assert told.word is not Word.REFUSED
    assert "it is recorded all the same" in detail(told, ENGLISH)
    assert plain.tone is Tone.GOOD
    assert person.lines == silent.lines
    assert person.state == silent.state


def test_what_the_station_refuses_is_recorded_as_the_contract_says() -> None:
    person = picker(Checks())
    told = person.scans("X-LOAD", "M-3", "P-X")
    assert (told.tone, told.word) == (Tone.ERROR, Word.REFUSED)
    line = person.last
    assert (line.action, line.item, line.container) == ("load", "P-X", "M-3")
    assert (line.location, line.refused) == ("DOCK-2", "not_on_manifest")
    assert detail(told, ENGLISH) == (
        "P-X is not expected on M-3; it is recorded as seen only"
    )
    assert person.scan("X-UNDO").says is Says.UNDONE
    assert person.last.voids == f"{LOG}:2"


def test_an_item_is_not_seen_at_a_place_that_there_is_not() -> None:
    person = picker(REFUSING)
    person.scans("X-STORE", "P-1", "L-NOWHERE")
    line = person.last
    assert (line.refused, line.item, line.location) == ("unknown_location", "P-1", None)
    assert person.state.scene.waiting == "P-1"
    person.scan("L-A-01")
    assert person.story()[-1] == ("store", "P-1", "A-01", None)


def test_the_stations_own_place_is_known_though_it_is_in_no_list() -> None:
    assert picker(REFUSING).scans("X-STAGE", "L-DOCK-2").tone is Tone.GOOD


def test_who_leaves_is_not_asked_whether_they_are_known() -> None:
    person = picker(WARNING)
    person.scan("B-MALLORY")
    assert person.scan("B-MALLORY").tone is Tone.GOOD


def test_what_comes_back_is_no_contradiction_and_is_here_from_then_on() -> None:
    person = picker(REFUSING)
    assert person.scans("X-RETURN", "P-G").tone is Tone.GOOD
    assert person.scans("B-ANA", "X-PICK", "P-G").tone is Tone.GOOD


def test_what_departed_here_is_known_to_be_gone_until_that_is_undone() -> None:
    person = picker(REFUSING)
    person.scans("X-DEPART", "P-1", "X-STAGE", "P-1")
    assert person.last.refused == "already_shipped"
    person.scans("X-UNDO", "X-UNDO", "P-1", "X-STAGE")
    assert person.scan("P-2").tone is Tone.GOOD


def test_a_list_that_is_empty_says_nothing() -> None:
    person = Picker(Rules(checks=REFUSING), Told())
    told = person.scans("B-MALLORY", "L-NOWHERE", "X-LOAD", "M-3", "P-X")
    assert told.tone is Tone.GOOD
    assert all(line.refused is None for line in person.lines)


def test_what_refuses_goes_before_what_warns() -> None:
    checks = Checks(already_shipped=Check.WARN, not_on_manifest=Check.REFUSE)
    assert picker(checks).scans("X-LOAD", "M-3", "P-G").says is Says.NOT_ON_MANIFEST


def test_what_is_wanted_is_said_whatever_else_happens() -> None:
    person = picker(Checks())
    told = person.scan("P-W")
    assert (told.tone, told.word) == (Tone.WANTED, Word.WANTED)
    assert person.scan("P-W").word is Word.WANTED
    assert person.scans("X-LOAD", "M-3", "P-W").word is Word.WANTED
    assert person.last.refused == "not_on_manifest"


# What a station remembers of its own deeds


def _line(action: str, item: str, container: str | None = None) -> Line:
    return Line(seq=1, at="", action=action, item=item, container=container)


def test_a_station_knows_what_it_put_into_a_tote() -> None:
    told = Told()
    told.learn(["a"], [_line("pack", "P-1", "C-1")])
    told.learn(["b", "c"], [_line("pack", "P-2", "C-1"), _line("pack", "P-3", "C-2")])
    assert told.contents("C-1") == ("P-1", "P-2")
    told.learn(["d"], [_line("pack", "P-1", "C-2")])
    told.learn(["e"], [_line("unpack", "P-3")])
    assert (told.contents("C-1"), told.contents("C-2")) == (("P-2",), ("P-1",))
    told.learn(["f"], [_line("empty", "C-2")])
    assert told.contents("C-2") == ()
    told.learn(["g"], [Line(seq=1, at="", action="void", voids="b")])
    assert told.contents("C-1") == ()


def test_a_refused_scan_put_nothing_anywhere() -> None:
    told = Told()
    line = Line(
        seq=1, at="", action="pack", item="P-1", container="C-1", refused="no_badge"
    )
    told.learn(["a"], [line])
    assert told.contents("C-1") == ()


def test_what_a_station_knows_is_bounded() -> None:
    told = Told()
    for number in range(7000):
        container = f"C-{number % 400}"
        told.learn([str(number)], [_line("pack", f"P-{number}", container)])
        told.learn([str(number)], [_line("depart", f"P-{number}")])
    assert len(told._contents._deeds) == 5000
    assert len(told._moved) == 5000
    told.update(
        Reference(loads=(KnownLoad(load="M-1", items=tuple(map(str, range(5001)))),))
    )
    assert told.expected("M-1") is None


# What leaves though something is missing


def test_a_load_that_lacks_something_leaves_only_when_it_is_scanned_once_more() -> None:
    person = picker(Checks())
    person.scans("X-LOAD", "M-3", "P-1", "X-DONE")
    told = person.scans("X-DEPART", "M-3")
    assert (told.tone, told.word) == (Tone.ERROR, Word.REFUSED)
    assert detail(told, ENGLISH) == (
        "M-3 does not leave yet, 1 of 2 are missing: P-2. "
        "Scan M-3 once more, and it leaves without them"
    )
    assert (person.last.action, person.last.refused) == ("depart", "incomplete_load")
    told = person.scan("M-3", 2.0)
    assert (told.tone, told.word) == (Tone.ATTENTION, Word.SAVED)
    assert detail(told, ENGLISH) == (
        "M-3 is not complete, 1 of 2 missing: P-2; it is recorded all the same"
    )
    assert (person.last.action, person.last.refused) == ("depart", None)
    assert person.scan("X-UNDO").says is Says.UNDONE
    assert person.scan("M-3").word is Word.REFUSED


def test_a_scanner_that_trembles_says_no_yes() -> None:
    person = picker(Checks())
    person.scans("X-DEPART", "M-3")
    assert person.scan("M-3", 0.2).word is Word.REFUSED
    assert person.scan("M-3", 0.2).word is Word.REFUSED
    assert person.scan("M-3", 100.0).word is Word.REFUSED
    person.scan("P-9")
    assert person.scan("M-3").word is Word.REFUSED


def test_a_load_that_is_complete_leaves_at_once() -> None:
    person = picker(Checks())
    person.scans("X-LOAD", "M-3", "P-1", "P-2", "X-DONE")
    assert person.scans("X-DEPART", "M-3").tone is Tone.GOOD
    assert person.scan("M-4").tone is Tone.GOOD


def test_a_tote_brings_what_is_in_it_onto_a_load() -> None:
    person = picker(Checks())
    person.scans("X-PACK", "C-1", "P-1", "P-2", "X-LOAD", "M-3")
    told = person.scan("C-1")
    assert (told.tone, told.says) == (Tone.GOOD, Says.LIST_COMPLETE)
    assert person.last.refused is None
    assert person.scans("X-DONE", "X-DEPART", "M-3").tone is Tone.GOOD


def test_a_tote_with_something_foreign_in_it_is_not_expected_on_a_load() -> None:
    person = picker(Checks())
    person.scans("X-PACK", "C-1", "P-1", "P-X", "X-LOAD", "M-3", "C-1")
    assert person.last.refused == "not_on_manifest"


# What other stations put where


def _server(*held: tuple[str, str]) -> Reference:
    inside: dict[str, list[str]] = {}
    for container, item in held:
        inside.setdefault(container, []).append(item)
    return Reference(
        loads=(KnownLoad(load="M-3", items=("P-1", "P-2")),),
        containers=tuple(
            KnownContainer(container=c, items=tuple(i)) for c, i in inside.items()
        ),
    )


def test_a_tote_that_was_packed_elsewhere_is_known_with_what_is_in_it() -> None:
    told = Told()
    told.update(_server(("C-1", "P-1"), ("C-1", "P-2"), ("C-2", "P-3"), ("M-3", "C-1")))
    assert told.contents("C-1") == ("P-1", "P-2")
    assert told.inside("M-3") == {"C-1", "P-1", "P-2"}
    person = Picker(Rules(location="PACK-1"), told)
    opened = person.scans("X-HANDOFF", "B-CAS", "B-ANA", "C-1")
    assert (opened.says, opened.names["total"]) == (Says.LIST_OPENED, "2")
    assert person.scans("X-DONE", "X-DEPART", "M-3").tone is Tone.GOOD


def test_what_the_station_did_itself_is_newer_than_what_it_was_told() -> None:
    person = Picker(Rules(), told := Told())
    told.update(_server(("C-1", "P-1"), ("C-1", "P-2")))
    person.scans("X-UNPACK", "P-1", "X-PACK", "C-2", "P-2", "P-3")
    assert told.contents("C-1") == ()
    assert told.contents("C-2") == ("P-2", "P-3")
    person.scan("X-UNDO")
    assert told.contents("C-2") == ("P-2",)
    person.scans("X-EMPTY", "C-2")
    assert told.contents("C-2") == ()


def test_a_document_that_came_later_knows_better() -> None:
    person = Picker(Rules(), told := Told())
    person.scans("X-PACK", "C-1", "P-1", "X-DEPART", "P-9")
    now = person.lines[-1].moment
    told.update(_server(("C-9", "P-7")), now + 60 * SECOND)
    assert (told.contents("C-1"), told.gone("P-9")) == (("P-1",), True)
    told.update(_server(("C-9", "P-7")), now + 600 * SECOND)
    assert (told.contents("C-1"), told.gone("P-9")) == ((), False)
    told.learn(["x"], [person.lines[2]])
    assert told.contents("C-1") == ()


def test_how_old_the_servers_word_is_stands_beside_it() -> None:
    told = Told()
    told.update(_server(("C-1", "P-1")))
    person = Picker(Rules(badges=Badges.OFF), told)
    now = read_of("").clock.at
    told.checked = lambda: now - 3600 * SECOND
    fresh = Picker(Rules(badges=Badges.OFF), told_station())
    assert "as the server said 1 h" in detail(person.scans("X-HANDOFF", "C-1"), ENGLISH)
    assert "ago" not in detail(fresh.scans("X-HANDOFF", "C-T9"), ENGLISH)


# What is wanted


def test_it_is_said_why_an_item_is_wanted_and_who_looks_for_it() -> None:
    told = Told()
    customs = WantedItem(item="P-1", reason="customs", by="EVA")
    told.update(Reference(wanted=(customs, WantedItem(item="P-2"))))
    person = Picker(Rules(location="DOCK-1"), told)
    assert detail(person.scan("P-1"), ENGLISH) == (
        "keep P-1 here and say so: customs (EVA looks for it). P-1 seen at DOCK-1"
    )
    assert detail(person.scan("P-2"), ENGLISH) == (
        "keep P-2 here and say so. P-2 seen at DOCK-1"
    )
