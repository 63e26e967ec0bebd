"""The simulated warehouse against a real server: its lines count as any station's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from server.client.api import Client
from server.client.living import Living
from server.client.living.places import STATIONS
from shared.moments import SECOND
from tests.serving import Service

SPEED = 120


@pytest.fixture
async def living(service: Service) -> AsyncIterator[Living]:
    async with Client(service.url, service.keys["admin"]) as admin:
        found = Living(admin, service.url, seed=7, speed=SPEED)
        service.now = found.start + SECOND
        yield found
        await found.close()


async def told(service: Service) -> list[dict[str, object]]:
    _, page = await service.call("GET", "/v1/events?after=0&limit=1000")
    events = page["events"]
    assert isinstance(events, list)
    return events


async def test_its_stations_join_and_tell_hours_that_are_all_understood(
    service: Service, living: Living
) -> None:
    lines = await living.begin()
    assert lines > 1000
    assert all("quarantined" not in event for event in await told(service))
    _, page = await service.call("GET", "/v1/stations")
    stations = page["stations"]
    assert isinstance(stations, list)
    simulated = [s for s in stations if "(simulated)" in s["station"]]
    assert len(simulated) == len(STATIONS) + 1
    wrong = {one["code"] for s in simulated for one in s["exceptions"]}
    assert "clock_wrong" in wrong
    assert not wrong & {"fork", "rollback", "quarantined_lines"}
    _, found = await service.call("GET", "/v1/exceptions?limit=1000")
    exceptions = found["exceptions"]
    assert isinstance(exceptions, list)
    items = [one for one in exceptions if one["item"]]
    assert 3 <= len(items) <= 60


async def test_it_goes_on_some_times_as_fast_as_the_clock(
    service: Service, living: Living
) -> None:
    await living.begin()
    before = service.context.store.position()
    going = asyncio.create_task(living.go_on())
    try:
        async with asyncio.timeout(30):
            await service.context.store.grown(before + 20)
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going
    assert service.context.store.position() > before + 20
