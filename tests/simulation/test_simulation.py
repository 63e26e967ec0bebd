"""A short run of the simulation; ``make simulate`` runs it for as long as one likes."""

from collections import Counter

import pytest

from tests.simulation.faults import FAULTS, NETWORK
from tests.simulation.world import World

SEEDS = range(1, 13)
HOURS = 24 * 60


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    found = []
    for seed in SEEDS:
        world = World(seed)
        world.live(HOURS)
        world.settle()
        found.append(world)
    return found


def test_nothing_confirmed_is_lost_doubled_or_changed_under_any_fault(
    worlds: list[World],
) -> None:
    for world in worlds:
        world.check()
    assert sum(world.events for world in worlds) > 1000


def test_every_kind_of_fault_has_fired(worlds: list[World]) -> None:
    fired: Counter[str] = Counter()
    for world in worlds:
        fired.update(world.fired)
    assert set(fired) == {*FAULTS, *NETWORK}


def test_a_seed_repeats_exactly() -> None:
    first, second = World(7), World(7)
    for world in (first, second):
        world.live(HOURS)
        world.settle()
    assert first.server.kept() == second.server.kept()
    assert first.fired == second.fired
