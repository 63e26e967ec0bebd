"""The pure parts of the console: times, texts, the line of time, weights, places."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge.workflow.rules import Checks
from server.console.clock import Clock
from server.console.incidents import completeness, incident, shift
from server.console.likely import likely
from server.console.shown import shown
from server.console.station_kinds import by_kind, told_once
from server.console.timeline import Gap, Step, Void, timeline
from server.console.weights import in_order
from server.console.words import LANGUAGES, chosen, words
from shared.api.exceptions import FoundException
from shared.api.items import ItemAnswer, ItemEvent, ItemException
from shared.errors import ConfigError
from shared.hosts import HostLine
from shared.moments import SECOND, to_moment, to_text

MINUTE = 60 * SECOND
START = to_moment("2026-04-27T06:00:00Z")


def event(
    number: int, minute: int, heard: int | None = None, **line: object
) -> ItemEvent:
    at = START + minute * MINUTE
    received = to_text(START + (minute if heard is None else heard) * MINUTE)
    fields = {"seq": number, "at": to_text(at), "action": "see", **line}
    return ItemEvent(
        event=f"log:{number}",
        occurred_at=to_text(at),
        occurred_lo=to_text(at),
        occurred_hi=to_text(at),
        received_at=received,
        station="DOCK-1",
        basis="clock",
        line=msgspec.Raw(msgspec.json.encode(fields)),
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_that_english_says(language: str) -> None:
    assert words(language).language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_a_station_and_every_field_of_a_line_has_words(
    language: str,
) -> None:
    said = words(language)
    assert all(said.has("refusal", check) for check in Checks.__struct_fields__)
    assert all(said.has("line", field) for field in HostLine.__struct_fields__)


def test_a_value_in_a_sentence_is_never_markup() -> None:
    said = words("en")("find.never", text="<b>{item}</b>")
    assert "&lt;b&gt;{item}&lt;/b&gt;" in said


def test_a_language_that_is_not_here_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="de, en, es"):
        words("xx")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,de;q=0.9", "de"), ("fr,es;q=0.5", "es"), ("", "en"), ("*", "en")],
)
def test_the_browser_is_answered_in_the_first_language_that_is_here(
    accepted: str, language: str
) -> None:
    assert chosen(accepted) == language


def test_what_is_unseen_is_shown_and_what_is_long_is_cut() -> None:
    assert shown("P-\u202e1\x00\x1b[2J") == "P-\\u{202e}1\\u{0}\\u{1b}[2J"
    assert shown("9" * 4096, 10) == "999999999…"


def test_a_form_is_read_in_the_sites_zone_and_an_address_exactly() -> None:
    clock = Clock("Europe/Berlin")
    moment = to_moment("2026-04-27T08:00:00Z")
    assert clock.field(moment) == "2026-04-27T10:00:00"
    assert clock.moment("2026-04-27T10:00:00") == moment
    assert clock.moment("2026-04-27T08:00:00Z") == moment
    assert clock.zone(moment) == "CEST"
    assert clock.local(moment) == datetime(
        2026, 4, 27, 10, tzinfo=ZoneInfo("Europe/Berlin")
    )
    with pytest.raises(ConfigError, match="Europe/Berlin"):
        Clock("Mars/Olympus")


def test_gaps_are_drawn_and_what_came_late_or_was_taken_back_is_marked() -> None:
    events = [event(1, 0), event(2, 10, heard=120), event(3, 300), event(4, 301)]
    events[2].voided_by = "log:9"
    void = Void("log:9", "wrong shelf", "B-ANA")
    story = timeline(events, {"log:9": void}, START + 400 * MINUTE)
    kinds = [one.size if isinstance(one, Gap) else one.event for one in story]
    assert kinds == [1, "log:4", "log:3", 2, "log:2", "log:1"]
    steps = {one.event: one for one in story if isinstance(one, Step)}
    assert [steps[f"log:{n}"].late for n in (1, 2)] == [False, True]
    assert steps["log:3"].void == void
    assert completeness(story).late == completeness(story).voided == 1


def test_what_is_only_said_is_no_scan_and_ends_no_gap() -> None:
    story = timeline([event(1, 0), event(2, 60, action="note")], {}, START)
    assert [one.event for one in story if isinstance(one, Step) and one.scan] == [
        "log:1"
    ]


def test_the_heaviest_come_first_and_of_these_the_newest() -> None:
    found = [
        FoundException(item=item, code=code, since=since, text="")
        for item, code, since in (
            ("P-1", "claim_contradicted", "2026-01-01"),
            ("P-2", "handoff_overdue", "2026-01-03"),
            ("P-3", "handoff_overdue", "2026-01-02"),
            ("P-4", "seen_after_departure", "2026-01-04"),
        )
    ]
    assert [one.item for one in in_order(found, "weight")] == [
        "P-4",
        "P-2",
        "P-3",
        "P-1",
    ]
    assert [one.item for one in in_order(found, "age")] == ["P-1", "P-3", "P-2", "P-4"]


def test_stations_come_together_by_kind_and_a_silent_one_is_not_behind_as_well() -> (
    None
):
    found = [
        FoundException(station=station, code=code, since="2026-01-01", text=text)
        for station, code, text in (
            ("A", "behind", "It is behind."),
            ("A", "silent", "Silent."),
            ("B", "silent", "Silent."),
            ("C", "behind", "2 lines wait."),
            ("D", "behind", "3 lines wait."),
        )
    ]
    told = [
        (kind.code, kind.weight, kind.text, [one.station for one in kind.cases])
        for kind in by_kind(told_once(found))
    ]
    assert told == [
        ("silent", 3, "Silent.", ["A", "B"]),
        ("behind", 2, "", ["C", "D"]),
    ]


def _answer(**fields: object) -> ItemAnswer:
    given = {"item": "P-1", "known": True, "at": "", "known_at": "", **fields}
    return msgspec.convert(given, ItemAnswer)


def test_the_likely_places_are_each_named_once() -> None:
    events = [event(1, 0, location="A-1"), event(2, 1, location="A-2", operator="B-1")]
    places = likely(
        _answer(location="A-2", custodian="B-1", path=["C-1"]),
        timeline(events, {}, START),
        ["DOCK-2"],
    )
    assert [(one.why, one.name) for one in places] == [
        ("holder", "B-1"),
        ("last", "A-2"),
        ("container", "C-1"),
        ("seen", "A-1"),
        ("untold", "DOCK-2"),
    ]


def test_where_it_was_seen_after_it_was_taken_is_likelier_than_who_took_it() -> None:
    seen_later = _answer(
        location="FLOOR",
        location_since=to_text(START + MINUTE),
        custodian="B-1",
        custodian_since=to_text(START),
    )
    assert [one.name for one in likely(seen_later, [], [])] == ["FLOOR", "B-1"]


def test_a_report_names_the_first_step_that_was_wrong_and_the_last_right_one() -> None:
    events = [event(n, n, location=f"A-{n}") for n in (1, 2, 3)]
    wrong = [
        ItemException(
            code=code, since=to_text(START + n * MINUTE), event=f"log:{n}", text=""
        )
        for code, n in (("handoff_overdue", 3), ("seen_after_departure", 2))
    ]
    found = incident(wrong, timeline(events, {}, START))
    assert found is not None
    assert found.first.code == "seen_after_departure"
    assert (found.step and found.step.event) == "log:2"
    assert (found.before and found.before.event) == "log:1"
    assert incident([], []) is None


@pytest.mark.parametrize(
    ("hour", "name"),
    [(22, "night"), (5, "night"), (6, "early"), (14, "late"), (21, "late")],
)
def test_every_hour_has_its_shift(hour: int, name: str) -> None:
    assert shift(hour) == name
