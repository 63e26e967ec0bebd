"""What a handheld says of itself: that it slept, and that it should be charged."""

import msgspec
import pytest

from edge import notices
from edge.battery import Battery
from edge.clock import asleep
from edge.decisions import State
from edge.health import Report
from edge.texts import LANGUAGES, read_texts
from shared.moments import SECOND
from tests.unit.picker import ENGLISH

AWAKE = Report(
    pid=1,
    boot="b",
    mono=0,
    clock_synced=True,
    state=State.UP_TO_DATE,
    at=10_000 * SECOND,
    told_at=2_000 * SECOND,
)


def _with(**fields: object) -> Report:
    return msgspec.structs.replace(AWAKE, **fields)


def test_f64_a_station_that_slept_says_so_and_how_old_its_data_are() -> None:
    slept = _with(asleep=7_200 * SECOND)
    (said,) = notices.of_sleep(AWAKE, slept, ENGLISH)
    assert said.startswith("this station slept for 2 h 0 min; ")
    assert said.endswith("what it was told by the server is 2 h 13 min old")
    untold = _with(asleep=90 * SECOND, told_at=None)
    assert "was told nothing" in notices.of_sleep(AWAKE, untold, ENGLISH)[0]
    assert notices.of_sleep(slept, slept, ENGLISH) == []


def test_a_station_that_starts_or_blinks_did_not_sleep() -> None:
    assert notices.of_sleep(None, _with(asleep=9_000 * SECOND), ENGLISH) == []
    assert notices.of_sleep(AWAKE, _with(asleep=SECOND // 2), ENGLISH) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_so_in_its_language(language: str) -> None:
    texts, slept = read_texts(language), _with(asleep=7_200 * SECOND)
    assert "2 h 13 min" in notices.of_sleep(AWAKE, slept, texts)[0]


def test_a_data_age_is_never_below_nothing() -> None:
    assert _with(told_at=AWAKE.at + SECOND).told_age == 0


def _battery(percent: int, *, charging: bool = False) -> Report:
    return _with(battery=Battery(percent=percent, charging=charging))


def test_a_battery_is_said_to_be_low_once_at_each_level() -> None:
    levels = [_battery(percent) for percent in (30, 21, 20, 15, 10, 9, 5, 4)]
    pairs = zip([None, *levels], levels, strict=False)
    said = [notices.of_battery(before, after, ENGLISH) for before, after in pairs]
    assert [bool(one) for one in said] == [
        *(False, False, True, False, True, False, True, False)
    ]
    assert said[2] == ["the battery is at 20 %; charge it"]


def test_a_station_that_starts_with_a_low_battery_says_so() -> None:
    assert notices.of_battery(None, _battery(7), ENGLISH)
    assert notices.of_battery(AWAKE, _battery(7), ENGLISH)
    assert not notices.of_battery(None, _battery(7, charging=True), ENGLISH)
    assert not notices.of_battery(None, AWAKE, ENGLISH)


def test_the_time_asleep_is_read_from_the_kernels_clocks() -> None:
    assert 0 <= asleep() - asleep() + SECOND <= 2 * SECOND
