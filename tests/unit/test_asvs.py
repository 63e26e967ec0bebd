"""docs/asvs.md says nothing that is not there."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/asvs.md").read_text("utf-8")
STATES = ("met", "not applicable", "open")
REQUIREMENTS = 253
"""Of levels 1 and 2 in version 5.0.0: 70 and 183."""


def _rows() -> list[list[str]]:
    lines = [line for line in TEXT.splitlines() if re.match(r"\| \d+\.", line)]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def _requirements(cell: str) -> Iterator[str]:
    first, _, last = cell.partition("-")
    section, _, begin = first.rpartition(".")
    for number in range(int(begin), int((last or first).rpartition(".")[2]) + 1):
        yield f"{section}.{number}"


def test_every_requirement_is_there_once_and_counted() -> None:
    counted: Counter[str] = Counter()
    seen: list[str] = []
    for cell, _, state, _ in _rows():
        assert state in STATES
        found = list(_requirements(cell))
        seen += found
        counted[state] += len(found)
    assert len(seen) == len(set(seen)) == REQUIREMENTS
    told = " | ".join(str(counted[state]) for state in STATES)
    assert f"| {told} |" in TEXT


def test_every_place_and_test_that_is_named_is_there() -> None:
    tests = "\n".join(
        path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    for cell, _, state, where in _rows():
        named = re.findall(r"`([^`]+)`", where)
        for name in named:
            if name.startswith("test_"):
                assert f"def {name}(" in tests, (cell, name)
            elif re.fullmatch(r"[\w.-]+(/[\w.-]+)+|Makefile|[\w-]+\.(toml|txt)", name):
                assert (ROOT / name).exists(), (cell, name)
        assert where, cell
        if state == "met":
            assert named or len(where) > 10, cell
