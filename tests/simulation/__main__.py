"""``make simulate HOURS=…``: histories under all faults, for a while; seeds repeat."""

import argparse
import sys
import time
from collections import Counter

from tests.simulation.world import World

YEAR = 24 * 365


def main() -> int:
    """Simulate until the time is up; say each seed that found something."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--hours", type=float, default=0.02, help="of this machine's")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--span", type=int, default=YEAR // 4, help="hours a history")
    options = parser.parse_args()
    end = time.monotonic() + options.hours * 3600
    fired: Counter[str] = Counter()
    seed, hours, events, machines, wrong = options.seed, 0, 0, 0, 0
    while time.monotonic() < end:
        world = World(seed)
        try:
            world.live(options.span)
            world.settle()
            world.check()
        except AssertionError as error:
            print(f"WRONG: {error}", flush=True)  # noqa: T201 # the result
            wrong += 1
        hours += options.span * len(world.stations)
        events += world.events
        machines += len(world.stations)
        fired.update(world.fired)
        seed += 1
    for name, times in sorted(fired.items()):
        print(f"{name:32} {times:10,}")  # noqa: T201 # the result
    print(  # noqa: T201
        f"seeds {options.seed} to {seed - 1}: {events:,} scans of {machines:,} "
        f"stations in {hours / YEAR:,.0f} station-years; seeds with anything lost, "
        f"twice, changed, phantom, late, or in disorder: {wrong}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
