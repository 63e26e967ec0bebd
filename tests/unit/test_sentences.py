"""Sentences of exceptions: read back as they were said, and said in each language."""

import pytest
from markupsafe import Markup, escape

from server.console.spoken import spoken
from server.console.words import LANGUAGES, words
from server.findings import EXCEPTIONS
from server.sentences import LONGEST, SENTENCES, read, say, scan
from shared.texts import spoken_of

VALUES = {
    "item": "P-1",
    "container": "M-1",
    "who": "B-ANA",
    "place": "A-01",
    "time": "2026-04-24 01:06 UTC",
    "scan": "at A-01 on 2026-04-24 01:06 UTC by B-ANA",
    "span": "30 minutes",
    "status": "picked",
    "claimed": "shipped",
    "action": "load",
    "actions": "accept or stage",
    "seconds": "60",
    "number": "7",
    "damaged": "3",
    "device": "usb scanner",
    "problem": "no permission",
    "log": "log-1",
    "seq": "4",
    "address": "10.0.0.1",
}
HOSTILE = "<b>P-1</b> on 2026-04-24 01:06 UTC by B-X, and was scanned \u202e."


def given(name: str, **other: str) -> dict[str, str]:
    return {key: {**VALUES, **other}[key] for key in spoken_of(SENTENCES[name])}


def code(name: str) -> str:
    return max((c for c in CODES if name.startswith(c)), key=len)


CODES = {
    *EXCEPTIONS,
    *("silent", "behind", "clock_wrong", "scanner_missing", "damaged_reads"),
    *("quarantined_lines", "fork", "rollback", "copied", "displaced"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_is_read_back_with_its_values(name: str) -> None:
    values = given(name)
    assert read(code(name), say(name, **values)) == (name, values)


def test_every_exception_has_a_sentence() -> None:
    assert {code(name) for name in SENTENCES} == CODES


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("on 2026-04-24 01:06 UTC", {"time": VALUES["time"]}),
        ("at A-01 on 2026-04-24 01:06 UTC", {"place": "A-01", "time": VALUES["time"]}),
        (
            "on 2026-04-24 01:06 UTC by B-ANA",
            {"time": VALUES["time"], "who": "B-ANA"},
        ),
        ("somewhere", {}),
    ],
)
def test_a_scan_is_taken_apart(text: str, parts: dict[str, str]) -> None:
    assert scan(text) == parts


def say_in(language: str, code: str, text: str) -> str:
    def when(moment: int) -> Markup:
        return Markup(f"<time>{moment // 1_000_000}</time>")  # noqa: S704 # a number

    def bare(kind: str, value: str) -> Markup:
        assert kind
        return Markup("<bdi>{}</bdi>").format(escape(value))

    return str(spoken(code, text, words(language), when, bare))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SENTENCES)
def test_each_language_says_all_that_english_does(language: str, name: str) -> None:
    text = say(name, **given(name))
    said = say_in(language, code(name), text)
    for key, value in given(name).items():
        if key in {"item", "container", "who", "place", "device", "log", "address"}:
            assert f"<bdi>{value}</bdi>" in said
        if key in {"time", "scan"}:
            assert "<time>1776992760</time>" in said
    assert language == "en" or name == "scanner_missing" or said != text


def test_what_is_said_again_and_again_is_counted() -> None:
    text = say("fork", **given("fork")) + " It happened 3 times."
    assert say_in("de", "fork", text).endswith("Das geschah 3-mal.")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SENTENCES)
def test_hostile_values_stay_text_whatever_they_look_like(
    language: str, name: str
) -> None:
    text = say(name, **given(name, item=HOSTILE, who=HOSTILE, place=HOSTILE))
    assert "<b>" not in say_in(language, code(name), text)


def test_an_unknown_or_endless_sentence_stays_as_it_is() -> None:
    assert say_in("de", "silent", "Something <else>.") == "Something &lt;else&gt;."
    endless = say("stale", **given("stale", item="x" * LONGEST))
    assert read("stale", endless) is None
    assert say_in("de", "stale", endless).startswith("xxx")
