"""Moments as they are typed at a terminal, in the zone of the machine."""

import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.client.when import as_local, as_typed, read_when
from shared.moments import to_text


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def read(text: str) -> str:
    now = datetime(2026, 11, 25, 14, 0, tzinfo=UTC).astimezone()
    return to_text(read_when(text, now))[:19]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("13:50", "2026-11-25T12:50:00"),
        (" 9:05 ", "2026-11-25T08:05:00"),
        ("today 13:50:07", "2026-11-25T12:50:07"),
        ("yesterday 13:50", "2026-11-24T12:50:00"),
        ("Yesterday 23:59", "2026-11-24T22:59:00"),
        ("2026-11-24 13:50", "2026-11-24T12:50:00"),
        ("2026-07-01T13:50:30", "2026-07-01T11:50:30"),
        ("2026-11-24T12:50:00Z", "2026-11-24T12:50:00"),
        ("2026-11-24T12:50:00.25+02:00", "2026-11-24T10:50:00"),
    ],
)
def test_a_time_without_an_offset_is_in_the_zone_of_the_machine(
    typed: str, meant: str
) -> None:
    assert read(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "soon", "25:00", "13:60", "2026-13-01 10:00", "2026-11-24", "13", "1 13:50"],
)
def test_what_is_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(typed)


def test_a_time_that_has_not_come_or_never_was_is_told() -> None:
    with pytest.raises(ValueError, match="has not come yet today"):
        read("15:30")
    with pytest.raises(ValueError, match="on no clock here"):
        read("2026-03-29 02:30")


def test_the_option_says_what_can_be_typed_and_which_moment_was_meant() -> None:
    with pytest.raises(ArgumentTypeError, match="'soon' is no moment; type one such"):
        as_typed("soon")
    assert as_typed("2026-11-24 13:50") == "2026-11-24T12:50:00.000000Z"
    assert as_local("2026-11-24T12:50:00Z") == (
        "2026-11-24 13:50:00 CET (2026-11-24 12:50:00 UTC)"
    )
