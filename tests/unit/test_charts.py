"""Charts: what is drawn says what the table says, and no label stands on another."""

from itertools import pairwise

import pytest

from server.console.charts import SIZES, Column, Size, columns, pareto, ranges
from server.figures import Dwell, Spread
from shared.moments import SECOND

WIDE = SIZES[0]
both = pytest.mark.parametrize("size", SIZES, ids=[size.name for size in SIZES])


@both
def test_columns_are_as_high_as_their_numbers(size: Size) -> None:
    found = columns([Column("10:00", 25, 5, "10"), Column("11:00", 0, 50, "")], size)
    assert [round(bar.h / size.height, 3) for bar in found.bars] == [0.5, 0.0]
    assert [bar.says for bar in found.bars] == ["10:00: 25 (5)", "11:00: 0 (50)"]
    assert [tick.text for tick in found.ticks] == ["0", "25", "50"]
    assert [label.text for label in found.labels] == ["10"]


@both
def test_nothing_is_drawn_as_nothing(size: Size) -> None:
    assert columns([], size).bars == []
    assert columns([Column("10:00", 0, 0, "")], size).bars[0].h == 0
    assert ranges([], size).rows == []
    assert pareto([], size).rows == []


@both
@pytest.mark.parametrize(("number", "every"), [(169, 24), (29, 1), (25, 3)])
def test_labels_stand_apart_whatever_the_period(
    size: Size, number: int, every: int
) -> None:
    values = [
        Column(str(n), n, n, "04-27" if n % every == 0 else "") for n in range(number)
    ]
    found = columns(values, size).labels
    assert len(found) >= 3
    for one, next_ in pairwise(found):
        assert next_.at - one.at >= len(one.text) * size.letter
    assert found[-1].at + len("04-27") * size.letter / 2 <= size.width


@both
def test_a_pareto_chart_adds_up_to_all_and_ends_within(size: Size) -> None:
    found = pareto([("a" * 18, 6), ("b", 3), ("c", 1)], size)
    assert [row.share for row in found.rows] == ["60 %", "90 %", "100 %"]
    assert [row.number for row in found.rows] == [6, 3, 1]
    lengths = [row.bar.w for row in found.rows]
    assert lengths[0] / lengths[2] == pytest.approx(6)
    assert found.rows[-1].together == found.ticks[-1].at < size.width
    tops = [row.bar.y for row in found.rows]
    assert all(low - high >= found.rows[0].bar.h for high, low in pairwise(tops))


@both
def test_lengths_of_time_stand_in_their_order_on_the_axis(size: Size) -> None:
    spread = Spread(9, 2 * SECOND, 600 * SECOND, 90_000 * SECOND)
    found = ranges([("stored", Dwell("stored", spread))], size)
    (row,) = found.rows
    ticks = {tick.text: tick.at for tick in found.ticks}
    assert row.p50 < row.p90 < ticks["1 d"] < row.p99 <= size.width
    for one, next_ in pairwise(found.ticks):
        assert next_.at - one.at >= len(one.text) * size.letter


def test_the_axis_of_lengths_begins_where_the_shortest_is() -> None:
    spread = Spread(9, 700 * SECOND, 3_600 * SECOND, 90_000 * SECOND)
    found = ranges([("stored", Dwell("stored", spread))], WIDE)
    assert found.ticks[0].text == "10 min"
