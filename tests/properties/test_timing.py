"""The true moment of an event lies in its interval, whatever the clocks did.

`TIMED_EVENTS` says of how many events; the few of a test run are the first of the many.
"""

import os
import random
from collections import Counter

from server.timing import Span, When, wrong_periods
from tests.properties.clocks import HOUR, START, Batch, Server, Station, placed

EVENTS = int(os.environ.get("TIMED_EVENTS", "8000"))


def _check(batch: Batch, whens: list[When], before: When | None, seed: int) -> None:
    floor = before.occurred if before is not None else 0
    for told, when in zip(batch.told, whens, strict=True):
        assert when.lo <= told.truth <= when.hi, (seed, told, when)
        assert when.lo <= when.occurred <= when.hi, (seed, told, when)
        assert when.occurred >= floor, (seed, told, when)
        floor = when.occurred


def test_the_true_moment_lies_in_the_interval() -> None:
    fired: Counter[str] = Counter()
    placed_so_far = seed = 0
    while placed_so_far < EVENTS:
        seed += 1
        station = Station(random.Random(seed), Server(), fired)  # noqa: S311
        before: When | None = None
        for _ in range(400):
            sent = len(station.batches)
            station.step()
            for batch in station.batches[sent:]:
                whens = placed(station, batch, before, [])
                _check(batch, whens, before, seed)
                before = whens[-1] if whens else before
                placed_so_far += len(whens)
    assert all(fired[kind] for kind in ("1970", "2000", "a step", "suspended"))
    assert fired["a boot that never met the server"]
    assert fired["ten years ahead"]
    assert fired["ten years behind"]


def test_f65_a_time_in_which_the_server_was_wrong_is_found_and_events_placed_anew() -> (
    None
):
    found = 0
    for seed in range(max(20, EVENTS // 2000)):
        rng = random.Random(seed)  # noqa: S311 # no secret
        server = Server()
        begin = START + 40 * HOUR
        server.wrong = (Span(begin, begin + HOUR), rng.choice((-24, 24)) * HOUR)
        stations = [Station(rng, server, Counter()) for _ in range(3)]
        while min(station.truth for station in stations) < START + 100 * HOUR:
            min(stations, key=lambda station: station.truth).step()
        doubtful = wrong_periods(server.anchors.values())
        found += bool(doubtful)
        for station in stations:
            before: When | None = None
            for batch in station.batches:
                whens = placed(station, batch, before, doubtful)
                _check(batch, whens, before, seed)
                before = whens[-1] if whens else before
    assert found
