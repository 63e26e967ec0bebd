"""Stations that are stolen, cloned, installed anew; requests that come again."""

from tests.serving import Log, Service


def _twin(log: Log) -> Log:
    """Copy a station whole, as somebody who copies its card does."""
    twin = Log(log.service, log.name)
    twin.id, twin.token, twin.key = log.id, log.token, log.key
    twin.heads, twin.lines = list(log.heads), list(log.lines)
    return twin


async def _events(service: Service, item: str) -> list[str]:
    _, said = await service.call("GET", f"/v1/items/{item}/events")
    events = said["events"]
    assert isinstance(events, list)
    return [event["event"] for event in events]


async def test_f48_a_station_installed_anew_has_a_log_of_its_own(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    again = Log(service, log.name)
    assert (await again.join())[0] == 200
    again.add("P-1")
    assert (await again.send(0))[0] == 200
    assert set(await _events(service, "P-1")) == {f"{log.id}:1", f"{again.id}:1"}
    log.add("P-2")
    assert (await log.send(1))[0] == 401


async def test_f50_clones_that_take_turns_are_told_apart_at_the_first_contact(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    twin = _twin(log)
    log.add("P-OURS")
    assert (await log.send(1))[0] == 200
    twin.add("P-THEIRS")
    status, said = await twin.send(1)
    assert (status, said["acked"]) == (409, 2)
    assert str(said["type"]).endswith("fork")
    _, said = await service.call("GET", "/v1/stations")
    stations = said["stations"]
    assert isinstance(stations, list)
    (found,) = [one for one in stations if one["station"] == log.name]
    assert [one["code"] for one in found["exceptions"]] == ["fork"]
    assert await _events(service, "P-OURS") == [f"{log.id}:2"]
    assert await _events(service, "P-THEIRS") == []


async def test_f51_a_revoked_station_changes_nothing_until_it_joins_anew(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    status, _ = await service.call(
        "POST", f"/v1/stations/{log.name}/revoke", json={"reason": "stolen"}
    )
    assert status == 201
    log.add("P-STOLEN")
    status, said = await log.send(1)
    assert status == 403
    assert str(said["type"]).endswith("revoked")
    assert await _events(service, "P-1") == [f"{log.id}:1"]
    assert await _events(service, "P-STOLEN") == []
    await log.join()
    assert (await log.send(1))[0] == 200
    assert await _events(service, "P-STOLEN") == [f"{log.id}:2"]


async def test_f51_a_revoked_station_cannot_use_a_code_that_was_made_before(
    service: Service, log: Log
) -> None:
    _, invited = await service.call("POST", "/v1/stations", json={"name": log.name})
    await service.call("POST", f"/v1/stations/{log.name}/revoke")
    assert (await log.enrol(str(invited["code"])))[0] == 403


async def test_only_a_station_that_is_known_can_be_revoked(service: Service) -> None:
    status, _ = await service.call("POST", "/v1/stations/NOBODY/revoke")
    assert status == 404
    status, _ = await service.call("POST", "/v1/stations/%28server%29/revoke")
    assert status == 404


async def test_f52_a_captured_request_sent_again_changes_nothing(
    service: Service, log: Log
) -> None:
    log.add("P-1", "P-2")
    first = (await log.send(0))[1]
    log.add("P-3")
    await log.send(2)
    status, said = await log.send(0, 2)
    assert status == 200
    assert said["outcomes"] == {"appended": 0, "already": 2, "quarantined": []}
    assert said["acked"] == 3
    assert first["acked"] == 2
    assert await _events(service, "P-1") == [f"{log.id}:1"]
