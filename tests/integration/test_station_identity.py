"""Stations that are stolen, cloned, installed anew; requests that come again."""

from typing import Any

from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.serving import Log, Service

HOUR = 3600 * SECOND


def _twin(log: Log) -> Log:
    """Copy a station whole, as somebody who copies its card does."""
    twin = Log(log.service, log.name)
    twin.id, twin.token, twin.key = log.id, log.token, log.key
    twin.heads, twin.lines, twin.boot = list(log.heads), list(log.lines), "twin"
    return twin


async def _events(service: Service, item: str) -> list[str]:
    _, said = await service.call("GET", f"/v1/items/{item}/events")
    events = said["events"]
    assert isinstance(events, list)
    return [event["event"] for event in events]


async def _station(service: Service, log: Log) -> dict[str, Any]:
    _, said = await service.call("GET", "/v1/stations")
    stations = said["stations"]
    assert isinstance(stations, list)
    (found,) = [one for one in stations if one["station"] == log.name]
    return dict(found)


async def test_f48_a_station_installed_anew_has_a_log_of_its_own(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    again = Log(service, log.name)
    assert (await again.join(replaces=True))[0] == 200
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
    found = await _station(service, log)
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
    _, invited = await service.call(
        "POST", "/v1/stations", json={"name": log.name, "replaces": True}
    )
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


async def test_f52_an_old_request_sent_again_is_no_sign_of_life(
    service: Service, log: Log
) -> None:
    """A heartbeat says "nothing more up to now" once, and not whenever it is sent."""
    captured = [log.headers(0, 0)]
    assert (await log.post(0, b"", captured[0]))[0] == 200
    log.add("P-1")
    await log.send(0)
    captured.append(log.headers(1, 1))
    assert (await log.post(1, b"", captured[1]))[0] == 200
    before = await _station(service, log)
    service.now += 5 * HOUR
    for after, headers in enumerate(captured):
        assert (await log.post(after, b"", headers))[0] == 200
    after_that = await _station(service, log)
    for name in ("heard_at", "horizon", "clock_offset"):
        assert after_that[name] == before[name]
    assert "rollback" not in str(after_that["exceptions"])
    service.now += HOUR
    assert (await log.send(1))[0] == 200
    assert (await _station(service, log))["horizon"] == service.at()


async def test_f52_a_request_sent_again_does_not_move_what_happened_before(
    service: Service, log: Log
) -> None:
    """Only its exchanges tell the time of a station whose clock is wrong."""
    log.ahead = 3 * HOUR
    captured = log.headers(0, 0)
    assert (await log.post(0, b"", captured))[0] == 200
    service.now += HOUR
    scanned_at = _scan(service, log)
    service.now += 5 * HOUR
    assert (await log.post(0, b"", captured))[0] == 200
    log.boot = "the next one"
    assert (await log.send(0))[0] == 200
    await _happened(service, "P-1", scanned_at)


async def test_f52_a_request_that_was_refused_tells_its_time_all_the_same(
    service: Service, log: Log
) -> None:
    log.ahead = 3 * HOUR
    _scan(service, log)
    scanned_at = _scan(service, log)
    captured = log.headers(1, 2)
    assert (await log.post(1, log.lines[1] + b"\n", captured))[0] == 409
    service.now += 5 * HOUR
    log.boot = "the next one"
    assert (await log.send(0, 1))[0] == 200
    assert (await log.post(1, log.lines[1] + b"\n", captured))[0] == 200
    await _happened(service, "P-2", scanned_at)


def _scan(service: Service, log: Log) -> int:
    """Scan with the clocks that the station has; return when that was."""
    seq = len(log.lines) + 1
    at, mono = to_text(service.now + log.ahead), log.mono()
    line = Line(seq=seq, at=at, boot=log.boot, mono=mono, action="see", item=f"P-{seq}")
    log.put(encode(line))
    service.now += SECOND
    return service.now - SECOND


async def _happened(service: Service, item: str, at: int) -> None:
    _, said = await service.call("GET", f"/v1/items/{item}/events")
    events = said["events"]
    assert isinstance(events, list)
    lo, hi = events[0]["occurred_lo"], events[0]["occurred_hi"]
    assert lo <= to_text(at) <= hi <= to_text(at + 60 * SECOND)
