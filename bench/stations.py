"""Stations that send what they have as fast as they are answered, as one process.

Everything is written, chained and signed before the first request, so that the process
costs the machine little while it sends. Started as ``python -m bench.stations URL KEY
STATIONS BATCHES FIRST SIZE``, it prints one JSON object: how many lines, and in how
many seconds. FIRST is the number of the first station: no two have parcels in common.
SIZE is how many lines are sent at once.
"""

import asyncio
import base64
import json
import sys
import time
from itertools import islice
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.work import AT_ONCE, batches
from shared.chain import signed_message, start, walk
from shared.moments import SECOND
from shared.protocol import BASE, HEAD, SIGNATURE

__all__ = ["Sending", "joined"]

_AHEAD = 86_400 * SECOND


class Sending:
    """One station's requests, ready to be sent."""

    def __init__(self, url: str, log: str, token: str, key: Ed25519PrivateKey) -> None:
        self._url, self.log = url, log
        self.bearer = {"Authorization": f"Bearer {token}"}
        self.sign = key.sign
        self.requests: list[tuple[int, bytes, dict[str, str]]] = []
        self.lines = 0
        self._head = start(log)

    def prepare(self, station: int, count: int, turn: int, size: int = AT_ONCE) -> None:
        """Write, chain and sign batches of a station's work, of so many lines each."""
        begun = time.time_ns() // 1000 - _AHEAD
        work = (
            [data for _, data in batch[first : first + size]]
            for batch in batches(station, begun, turn)
            for first in range(0, len(batch), size)
        )
        for lines in islice(work, count):
            self.add(lines)

    def add(self, lines: list[bytes]) -> None:
        """Chain and sign lines as one request."""
        after, base = self.lines, self._head
        self.lines += len(lines)
        self._head = walk(base, lines)[-1]
        signature = self.sign(signed_message(self.log, self.lines, self._head))
        headers = {
            **self.bearer,
            BASE: base.hex(),
            HEAD: self._head.hex(),
            SIGNATURE: base64.b64encode(signature).decode(),
        }
        self.requests.append((after, b"\n".join(lines) + b"\n", headers))

    async def send(self, session: aiohttp.ClientSession) -> None:
        """Send them, one after the other."""
        for after, body, headers in self.requests:
            url = f"{self._url}/v1/logs/{self.log}/lines?after={after}"
            async with session.post(url, data=body, headers=headers) as answer:
                if answer.status != 200:  # noqa: PLR2004 # the only good answer
                    raise RuntimeError(await answer.text())
                await answer.read()
        self.requests.clear()


async def joined(session: aiohttp.ClientSession, url: str, key: str) -> Sending:
    """Let a new station join the server."""
    log, private = str(uuid4()), Ed25519PrivateKey.generate()
    asked = {"name": f"bench-{log}", "location": "DOCK-1", "kind": "station"}
    headers = {"Authorization": f"Bearer {key}"}
    async with session.post(f"{url}/v1/stations", json=asked, headers=headers) as found:
        code = (await found.json())["code"]
    public = base64.b64encode(private.public_key().public_bytes_raw()).decode()
    joining = {"code": code, "public_key": public, "log": log}
    async with session.post(f"{url}/v1/enrol", json=joining) as found:
        token = (await found.json())["token"]
    return Sending(url, log, token, private)


async def _main(url: str, key: str, asked: list[int]) -> None:
    stations, count, first, size = asked
    turn = time.time_ns() // 10**9 % 10**9
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        sending = [await joined(session, url, key) for _ in range(stations)]
        for number, one in enumerate(sending, first):
            one.prepare(number, count, turn, size)
        began = time.perf_counter()
        await asyncio.gather(*(one.send(session) for one in sending))
        seconds = time.perf_counter() - began
    lines = sum(one.lines for one in sending)
    print(json.dumps({"lines": lines, "seconds": seconds}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], [*map(int, sys.argv[3:7])]))
