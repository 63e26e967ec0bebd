"""The server's HTTP interface: who may do what, and what each append is answered."""

import gzip
import re
import sys
from collections.abc import Callable
from hashlib import sha256

import pytest

from server.api.guard import Access
from server.api.rates import RATES, WRONG_CODE_EVERY, WRONG_CODES
from server.app import ROUTES
from server.limits import Limiter
from shared import chain
from shared.health import HEALTH, ScannerState, StationHealth
from shared.moments import SECOND, to_text
from shared.protocol import BASE, CLOCK, HEAD, SIGNATURE

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tests.serving import NOW, Log, Service

_SCOPES = ("read", "operate", "supervise", "admin")
_MAY = {
    Access.ANYBODY: {"nobody", "wrong", *_SCOPES, "station"},
    Access.STATION: {"station"},
    Access.READER: {*_SCOPES},
    Access.STATION_OR_READER: {*_SCOPES, "station"},
    Access.OPERATOR: {"operate", "supervise", "admin"},
    Access.SUPERVISOR: {"supervise", "admin"},
    Access.ADMINISTRATOR: {"admin"},
}
_OWN = {
    "/prove",
    "/me",
    "/me/password",
    "/me/sessions/end",
    "/me/second",
    "/me/second/confirm",
    "/me/second/remove",
}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")
async def test_every_route_admits_whom_it_says_and_nobody_else(
    service: Service, log: Log, route: tuple[str, str, Access, object]
) -> None:
    method, path, access, _ = route
    names = {"log": log.id, "station": "DOCK", "kind": "titles", "version": "1"}
    path = re.sub(r"{(\w+)}", lambda part: names.get(part[1], "P-1"), path)
    # an account is a person's own, and no key's: see test_roles
    may = set() if path in _OWN else _MAY[access]
    for who in ("nobody", "wrong", *_SCOPES, "station"):
        secret = {"wrong": "sk_wrong", "station": log.token}.get(who, who)
        body = b"" if method == "POST" else None
        status, _ = await service.call(method, path, secret, data=body)
        refused = 401 if who in {"nobody", "wrong"} else 403
        assert (status == refused) == (who not in may), (who, status)


async def test_f53_a_code_works_once_however_it_is_typed_and_expires(
    service: Service,
) -> None:
    log = Log(service, "PACK")
    _, invited = await service.call("POST", "/v1/stations", json={"name": "PACK"})
    code = str(invited["code"])
    assert (await log.enrol("AAAA-BBBB-CCCC"))[0] == 403
    assert (await log.enrol(f" {code.lower().replace('-', ' ')} "))[0] == 200
    assert (await log.enrol(code))[0] == 403
    again = {"name": "PACK", "replaces": True}
    _, invited = await service.call("POST", "/v1/stations", json=again)
    service.now += 3601 * SECOND
    assert (await log.enrol(str(invited["code"])))[0] == 403


async def test_f53_who_guesses_codes_is_slowed_down_and_nobody_else(
    service: Service,
) -> None:
    log = Log(service, "PACK")
    _, invited = await service.call("POST", "/v1/stations", json={"name": "PACK"})
    wrong = [(await log.enrol(f"AAAA-BBBB-{n:04}"))[0] for n in range(12)]
    assert wrong == [403] * WRONG_CODES + [429] * 2
    assert (await log.enrol(str(invited["code"])))[0] == 429
    elsewhere = {"X-Forwarded-For": "198.51.100.7"}
    assert (await log.enrol("AAAA-BBBB-CCCC", elsewhere))[0] == 403
    service.now += int(WRONG_CODE_EVERY * SECOND)
    assert (await log.enrol(str(invited["code"])))[0] == 200


async def test_f44_one_address_asks_no_more_than_its_share(service: Service) -> None:
    service.app[RATES]._requests = Limiter(per_second=1, burst=3)
    here = {"X-Forwarded-For": "198.51.100.7"}
    found = [
        (await service.call("GET", "/v1/stations", headers=here))[0] for _ in range(5)
    ]
    assert found == [200] * 3 + [429] * 2
    assert (await service.call("GET", "/v1/stations"))[0] == 200


