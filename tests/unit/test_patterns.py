import pytest

from shared.errors import ConfigError
from shared.patterns import LONGEST, Pattern, _Step, compile_pattern


@pytest.mark.parametrize(
    ("source", "text", "matches"),
    [
        ("BOX####", "BOX0042", True),
        ("BOX####", "BOX004", False),
        ("BOX####", "box0042", False),
        ("@@-#{4,6}", "WH-0001", True),
        ("@@-#{4,6}", "WH-000001", True),
        ("@@-#{4,6}", "WH-0000001", False),
        ("T?{8}", "T4k9QZ1M2", True),
        (r"\#\{1\}", "#{1}", True),
        ("A.B", "AxB", False),
        ("#{0,2}A", "A", True),
        ("#{0,2}#", "123", True),
        ("#", "٣", False),
        ("@", "é", False),
        ("A", "", False),
        ("A", "A\n", False),
    ],
)
def test_a_pattern_stands_for_all_of_a_text(
    source: str, text: str, *, matches: bool
) -> None:
    assert compile_pattern(source).matches(text) is matches


@pytest.mark.parametrize(
    "source",
    ["", "A{", "{3}", "A}", "\\", "A{5,2}", "A{0}", "#{0,9}", "A{999}", "A" * 129],
)
def test_what_is_no_pattern_says_so(source: str) -> None:
    with pytest.raises(ConfigError, match="pattern"):
        compile_pattern(source)


def test_a_pattern_is_walked_once_however_it_is_written() -> None:
    asked = 0

    def fits(char: str) -> bool:
        nonlocal asked
        asked += 1
        return char == "A"

    steps = tuple(_Step(fits, optional=index % 13 > 0) for index in range(LONGEST))
    assert not Pattern("", steps).matches("A" * (LONGEST - 1) + "!")
    assert LONGEST < asked <= LONGEST * LONGEST
