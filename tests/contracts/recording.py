"""What a station and a server of this version say to one another, written down.

``python -m tests.contracts.recording`` writes ``recorded/VERSION.json``, once for each
minor version that is released. `test_recorded` holds every later version to it.
"""

import asyncio
import base64
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp

from edge import uplink
from edge.answers import Answer, NoAnswer
from edge.joining import join
from edge.logs import Batch
from edge.uplink import Uplink
from shared import chain
from shared.health import ScannerState, StationHealth
from shared.lines import Line, encode
from shared.protocol import ClockReading
from tests.serving import NOW, Service, serving

FOLDER = Path(__file__).parent / "recorded"
LOG = "0b7c6f4e-8a3f-4a52-9f4e-2b8f1d1c9a10"
STATION, PLACE = "DOCK-1", "DOCK-1"
HEALTH = StationHealth(
    waiting=2, scanners=(ScannerState(device="gun", connected=True, since=5.0),)
)


class Recorder:
    """Writes down what passes between a station and its server."""

    def __init__(self) -> None:
        self.exchanges: list[dict[str, Any]] = []
        self._ask = uplink._ask

    async def ask(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        **more: Any,  # noqa: ANN401 - whatever it takes
    ) -> Answer | NoAnswer:
        answer = await self._ask(session, method, url, headers, body=body, **more)
        assert isinstance(answer, Answer), answer
        self.exchanges.append(
            {
                "method": method,
                "path": "/" + url.split("/", 3)[3],
                "headers": dict(headers),
                "body": None if body is None else base64.b64encode(body).decode(),
                "status": answer.status,
                "type": answer.content_type,
                "etag": bool(answer.etag),
                "answer": json.loads(answer.body) if answer.body else None,
            }
        )
        return answer


def _line(seq: int, item: str) -> bytes:
    at = "2026-04-24T03:06:40.000000Z"
    return encode(
        Line(
            seq=seq,
            at=at,
            boot="b1",
            mono=seq,
            synced=True,
            action="receive",
            item=item,
            location=PLACE,
            raw=item,
            symbology="]C0",
            device="gun",
        )
    )


def _batches() -> list[Batch]:
    few = [_line(n, f"P-{n}") for n in (1, 2)]
    many = [_line(n, f"P-{n}-{'x' * 100}") for n in range(3, 23)]
    heads = chain.walk(chain.start(LOG), [*few, *many])

    def batch(after: int, lines: list[bytes]) -> Batch:
        head = chain.walk(heads[after], lines)[-1]
        return Batch(
            log=LOG, after=after, base=heads[after], head=head, lines=tuple(lines)
        )

    return [batch(0, []), batch(0, few), batch(2, many), batch(0, few), batch(22, [])]


async def _say_everything(service: Service, folder: Path) -> None:
    new = {"name": STATION, "location": PLACE}
    _, made = await service.call("POST", "/v1/stations", json=new)
    me = await join(
        *(service.url, str(made["code"]), folder),
        log=LOG,
        version=version("scantrail"),
        host="machine",
    )
    clock = ClockReading(at=NOW, boot="b1", mono=100, synced=True)
    async with Uplink(
        me, clock=lambda: clock, version="0", health=lambda _: HEALTH.header()
    ) as link:
        for one in _batches():
            await link.send(one)
        await _at_odds(link)
        await link.offer(STATION, "ab" * 32)
        await link.reference("")
        await link.log(LOG)


async def _at_odds(link: Uplink) -> None:
    """Say what the server cannot agree with; and bytes that mean nothing."""
    heads = chain.walk(
        chain.start(LOG), [line for one in _batches()[1:3] for line in one.lines]
    )
    odd = b"no line at all"
    base = heads[-1]
    raw = Batch(log=LOG, after=22, base=base, head=chain.link(base, odd), lines=(odd,))
    await link.send_raw(raw)
    far = Batch(log=LOG, after=900, base=base, head=base, lines=())
    await link.send(far)
    other = _line(1, "P-OTHER")
    start = chain.start(LOG)
    fork = Batch(
        log=LOG, after=0, base=start, head=chain.link(start, other), lines=(other,)
    )
    await link.send(fork)


async def record() -> list[dict[str, Any]]:
    """Return what is said, in its order; codes and tokens are left out."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder) / "server") as service:
            with patch.object(uplink, "_ask", recorder.ask):
                await _say_everything(service, Path(folder) / "station")
    asked = recorder.exchanges[0]
    body = json.loads(base64.b64decode(asked["body"]))
    asked["body"] = base64.b64encode(json.dumps({**body, "code": "CODE"}).encode())
    asked["body"] = asked["body"].decode()
    asked["answer"]["token"] = "TOKEN"  # noqa: S105
    return recorder.exchanges


def main() -> None:
    """Write the file of this version."""
    name = ".".join(version("scantrail").split(".")[:2])
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(asyncio.run(record()), indent=1, sort_keys=True)
    (FOLDER / f"{name}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main()
