"""Two servers on one PostgreSQL, killed and restarted while twenty stations send."""

import asyncio
import json
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.faults.fleet import Sender
from tests.postgres import Postgres, postgres, why_not
from tests.programs import Server, told

STATIONS, LINES = 20, 60
SEED = 71


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL that is restarted, for this test alone."""
    if reason := why_not():
        pytest.skip(reason)
    with postgres() as found:
        yield found


@pytest.fixture
def servers(database: Postgres, tmp_path: Path) -> Iterator[list[Server]]:
    config = tmp_path / "server.toml"
    config.write_text(
        f'requests_per_second = 0\n[store]\nurl = "{database.database()}"\n'
    )
    found = [Server(tmp_path / "server", config) for _ in range(2)]
    try:
        for one in found:
            one.start()
        yield found
    finally:
        for one in found:
            one.stop(signal.SIGKILL)


def _write(stations: list[Sender], chance: random.Random) -> None:
    """Let all stations handle the same parcels, loads and places."""
    at = time.time_ns() // 1000 - 3_600_000_000
    actions = ("receive", "store", "pick", "see", "stage", "pack", "load", "unload")
    for _ in range(LINES):
        for one in stations:
            at += chance.randint(0, 2_000)
            action = chance.choice(actions)
            fields = {"location": f"L-{chance.randint(1, 5)}"}
            if action in {"pack", "load"}:
                fields["container"] = f"M-{chance.randint(1, 4)}"
            if action == "pick":
                fields["operator"] = "B-1"
            one.write(at, action, f"P-{chance.randint(1, 300)}", **fields)


async def _feed(
    session: aiohttp.ClientSession, url: str, key: str
) -> AsyncIterator[dict[str, object]]:
    """Read all events from the beginning, in pages."""
    after, more = 0, True
    headers = {"Authorization": f"Bearer {key}"}
    while more:
        async with session.get(
            f"{url}/v1/events?after={after}&limit=500", headers=headers
        ) as answer:
            page = await answer.json()
        for event in page["events"]:
            yield event
        after, more = page["position"], page["more"]


async def _follow(
    session: aiohttp.ClientSession, servers: list[Server], key: str, seen: list[int]
) -> None:
    """Follow the stream through whatever server there is, until cancelled."""
    turn = 0
    while True:
        turn += 1
        after = seen[-1] if seen else 0
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        try:
            url = f"{servers[turn % 2].url}/v1/events?after={after}"
            async with session.get(url, headers=headers) as answer:
                async for line in answer.content:
                    if line.startswith(b"data:") and b'"position"' in line:
                        found = json.loads(line[5:])
                        if "event" in found:
                            seen.append(found["position"])
        except (aiohttp.ClientError, OSError, TimeoutError):
            await asyncio.sleep(0.05)


def _kill(servers: list[Server], number: int) -> None:
    servers[number].stop(signal.SIGKILL)
    servers[number].start()


def _restart(database: Postgres) -> None:
    database.stop(signal.SIGQUIT)  # as a crash: nothing is told to anybody
    database.start()


def _cut(database: Postgres) -> None:
    database.tell(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'scantrail-server'",
    )


async def _trouble(
    servers: list[Server], database: Postgres, sending: asyncio.Future[list[None]]
) -> int:
    """Kill and restart, in turn, as long as stations send; return how often."""
    faults = [
        (_kill, servers, 0),
        (_cut, database),
        (_restart, database),
        (_kill, servers, 1),
    ]
    times = 0
    while not sending.done() or times < len(faults):
        what, *arguments = faults[times % len(faults)]
        await asyncio.to_thread(what, *arguments)  # type: ignore[arg-type]
        times += 1
        await asyncio.sleep(0.3)
    return times


async def test_f71_two_servers_and_their_database_are_killed_and_nothing_is_lost(
    servers: list[Server], database: Postgres
) -> None:
    chance = random.Random(SEED)  # noqa: S311 # a seed that repeats, no secret
    key = told(
        "scantrail-server", "key", "--data", str(servers[0].data), "--scope=admin"
    )
    stations = [
        Sender(f"S-{n}", lambda: [one.url for one in servers], chance)
        for n in range(STATIONS)
    ]
    seen: list[int] = []
    timeout = aiohttp.ClientTimeout(total=30, sock_read=15)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for one in stations:
            await one.join(session, key)
        _write(stations, chance)
        following = asyncio.create_task(_follow(session, servers, key, seen))
        sending = asyncio.ensure_future(
            asyncio.gather(*(one.send_all(session) for one in stations))
        )
        times = await _trouble(servers, database, sending)
        await sending
        events = [event async for event in _feed(session, servers[0].url, key)]
        async with asyncio.timeout(30):
            while len(seen) < len(events):  # noqa: ASYNC110 # it comes by itself
                await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert times >= 4
    assert sum(one.failed + one.busy for one in stations), "no fault met a request"
    _all_there_once(stations, events)
    assert seen == [event["position"] for event in events]


def _all_there_once(stations: list[Sender], events: list[dict[str, object]]) -> None:
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    wanted = {
        f"{one.log}:{seq}": json.loads(line)
        for one in stations
        for seq, line in enumerate(one.lines, 1)
    }
    of_stations = [event for event in events if event["event"] in wanted]
    assert len(of_stations) == len(wanted), "something is there twice, or not"
    assert {str(event["event"]): event["line"] for event in of_stations} == wanted
    for one in stations:
        mine = [e["event"] for e in of_stations if e["station"] == one.name]
        assert mine == [f"{one.log}:{seq}" for seq in range(1, LINES + 1)]
