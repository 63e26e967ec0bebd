"""How far off an estimate may be: it holds the truth as often as it says."""

import random

import pytest

from server.console.estimates import share_off, spread_of

ALL, EVERY = 6_000, 6


def test_what_was_counted_in_full_is_exact() -> None:
    assert spread_of(1_000, 1) == share_off(3, 4, 1) == share_off(0, 0, 5) == 0


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_the_truth_lies_within_in_about_95_of_100_cases(share: float) -> None:
    rng = random.Random(7)  # noqa: S311 # no secret
    held = shares = 0
    for _ in range(400):
        met = [rng.random() < share for _ in range(ALL)]
        looked = rng.sample(met, ALL // EVERY)
        part = sum(looked) * EVERY
        held += abs(part - sum(met)) <= spread_of(part, EVERY)
        off = share_off(part, ALL, EVERY)
        shares += abs(part / ALL - sum(met) / ALL) <= off
    assert held >= 370
    assert shares >= 360