async def test_a_line_is_acknowledged_once_and_kept_as_it_came(log: Log) -> None:
    log.add("P-1", "P-2")
    status, said = await log.send(0)
    assert status == 200
    assert said["acked"] == 2
    assert said["head"] == log.heads[2].hex()
    assert said["outcomes"] == {"appended": 2, "already": 0, "quarantined": []}
    assert (await log.send(0))[1]["outcomes"] == {
        "appended": 0,
        "already": 2,
        "quarantined": [],
    }
    log.add("P-3")
    _, said = await log.send(1)
    assert said["outcomes"] == {"appended": 1, "already": 1, "quarantined": []}
    _, said = await log.service.call("GET", "/v1/items/P-3/events")
    events = said["events"]
    assert isinstance(events, list)
    assert [event["event"] for event in events] == [f"{log.id}:3"]


async def test_f54_a_gap_and_f49_a_fork_say_where_the_server_is(log: Log) -> None:
    log.add("P-1", "P-2", "P-3")
    await log.send(0, 2)
    before = log.heads[2].hex()
    other = Log(log.service, log.name)
    other.id, other.token, other.key = log.id, log.token, log.key
    other.heads = [chain.start(log.id)]
    other.add("P-1", "P-OTHER", "P-3", "P-4")
    for after in (0, 1, 2):
        status, said = await other.send(after)
        assert (status, said["acked"], said["head"]) == (409, 2, before)
        assert str(said["type"]).endswith("fork")
    log.add("P-4")
    status, said = await log.send(3)
    assert (status, said["acked"], said["head"]) == (409, 2, before)
    assert str(said["type"]).endswith("gap")
    assert (await log.send(2))[0] == 200


async def test_a_server_that_has_more_says_so(log: Log) -> None:
    log.add("P-1", "P-2")
    await log.send(0)
    assert (await log.send(0, 1))[1]["acked"] == 2
    assert (await log.send(1, 1))[1]["acked"] == 2


async def _told(log: Log) -> dict[str, object]:
    _, page = await log.service.call("GET", "/v1/stations", "read")
    stations = page["stations"]
    assert isinstance(stations, list)
    (found,) = [one for one in stations if one["station"] == log.name]
    assert isinstance(found, dict)
    return found


def _open(told: dict[str, object]) -> list[dict[str, str]]:
    found = told["exceptions"]
    assert isinstance(found, list)
    return found


def _codes(told: dict[str, object]) -> list[str]:
    return [one["code"] for one in _open(told)]


async def test_a_station_is_shown_as_it_said_it_was(log: Log) -> None:
    gun = ScannerState(device="gun", connected=False, since=9.0, problem="no")
    said = StationHealth(version="9.9", waiting=3, synced=True, scanners=(gun,))
    assert (await log.send(0, changed={HEALTH: said.header()}))[0] == 200
    told = await _told(log)
    assert (told["version"], told["backlog"]) == ("9.9", 3)
    assert told["scanners"] == [
        {"device": "gun", "connected": False, "since": 9.0, "problem": "no"}
    ]
    assert _codes(told) == ["scanner_missing"]
    log.add("P-1")
    assert (await log.send(0, changed={HEALTH: "{nonsense"}))[0] == 200
    assert (await _told(log))["backlog"] == 3
    log.service.now += 61 * SECOND
    assert set(_codes(await _told(log))) == {"scanner_missing", "silent"}


async def test_f49_a_fork_is_remembered_of_its_station(log: Log) -> None:
    log.add("P-1", "P-2")
    await log.send(0)
    assert _codes(await _told(log)) == []
    other = Log(log.service, log.name)
    other.id, other.token, other.key = log.id, log.token, log.key
    other.heads = [chain.start(log.id)]
    other.add("P-OTHER")
    assert (await other.send(0))[0] == 409
    assert (await other.send(0, 0))[0] == 200  # it looks for the last common line
    assert _codes(await _told(log)) == ["fork"]


