"""What stood where at any moment of a day, and where places are drawn."""

from collections.abc import Iterable

import pytest

from server.console.plan import (
    GAP,
    TALL,
    WIDE,
    Box,
    drawing,
    lettering,
    natural,
)
from server.events import Event
from server.floor import Floor, Here, Span, spans
from server.history import tell_together
from tests.telling import LATER, MINUTE, START, Memory, ask, story

WIDEST = Box(0, 0, WIDE, TALL)
DAY = story(
    "1 a receive P @DOCK",
    "2 a receive Q @DOCK",
    "5 a store P @A-01",
    "6 a pack Q in=C @PACK",
    "7 b store C @A-01",
    "9 b depart C @DOCK",
    "12 c see Q @GATE",
    "15 c return Q @GATE",
    "20 c void voids=a:3",
)


def floor(events: Iterable[Event], *items: str) -> Floor:
    found = Floor(START)
    tellings = tell_together(Memory(events, LATER), items)
    for item, telling in tellings.items():
        found.moves(item, spans(telling, item))
    return found


def at(found: Floor, minute: int) -> list[tuple[str, int]]:
    return [(one.place, one.count) for one in found.at(START + minute * MINUTE)]


def test_the_floor_at_every_minute_is_what_the_answers_say() -> None:
    found = floor(DAY, "P", "Q", "C")
    for minute in range(25):
        answers = [ask(DAY, item, minute) for item in ("P", "Q", "C")]
        places: dict[str, int] = {}
        for one in answers:
            if one.location is not None and one.status != "shipped":
                places[one.location] = places.get(one.location, 0) + 1
        assert dict(at(found, minute)) == places, minute


def test_what_left_stands_nowhere_until_it_is_back() -> None:
    found = floor(DAY, "Q")
    assert [at(found, minute) for minute in (8, 10, 12)] == [
        [("A-01", 1)],
        [],
        [("GATE", 1)],
    ]


def test_dwell_is_of_the_oldest_and_of_the_one_in_the_middle() -> None:
    found = Floor(START)
    for since in (5, 9, 1):
        found.stands("A", START + since * MINUTE)
    found.moves("P", [Span("A", START + 2 * MINUTE, START, START + 10 * MINUTE)])
    assert found.at(START + 10 * MINUTE) == [
        Here(place="A", count=3, oldest=START + MINUTE, median=START + 5 * MINUTE)
    ]
    assert found.at(START + 9 * MINUTE)[0].count == 4


def test_an_estimate_counts_three_for_each_and_what_follows_is_exact() -> None:
    found = Floor(START)
    found.stands("A", START)
    found.moves("P", [Span("A", START, START, START + MINUTE)])
    estimate = found.estimate(3)
    found.moves("Q", [Span("A", START, START, START + MINUTE)])
    found.moves("R", [Span("B", START, START, START + MINUTE)])
    assert (estimate.looked, estimate.moving(START)) == (1, 3)
    assert at(estimate, 0) == [("A", 4)]
    assert at(found, 0) == [("A", 3), ("B", 1)]
    assert found.names("A", START) == ["P", "Q"]
    assert found.names("A", START + MINUTE) == []
    assert found.moved("R")
    assert not found.moved("S")


def test_places_without_coordinates_are_bays_and_levels_of_their_aisle() -> None:
    (found,) = drawing(["A-10-1", "A-2-2", "A-2-1", "DOCK-1", "ROOF"], {})
    assert [group.name for group in found.groups] == ["", "A", "DOCK"]
    upper, lower = found.boxes["A-2-2"], found.boxes["A-2-1"]
    assert (upper.x, upper.y + TALL) == (lower.x, lower.y)
    assert found.boxes["A-10-1"] == Box(lower.x + WIDE + GAP, lower.y, WIDE, TALL)
    assert found.height > found.boxes["DOCK-1"].y


def test_places_with_coordinates_keep_their_plan_and_the_others_follow() -> None:
    plan, others = drawing(
        ["A", "B", "C"], {"A": Box(0, 0, 2, 1), "B": Box(8, 4, 2, 1)}
    )
    a, b = plan.boxes["A"], plan.boxes["B"]
    assert (b.x - a.x) / (b.y - a.y) == pytest.approx(2.0)
    assert a.w / a.h == pytest.approx(2.0)
    assert list(others.boxes) == ["C"]


def test_codes_are_sorted_as_people_do() -> None:
    codes = ["A-10", "A-2", "B", "A-02", "2", "10", "²"]
    assert sorted(codes, key=natural) == ["2", "10", "A-02", "A-2", "A-10", "B", "²"]


def test_nothing_to_draw_is_an_empty_map() -> None:
    (found,) = drawing([], {})
    assert found.boxes == {}
    assert found.height > 0


@pytest.mark.parametrize("box", [Box(0, 0, 58, 30), Box(0, 0, 50, 120), WIDEST])
@pytest.mark.parametrize("station", [False, True])
@pytest.mark.parametrize(("code", "count", "dwell"), [(6, 1, 6), (16, 4, 6), (3, 5, 2)])
def test_no_word_in_a_place_stands_on_another(
    box: Box, code: int, count: int, dwell: int, *, station: bool
) -> None:
    found = lettering(box, code, count, dwell, station=station)
    sign = 1.5 * found.code if station else 0
    assert 0.6 * found.code * code + sign <= box.w
    assert 0.6 * (found.number * count + found.dwell * dwell) <= box.w
    assert found.code + found.number <= box.h
    assert found.dwell > 0
