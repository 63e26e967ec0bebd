"""The feed misses and repeats nothing, as pages and as a stream; and exceptions."""

import asyncio
import base64
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from server.api import exports, feed, streams
from server.api.streams import STREAMS, Streams
from shared.moments import SECOND
from tests.serving import Log, Service, until

EVENT_STREAM = "text/event-stream"


@asynccontextmanager
async def _stream(
    service: Service, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    send = {
        "Authorization": f"Bearer {service.keys['read']}",
        "Accept": EVENT_STREAM,
        **(headers or {}),
    }
    url = f"{service.url}/v1/events{query}"
    async with service.session.get(url, headers=send) as answer:
        assert answer.status == 200
        assert answer.content_type == EVENT_STREAM
        yield answer


async def _next(answer: aiohttp.ClientResponse) -> tuple[str, str, dict[str, object]]:
    """Read one server-sent event, as a browser does: its id, kind and data."""
    fields: dict[str, str] = {"id": "", "event": "", "data": ""}
    async with asyncio.timeout(10):
        while line := (await answer.content.readline()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] += value
    return fields["id"], fields["event"], json.loads(fields["data"])


async def _events(answer: aiohttp.ClientResponse, count: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    while len(found) < count:
        position, kind, data = await _next(answer)
        if kind == "event":
            line = data["line"]
            assert isinstance(line, dict)
            found.append((int(position), line["item"]))
    return found


async def _page(service: Service, query: str) -> dict[str, object]:
    status, said = await service.call("GET", f"/v1/events{query}", "read")
    assert status == 200
    return said


async def test_pages_hold_every_line_once_in_the_servers_order(
    service: Service, log: Log
) -> None:
    log.add("P-1", "P-2", "P-3")
    await log.send(0)
    seen, position, more = [], 0, True
    while more:
        page = await _page(service, f"?after={position}&limit=2")
        events = page["events"]
        assert isinstance(events, list)
        seen += [event["event"] for event in events]
        position, more = int(str(page["position"])), bool(page["more"])
        if len(seen) == 2:
            log.add("P-4")
            await log.send(3)
    assert seen == [f"{log.id}:{n}" for n in range(1, 5)]
    page = await _page(service, f"?after={position}")
    assert (page["events"], page["position"]) == ([], position)


async def test_a_stream_begins_where_it_is_asked_to_and_goes_on_as_lines_come(
    service: Service, log: Log
) -> None:
    log.add("P-1", "P-2")
    await log.send(0)
    async with _stream(service, "?after=1") as answer:
        ((second, item),) = await _events(answer, 1)
        assert item == "P-2"
        log.add("P-3")
        await log.send(2)
        ((third, item),) = await _events(answer, 1)
        assert item == "P-3"
        assert third > second


async def test_a_stream_that_was_cut_goes_on_behind_what_was_heard(
    service: Service, log: Log
) -> None:
    seen: list[tuple[int, str]] = []
    for round_ in range(4):
        log.add(*(f"P-{round_}-{n}" for n in range(5)))
        await log.send(round_ * 5)
        last = {"Last-Event-ID": str(seen[-1][0])} if seen else {}
        async with _stream(service, "?after=0", last) as answer:
            seen += await _events(answer, 3)  # and the connection is cut here
    last = {"Last-Event-ID": str(seen[-1][0])}
    async with _stream(service, headers=last) as answer:
        seen += await _events(answer, 20 - len(seen))
    assert [item for _, item in seen] == [
        f"P-{round_}-{n}" for round_ in range(4) for n in range(5)
    ]


async def test_a_silent_stream_says_up_to_when_all_was_told(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "HEARTBEAT", 0.01)
    await log.send(0)
    async with _stream(service) as answer:
        for _ in range(3):
            position, kind, data = await _next(answer)
            assert (position, kind) == ("", "horizon")
            assert data["complete_until"] == service.at()


async def test_a_line_that_is_no_json_is_shown_as_bytes(
    service: Service, log: Log
) -> None:
    log.put(b"\xff\x00not json")
    log.put(b'{"seq":2,\r"at":"2026-04-27T08:00:00Z","action":"see","item":"P-1"}')
    await log.send(0)
    page = await _page(service, "")
    events = page["events"]
    assert isinstance(events, list)
    assert base64.b64decode(events[0]["bytes"]) == log.lines[0]
    assert events[0]["quarantined"]
    assert "line" not in events[0]
    async with _stream(service, "?after=1") as answer:
        assert (await _events(answer, 1))[0][1] == "P-1"


async def test_f77_a_reader_that_does_not_read_is_disconnected(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.2)
    state = service.app[STREAMS]
    for start in range(0, 8000, 400):
        for n in range(start, start + 400):
            log.put(
                b'{"seq":%d,"at":"2026-04-27T08:00:00Z","action":"note","text":"%s"}'
                % (n + 1, b"x" * 2000)
            )
        assert (await log.send(start))[0] == 200
    async with _stream(service) as answer:
        assert state.open == 1
        await until(lambda: state.slow == 1)
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()  # it was cut off, and not ended
    await until(lambda: state.open == 0)


async def test_f77_more_streams_than_the_server_holds_are_refused(
    service: Service,
) -> None:
    service.app[STREAMS]._most = 1
    async with _stream(service):
        send = {"Accept": EVENT_STREAM}
        status, _ = await service.call("GET", "/v1/events", "read", headers=send)
        assert status == 503
    assert streams.MOST > 1
    assert Streams().open == 0


async def test_streams_end_when_the_server_does(service: Service) -> None:
    async with _stream(service) as answer:
        assert (await _next(answer))[1] == "horizon"
        service.app[STREAMS].ending.set()
        async with asyncio.timeout(5):
            assert await answer.content.read() == b""


async def test_exceptions_come_newest_first_in_pages_and_by_code(
    service: Service, log: Log
) -> None:
    for n in range(3):
        service.now += SECOND
        log.add(f"P-{n}", action="depart")
        log.add(f"P-{n}", action="see")
        await log.send(2 * n)
    seen: list[object] = []
    cursor: object = ""
    while cursor is not None:
        extra = f"&cursor={cursor}" if cursor else ""
        status, said = await service.call(
            "GET", f"/v1/exceptions?code=seen_after_departure&limit=2{extra}"
        )
        assert status == 200
        found = said["exceptions"]
        assert isinstance(found, list)
        seen += [one["item"] for one in found]
        cursor = said["cursor"]
    assert seen == ["P-2", "P-1", "P-0"]
    service.now += 3600 * SECOND
    _, said = await service.call("GET", "/v1/exceptions?code=silent")
    found = said["exceptions"]
    assert isinstance(found, list)
    assert [one["station"] for one in found] == ["DOCK"]
    _, said = await service.call("GET", "/v1/exceptions?open=all")
    assert said["cursor"] is None
    for query in ("open=maybe", "cursor=AAAA", "limit=-1"):
        assert (await service.call("GET", f"/v1/exceptions?{query}"))[0] == 400


async def _text(service: Service, path: str) -> str:
    send = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}{path}", headers=send) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_f76_an_export_is_no_formula_and_has_every_item(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 2)
    log.add("P-1", "=HYPERLINK(1)", "+2", '"quoted, comma"', "P-5")
    await log.send(0)
    text = await _text(service, "/v1/export/items?format=csv")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:2] == ["item", "status"]
    assert [row[0] for row in rows[1:]] == [
        "P-1",
        "'=HYPERLINK(1)",
        "'+2",
        '"quoted, comma"',
        "P-5",
    ]
    lines = (await _text(service, "/v1/export/events")).splitlines()
    assert [json.loads(line)["position"] for line in lines] == [1, 2, 3, 4, 5]
    text = await _text(service, "/v1/export/events?format=csv&after=4")
    assert text.count("\r\n") == 2
    assert (await service.call("GET", "/v1/export/items?format=xls"))[0] == 400
    log.add("P-1", action="depart")
    log.add("P-1", action="see")
    await log.send(5)
    lines = (await _text(service, "/v1/export/exceptions")).splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["seen_after_departure"]