async def test_f54_either_side_that_went_back_is_remembered(log: Log) -> None:
    log.add("P-1", "P-2")
    await log.send(0)
    assert (await log.send(1, 2))[1]["acked"] == 2  # the acknowledgement was lost
    assert _codes(await _told(log)) == []
    await log.send(1, 1)
    await log.send(0, 0)
    (found,) = _open(await _told(log))
    assert found["code"] == "rollback"
    assert "times" not in found["text"]
    log.service.now += 8 * 86_400 * SECOND
    await log.send(2, 2)
    assert _codes(await _told(log)) == []
    log.add("P-3", "P-4")
    assert (await log.send(3))[0] == 409
    assert _codes(await _told(log)) == ["rollback"]


async def test_f46_lines_that_are_not_understood_are_told_of_their_station(
    log: Log,
) -> None:
    log.put(b"not json")
    await log.send(0)
    assert _codes(await _told(log)) == ["quarantined_lines"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({HEAD: "00" * 32}, 422),
        ({BASE: "00" * 32}, 422),
        ({BASE: "zz"}, 400),
        ({SIGNATURE: "AAAA"}, 403),
        ({CLOCK: "boot=b"}, 400),
        ({"Content-Encoding": "br"}, 422),
        ({"Content-Encoding": "gzip"}, 422),
    ],
)
async def test_a_request_that_is_not_as_it_says_stores_nothing(
    log: Log, changed: dict[str, str], status: int
) -> None:
    log.add("P-1")
    assert (await log.send(0, changed=changed))[0] == status
    _, said = await log.service.call("GET", f"/v1/logs/{log.id}")
    assert said["acked"] == 0


@pytest.mark.parametrize("body", [b"{}", b"\n", b"{}\n\n", b"x" * 17_000 + b"\n"])
async def test_wrong_framing_is_refused_whole(log: Log, body: bytes) -> None:
    headers = log.headers(0, 0)
    assert (await log.post(0, body, headers))[0] in {413, 422}


@pytest.mark.parametrize("name", ["gzip", "zstd"])
async def test_f47_a_body_may_be_packed_but_not_without_limit(
    log: Log, name: str
) -> None:
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.compress,
        "zstd": zstd.compress,
    }
    pack = packers[name]
    log.add("P-1")
    headers = {**log.headers(0, 1), "Content-Encoding": name}
    assert (await log.post(0, pack(log.lines[0] + b"\n"), headers))[0] == 200
    bomb = pack(b"\n" * (64 * 1024 * 1024))
    assert len(bomb) < 4 * 1024 * 1024
    assert (await log.post(1, bomb, headers))[0] == 413


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        b'{"seq":1,"at":"2026-04-27T08:00:00Z","action":"teleport"}',
        b'{"seq":1,"at":"2026-04-27T08:00:00Z","action":"see"}',
        b'{"seq":7,"at":"2026-04-27T08:00:00Z","action":"see","item":"P-9"}',
        b'{"seq":1,"at":"yesterday","action":"see","item":"P-9"}',
        b'{"seq":1,"at":"2026-04-27T08:00:00Z","action":"see","item":NaN}',
        b'{"seq":9223372036854775808,"at":"2026-04-27T08:00:00Z","action":"see"}',
        b'{"seq":1,"at":"2026-04-27T08:00:00Z","action":"see","item":"\\ud800"}',
        b"\xff\xfe",
        b'{"seq":1,"at":"2026-04-27T08:00:00Z","action":"see","item":"P-9","x":"\xff"}',
        b"[" * 10_000,
    ],
)
async def test_f46_what_is_not_understood_holds_nothing_up(
    log: Log, bad: bytes
) -> None:
    log.put(bad)
    log.add("P-2")
    status, said = await log.send(0)
    assert (status, said["acked"]) == (200, 2)
    assert said["outcomes"] == {"appended": 2, "already": 0, "quarantined": [1]}
    _, item = await log.service.call("GET", "/v1/items/P-2")
    assert item["status"] == "received"
    _, item = await log.service.call("GET", "/v1/items/P-9")
    assert not item["known"]


async def test_an_opaque_line_goes_through_and_is_quarantined(log: Log) -> None:
    log.put(b"poison\nwith a newline")
    path = f"/v1/logs/{log.id}/raw?seq=1"
    status, said = await log.service.call(
        "POST", path, log.token, data=log.lines[0], headers=log.headers(0, 1)
    )
    assert (status, said["acked"]) == (200, 1)
    assert said["outcomes"] == {"appended": 1, "already": 0, "quarantined": [1]}


