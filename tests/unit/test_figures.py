"""Figures of a period from the ways of items: each definition, by a story."""

from collections.abc import Iterable

import msgspec
import pytest

from server.course import Course, Departure, Handoff, Loss, Stay, course
from server.events import Event
from server.figures import HOUR, Figures, Period, Tally, expected, percentile
from server.history import tell
from server.site import DEFAULT
from tests.telling import MINUTE, START, Memory, story


def at(minute: int) -> int:
    return START + minute * MINUTE


def way(events: Iterable[Event], item: str, minute: int = 600) -> Course:
    return course(item, tell(Memory(events, at(minute)), item), at(minute), DEFAULT)


def figures(
    events: Iterable[Event], *items: str, begin: int = 0, end: int = 600
) -> Figures:
    tally = Tally(Period(at(begin), at(end)))
    for item in items:
        tally.add(way(events, item, end))
    return tally.figures(expected([tally]))


def test_a_stay_lasts_from_the_first_scan_of_a_status_to_the_next_one() -> None:
    told = (
        "1 a receive P @X",
        "3 a receive P @X",
        "5 a store P @Y",
        "6 b see P @Y",
        "9 b pick P @Y by=B-1",
    )
    received = Stay("received", at(1), at(5))
    assert way(story(*told), "P").stays == [received, Stay("stored", at(5), at(9))]
    taken_back = story(*told, "12 b void voids=b:2")
    assert way(taken_back, "P").stays == [received]


def test_what_leaves_with_its_container_ends_its_stay_and_to_be_gone_is_none() -> None:
    told = story(
        "1 a pack P in=C @X", "4 a depart C @X", "9 a return P @X", "10 a store P @X"
    )
    assert way(told, "P").stays == [
        Stay("packed", at(1), at(4)),
        Stay("returned", at(9), at(10)),
    ]
    assert way(told, "P").departures == [Departure(at(4), frozenset({"packed"}))]
    assert way(told, "C").holds
    assert not way(told, "P").holds


@pytest.mark.parametrize(
    ("then", "until", "in_time"),
    [
        ("39 b accept P @Y by=B-2", 600, True),
        ("40 b accept P @Y by=B-2", 600, False),
        ("12 b pick P @Y by=B-1", 600, False),
        ("12 b pick P @Y by=B-1", 39, None),
        ("12 b pick P @Y by=B-2", 39, True),
        ("20 b see P @Y", 600, False),
    ],
)
def test_a_handoff_is_in_time_where_the_holder_changes_within_the_limit(
    then: str,
    until: int,
    in_time: bool | None,  # noqa: FBT001
) -> None:
    told = story("10 a pick P @Y by=B-1", then)
    assert way(told, "P", until).handoffs[0] == Handoff(at(10), in_time)
    overdue = "handoff_overdue" in {
        one.code for one, _ in way(told, "P", until).findings
    }
    if len(way(told, "P", until).handoffs) == 1:
        assert overdue == (in_time is False)


def test_lost_is_what_a_count_or_a_search_missed_until_its_next_scan() -> None:
    told = story(
        "1 a store P @X",
        "5 b count @X saw=Q",
        "7 b miss P @X",
        "30 c see P @Z",
        "40 b miss P @Z",
    )
    assert way(told, "P").losses == [Loss(at(5), at(30)), Loss(at(40), None)]
    found = figures(told, "P")
    assert (found.lost, found.found) == (2, 1)
    assert found.to_find is not None
    assert found.to_find.p50 == 25 * MINUTE


def test_what_is_seen_at_the_moment_at_which_it_is_missed_is_not_found_by_that() -> (
    None
):
    told = story("1 a store P @X", "5 b miss P @X", "5 c see P @X")
    assert way(told, "P").losses == [Loss(at(5), None)]


def test_what_comes_back_begins_its_steps_anew() -> None:
    told = story(
        "1 a receive P @X",
        "2 a store P @X",
        "3 a depart P @X",
        "4 a return P @X",
        "5 a depart P @X",
    )
    assert [one.steps for one in way(told, "P").departures] == [
        {"received", "stored"},
        {"returned"},
    ]


