"""The figures as tables to take, over HTTP."""

import asyncio
import csv
import io
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyarrow import parquet

from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.serving import Log, Service, serving

_HOUR = 3600 * SECOND
_BAD = '=HYPERLINK("http://x","y")'


async def _told(
    log: Log, *scans: tuple[int, str, str] | tuple[int, str, str, str]
) -> None:
    """Send scans: so many minutes ago, the action, the item, and what it goes into."""
    service, before = log.service, len(log.lines)
    for ago, action, item, *into in scans:
        log.put(
            encode(
                Line(
                    seq=len(log.lines) + 1,
                    at=to_text(service.now - ago * 60 * SECOND),
                    action=action,
                    item=item,
                    location="DOCK-1",
                    container=into[0] if into else None,
                )
            )
        )
    assert (await log.send(before))[0] == 200


async def _taken(service: Service, path: str) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {service.keys['read']}"}
    async with service.session.get(f"{service.url}{path}", headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_a_program_takes_the_figures_as_csv_without_a_formula(log: Log) -> None:
    await _told(log, (90, "pick", _BAD), (5, "see", _BAD))
    status, media, body = await _taken(log.service, "/figures/incidents?days=1")
    assert (status, media) == (200, "text/csv")
    head, row = body.decode().splitlines()
    assert head.startswith("item,code,since,until,event,step,location,station")
    assert row.startswith("\"'=HYPERLINK(")
    assert row.endswith(f"{log.id}:1,pick,DOCK-1,{log.name}")


async def test_what_is_told_later_is_in_the_next_figures(log: Log) -> None:
    """A page is never older than what its reader was told just before."""
    await _told(log, (90, "receive", "P-1"))
    _, _, first = await _taken(log.service, "/figures/summary?days=1")
    await _told(log, (80, "store", "P-1"))
    _, _, then = await _taken(log.service, "/figures/summary?days=1")
    assert b"scans,1.0" in first
    assert b"scans,2.0" in then


async def test_parquet_needs_an_extra_and_says_so(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    await _told(log, (90, "receive", "P-1"), (80, "store", "P-1"))
    status, _, body = await _taken(log.service, "/figures/dwell?format=parquet")
    assert status == 501
    assert b"pip install 'scantrail[parquet]'" in body


@pytest.fixture(params=["sqlite", "postgres"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    """A station's log at a server on either database."""
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("database").database()
    async with serving(tmp_path, database=url) as service:
        found = Log(service, "DOCK")
        await found.join()
        yield found


async def _read(log: Log, table: str, query: str = "days=1") -> list[dict[str, object]]:
    """Take a table as Parquet, and read it."""
    path = f"/figures/{table}?format=parquet&{query}"
    status, media, body = await _taken(log.service, path)
    assert (status, media) == (200, "application/vnd.apache.parquet"), body[:200]
    rows: list[dict[str, object]] = parquet.read_table(io.BytesIO(body)).to_pylist()
    return rows


async def test_every_table_is_read_back_from_parquet_as_csv_has_it(either: Log) -> None:
    long = "P-" + "9" * 4000
    scans = ((90, "receive", "P-1"), (80, "pick", "P-1"), (70, "pick", _BAD))
    await _told(either, *scans, (60, "receive", long), (5, "store", long))
    for table in ("summary", "dwell", "hours", "incidents"):
        rows = await _read(either, table)
        _, _, body = await _taken(either.service, f"/figures/{table}?days=1")
        head, *lines = csv.reader(io.StringIO(body.decode()))
        assert rows, table
        assert list(rows[0]) == head
        assert len(rows) == len(lines)
    incidents = await _read(either, "incidents")
    assert [(row["item"], row["code"], row["station"]) for row in incidents] == [
        ("P-1", "handoff_overdue", "DOCK"),
        (_BAD, "handoff_overdue", "DOCK"),
    ]
    dwell = {row["step"]: row["p50_seconds"] for row in await _read(either, "dwell")}
    assert dwell == {"received": 600.0}
    assert {row["figure"]: row["now"] for row in await _read(either, "summary")}[
        "scans"
    ] == len(scans) + 2


async def test_a_table_without_rows_is_one_with_its_columns(either: Log) -> None:
    _, _, body = await _taken(
        either.service, "/figures/incidents?days=1&format=parquet"
    )
    found = parquet.read_table(io.BytesIO(body))
    assert found.num_rows == 0
    assert found.column_names[:3] == ["item", "code", "since"]
    assert {str(one) for one in found.schema.types} == {"string"}


async def _worked_out(service: Service, path: str) -> str:
    """Read a page, as often as it takes until it has what it works out."""
    async with asyncio.timeout(60):
        while True:
            status, media, body = await _taken(service, path)
            assert (status, media) == (200, "text/html"), path
            text = re.sub(r"<[^>]+>", "", body.decode())
            if "Counting:" not in text:
                return text


async def test_floor_figures_and_incidents_are_there_on_either_database(
    either: Log,
) -> None:
    await _told(either, (90, "receive", "P-1"), (80, "pick", "P-1"))
    service = either.service
    then = to_text(service.now - 85 * 60 * SECOND)
    await _told(either, (20, "store", "P-2"))
    for path, words in (
        ("/floor", "2 items are at a known place"),
        (f"/floor?at={then}", "1 items were at a known place"),
        (f"/floor?at={then}&known_at={then}", "0 items were at a known place"),
        (f"/places/DOCK-1?at={then}", "There then: 1"),
        (f"/places/DOCK-1?at={then}&known_at={then}", "Nothing was known"),
        ("/figures?days=1", "Handoffs confirmed in time"),
        ("/incidents?days=1", "Handoff overdue"),
        (f"/incidents?days=1&known_at={then}", "No incident began in this period"),
        ("/items/P-1/report", "nobody took it over"),
    ):
        assert words in await _worked_out(service, path), path


async def test_what_left_in_cartons_on_a_load_is_counted_however_long_ago_it_was_packed(
    either: Log,
) -> None:
    day = 24 * 60
    packed = [(20 * day, "pack", f"P-{n}", f"C-{n // 4}") for n in range(8)]
    await _told(either, *packed)
    aboard = [(9 * day, "load", f"C-{n}", "M-1") for n in range(2)]
    await _told(either, *aboard, (70, "load", "P-8", "M-1"), (60, "depart", "M-1"))
    _, _, body = await _taken(either.service, "/figures/summary?days=1")
    rows = {name: now for name, now, _ in csv.reader(io.StringIO(body.decode()))}
    assert (rows["left"], rows["compliance_of"]) == ("9.0", "9.0")
    assert rows["compliance_met"] == "8.0"
