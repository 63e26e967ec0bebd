"""Stations that send their lines to any of several servers, whatever befalls those.

Each sends again, to another server, until it is acknowledged; what it was told counts
only with a whole answer, as for a real station.
"""

import asyncio
import base64
import random
from collections.abc import Callable, Sequence
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared import chain
from shared.lines import Line, encode
from shared.moments import to_text
from shared.protocol import BASE, HEAD, SIGNATURE

__all__ = ["Sender"]

_GOOD = 200


class Sender:
    """One station, what it wrote, and how its sending went.

    Args:
        name: What it is called.
        urls: Returns the servers that there are.
        chance: What decides which one is asked, and how much is sent.
    """

    def __init__(
        self, name: str, urls: Callable[[], Sequence[str]], chance: random.Random
    ) -> None:
        self.name, self.log = name, str(uuid4())
        self._urls, self._chance = urls, chance
        self._key, self._token = Ed25519PrivateKey.generate(), ""
        self.lines: list[bytes] = []
        self.heads = [chain.start(self.log)]
        self.acked = self.failed = self.busy = self.already = 0

    async def join(self, session: aiohttp.ClientSession, key: str) -> None:
        """Join through one of the servers."""
        asked = {"name": self.name, "location": "DOCK-1", "kind": "station"}
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{self._urls()[0]}/v1/stations"
        async with session.post(url, json=asked, headers=headers) as answer:
            code = (await answer.json())["code"]
        public = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        joining = {"code": code, "public_key": public, "log": self.log}
        url = f"{self._urls()[-1]}/v1/enrol"
        async with session.post(url, json=joining) as answer:
            self._token = (await answer.json())["token"]

    def write(self, at: int, action: str, item: str, **fields: str) -> None:
        """Write a line."""
        seq = len(self.lines) + 1
        line = Line(seq=seq, at=to_text(at), action=action, item=item, **fields)  # type: ignore[arg-type]
        self.lines.append(encode(line))
        self.heads.append(chain.link(self.heads[-1], self.lines[-1]))

    async def send_all(self, session: aiohttp.ClientSession) -> None:
        """Send until everything is acknowledged."""
        while self.acked < len(self.lines):
            last = min(len(self.lines), self.acked + self._chance.randint(1, 40))
            if not await self._send(session, self.acked, last):
                await asyncio.sleep(0.05 * self._chance.random())

    async def _send(
        self, session: aiohttp.ClientSession, after: int, last: int
    ) -> bool:
        url = self._chance.choice(self._urls())
        head = self.heads[last]
        signature = self._key.sign(chain.signed_message(self.log, last, head))
        try:
            async with session.post(
                f"{url}/v1/logs/{self.log}/lines?after={after}",
                data=b"".join(line + b"\n" for line in self.lines[after:last]),
                headers={
                    "Authorization": f"Bearer {self._token}",
                    BASE: self.heads[after].hex(),
                    HEAD: head.hex(),
                    SIGNATURE: base64.b64encode(signature).decode(),
                },
            ) as answer:
                told = await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            self.failed += 1
            return False
        if answer.status != _GOOD:
            assert answer.status == 503, told
            assert answer.headers["Retry-After"]
            self.busy += 1
            return False
        self.already += told["outcomes"]["already"]
        self.acked = told["acked"]
        assert told["head"] == self.heads[self.acked].hex()
        return True
