"""What changed our mind, as a person says it: what was learnt, and believed before."""

import msgspec

from server.changes import Seen, changes
from server.console.learnt import Belief, Learnt, learnt, together
from server.events import Event
from server.site import DEFAULT
from shared.moments import to_text
from tests.telling import MINUTE, START, story


def told(*events: tuple[int, str]) -> list[Event]:
    """A story, each event received at a minute of its own."""
    found = story(*(text for _, text in events))
    return [
        msgspec.structs.replace(event, received=START + received * MINUTE)
        for event, (received, _) in zip(found, events, strict=True)
    ]


def minds(events: list[Event], item: str, at: int = 5, known: int = 5) -> list[Learnt]:
    """What came in after a minute, of how it was at a minute."""
    before = Seen(at=START + at * MINUTE, known_at=START + known * MINUTE)
    after = Seen(at=before.at, known_at=START + 1_000 * MINUTE)
    named = {event.name: event for event in events}
    found = changes(events, item, before, after, site=DEFAULT)
    return [one for change in found if (one := learnt(change, named, item)) is not None]


def since(minute: int) -> str:
    return to_text(START + minute * MINUTE)


def test_a_scan_that_came_late_says_what_was_believed_until_then() -> None:
    (one,) = minds(told((1, "1 a store P @X"), (9, "2 b store P @Y by=B-ANA")), "P")
    assert (one.kind, one.action, one.moment) == ("it", "store", START + 9 * MINUTE)
    assert one.late == 7 * MINUTE
    scan = one.scan
    assert (scan.event, scan.place, scan.who, scan.text) == (
        *("b:1", "Y", "B-ANA"),
        "place_who",
    )
    beliefs = {before.name: (before, after) for before, after in one.beliefs}
    assert beliefs["place"] == (
        Belief("place", ("X",), since(1)),
        Belief("place", ("Y",), since(2)),
    )
    assert beliefs["place"][0].text == "place_since"
    assert "holder" not in beliefs, "nobody held it before, and nobody after"


def test_a_status_that_began_at_another_moment_is_told_with_its_value() -> None:
    events = told((2, "3 a store P @X"), (9, "2 b store P @X"))
    (one,) = minds(events, "P")
    assert {name.name: (name.since, then.since) for name, then in one.beliefs} == {
        "status": (since(3), since(2)),
        "place": (since(3), since(2)),
    }


def test_of_what_was_not_known_only_what_we_learnt_is_told() -> None:
    (one,) = minds(told((9, "2 b store P @Y")), "P")
    assert one.new
    assert [before.text for before, _ in one.beliefs] == ["no_status", "no_place"]


def test_a_void_names_the_scan_that_does_not_count_and_why() -> None:
    events = told(
        (1, "1 a store P @X"),
        (2, "2 a store P @Y"),
        (8, "8 c void voids=a:2 by=B-BEN reason=shelf"),
    )
    (one,) = minds(events, "P")
    assert (one.kind, one.scan.event, one.reason) == ("void", "a:2", "shelf")
    assert one.back is not None
    assert (one.back.event, one.back.who) == ("c:1", "B-BEN")
    assert one.late == 0, "it was told as it was done"


def test_what_it_was_in_and_what_a_count_did_not_see_tell_of_it_too() -> None:
    events = told((1, "1 a pack P in=C @X"), (9, "3 b see C @Y"), (9, "4 b store Q @Y"))
    (one,) = minds(events, "P")
    assert (one.kind, one.subject) == ("other", "C")
    counted = told((1, "1 a store P @X"), (9, "3 b count @X saw=Q"))
    (one,) = minds(counted, "P")
    assert one.kind == "count"
    ((before, after),) = one.beliefs
    assert (before.text, after.text, after.values) == (
        *("no_wrong", "wrong"),
        ("missed_in_count",),
    )


def test_what_another_system_said_is_no_scan() -> None:
    (one,) = minds(told((1, "1 a store P @X"), (9, "2 shop claim P is=shipped")), "P")
    assert (one.kind, one.scan.text) == ("said", "time")


def test_what_was_heard_at_one_moment_is_one_change_and_what_it_undid_is_none() -> None:
    events = told(
        (1, "1 a store P @X"),
        (9, "2 b pick P @X by=B-ANA"),
        (9, "3 b accept P @Y by=B-BEN"),
        (9, "4 b store P @Z"),
    )
    apart = minds(events, "P")
    assert len(apart) == 3
    (one,) = together(apart)
    assert [each.scan.event for each in (*one.also, one)] == ["b:1", "b:2", "b:3"]
    beliefs = {before.name: (before, after) for before, after in one.beliefs}
    assert beliefs["place"] == (
        Belief("place", ("X",), since(1)),
        Belief("place", ("Z",), since(4)),
    )
    assert "holder" not in beliefs, "two held it, and nobody knew while they did"


def test_an_exception_that_lasted_no_time_was_never_believed() -> None:
    events = told(
        (1, "1 a pick P @X by=B-ANA"), (9, "2 b store P @X"), (9, "3 c void voids=b:1")
    )
    assert len(minds(events, "P")) == 2
    assert together(minds(events, "P")) == []


def test_what_was_heard_at_another_moment_is_another_change() -> None:
    events = told((1, "1 a store P @X"), (9, "2 b store P @Y"), (10, "3 b store P @Z"))
    assert len(together(minds(events, "P"))) == 2
