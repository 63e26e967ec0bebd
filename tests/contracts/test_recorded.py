"""Stations and servers of other versions: what was recorded of each is understood.

Both ways, as it was said then, and with fields and headers that nobody knows yet.
"""

import base64
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.answers import Answer, Own, Sent, decide, read
from edge.decisions import Acked, Diverged, Rewind, Wait
from edge.reference import Copy
from shared.protocol import Enrolled, LogState, NextTaken
from tests.contracts.recording import FOLDER, record
from tests.serving import Service, serving

RECORDED = sorted(FOLDER.glob("*.json"))
UNKNOWN = {"from_a_later_version": {"with": ["anything", 1, None]}}


def _exchanges(path: Path) -> list[dict[str, Any]]:
    found = json.loads(path.read_text("utf-8"))
    assert isinstance(found, list)
    return found


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return _exchanges(request.param)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with serving(tmp_path) as found:
        yield found


def _later(text: bytes) -> bytes:
    return json.dumps({**json.loads(text), **UNKNOWN}).encode()


@pytest.mark.parametrize("later", [False, True], ids=["as it was", "and more"])
async def test_f45_the_server_understands_a_station_of_another_version(
    service: Service, recorded: list[dict[str, Any]], *, later: bool
) -> None:
    new = {"name": "DOCK-1", "location": "DOCK-1"}
    _, made = await service.call("POST", "/v1/stations", json=new)
    token = "nobody"  # noqa: S105
    for said in recorded:
        body = None if said["body"] is None else base64.b64decode(said["body"])
        if said["path"] == "/v1/enrol":
            assert body is not None
            body = body.replace(b"CODE", str(made["code"]).encode())
        headers = said["headers"]
        if later:
            headers = {**headers, "Scantrail-From-A-Later-Version": "yes"}
            if body and headers.get("Content-Type") == "application/json":
                body = _later(body)
        status, answer = await service.call(
            said["method"], said["path"], token, data=body, headers=headers
        )
        assert status == said["status"] or {status, said["status"]} <= {200, 201}
        assert set(said["answer"] or {}) - {"made_at"} <= set(answer)
        token = str(answer.get("token", token))
    _, shown = await service.call("GET", "/v1/items/P-1")
    assert shown["location"] == "DOCK-1"


@pytest.mark.parametrize("later", [False, True], ids=["as it was", "and more"])
async def test_f45_a_station_understands_a_server_of_another_version(
    recorded: list[dict[str, Any]], tmp_path: Path, *, later: bool
) -> None:
    found = []
    for said in recorded:
        body = json.dumps({**said["answer"], **(UNKNOWN if later else {})}).encode()
        answer = Answer(
            status=said["status"], content_type=said["type"], body=body, etag="e"
        )
        if "/lines?" in said["path"] or "/raw?" in said["path"]:
            reading = read(answer)
            own = Own(last=reading.acked or 0, head=reading.head)
            after = int(said["path"].rpartition("=")[2])
            raw = "/raw?" in said["path"]
            sent = Sent(after=after - raw, last=max(after, reading.acked or 0), raw=raw)
            found.append(type(decide(answer, reading, sent, own)))
        elif said["path"] == "/v1/enrol":
            assert msgspec.json.decode(body, type=Enrolled).station == "DOCK-1"
        elif said["path"] == "/v1/token":
            assert msgspec.json.decode(body, type=NextTaken).token_hash == "ab" * 32
        elif said["path"] == "/v1/reference":
            await _takes_reference(answer, tmp_path)
        else:
            assert msgspec.json.decode(body, type=LogState).acked == 23
    assert found == [Acked] * 6 + [Rewind, Diverged]
    assert Wait not in found


async def _takes_reference(answer: Answer, folder: Path) -> None:
    copy = Copy(folder)

    async def fetch(_: str) -> Answer:
        return answer

    await copy.refresh("another", fetch, again=True)
    assert copy.present is not None
    assert copy.present.etag == "e"


async def test_what_is_said_now_is_what_is_recorded_of_this_version(
    tmp_path: Path,
) -> None:
    """A change of what goes over the wire is seen here, and then recorded anew."""
    (kept,) = [one for one in RECORDED if one.stem == RECORDED[-1].stem]
    shutil.copy(kept, tmp_path)
    now, then = await record(), _exchanges(kept)

    def shape(exchanges: list[dict[str, Any]]) -> list[Any]:
        return [
            (
                *(one[name] for name in ("method", "path", "status", "type", "etag")),
                sorted(one["headers"]),
                sorted(one["answer"] or {}),
            )
            for one in exchanges
        ]

    assert shape(now) == shape(then)
