"""An item's way agrees with the answers of every moment, however its scans came."""

import random

import pytest

from server.course import course
from server.history import tell
from server.site import DEFAULT
from tests.properties.histories import ITEMS, events, random_history, served
from tests.telling import Memory

_EVER = 10**18


@pytest.mark.parametrize("seed", range(60))
def test_a_way_agrees_with_the_answers(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    scans = random_history(rng, 20)
    known_at = rng.choice((_EVER, rng.randrange(20)))
    told = events(scans, known_at)
    moments = sorted({scan.occurred for scan in scans})
    for item in ITEMS:
        way = course(item, tell(Memory(told, _EVER), item), moments[-1], DEFAULT)
        statuses = [(at, served(told, item, at)) for at in moments]
        for stay in way.stays:
            inside = [one.status for at, one in statuses if stay.start <= at < stay.end]
            assert set(inside) <= {stay.step}
        overdue = {
            (code, since) for at, one in statuses for code, since, _ in one.exceptions
        }
        assert overdue <= {(one.code, one.since) for one, _ in way.findings}
