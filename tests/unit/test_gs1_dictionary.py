"""Every application identifier of GS1's own syntax dictionary is read as it says.

Each stands before another element, at its least and at its greatest length: one that
were taken for longer or shorter would swallow or spill what follows.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared import checkdigits, gs1
from shared.aim import identify

DICTIONARY = (
    Path(__file__).parents[2].parent / "shared/vectors/gs1-syntax-dictionary.txt"
)
SSCC = "340123450000000017"
_LINE = re.compile(r"(\d+)(?:-(\d+))? +([^\w\s\[]*) +([NXYZ].*)")
_PART = re.compile(r"(\[?)([NXYZ])(\.\.)?(\d+)\]?((?:,\w+)*)\]?$")
_SAID = {
    "yymmdd": "260131",
    "yymmd0": "260131",
    "yyyymmdd": "20260131",
    "yymmddhh": "26013123",
    "hhmi": "2359",
    "hyphen": "-",
    "posinseqslash": "1/2",
    "zero": "0",
}
"""What a value has to be by name."""


class Case(NamedTuple):
    ai: str
    value: str
    separator: str


def cases() -> Iterator[Case]:
    text = DICTIONARY.read_text(encoding="utf-8") if DICTIONARY.exists() else ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        assert match, line
        first, last, flags, rest = match.groups()
        parts = [part for word in rest.split() if (part := _PART.match(word))]
        for number in range(int(first), int(last or first) + 1):
            for longest in (False, True):
                value = "".join(
                    _value(part, longest=longest)
                    for part in parts
                    if longest or not part[1]
                )
                separator = "" if "*" in flags else gs1.SEPARATOR
                yield Case(str(number).zfill(len(first)), value, separator)


def _value(part: re.Match[str], *, longest: bool) -> str:
    _, sort, varies, most, linters = part.groups()
    length = int(most) if longest or not varies else min(8, int(most))
    named = [_SAID[name] for name in linters.split(",") if name in _SAID]
    if named:
        return named[0]
    if "csum" in linters:
        digits = "952123454321012345678"[: length - 1]
        return next(
            digits + str(digit)
            for digit in range(10)
            if checkdigits.gs1(f"{digits}{digit}")
        )
    return ("1201" if sort == "N" else "9521234A" * 12)[:length].ljust(length, "1")


@pytest.mark.skipif(not DICTIONARY.exists(), reason="GS1's dictionary is not there")
def test_every_identifier_of_the_dictionary_ends_where_it_says() -> None:
    every = list(cases())
    assert len(every) > 1000
    for ai, value, separator in every:
        behind = "" if ai == "00" else f"{separator}00{SSCC}"
        symbol, data = identify(f"]C1{ai}{value}{behind}")
        carried = gs1.read(symbol, data)
        expected = {ai: value} | ({} if ai == "00" else {"00": SSCC})
        assert (carried.fault, carried.elements) == (None, expected), (ai, value)
