"""The steps between two views of an item lead from the one answer to the other."""

import random

import pytest

from server.changes import Seen, changes
from tests.properties.histories import ITEMS, MINUTE, events, random_history, served
from tests.properties.model import Found

_NAMES = ("known", "status", "location", "custodian")


def _plain(found: Found) -> dict[str, object]:
    codes = sorted(one.code for one in found.exceptions)
    return {**{n: getattr(found, n) for n in _NAMES}, "exceptions": codes}


@pytest.mark.parametrize("seed", range(60))
def test_the_steps_add_up(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    scans = random_history(rng, 14)
    begin, end = sorted(rng.choice(scans).occurred + 31 * MINUTE for _ in range(2))
    early, late = sorted(rng.randrange(14) for _ in range(2))
    # the voids are found by the steps themselves
    told = events(scans, 10**18)
    for item in ITEMS:
        before = _plain(served(events(scans, early), item, begin))
        after = _plain(served(events(scans, late), item, end))
        steps = changes(
            told, item, Seen(at=begin, known_at=early), Seen(at=end, known_at=late)
        )
        now = dict(before)
        for step in steps:
            for name, (was, becomes) in step.fields.items():
                if name in _NAMES:
                    assert now[name] == was
                    now[name] = becomes
                if name == "exceptions":
                    assert isinstance(becomes, list)
                    now[name] = sorted(becomes)
        assert now == after, steps