def test_scans_count_in_their_hour_and_never_through_a_container() -> None:
    told = story("1 a pack P in=C @X", "61 a see C @X", "62 a see P @X")
    hour = START // HOUR * HOUR
    found = figures(told, "P", "C")
    assert found.hours == {hour: 1, hour + HOUR: 2}
    assert (found.items, found.scans) == (2, 3)


def test_compliance_asks_for_the_steps_that_at_least_half_had() -> None:
    told = story(
        *(f"{n} a receive P-{n} @X" for n in range(4)),
        *(f"{n + 10} a store P-{n} @X" for n in range(3)),
        "14 a stage P-0 @X",
        *(f"{n + 20} a depart P-{n} @X" for n in range(4)),
    )
    found = figures(told, *(f"P-{n}" for n in range(4)))
    assert (found.left, found.complete) == (4, 3)
    assert found.skipped == {"stored": 1}


def test_what_is_in_cartons_of_a_load_leaves_with_it_and_they_are_not_counted() -> None:
    told = story(
        *(f"1 a pack P-{n} in=C-{n // 4} @X" for n in range(8)),
        *(f"2 a load C-{n} in=M @G" for n in range(2)),
        "3 a load P-8 in=M @G",
        "4 g depart M @G",
    )
    found = figures(told, *(f"P-{n}" for n in range(9)), "C-0", "C-1", "M")
    assert found.left == 9
    assert (found.complete, found.skipped) == (8, {"packed": 1})


def test_each_fact_belongs_to_the_period_in_which_it_came_to_pass() -> None:
    told = story(
        "1 a receive P @X", "50 a store P @Y", "55 a pick P @Y by=B-1", "90 a see P @Y"
    )
    first = figures(told, "P", begin=0, end=49)
    second = figures(told, "P", begin=50, end=200)
    assert (first.dwell, first.scans, first.confirmed + first.overdue) == ([], 1, 0)
    assert [one.step for one in second.dwell] == ["received", "stored"]
    assert (second.overdue, second.scans) == (1, 3)
    assert [(one.code, one.step) for one in second.incidents] == [
        ("handoff_overdue", "pick")
    ]


def test_a_late_event_and_a_void_change_the_figures_of_when_it_happened() -> None:
    told = story("1 a receive P @X", "50 a store P @Y", "9 late stage P @Z")
    spread = {one.step: one.spread.p50 for one in figures(told, "P").dwell}
    assert spread == {"received": 8 * MINUTE, "staged": 41 * MINUTE}
    known = [e for e in told if e.order.log != "late"]
    assert figures(known, "P").dwell[0].spread.p50 == 49 * MINUTE
    voided = [
        msgspec.structs.replace(e, voided_by="x:1") if e.order.log == "late" else e
        for e in told
    ]
    assert figures(voided, "P") == figures(known, "P")


def test_where_one_in_three_was_looked_at_each_counts_for_three() -> None:
    tally = Tally(Period(at(0), at(600)))
    told = ("1 a receive P @X", "2 a store P @X", "3 b miss P @X", "9 b pick P @X by=B")
    tally.add(way(story(*told), "P"))
    found = tally.figures(frozenset(), 3)
    assert (found.items, found.scans, found.dwell[0].spread.count) == (3, 9, 3)
    assert sum(found.wrong.values()) == 3 * len(found.incidents) == 3
    assert found.squares == 9, "one item, scanned three times"
    assert tally.figures(frozenset()).scans == 3


def test_all_incidents_are_counted_and_the_newest_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.figures.MOST_INCIDENTS", 3)
    tally = Tally(Period(at(0), at(600)))
    for n in range(10):
        told = story(f"{n} a pick P-{n} @X by=B-1")
        tally.add(way(told, f"P-{n}"))
    found = tally.figures(frozenset())
    assert sum(found.wrong.values()) == 10
    assert [one.item for one in found.incidents] == ["P-7", "P-8", "P-9"]


@pytest.mark.parametrize(
    ("values", "percent", "expected_"),
    [
        ([7], 50, 7),
        ([1, 2, 3, 4], 50, 2),
        ([*range(1, 101)], 90, 90),
        ([*range(1, 101)], 99, 99),
        ([1, 2], 99, 2),
    ],
)
def test_a_percentile_is_a_value_that_there_is(
    values: list[int], percent: int, expected_: int
) -> None:
    assert percentile(values, percent) == expected_
