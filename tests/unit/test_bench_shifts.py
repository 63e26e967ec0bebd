"""The day that the bench lets stations live: its hours, and what is scanned."""

import pytest

from bench.shifts import CALM, OUTAGE, PEAK, POSTS, STORM, Hours, day, post, scan
from shared.keys import parse


def _moments(hours: Hours) -> list[float]:
    found: list[float] = []
    for turn in range(100_000):
        moment = hours.moment(turn)
        if moment is None:
            return found
        found.append(moment)
    raise AssertionError


@pytest.mark.parametrize("backlog", [0, 60])
def test_scans_follow_one_another_at_the_rate_of_each_phase(backlog: int) -> None:
    hours = Hours(day(backlog, every=0.5), offset=0.25)
    moments = _moments(hours)
    assert moments == sorted(set(moments))
    found = dict.fromkeys((CALM, PEAK, OUTAGE, STORM), 0)
    for moment in moments:
        found[hours.phase(moment)] += 1
    assert found[PEAK] == 12
    assert found[OUTAGE] == (backlog or 6)
    assert found[STORM] == 80
    assert found[CALM] == 0


def test_what_a_station_does_last_is_in_the_last_phase() -> None:
    hours = Hours(day(every=0.5))
    assert hours.phase(hours.begins(STORM) + 1e6) == STORM


def test_stations_of_a_lane_meet_the_same_parcels_one_turn_after_the_other() -> None:
    lane = [post(number) for number in range(POSTS) if post(number).lane == 1]
    seen = [scan(one, turn).item for turn, one in enumerate(lane[:4], 20)]
    assert seen == [seen[0]] * 4
    assert [one.role for one in lane] == ["DOCK", "FORK", "PICK", "PACK", "GATE"]


def test_a_carton_is_full_before_it_is_loaded_and_a_lorry_before_it_leaves() -> None:
    pack, gate = post(6), post(8)
    packed = [scan(pack, turn) for turn in range(200)]
    for turn in range(200):
        done = scan(gate, turn)
        if done.action == "load":
            into = [n for n, one in enumerate(packed) if one.container == done.item]
            assert len(into) == 10
            assert max(into) < turn
    actions = [scan(gate, turn).action for turn in range(200)]
    assert actions.count("depart") == 3
    loaded = [n for n, action in enumerate(actions) if action == "load"]
    assert loaded[4] < actions.index("depart") < loaded[5]


def test_no_two_lanes_have_anything_in_common() -> None:
    items = [{scan(post(n), turn).item for turn in range(60)} for n in (0, 1, 10, 11)]
    assert sum(map(len, items)) == len(set().union(*items))


def test_every_code_is_one_that_a_label_reads_as() -> None:
    for number in range(POSTS):
        for turn in range(60):
            done = scan(post(number), turn)
            for code in filter(None, (done.item, done.container)):
                assert parse(code).text == code