async def test_figures_are_told_by_route_and_station(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    await log.send(0)
    for n in range(3):
        await service.call("GET", f"/v1/items/P-{n}")
    await service.call("GET", "/nowhere")
    text = await _text(service, "/metrics")
    for line in (
        'requests_total{method="GET",route="/v1/items/{item}",status="200"} 3',
        'requests_total{method="GET",route="none",status="404"} 1',
        'scantrail_lines_total{outcome="appended"} 1',
        'scantrail_lines_total{outcome="already"} 1',
        'scantrail_station_untold_seconds{station="DOCK"} ',
    ):
        assert line in text, line
    assert "P-1" not in text


async def test_an_answer_is_not_sent_again_where_nothing_changed(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    send = {"Authorization": f"Bearer {service.keys['read']}"}
    url = f"{service.url}/v1/items/P-1"
    async with service.session.get(url, headers=send) as answer:
        tag = answer.headers["ETag"]
    service.now += SECOND
    await service.not_modified(
        "/v1/items/P-1", service.keys["read"], {"If-None-Match": tag}
    )
    log.add("P-1", action="store")
    await log.send(1)
    send["If-None-Match"] = tag
    async with service.session.get(url, headers=send) as answer:
        assert answer.status == 200


async def test_what_changed_our_mind_is_told_step_by_step(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    then = service.at()
    service.now += 60 * SECOND
    log.add("P-1", action="store")
    await log.send(1)
    path = "/v1/items/P-1/changes"
    _, said = await service.call("GET", f"{path}?at={then}")
    steps = said["changes"]
    assert isinstance(steps, list)
    assert [(step["event"], step["action"]) for step in steps] == [
        (f"{log.id}:2", "store")
    ]
    assert steps[0]["fields"]["status"] == {"before": "received", "after": "stored"}
    assert (await service.call("GET", path))[0] == 400
    backwards = f"{path}?at={service.at()}&until_at={then}"
    assert (await service.call("GET", backwards))[0] == 400
