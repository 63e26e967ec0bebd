"""The floor and the figures on both databases: each as the answers of its moment say.

Random histories reach the store in any order. Whatever moment is looked at, and as we
knew it whenever: what is put together from what is kept is what telling each item says.
"""

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from server.console import sampling
from server.console.floor import counted
from server.console.gathering import DAY, gathered
from server.console.workshop import Progress
from server.course import course
from server.figures import Period, Tally, expected
from server.resolve import resolve
from server.site import Site
from server.store import Store, View
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared.lines import encode
from shared.moments import SECOND
from tests.contracts.storing import joined
from tests.properties.histories import ITEMS, LOGS, MINUTE, START, random_history
from tests.properties.lines import line_of

SEEDS = int(os.environ.get("STORE_HISTORIES", "6"))
SITE = Site(stale={"stored": 3 * DAY, "packed": 8 * DAY})
LATER = START + 60 * DAY


class Clock:
    """The server's clock: stands until it is moved."""

    now = LATER

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    found: Store
    if request.param == "sqlite":
        found = await SqliteStore.open(tmp_path / "scantrail.db", clock, SITE)
    else:
        url = request.getfixturevalue("database").database()
        found = await PostgresStore.open(url, clock, SITE, clock=clock)
    yield found
    await found.close()


async def lived(store: Store, clock: Clock, seed: int) -> tuple[list[int], list[int]]:
    """Let a history reach the store; return when things happened, and were heard."""
    rng = random.Random(seed)  # noqa: S311 # no secret
    # events of one moment are in the order of their logs' names: always the same
    ids = rng.sample(range(1, 99), len(LOGS))
    logs = {
        name: await joined(store, f"{name}-{seed}", str(UUID(int=number)))
        for name, number in zip(LOGS, ids, strict=True)
    }
    names = {name: log.name for name, log in logs.items()}
    scans = random_history(rng, 24)
    for scan in scans:
        logs[scan.log].lines.append(encode(line_of(scan, names)))
    heard = []
    sent = dict.fromkeys(LOGS, 0)
    while waiting := [n for n in LOGS if sent[n] < len(logs[n].lines)]:
        name = rng.choice(waiting)
        last = min(len(logs[name].lines), sent[name] + rng.randrange(1, 5))
        clock.now += SECOND
        heard.append((await logs[name].send(sent[name], last)).received)
        sent[name] = last
    clock.now += SECOND
    return sorted(scan.occurred for scan in scans), heard


async def standing_by_answers(store: Store, view: View) -> dict[str, list[int]]:
    """Ask every item where it was."""
    found: dict[str, list[int]] = {}
    for item in ITEMS:
        now = resolve((await store.tell(item, view)).world, item)
        if now.location is not None and now.location.value and not now.gone:
            since = now.location.since.occurred
            found.setdefault(now.location.value, []).append(since)
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_the_floor_of_a_moment_as_known_at_another_is_what_the_answers_say(
    store: Store, clock: Clock, seed: int
) -> None:
    happened, heard = await lived(store, clock, seed)
    rng = random.Random(seed)  # noqa: S311 # no secret
    for known in (None, *rng.sample(heard, 3)):
        begin = rng.choice(happened)
        floor = await counted(store, begin, Progress(), known)
        for at in {begin, *rng.sample(happened, 4), happened[-1] + MINUTE}:
            if at < begin:
                continue
            view = View(at=at, known_at=clock.now if known is None else known)
            said = await standing_by_answers(store, view)
            here = {one.place: (one.count, one.oldest) for one in floor.at(at)}
            assert here == {p: (len(s), min(s)) for p, s in said.items()}, (at, known)


async def test_the_live_floor_is_what_the_answers_say(
    store: Store, clock: Clock
) -> None:
    await lived(store, clock, 3)
    floor = await counted(store, None, Progress())
    said = await standing_by_answers(store, View(at=clock.now, known_at=clock.now))
    assert {one.place: one.count for one in floor.at(clock.now)} == {
        place: len(since) for place, since in said.items()
    }


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_the_figures_are_what_telling_every_item_says(
    store: Store, clock: Clock, seed: int
) -> None:
    happened, heard = await lived(store, clock, seed)
    rng = random.Random(seed)  # noqa: S311 # no secret
    for known in (clock.now, *rng.sample(heard, 2)):
        # the earlier of the two periods begins among the scans, or what is due is not
        for at in (rng.choice(happened) + 8 * DAY + MINUTE // 2, happened[-1] + DAY):
            view = View(at=at, known_at=known)
            found = await gathered(store, SITE, view, 1, Progress())
            tallies = tuple(
                Tally(Period(at - days * DAY, at - (days - 1) * DAY)) for days in (1, 8)
            )
            for item in ITEMS:
                way = course(item, await store.tell(item, view), at, SITE)
                for tally in tallies:
                    tally.add(way)
            steps = expected(tallies)
            assert found.steps == steps
            assert [found.now, found.before] == [t.figures(steps) for t in tallies]
            logs = {one.log for one in found.now.wrong}
            assert set(found.stations) == logs
            assert all(found.stations.values())


async def test_of_very_many_an_estimate_comes_first_and_what_follows_is_exact(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await joined(store, "DOCK-1")
    number = 40
    for n in range(number):
        log.write("receive", n, item=f"P-{n}", location="X")
        log.write("store", n + 1, item=f"P-{n}", location=f"A-{n % 2}")
    await log.send()
    monkeypatch.setattr(sampling, "AT_ONCE", 20)
    monkeypatch.setattr(sampling, "FIRST", 10)
    at = clock.now = LATER
    progress = Progress()
    floor = await counted(store, START - DAY, progress)
    estimate = progress.estimate
    assert estimate.every == 4
    assert estimate.looked == number // 4
    assert sum(one.count for one in estimate.at(at)) == number
    assert (floor.every, floor.looked) == (1, number)
    assert [(one.place, one.count) for one in floor.at(at)] == [
        ("A-0", 20),
        ("A-1", 20),
    ]
    assert (progress.done, progress.of) == (number, number)
    progress = Progress()
    found = await gathered(
        store, SITE, View(at=START + 2 * DAY, known_at=at), 7, progress
    )
    assert (found.every, found.now.items, found.now.scans) == (1, number, 2 * number)
    assert progress.estimate.every == 4
    assert progress.estimate.now.items == number


async def test_what_is_too_long_in_a_status_counts_though_nothing_was_told_since(
    store: Store, clock: Clock
) -> None:
    clock.now = START
    log = await joined(store, "DOCK-1")
    log.write("pack", item="P", container="C", location="X")
    await log.send()
    (entry,) = await store.events(0, 1)
    at = clock.now = entry.occurred + 8 * DAY + DAY // 2
    found = await gathered(store, SITE, View(at=at, known_at=at), 1, Progress())
    assert found.before.period.begin > entry.occurred
    assert {one.item for one in found.now.incidents} == {"P"}
    assert {one.code for one in found.now.incidents} == {"stale"}
