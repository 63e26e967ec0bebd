"""The rules of section 5, told as stories; each example says which rule it is."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.events import Event
from tests.telling import ask, codes, minute_of, story


def test_a_look_where_the_container_stands_changes_nothing() -> None:
    told = story("1 a pack P in=C @X", "2 a see P @X", "3 a store C @Y")
    assert ask(told, "P").path == ["C"]
    assert ask(told, "P").location == "Y"


def test_a_look_elsewhere_ends_the_stay_and_finds_it() -> None:
    told = story("1 a pack P in=C @X", "2 a see P @Z", "3 a store C @Y")
    found = ask(told, "P")
    assert (found.status, found.location, found.path) == ("found", "Z", [])
    assert codes(told, "P") == ["away_from_container"]
    assert codes([*told, *story("4 b store P @Z")], "P") == []


def test_a_container_without_evidence_contradicts_nothing() -> None:
    told = story("1 a pack P in=C", "2 a see P @Z")
    assert ask(told, "P").path == ["C"]
    assert ask(told, "P").location == "Z"
    assert ask(told, "C").location is None


def test_evidence_reaches_through_containers_of_containers() -> None:
    told = story(
        "1 a pick P @A by=B-1",
        "2 a pack P in=C @X",
        "3 a pack C in=D @X",
        "4 a load D in=M @Y",
        "5 a depart M @Y",
    )
    found = ask(told, "P")
    assert found.path == ["C", "D", "M"]
    assert (found.status, found.location, found.custodian) == ("shipped", "Y", None)
    assert minute_of(found.location_since) == 4
    assert minute_of(found.custodian_since) == 4
    assert found.status_event == "a:5"


def test_another_item_taken_out_shows_where_the_container_was() -> None:
    told = story("1 a pack P in=C @X", "2 a pack Q in=C @X", "3 a unpack Q @Y")
    assert ask(told, "P").location == "Y"
    assert ask(told, "P").location_event == "a:3"
    assert ask(told, "C").location == "Y"


def test_emptying_ends_every_stay_at_that_place() -> None:
    told = story("1 a pack P in=C @X", "2 a empty C @Y", "3 a see C @Z")
    assert ask(told, "P").path == []
    assert ask(told, "P").location == "Y"
    assert ask(told, "P").status == "packed"


@pytest.mark.parametrize(
    "last", ["3 a pack D in=C", "3 a load D in=P", "3 a pack D in=D"]
)
def test_nothing_is_ever_in_itself(last: str) -> None:
    told = story("1 a pack P in=C", "2 a pack C in=D", last)
    assert "D" not in ask(told, "D").path
    assert ask(told, "P").path[:2] == ["C", "D"]


def test_since_goes_back_over_equal_evidence_and_no_further() -> None:
    told = story("1 a see P @X", "2 a see P @Y", "3 a see P @X", "4 a see P @X")
    found = ask(told, "P")
    assert minute_of(found.location_since) == 3
    assert found.location_event == "a:4"


def test_a_void_takes_back_and_a_void_of_a_void_does_nothing() -> None:
    told = story(
        "1 a store P @X", "2 a store P @Y", "3 a void voids=a:2", "4 b void voids=a:3"
    )
    assert ask(told, "P").location == "X"
    assert ask(told, "P", minute=2).location == "X"


def test_what_had_gone_and_is_seen_is_here() -> None:
    told = story("1 a load P in=M @X", "2 a depart M @X", "3 a see P @X")
    found = ask(told, "P")
    assert (found.status, found.path) == ("found", [])
    assert codes(told, "P") == ["seen_after_departure"]
    for last in ("4 b return P @X", "4 b receive P @X", "4 b depart P @X"):
        assert codes([*told, *story(last)], "P") == []
    settled = story("4 b resolve P of=seen_after_departure")
    assert codes([*told, *settled], "P") == []
    assert codes([*told, *story("4 b unload P @X")], "P") == ["seen_after_departure"]


def test_a_refused_scan_is_a_sighting_and_nothing_else() -> None:
    told = story("1 a store P @X", "2 a load P in=M @Y refused=not_on_manifest")
    found = ask(told, "P")
    assert (found.status, found.location, found.path) == ("stored", "Y", [])
    assert not ask(told, "M").known


def test_a_pick_falls_due_and_any_other_holder_ends_it() -> None:
    told = story("1 a pick P @X by=B-1")
    assert codes(told, "P", minute=30) == []
    assert codes(told, "P", minute=31) == ["handoff_overdue"]
    assert codes([*told, *story("20 b pick P @X by=B-1")], "P", minute=31) != []
    assert codes([*told, *story("20 b pick P @X by=B-2")], "P", minute=31) == []
    assert codes([*told, *story("40 b accept P @X by=B-1")], "P") == []
    settled = story("40 b resolve P of=handoff_overdue")
    assert codes([*told, *settled], "P", minute=900) == []
    early = story("20 b resolve P of=handoff_overdue")
    assert codes([*told, *early], "P", minute=900) == ["handoff_overdue"]


def test_a_handoff_of_the_tote_is_one_of_its_contents() -> None:
    told = story("1 a pick P @X by=B-1", "2 a pack P in=T", "9 b accept T @Y by=B-2")
    assert codes(told, "P") == []
    assert ask(told, "P").custodian == "B-2"


def test_a_claim_is_compared_and_never_believed() -> None:
    told = story("1 a store P @X", "2 h claim P is=shipped")
    assert codes(told, "P") == ["claim_contradicted"]
    assert ask(told, "P").status == "stored"
    assert codes([*told, *story("3 b depart P @X")], "P") == []
    assert codes([*told, *story("3 b claim P is=open")], "P") == []
    settled = [*told, *story("3 b resolve P of=claim_contradicted")]
    assert codes(settled, "P") == []
    assert codes([*settled, *story("4 c claim P is=shipped")], "P") != []
    never = story("1 h claim P is=shipped")
    assert codes(never, "P") == ["claim_contradicted"]
    assert ask(never, "P").status is None


def test_a_count_misses_what_was_last_seen_there() -> None:
    told = story("1 a store P @X", "2 a count @X saw=Q")
    assert codes(told, "P") == ["missed_in_count"]
    assert codes([*told, *story("3 b see P @Y")], "P") == []
    assert codes(story("1 a store P @X", "2 a count @Y saw=Q"), "P") == []
    assert codes(story("1 a depart P @X", "2 a count @X saw=Q"), "P") == []
    inside = story("1 a pack P in=C @X", "2 a count @X saw=C")
    assert codes(inside, "P") == []


def test_a_load_that_leaves_without_it_is_told() -> None:
    told = story("1 h expect P in=M", "2 a store P @X", "3 a depart M @D")
    assert codes(told, "P") == ["missing_from_manifest"]
    assert codes(told, "P", minute=2) == []
    assert codes([*told, *story("4 b depart P @D")], "P") == []
    assert codes([*told, *story("4 b expect P in=N")], "P") == []
    aboard = story("1 h expect P in=M", "2 a load P in=M @D", "3 a depart M @D")
    assert codes(aboard, "P") == []
    after = story("1 a depart M @D", "2 h expect P in=M")
    assert codes(after, "P") == ["missing_from_manifest"]
    back = story("1 a depart M @D", "2 a arrive M @D", "3 h expect P in=M")
    assert codes(back, "P") == []


def test_what_is_put_into_something_gone_is_told_until_it_leaves_it() -> None:
    told = story("1 a depart M @D", "2 b load P in=M @D")
    assert codes(told, "P") == ["loaded_after_departure"]
    assert codes([*told, *story("3 c unload P @D")], "P") == []
    assert codes([*told, *story("3 c resolve P of=loaded_after_departure")], "P") == []


def test_a_load_that_leaves_twice_gives_an_answer() -> None:
    told = story("1 a load P in=M @D", "2 a depart M @D", "3 b depart M @E")
    found = ask(told, "P")
    assert (found.status, found.location) == ("shipped", "E")
    assert minute_of(found.status_since) == 2


def test_a_count_sees_a_carton_and_what_is_in_it_at_one_moment() -> None:
    told = story("1 a pack P in=C @X", "2 b count @Y saw=P,C", "3 a store C @Z")
    assert ask(told, "P").path == ["C"]
    assert ask(told, "P").location == "Z"
    aboard = story(
        "1 a pack P in=C @X",
        "2 a load C in=M @X",
        "3 a depart M @X",
        "4 b count @X saw=P,C",
    )
    assert (ask(aboard, "P").path, ask(aboard, "C").path) == (["C"], [])
    assert ask(aboard, "P").status == "found"


def test_a_refused_count_saw_only_its_item() -> None:
    told = story("1 a count @X saw=P,Q refused=no_badge")
    assert not ask(told, "P").known


def test_what_comes_back_in_a_carton_was_scanned_with_it() -> None:
    told = story("1 a pack P in=C @X", "2 a depart C @X", "3 b see C @Y")
    assert codes(told, "P") == codes(told, "C") == ["seen_after_departure"]
    assert ask(told, "P").status == "found"
    assert codes([*told, *story("4 c depart C @X")], "P") == []


def test_a_pack_into_itself_ends_the_stay_and_begins_none() -> None:
    told = story("1 a pack C in=D @X", "2 a pack P in=C @X", "3 a pack C in=P @X")
    assert ask(told, "C").path == []
    assert ask(told, "P").path == ["C"]


def test_who_accepts_or_stages_takes_charge_of_what_is_elsewhere() -> None:
    for last in ("2 b accept P @Y by=B-1", "2 b stage P @Y"):
        told = story("1 a pack P in=C @X", last)
        assert (ask(told, "P").path, codes(told, "P")) == ([], [])


def test_an_expectation_is_met_by_the_first_departure() -> None:
    told = story(
        "1 h expect P in=M",
        "2 a load P in=M @D",
        "3 a depart M @D",
        "4 b arrive M @E",
        "5 b unload P @E",
        "6 b depart M @E",
    )
    assert codes(told, "P") == []
    nested = story(
        "1 a pack P in=C @D",
        "2 a load C in=M @D",
        "3 a depart M @D",
        "4 h expect P in=M",
    )
    assert codes(nested, "P") == []


def test_a_load_put_in_again_stays_loaded_after_departure_since_the_first() -> None:
    told = story("1 a depart M @D", "2 b load P in=M @D", "3 b load P in=M @D")
    (found,) = ask(told, "P").exceptions
    assert minute_of(found.since) == 2


def test_a_settled_claim_is_contradicted_again_only_after_it_was_true() -> None:
    told = story(
        "1 h claim P is=shipped",
        "2 a store P @X",
        "3 d resolve P of=claim_contradicted",
        "4 a pick P @X by=B-1",
        "5 a depart P @D",
    )
    assert codes(told, "P", minute=4) == []
    assert codes([*told, *story("9 b return P @D")], "P") == ["claim_contradicted"]


def test_an_item_is_known_once_any_event_names_it() -> None:
    told = story("1 h expect P in=M", "2 a pack Q in=C", "3 a store V @X")
    assert all(ask(told, item).known for item in "PMQC")
    assert not ask(told, "R").known
    assert not ask([*told, *story("4 a see Z", "5 a void voids=a:1")], "Z").known


def test_sentences_say_who_where_and_when() -> None:
    told = story("1 a depart P @D", "2 b see P @X by=B-EVE")
    (found,) = ask(told, "P").exceptions
    assert found.text == (
        "P had left the site, and was scanned at X on 2026-04-24 03:08 UTC by B-EVE."
    )


_ACTIONS = ["receive", "store", "pick", "accept", "see", "depart", "return", "unpack"]
_ITEMS = ["P", "Q", "C", "M"]


@st.composite
def _histories(draw: st.DrawFn) -> list[Event]:
    told = []
    for _ in range(draw(st.integers(1, 14))):
        minute, log = draw(st.integers(0, 9)), draw(st.sampled_from("abc"))
        item, place = draw(st.sampled_from(_ITEMS)), draw(st.sampled_from("XYZ"))
        if draw(st.booleans()):
            action = draw(st.sampled_from(_ACTIONS))
            told.append(f"{minute} {log} {action} {item} @{place} by=B-1")
        else:
            inner = draw(st.sampled_from(["pack", "load", "empty"]))
            around = draw(st.sampled_from(["C", "M"]))
            told.append(f"{minute} {log} {inner} {item} @{place} in={around}")
    return story(*told)


@settings(deadline=None)
@given(_histories(), st.integers(0, 2**32))
def test_the_same_events_give_the_same_answers_in_any_order(
    told: list[Event], seed: int
) -> None:
    shuffled = [*told, *told[: len(told) // 2]]  # some of them come twice
    random.Random(seed).shuffle(shuffled)  # noqa: S311 # no secret
    once = list({event.name: event for event in shuffled}.values())
    for item in _ITEMS:
        assert msgspec.json.encode(ask(told, item)) == msgspec.json.encode(
            ask(once, item)
        )


@settings(deadline=None)
@given(_histories())
def test_whatever_happens_an_answer_is_whole(told: list[Event]) -> None:
    for item in _ITEMS:
        found = ask(told, item)
        assert item not in found.path
        assert len(set(found.path)) == len(found.path)
        assert found.container == (found.path[0] if found.path else None)
        assert (found.status is None) == (found.status_event is None)
        named = {key for e in told for key in (*e.subjects(), e.line.container)}
        assert found.known == (item in named)
