"""Charts: what is drawn says what the table says."""

from server.console.charts import HEIGHT, columns, pareto, ranges
from server.figures import Dwell, Spread
from shared.moments import SECOND


def test_columns_are_as_high_as_their_numbers() -> None:
    found = columns([("10:00", 25, 5), ("11:00", 0, 50)])
    assert [round(bar.h / HEIGHT, 3) for bar in found.bars] == [0.5, 0.0]
    assert [bar.says for bar in found.bars] == ["10:00: 25 (5)", "11:00: 0 (50)"]
    assert [tick.text for tick in found.ticks] == ["0", "25", "50"]


def test_nothing_is_drawn_as_nothing() -> None:
    assert columns([]).bars == []
    assert columns([("10:00", 0, 0)]).bars[0].h == 0
    assert ranges([]).rows == []
    assert pareto([]).bars == []


def test_a_pareto_chart_adds_up_to_all() -> None:
    found = pareto([("a", 6), ("b", 3), ("c", 1)])
    assert [bar.says for bar in found.bars] == ["a: 6 (6)", "b: 3 (9)", "c: 1 (10)"]
    assert found.ticks[-1].text == "100 %"
    assert found.line.endswith(f"{found.ticks[-1].at:.1f}h{found.bars[0].w / 0.8:.1f}")


def test_lengths_of_time_stand_in_their_order_on_the_axis() -> None:
    spread = Spread(9, 2 * SECOND, 600 * SECOND, 90_000 * SECOND)
    (row,) = ranges([("stored", Dwell("stored", spread))]).rows
    ticks = {t.text: t.at for t in ranges([("s", Dwell("s", spread))]).ticks}
    assert row.p50 < ticks["10 s"] < row.p90 == ticks["10 min"] < ticks["1 d"] < row.p99
