"""The floor at any moment is what the answers of that moment say, however it came."""

import random

import pytest

from server.floor import Floor, spans
from server.history import tell, tell_together
from server.resolve import resolve
from tests.properties.histories import ITEMS, START, events, random_history
from tests.telling import Memory

_EVER = 10**18


@pytest.mark.parametrize("seed", range(60))
def test_the_floor_is_what_the_answers_say(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    scans = random_history(rng, 20)
    told = events(scans, _EVER)
    found = Floor(START)
    for item, telling in tell_together(Memory(told, _EVER), ITEMS).items():
        found.moves(item, spans(telling, item))
    for moment in {scan.occurred for scan in scans}:
        places: dict[str, list[int]] = {}
        for item in ITEMS:
            world = tell(Memory(told, moment), item).world
            now = resolve(world, item)
            if now.location is not None and now.location.value and not now.gone:
                since = now.location.since.occurred
                places.setdefault(now.location.value, []).append(since)
        here = {one.place: (one.count, one.oldest) for one in found.at(moment)}
        assert here == {p: (len(s), min(s)) for p, s in places.items()}


@pytest.mark.parametrize("seed", range(40))
def test_items_told_together_are_told_as_each_alone(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 # no secret
    reader = Memory(events(random_history(rng, 25), _EVER), _EVER)
    for item, telling in tell_together(reader, ITEMS).items():
        alone = tell(reader, item)
        assert (telling.known, telling.events) == (alone.known, alone.events)
        assert telling.said == alone.said
        assert telling.world.story(item) == alone.world.story(item)
