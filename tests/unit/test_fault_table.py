"""docs/faults.md names a test for each fault, or says why there is none."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NUMBERS = {*range(1, 22), *range(32, 74)}

_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.*)\|$", re.MULTILINE)


def _numbers(test: str) -> set[int]:
    return {int(number) for number in re.findall(r"_f(\d+)(?=_)", test)}


def _tests() -> set[str]:
    return {
        test
        for path in (ROOT / "tests").rglob("test_*.py")
        for test in re.findall(
            r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE
        )
    }


def test_each_fault_has_tests_of_its_number_or_a_reason() -> None:
    rows = _ROW.findall((ROOT / "docs/faults.md").read_text())
    assert {int(number) for number, *_ in rows} == NUMBERS
    there = _tests()
    for number, says, names in rows:
        tests = re.findall(r"`(test_\w+)`", names)
        assert bool(tests) != says.startswith("not here: "), number
        assert set(tests) <= there, number
        assert not tests or any(int(number) in _numbers(test) for test in tests), number


def test_a_fault_that_is_said_to_have_no_test_has_none() -> None:
    rows = _ROW.findall((ROOT / "docs/faults.md").read_text())
    without = {int(number) for number, _, names in rows if not names.strip()}
    tested = {number for test in _tests() for number in _numbers(test)}
    assert not without & tested