async def test_an_empty_request_moves_the_horizon(log: Log) -> None:
    log.service.now += 60 * SECOND
    await log.send(0)
    _, item = await log.service.call("GET", "/v1/items/P-1")
    assert item["known"] is False
    assert item["complete_until"] == to_text(log.service.now)
    assert item["behind"] == []
    log.service.now += 600 * SECOND
    _, item = await log.service.call("GET", "/v1/items/P-1")
    assert item["behind"] == [
        {"station": "DOCK", "complete_until": to_text(NOW + 60 * SECOND)}
    ]


async def test_a_station_writes_its_own_log_only(service: Service, log: Log) -> None:
    other = Log(service, "OTHER")
    await other.join()
    log.add("P-1")
    log.token, log.key = other.token, other.key
    assert (await log.send(0))[0] == 403


async def test_items_are_listed_by_what_is_true_of_them(log: Log) -> None:
    log.add("P-1", "P-2")
    log.add("P-3", "a/b", action="store")
    await log.send(0)
    call = log.service.call
    _, said = await call("GET", "/v1/items?status=stored")
    assert [item["item"] for item in _items(said)] == ["P-3", "a/b"]
    _, said = await call("GET", "/v1/locations/DOCK-1/items?limit=3")
    assert [item["item"] for item in _items(said)] == ["P-1", "P-2", "P-3"]
    _, said = await call(
        "GET", f"/v1/locations/DOCK-1/items?limit=3&cursor={said['cursor']}"
    )
    assert [item["item"] for item in _items(said)] == ["a/b"]
    assert said["cursor"] is None
    assert (await call("GET", "/v1/items/a%2Fb"))[1]["status"] == "stored"
    assert (await call("GET", "/v1/items?cursor=%FF"))[0] == 400
    assert (await call("GET", "/v1/items?limit=x"))[0] == 400
    assert (await call("GET", "/v1/items/P-1?at=yesterday"))[0] == 400


def _items(page: dict[str, object]) -> list[dict[str, object]]:
    found = page["items"]
    assert isinstance(found, list)
    return found


async def test_secrets_are_not_kept(service: Service, log: Log) -> None:
    await log.send(0)
    kept = b"".join(p.read_bytes() for p in service.folder.rglob("*") if p.is_file())
    for secret in (log.token, service.keys["admin"], service.keys["read"]):
        assert secret.encode() not in kept
    assert sha256(log.token.encode()).digest() in kept


async def test_every_answer_says_what_a_browser_may_do_with_it(
    service: Service,
) -> None:
    for told, wanted in (({}, None), ({"X-Forwarded-Proto": "https"}, "max-age=31536")):
        for path in ("/healthz", "/v1/items", "/nothing", "/sign-in"):
            async with service.session.get(
                f"{service.url}{path}", headers=told, allow_redirects=False
            ) as answer:
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Cache-Control"] == "no-store"
                policy = answer.headers["Content-Security-Policy"]
                assert "frame-ancestors 'none'" in policy
                assert answer.headers["Referrer-Policy"] == "same-origin"
                kept = answer.headers.get("Strict-Transport-Security")
                assert (kept or "")[:13] == (wanted or "")


async def test_who_was_refused_is_in_the_log_and_does_not_fill_it(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="scantrail.server"):
        for _ in range(50):
            await service.call("GET", "/v1/items", "sk_wrong-secret-of-somebody")
            await service.call("PUT", "/v1/wanted/P-1", "read", json={})
    told = [record.getMessage() for record in caplog.records]
    assert "refused to '127.0.0.1': 'GET /v1/items'" in told
    assert "refused to '127.0.0.1': 'PUT /v1/wanted/P-1'" in told
    assert len(told) == 10
    assert "wrong-secret" not in "".join(told)


async def test_trace_is_not_answered(service: Service) -> None:
    for path in ("/healthz", "/v1/items", "/find"):
        assert (await service.call("TRACE", path))[0] == 405
