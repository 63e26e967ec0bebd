"""What an incident report comes to: only what the evidence shows."""

import pytest

from server.console.timeline import Step
from server.console.verdict import MOST, Part, told, verdict
from server.console.words import words
from server.sentences import SENTENCES, say
from shared.api.items import ItemException
from shared.hosts import HostLine

CLAIM = say(
    "claim_contradicted",
    time="2026-04-21 09:12 UTC",
    item="P-7",
    claimed="shipped",
    status="stored",
)
LEFT = say(
    "missing_from_manifest", container="M-21", time="2026-04-21 17:00 UTC", item="P-7"
)


def found(code: str, text: str, event: str = "a:1") -> ItemException:
    return ItemException(
        code=code, since="2026-04-21T09:12:00Z", event=event, text=text
    )


def step(action: str, **more: str) -> Step:
    return Step(
        event="a:1",
        line=HostLine(seq=1, at="", action=action, **more),  # type: ignore[arg-type]
        scan=True,
        occurred=0,
        lo=0,
        hi=0,
        received=0,
        station="SHOP",
        via=None,
        void=None,
    )


def names(parts: list[Part]) -> list[str]:
    return [part.name for part in parts]


def test_nothing_wrong_has_no_verdict() -> None:
    assert verdict([], [], whole=True, heard=True, still=False) == []


@pytest.mark.parametrize(
    ("story", "whole", "never"),
    [
        ([step("store")], True, True),
        ([step("store")], False, False),
        ([step("depart")], True, False),
        ([step("depart", refused="not expected")], True, True),
    ],
)
def test_never_is_said_only_where_the_whole_story_shows_it(
    story: list[Step], *, whole: bool, never: bool
) -> None:
    ever = [found("missing_from_manifest", LEFT)]
    parts = verdict(ever, story, whole=whole, heard=True, still=True)
    assert names(parts) == ["verdict.never"] * never + ["verdict.left"]


def test_a_claim_is_told_with_what_is_known_of_it() -> None:
    ever = [found("claim_contradicted", CLAIM)]
    for story, name in (
        ([], "verdict.claim"),
        ([step("claim")], "verdict.claim_by"),
        ([step("claim", text="label")], "verdict.claim_by_text"),
    ):
        parts = verdict(ever, story, whole=True, heard=False, still=True)
        assert names(parts) == ["verdict.never_heard", name]


def test_what_else_was_wrong_is_told_in_its_own_sentence_and_once() -> None:
    ever = [found(code, "<b>") for code in ("stale", "stale", "seen_after_departure")]
    parts = verdict(ever, [], whole=True, heard=True, still=False)
    assert names(parts) == ["stale", "seen_after_departure", "verdict.over"]
    said = told(parts, words("en"), str, lambda _, text: text)
    assert said == "&lt;b&gt; &lt;b&gt; None of this is open any more."


def test_of_many_kinds_the_first_are_told() -> None:
    ever = [found(code, "x") for code in SENTENCES]
    parts = verdict(ever, [step("depart")], whole=True, heard=True, still=True)
    assert len(parts) == MOST
