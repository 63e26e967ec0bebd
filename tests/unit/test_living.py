"""The simulated day: the same for a seed, in order, and each line says what it is."""

from itertools import takewhile

import msgspec
import pytest

from server.client.living.day import Day, Said, spells
from server.client.living.places import HOST, MARK, PLACES, STATIONS, team
from shared.actions import lacks
from shared.hosts import HostLine
from shared.keys import Kind, parse

HOURS = 4 * 3600.0


def day(seed: int = 7, hour: float = 14) -> list[Said]:
    return list(takewhile(lambda said: said.when <= 0, Day(seed, -HOURS, hour)))


def test_the_same_seed_gives_the_same_day_and_another_gives_another() -> None:
    assert day() == day()
    assert day(8) != day()
    assert spells(7, "FORK-1", 0, HOURS) == spells(7, "FORK-1", 0, HOURS)
    assert spells(7, "FORK-1", 0, HOURS) != spells(7, "FORK-2", 0, HOURS)
    assert spells(7, "PACK-1", 0, HOURS) == []


@pytest.mark.parametrize("hour", [3, 14])
def test_it_is_told_in_order_by_stations_that_there_are_in_lines_that_are_understood(
    hour: float,
) -> None:
    told = day(hour=hour)
    assert [said.when for said in told] == sorted(said.when for said in told)
    assert {said.station for said in told} <= {*STATIONS, HOST}
    for said in told:
        fields = {"voids": "log:1", **said.fields} if said.undoes else said.fields
        line = msgspec.convert({"seq": 1, "at": "", **fields}, HostLine)
        assert lacks(line) is None, said


def test_whatever_is_simulated_says_so() -> None:
    names = {
        said.fields[name]
        for said in day()
        for name in ("item", "container")
        if name in said.fields
    }
    assert all(f"-{MARK}-" in name for name in names)
    places = {said.fields["location"] for said in day() if "location" in said.fields}
    assert places <= {place.code for place in PLACES}
    assert {parse(f"L-{place.code}").kind for place in PLACES} == {Kind.LOCATION}


def test_something_goes_wrong_in_a_day_but_not_much() -> None:
    told = [said for seed in range(3) for said in day(seed)]
    for action in ("void", "see", "count", "depart", "claim", "pack", "unpack"):
        assert any(said.fields["action"] == action for said in told), action
    assert any(said.fields.get("damaged") for said in told)
    assert any(said.fields.get("refused") == "not_on_manifest" for said in told)
    odd = sum("refused" in said.fields or said.undoes for said in told)
    assert odd < len(told) / 20


def test_everybody_works_in_a_shift_of_eight_hours() -> None:
    assert team(6) == team(13.9) != team(14) == team(21.9) != team(22) == team(5.9)
