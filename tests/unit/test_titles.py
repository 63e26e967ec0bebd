"""The words of a title, as they are looked for."""

import pytest

from server.titles import LONGEST, MOST, words


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Gold ring, size 54", ["gold", "ring", "size", "54"]),
        ("Ölfaß / ÉTÉ", ["olfass", "ete"]),
        ("ring Ring RING", ["ring"]),
        ("'); DROP TABLE title; --\" AND *", ["drop", "table", "title", "and"]),
        ("\u202e=1+1", ["1"]),
        ("指輪", ["指輪"]),
        (" - ", []),
    ],
)
def test_case_accents_and_marks_make_no_difference(
    title: str, found: list[str]
) -> None:
    assert words(title) == found


def test_a_long_title_is_looked_for_by_its_first_words() -> None:
    long = words(" ".join(f"{n}{'w' * 100}" for n in range(100)))
    assert len(long) == MOST
    assert all(len(word) == LONGEST for word in long)
