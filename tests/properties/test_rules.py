"""The rules of section 5 against a slow, obvious model of them, on random histories.

`RULES_HISTORIES` says how many; the few of a test run are the first of the many.
"""

import os
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.exceptions import review
from server.history import tell
from tests.properties.histories import ITEMS, MINUTE, events, random_history, served
from tests.properties.model import Scan, ask_all
from tests.telling import Memory

HISTORIES = int(os.environ.get("RULES_HISTORIES", "300"))
_NOW = 2**60


def _questions(rng: random.Random, scans: list[Scan]) -> Iterator[tuple[int, int]]:
    """Ask as of now; and, half of the time in between, as of some other moments."""
    yield max(scan.occurred for scan in scans) + 600 * MINUTE, _NOW
    moment = rng.choice(scans).occurred + rng.choice((0, -1, 1, 29, 30)) * MINUTE
    yield moment, rng.choice((_NOW, rng.randrange(len(scans))))


def _arrived(rng: random.Random, scans: list[Scan]) -> list[Scan]:
    """Let them come in any order."""
    return rng.sample(scans, len(scans))


def _disagreement(rng: random.Random, scans: list[Scan]) -> str | None:
    for at, known_at in _questions(rng, scans):
        expected = ask_all([*scans, *scans[:3]], ITEMS, at, known_at)
        told = events(_arrived(rng, scans), known_at)
        for item in ITEMS:
            found = served(told, item, at)
            if found != expected[item]:
                return f"{item} at {at}: {found} instead of {expected[item]}"
    return None


def test_the_rules_agree_with_the_model_on_random_histories() -> None:
    for seed in range(HISTORIES):
        rng = random.Random(seed)  # noqa: S311 # no secret
        scans = random_history(rng, rng.choice((3, 8, 14, 30)))
        wrong = _disagreement(rng, scans)
        assert wrong is None, f"seed {seed}: {wrong}"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 16), st.randoms(use_true_random=False))
def test_the_rules_agree_with_the_model_and_a_difference_shrinks(
    length: int, rng: random.Random
) -> None:
    assert _disagreement(rng, random_history(rng, length)) is None


@pytest.mark.parametrize("seed", range(40))
def test_what_was_found_was_open_from_its_beginning_to_its_end(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    scans = random_history(rng, 25)
    told = events(scans, _NOW)
    end = max(scan.occurred for scan in scans) + 600 * MINUTE
    for item in ITEMS:
        telling = tell(Memory(told, end), item)
        found = review(telling.world, item, telling.said, end).findings
        for at in {scan.occurred + rng.randrange(31) * MINUTE for scan in scans}:
            then = {
                (f.code, f.since, f.event)
                for f in found
                if f.since <= at and (f.until is None or f.until > at)
            }
            open_then = served(told, item, at).exceptions
            assert {tuple(one) for one in open_then} == then
