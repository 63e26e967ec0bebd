"""The figures as tables to take, over HTTP."""

import importlib.util
import io

import pytest

from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from tests.serving import Log, Service

_HOUR = 3600 * SECOND
_BAD = '=HYPERLINK("http://x","y")'


async def _told(log: Log, *scans: tuple[int, str, str]) -> None:
    """Send scans: so many minutes ago, the action, the item."""
    service, before = log.service, len(log.lines)
    for ago, action, item in scans:
        log.put(
            encode(
                Line(
                    seq=len(log.lines) + 1,
                    at=to_text(service.now - ago * 60 * SECOND),
                    action=action,
                    item=item,
                    location="DOCK-1",
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


async def test_parquet_needs_an_extra_and_says_so(log: Log) -> None:
    await _told(log, (90, "receive", "P-1"), (80, "store", "P-1"))
    status, _, body = await _taken(log.service, "/figures/dwell?format=parquet")
    if importlib.util.find_spec("pyarrow") is None:
        assert status == 501
        assert b"pip install 'scantrail[parquet]'" in body
        return
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(io.BytesIO(body)).to_pylist()
    assert [(row["step"], row["p50_seconds"]) for row in rows] == [("received", 600.0)]
