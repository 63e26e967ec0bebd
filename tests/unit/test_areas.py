"""In what order the table of the floor shows places, and what it says of areas."""

import pytest

from server.console.areas import Place, areas, in_order
from server.floor import Here
from shared.api.stations import StationException, StationState


def station(*codes: str) -> StationState:
    wrong = [StationException(code=code, since="", text="") for code in codes]
    return StationState(station="S", kind="station", exceptions=wrong)


def place(code: str, count: int = 0, oldest: int = 0, *wrong: str) -> Place:
    return Place(
        code=code,
        title="",
        here=Here(place=code, count=count, oldest=oldest, median=oldest + 5)
        if count
        else None,
        stations=[station(*wrong)] if wrong else [],
        level=0,
    )


PLACES = [
    place("A-10", 2, 30),
    place("A-2", 9, 20, "clock_wrong"),
    place("DOCK", 2, 10),
    place("B-1"),
    place("GATE", 1, 40, "clock_wrong", "silent"),
]


@pytest.mark.parametrize(
    ("order", "codes"),
    [
        ("", "A-2 A-10 B-1 DOCK GATE"),
        ("place", "A-2 A-10 B-1 DOCK GATE"),
        ("count", "A-2 A-10 DOCK GATE B-1"),
        ("oldest", "DOCK A-2 A-10 GATE B-1"),
        ("median", "DOCK A-2 A-10 GATE B-1"),
        ("stations", "GATE A-2 A-10 B-1 DOCK"),
    ],
)
def test_places_are_put_in_order_by_what_one_asks_for(order: str, codes: str) -> None:
    assert " ".join(one.code for one in in_order(PLACES, order)) == codes


def test_an_area_sums_up_its_places_and_is_as_wrong_as_the_worst_of_it() -> None:
    found = {one.name: one for one in areas(PLACES)}
    assert list(found) == ["A", ""]  # B-1 has nothing to say
    assert (found["A"].count, found["A"].oldest, found["A"].number) == (11, 20, 2)
    assert found["A"].trouble == "attention"
    assert found[""].trouble == "error"
