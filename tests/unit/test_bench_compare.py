"""What the bench says of a figure beside those before."""

import pytest

from bench.compare import NOISE, change, said
from bench.measure import Row, table


def _row(value: float, unit: str = "1/s", limit: float | None = None) -> Row:
    return Row("ingest", value, limit, unit)


def test_nothing_is_said_where_nothing_was_measured_before() -> None:
    assert change(_row(100), []) is None
    assert said(_row(100), [[Row("drain", 5, None, "1/s")]]) == ""


@pytest.mark.parametrize(
    ("unit", "now", "mark"),
    [
        ("1/s", 50, "x0.50 WORSE"),
        ("1/s", 95, "x0.95"),
        ("1/s", 200, "x2.00 better"),
        ("ms", 50, "x0.50 better"),
        ("ms", 110, "x1.10"),
        ("ms", 200, "x2.00 WORSE"),
        ("MB", 130, "x1.30 WORSE"),
    ],
)
def test_what_is_worse_depends_on_what_is_measured(
    unit: str, now: float, mark: str
) -> None:
    assert said(_row(now, unit), [[_row(100, unit)]]) == mark


def test_a_slower_machine_is_no_change_where_a_limit_was_slowed_too() -> None:
    assert said(_row(50, limit=500), [[_row(100, limit=1_000)]]) == "x1.00"
    assert said(_row(50, limit=1_000), [[_row(100, limit=1_000)]]) == "x0.50 WORSE"


def test_it_is_compared_with_the_last_that_was_measured() -> None:
    earlier = [[_row(10)], [_row(100)], [Row("drain", 1, None, "1/s")]]
    assert said(_row(100), earlier) == "x1.00"


def test_a_figure_that_differs_by_itself_has_to_change_by_more() -> None:
    steady = [[_row(value)] for value in (99, 101, 100, 100)]
    restless = [[_row(value)] for value in (40, 160, 90, 100)]
    assert said(_row(75), steady) == "x0.75 WORSE"
    assert said(_row(75), restless) == "x0.75"
    found = change(_row(70), steady)
    assert found is not None
    assert found.noise == NOISE


def test_others_work_is_not_called_worse() -> None:
    rows = [Row("peer NATS", value, None, "1/s") for value in (10, 100)]
    assert said(rows[0], [[rows[1]]]) == "x0.10"


def test_another_limit_makes_another_figure() -> None:
    before = Row("ingest", 100, 50, "1/s", "a goal")
    assert change(Row("ingest", 100, 50, "1/s", "executemany"), [[before]]) is None
    assert change(_row(100), [[_row(100, limit=50)]]) is None


def test_what_was_nothing_is_not_compared() -> None:
    assert change(_row(5), [[_row(0)]]) is None
    found = change(_row(0, "ms"), [[_row(5, "ms")]])
    assert found is not None
    assert not found.worse


def test_the_table_has_a_line_for_each_figure_with_its_change() -> None:
    lines = table([_row(100), _row(2, "ms", 4)], ["x1.00", "x3.00 WORSE"]).splitlines()
    assert len(lines) == 3
    assert "WORSE" not in lines[1]
    assert lines[2].split()[-3:] == ["0.50", "x3.00", "WORSE"]
