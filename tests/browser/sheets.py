"""What a browser prints: the words of each page, and where they stand on it."""

import re
from collections.abc import Sequence
from html import unescape
from itertools import combinations
from typing import NamedTuple

from tests.poppler import read

_WORD = re.compile(
    r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>'
)
_SLACK = 2.5
"""How far the boxes of neighbours may reach into each other, in points."""


class Word(NamedTuple):
    """A word, and its box in points from the upper left corner of its page."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    def over(self, other: "Word") -> bool:
        """Whether the two stand on each other."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > _SLACK
            and min(self.bottom, other.bottom) - max(self.top, other.top) > _SLACK
        )


def printed(pdf: bytes) -> list[list[Word]]:
    """Read where the words of a PDF's pages stand."""
    return [
        [
            Word(float(left), float(top), float(right), float(bottom), unescape(text))
            for left, top, right, bottom, text in _WORD.findall(sheet)
        ]
        for sheet in read(pdf, "-bbox").split("<page ")[1:]
    ]


def overprinted(sheet: Sequence[Word]) -> list[tuple[str, str]]:
    """Return the words of a page that stand on each other."""
    return [(a.text, b.text) for a, b in combinations(sheet, 2) if a.over(b)]
