"""What people and host systems say at the server, and what stations hear of it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from server import reference
from server.own_log import OwnLog
from server.store import OWN
from server.store.said import latest, place_anew
from shared.hosts import HostLine, Topic
from shared.moments import SECOND
from shared.reference import Reference
from tests.serving import Log, Service, serving


@pytest.fixture(autouse=True)
def _restless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "REST", 0.001)


async def _document(service: Service, who: str = "read") -> Reference:
    status, said = await service.call("GET", "/v1/reference", who)
    assert status == 200
    return msgspec.convert(said, Reference)


def _host(log: Log, **fields: object) -> None:
    line = {"seq": len(log.lines) + 1, "at": "2026-04-27T08:00:00Z", **fields}
    log.put(msgspec.json.encode(line))


@pytest.fixture
async def shop(service: Service) -> Log:
    found = Log(service, "SHOP")
    await found.join(kind="host")
    return found


async def test_an_act_is_an_event_chained_and_signed_with_the_name_of_who_did_it(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    service.now += SECOND
    path = "/v1/items/P-1/resolve"
    settled = {"exception": "seen_after_departure", "reason": "looked"}
    status, said = await service.call("POST", path, "supervise", json=settled)
    assert status == 201
    _, story = await service.call("GET", "/v1/items/P-1/events")
    events = story["events"]
    assert isinstance(events, list)
    assert events[-1]["event"] == said["event"]
    assert events[-1]["station"] == OWN
    line = events[-1]["line"]
    assert line["by"] == "a supervise key"
    assert {**settled, "action": "resolve", "item": "P-1"}.items() <= line.items()
    name = str(said["event"]).rpartition(":")[0]
    _, state = await service.call("GET", f"/v1/logs/{name}")
    assert (state["station"], state["acked"]) == (OWN, 1)


async def test_the_servers_own_log_goes_on_after_a_start_and_nobody_can_take_it(
    tmp_path: Path,
) -> None:
    events = []
    for _ in range(2):
        async with serving(tmp_path) as service:
            path = "/v1/items/P-1/note"
            _, said = await service.call("POST", path, json={"text": "a remark"})
            events.append(str(said["event"]))
            new = {"name": OWN, "kind": "host"}
            assert (await service.call("POST", "/v1/stations", json=new))[0] == 400
    (first, _, one), (second, _, two) = (e.rpartition(":") for e in events)
    assert (first, one, two) == (second, "1", "2")


async def test_acts_at_the_same_moment_follow_one_another(service: Service) -> None:
    own: OwnLog = service.context.own
    lines = [
        HostLine(seq=1, at="", action="note", item=f"P-{n}", title="x")
        for n in range(20)
    ]
    names = await asyncio.gather(*(own.write([line]) for line in lines))
    assert [name.rpartition(":")[2] for (name,) in names] == [
        str(n) for n in range(1, 21)
    ]


async def test_what_a_host_says_reaches_stations_as_reference_data(
    service: Service, log: Log, shop: Log
) -> None:
    assert await _document(service) == Reference(made_at=service.at())
    _host(shop, action="note", location="A-1", title="Shelf 1", kind="shelf", x=1.5)
    _host(shop, action="note", location="A-2", title="Shelf 2")
    _host(shop, action="note", location="A-2", ended=True)
    _host(shop, action="note", operator="B-EVA", title="Eva")
    _host(shop, action="note", item="M-1", kind="load", title="Tour 1")
    _host(shop, action="expect", item="P-1", container="M-1")
    _host(shop, action="expect", item="P-2", container="M-1")
    _host(shop, action="expect", item="P-2", container="M-2")
    _host(shop, action="note", item="P-9", wanted=True, reason="customer calls")
    assert (await shop.send(0))[0] == 200
    found = await _document(service, log.token)
    assert [(p.location, p.name, p.kind) for p in found.locations] == [
        ("A-1", "Shelf 1", "shelf"),
        ("DOCK-1", "", ""),
    ]
    assert [(o.operator, o.name) for o in found.operators] == [("B-EVA", "Eva")]
    loads = {load.load: (load.name, load.items) for load in found.loads}
    assert loads == {"M-1": ("Tour 1", ("P-1",)), "M-2": ("", ("P-2",))}
    assert [(w.item, w.reason, w.by) for w in found.wanted] == [
        ("P-9", "customer calls", "")
    ]


async def test_what_one_station_packed_another_knows(
    service: Service, log: Log
) -> None:
    log.add("P-1", "P-2", action="pack", container="C-1")
    await log.send(0)
    await _document(service)
    log.add("P-1", action="unpack")
    await log.send(2)
    service.now += reference.SCANS_EVERY
    found = await _document(service, log.token)
    held = {one.container: one.items for one in found.containers}
    assert held == {"C-1": ("P-2",)}


async def test_a_station_cannot_rename_the_site_nor_a_host_settle_a_station(
    service: Service, log: Log, shop: Log
) -> None:
    _host(log, action="note", location="A-1", title="Mine now")
    _host(log, action="note", item="P-1", wanted=True)
    await log.send(0)
    _host(shop, action="note", station="DOCK", settings={"speaker": "off"})
    _host(shop, action="note", location="A-1", title="Shelf", x="no number")
    await shop.send(0)
    assert await _document(service, log.token) == Reference(made_at=service.at())


async def test_a_load_that_left_is_gone_with_what_is_in_it(
    service: Service, log: Log, shop: Log
) -> None:
    _host(shop, action="expect", item="P-1", container="M-1")
    await shop.send(0)
    log.add("P-2", action="load", container="M-1")
    await log.send(0)
    _, said = await service.call("GET", "/v1/loads")
    (load,) = _list(said, "loads")
    assert load["missing"] == ["P-1"]
    assert load["extra"] == ["P-2"]
    log.add("M-1", action="depart")
    await log.send(1)
    service.now += 61 * SECOND
    found = await _document(service)
    assert found.loads == ()
    assert set(found.gone) == {"M-1", "P-2"}


async def test_what_was_on_a_load_that_left_is_told_to_programs(
    service: Service, log: Log, shop: Log
) -> None:
    early = {"at": "2026-04-20T08:00:00Z", "synced": True}
    _host(shop, action="expect", item="P-1", container="M-1", **early)
    await shop.send(0)
    service.now += SECOND
    log.add("P-2", action="load", container="M-1")
    log.add("M-1", "M-2", action="depart")
    await log.send(0)
    _, page = await service.call("GET", "/v1/departures?limit=1")
    (first,) = _list(page, "departures")
    assert first["load"] == "M-2"
    _, page = await service.call("GET", f"/v1/departures?cursor={page['cursor']}")
    (second,) = _list(page, "departures")
    assert (second["load"], second["station"]) == ("M-1", log.name)
    _, found = await service.call("GET", "/v1/loads/M-1")
    assert found["departed"] == second
    (aboard,) = _list(found, "on_board")
    assert (aboard["item"], aboard["expected"]) == ("P-2", False)
    assert aboard["event"] == f"{log.id}:1"
    (missing,) = _list(found, "missing")
    assert (missing["item"], missing["location"]) == ("P-1", None)
    for wrong in ("cursor=x", "since=noon", "limit=1000", "cursor=WzEsICJ4Il0="):
        status, _ = await service.call("GET", f"/v1/departures?{wrong}")
        assert status == 400, wrong


async def test_a_line_that_is_taken_back_is_not_said(
    service: Service, shop: Log
) -> None:
    _host(shop, action="note", location="A-1", title="Shelf 1")
    _host(shop, action="note", location="A-1", title="Shelf 2")
    await shop.send(0)
    assert (await _document(service)).locations[0].name == "Shelf 2"
    _host(shop, action="void", voids=f"{shop.id}:2")
    await shop.send(2)
    assert (await _document(service)).locations[0].name == "Shelf 1"


async def test_wanted_items_are_marked_once_and_unmarked(service: Service) -> None:
    path = "/v1/wanted/(00)3%2F4"
    _, first = await service.call("PUT", path, "supervise", json={"reason": "lost"})
    _, again = await service.call("PUT", path, "supervise", json={"reason": "lost"})
    assert first == again
    assert (first["item"], first["by"]) == ("(00)3/4", "a supervise key")
    _, said = await service.call("GET", "/v1/wanted")
    assert said["wanted"] == [first]
    assert (await service.call("DELETE", path))[0] == 204
    lines = service.context.store.position()
    status, problem = await service.call("DELETE", path)
    assert status == 404
    assert problem["detail"] == "(00)3/4 is not wanted; nothing was done"
    assert service.context.store.position() == lines
    _, said = await service.call("GET", "/v1/wanted")
    assert said["wanted"] == []


async def test_a_wanted_item_is_found_by_the_first_scan_since(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    service.now += SECOND
    _, wanted = await service.call("PUT", "/v1/wanted/P-1", json={"reason": "lost"})
    assert (wanted["found"], wanted["warnings"]) == (None, [])
    _, odd = await service.call("PUT", "/v1/wanted/ring%20of%20Ana")
    (warning,) = _list(odd, "warnings")
    assert "no label reads as the item" in str(warning)
    service.now += SECOND
    log.add("P-1", "P-1", action="see")
    await log.send(1)
    _, said = await service.call("GET", "/v1/wanted")
    found = {str(one["item"]): one["found"] for one in _list(said, "wanted")}
    assert found["ring of Ana"] is None
    sighting = found["P-1"]
    assert isinstance(sighting, dict)
    assert sighting["event"] == f"{log.id}:2"
    assert (sighting["location"], sighting["station"]) == ("DOCK-1", log.name)


async def test_the_etag_changes_with_the_content_and_with_nothing_else(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    _, first = await log.send(0)
    log.add("P-2")
    service.now += 61 * SECOND
    _, second = await log.send(1)
    assert first["reference"] == second["reference"]
    await service.call("PUT", "/v1/wanted/P-1")
    await _document(service)
    _, third = await log.send(2)
    assert third["reference"] != second["reference"]
    headers = {"If-None-Match": str(third["reference"])}
    await log.service.not_modified("/v1/reference", log.token, headers)
    settings = {"settings": {"speaker": {"volume": 3}}}
    path = "/v1/stations/DOCK/settings"
    assert (await service.call("PUT", path, json=settings))[0] == 201
    found = await _document(service, log.token)
    assert found.settings == settings["settings"]
    assert (await _document(service)).settings == {}


async def test_an_append_is_answered_without_making_the_data_anew(
    service: Service, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.add("P-1")
    await log.send(0)
    await _document(service)
    made = []

    async def gather(*_: object) -> Reference:
        made.append(1)
        return Reference()

    monkeypatch.setattr(service.context.reference, "_gather", gather)
    for n in range(1, 6):
        log.add("P-1")
        await log.send(n)
    assert made == []


def _list(said: dict[str, object], name: str) -> list[dict[str, object]]:
    found = said[name]
    assert isinstance(found, list)
    return found


async def _brought(
    service: Service, kind: str, text: str, query: str = ""
) -> tuple[int, dict[str, object]]:
    headers = {"Content-Type": "text/csv"}
    path = f"/v1/import/{kind}{query}"
    return await service.call("POST", path, data=text.encode(), headers=headers)


async def test_a_dry_run_shows_what_would_change_and_changes_nothing(
    service: Service,
) -> None:
    text = "location,name\nA-1,Shelf 1\nA-2,Shelf 2\n"
    status, said = await _brought(service, "locations", text, "?dry_run=true")
    assert (status, said["new"], said["rows"]) == (200, 2, 2)
    assert (await _document(service)).locations == ()
    assert (await _brought(service, "locations", text))[1]["new"] == 2
    names = [place.name for place in (await _document(service)).locations]
    assert names == ["Shelf 1", "Shelf 2"]
    _, said = await _brought(service, "locations", text)
    assert (said["new"], said["changed"], said["same"]) == (0, 0, 2)
    text = "location,name,ended\nA-1,Shelf 1,yes\n"
    assert (await _brought(service, "locations", text))[1]["changed"] == 1
    assert [p.location for p in (await _document(service)).locations] == ["A-2"]


async def test_a_table_with_a_wrong_row_is_not_taken_at_all(service: Service) -> None:
    text = "item,title\nP-1,Ring\n,Nothing\n"
    status, said = await _brought(service, "titles", text)
    assert status == 400
    assert "row 3: item missing" in str(said["detail"])
    status, said = await _brought(service, "titles", text, "?dry_run=true")
    assert (status, said["new"], said["wrong"]) == (200, 1, 1)
    _, item = await service.call("GET", "/v1/items/P-1")
    assert item["title"] is None
    assert (await _brought(service, "nothing", text))[0] == 404
    for query in ("?dry_run=maybe", "?encoding=ebcdic", "?status=shipped"):
        assert (await _brought(service, "titles", text, query))[0] == 400


async def test_what_left_is_shipped_however_another_system_writes_it(
    service: Service, log: Log
) -> None:
    log.add("P-1")
    await log.send(0)
    text = "ID,Status\nP-1,SHIPPED\n"
    status, said = await _brought(service, "legacy", text, "")
    assert (status, said["contradicted"]) == (200, 1)
    _, item = await service.call("GET", "/v1/items/P-1")
    assert [e["code"] for e in _list(item, "exceptions")] == ["claim_contradicted"]


async def test_an_old_systems_table_becomes_claims_and_is_not_believed(
    service: Service, log: Log
) -> None:
    log.add("P-1", "P-2")
    await log.send(0)
    service.now += SECOND
    text = (
        "ID,Status,Last updated,Title\n"
        "P-1,Delivered,01/02/2026,Ring\nP-2,received,,Box\nP-3,Delivered,,Never seen\n"
    )
    query = "?status=delivered%3Dshipped"
    status, said = await _brought(service, "legacy", text, query)
    assert (status, said["new"], said["contradicted"]) == (200, 3, 1)
    (against,) = _list(said, "contradictions")
    assert (against["item"], against["claimed"]) == ("P-1", "shipped")
    assert (against["scanned"], against["as_of"]) == ("received", "01/02/2026")
    _, item = await service.call("GET", "/v1/items/P-1")
    assert (item["status"], item["title"]) == ("received", "Ring")
    assert [e["code"] for e in _list(item, "exceptions")] == ["claim_contradicted"]
    _, item = await service.call("GET", "/v1/items/P-3")
    assert item["status"] is None
    _, said = await _brought(service, "legacy", text, query)
    assert (said["same"], said["contradicted"]) == (3, 1)


async def test_f65_lines_that_are_placed_anew_change_what_was_said_last(
    service: Service, shop: Log
) -> None:
    _host(shop, action="note", location="A-1", title="First")
    await shop.send(0)
    desk = Log(service, "DESK")
    await desk.join(kind="host")
    service.now += SECOND
    line = {"seq": 1, "at": service.at(), "action": "note", "location": "A-1"}
    desk.put(msgspec.json.encode({**line, "title": "Second"}))
    await desk.send(0)
    assert (await _document(service)).locations[0].name == "Second"
    with closing(sqlite3.connect(service.folder / "scantrail.db")) as database:
        database.execute(
            "UPDATE line SET occurred = 1 WHERE log ="
            " (SELECT id FROM log WHERE name = ?)",
            (desk.id,),
        )
        place_anew(database)
        (said,) = latest(database, Topic.LOCATION)
        database.rollback()
    assert said.line.title == "First"
