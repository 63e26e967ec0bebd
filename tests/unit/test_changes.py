"""What changed our mind: each step from one view to another."""

import msgspec
import pytest

from server.changes import Change, Seen, changes
from server.events import Event
from tests.telling import MINUTE, START, story


def told(*events: tuple[int, str]) -> list[Event]:
    """A story, each event received at a minute of its own."""
    found = story(*(text for _, text in events))
    return [
        msgspec.structs.replace(event, received=START + received * MINUTE)
        for event, (received, _) in zip(found, events, strict=True)
    ]


def between(
    events: list[Event], item: str, *, at: tuple[int, int], known: tuple[int, int]
) -> list[Change]:
    first, second = (
        Seen(at=START + a * MINUTE, known_at=START + k * MINUTE)
        for a, k in zip(at, known, strict=True)
    )
    return changes(events, item, first, second)


def test_a_late_station_changes_what_we_thought_of_the_past() -> None:
    events = told((1, "1 a store P @X"), (9, "2 b store P @Y"), (10, "3 c see Q @Z"))
    (change,) = between(events, "P", at=(5, 5), known=(5, 20))
    assert (change.event, change.learned, change.voids) == ("b:1", True, None)
    assert change.fields["location"] == ("X", "Y")
    assert change.moment == START + 9 * MINUTE


def test_a_void_changes_our_mind_and_says_what_it_took_back() -> None:
    events = told(
        (1, "1 a store P @X"), (2, "2 a store P @Y"), (8, "8 a void voids=a:2")
    )
    (change,) = between(events, "P", at=(5, 5), known=(5, 20))
    assert (change.event, change.voids) == ("a:3", "a:2")
    assert change.fields["location"] == ("Y", "X")


def test_events_of_one_delivery_are_told_one_by_one() -> None:
    events = told((9, "1 a store P @X"), (9, "2 a pick P @X by=B-1"))
    first, second = between(events, "P", at=(5, 5), known=(5, 20))
    assert (first.event, second.event) == ("a:1", "a:2")
    assert second.fields["custodian"] == (None, "B-1")


def test_what_happens_is_told_in_its_order_and_what_falls_due_too() -> None:
    events = told((9, "1 a pick P @X by=B-1"), (9, "40 a accept P @Y by=B-2"))
    picked, due, taken = between(events, "P", at=(0, 50), known=(100, 100))
    assert picked.fields["known"] == (False, True)
    assert (due.event, due.moment) == (None, START + 31 * MINUTE)
    assert due.fields == {"exceptions": ([], ["handoff_overdue"])}
    assert taken.fields["exceptions"] == (["handoff_overdue"], [])
    assert not taken.learned


def test_what_changes_nothing_is_not_told() -> None:
    events = told((1, "1 a store P @X"), (9, "2 b miss P @Y"), (9, "3 b see P @X"))
    assert between(events, "P", at=(5, 5), known=(5, 20)) == []


def test_a_void_of_a_void_changes_nothing() -> None:
    events = told(
        (1, "1 a store P @X"), (2, "2 a void voids=a:1"), (8, "3 b void voids=a:2")
    )
    assert between(events, "P", at=(5, 5), known=(5, 20)) == []


def test_a_view_of_an_earlier_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="earlier"):
        between([], "P", at=(5, 4), known=(5, 20))
