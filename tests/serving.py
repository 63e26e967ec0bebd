"""A server in this process, and a station's log as it would send it."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.api.context import Context
from server.app import create_app
from server.config import ServerConfig, Webhook
from server.connections import CONNECTIONS, Site
from server.keys import Keys, Scope
from server.own_log import OwnLog
from server.people import People
from server.reference import ReferenceData
from server.sessions import Sessions
from server.site import DEFAULT
from server.store import Store
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared import chain
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import BASE, CLOCK, HEAD, SIGNATURE, ClockReading

NOW = 1_777_000_000 * SECOND
_UP = 1_000_000 * SECOND
"""How long each station's machine has been running at `NOW`."""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that the server does by itself."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 # what it looks at tells nobody
            await asyncio.sleep(0.01)


_JSON = ("application/json", "application/problem+json")


class Service:
    """A server in this process, and keys for it."""

    context: Context
    app: web.Application

    def __init__(self, url: str, keys: dict[str, str], folder: Path) -> None:
        self.url, self.keys, self.folder = url, keys, folder
        self.now = NOW
        self.session = aiohttp.ClientSession()

    def at(self) -> str:
        return to_text(self.now)

    async def call(
        self,
        method: str,
        path: str,
        who: str = "admin",
        *,
        json: object = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, object]]:
        secret = self.keys.get(who, who)
        send = {"Authorization": f"Bearer {secret}"} if secret else {}
        async with self.session.request(
            method,
            f"{self.url}{path}",
            json=json,
            data=data,
            headers={**send, **(headers or {})},
            allow_redirects=False,
        ) as answer:
            if answer.status < 400 and answer.content_type not in _JSON:
                await answer.read()
                return answer.status, {}
            found = await answer.json(content_type=None)
            wanted = "application/json"
            if answer.status >= 400:
                wanted = "application/problem+json"
                assert found["status"] == answer.status
                assert {"type", "title", "detail"} <= set(found)
            assert answer.content_type == wanted
            return answer.status, found

    async def not_modified(
        self, path: str, secret: str, headers: dict[str, str]
    ) -> None:
        send = {"Authorization": f"Bearer {secret}", **headers}
        async with self.session.get(f"{self.url}{path}", headers=send) as answer:
            assert answer.status == 304
            assert answer.headers["ETag"]


@asynccontextmanager
async def serving(
    folder: Path, webhooks: tuple[Webhook, ...] = (), database: str = ""
) -> AsyncIterator[Service]:
    """Serve from a folder; served again, it is where it was.

    ``database``: the address of a PostgreSQL that has the events instead.
    """
    keys = Keys(folder / "keys")
    made = {s.value: keys.create(s, "", f"a {s.value} key") for s in Scope}
    found = Service("", {**made, "nobody": ""}, folder)
    store: Store
    if database:
        store = await PostgresStore.open(
            database, lambda: found.now, clock=lambda: found.now
        )
    else:
        store = await SqliteStore.open(folder / "scantrail.db", lambda: found.now)
    people = People(folder / "people")
    context = Context(
        store=store,
        keys=keys,
        people=people,
        sessions=Sessions(folder / "sessions", people),
        reference=ReferenceData(store, lambda: found.now),
        own=await OwnLog.open(store, folder / "own-log.json", lambda: found.now),
        now=lambda: found.now,
        site=DEFAULT,
        webhooks=webhooks,
        code_lifetime=3600 * SECOND,
        config=ServerConfig(data=str(folder)),
    )
    found.context = context
    found.app = create_app(context)
    runner = web.AppRunner(found.app, auto_decompress=False)
    try:
        await runner.setup()
        watched = found.app[CONNECTIONS]
        await Site(runner, watched, "127.0.0.1", 0, None).start()
        host, port = runner.addresses[0][:2]
        found.url = f"http://{host}:{port}"
        yield found
    finally:
        await found.session.close()
        await runner.cleanup()


class Log:
    """A station's log, as it would send it."""

    def __init__(self, service: Service, name: str) -> None:
        self.service, self.name, self.token = service, name, ""
        self.id = str(uuid4())
        self.heads = [chain.start(self.id)]
        self.lines: list[bytes] = []
        self.key = Ed25519PrivateKey.generate()
        self.boot, self.asked, self.ahead = "b", 0, 0

    async def join(
        self, kind: str = "station", *, replaces: bool = False
    ) -> tuple[int, dict[str, object]]:
        new: dict[str, object] = {
            "name": self.name,
            "kind": kind,
            "replaces": replaces,
        }
        if kind == "station":
            new["location"] = "DOCK-1"
        _, invited = await self.service.call("POST", "/v1/stations", json=new)
        status, joined = await self.enrol(str(invited["code"]))
        self.token = str(joined["token"])
        return status, joined

    async def enrol(
        self, code: str, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, object]]:
        public = base64.b64encode(self.key.public_key().public_bytes_raw()).decode()
        asked = {"code": code, "public_key": public, "log": self.id, "host": "pi"}
        return await self.service.call(
            "POST", "/v1/enrol", "nobody", json=asked, headers=headers
        )

    def add(
        self, *items: str, action: str = "receive", container: str | None = None
    ) -> None:
        for item in items:
            line = Line(
                seq=len(self.lines) + 1,
                at=to_text(self.service.now),
                action=action,
                item=item,
                container=container,
                location="DOCK-1",
            )
            self.put(encode(line))

    def put(self, data: bytes) -> None:
        self.lines.append(data)
        self.heads.append(chain.link(self.heads[-1], data))

    def mono(self) -> int:
        """Return what the boot clock of its machine shows; no two requests see one."""
        return _UP + self.service.now - NOW + self.asked

    def headers(self, after: int, last: int) -> dict[str, str]:
        head = self.heads[last]
        signed = self.key.sign(chain.signed_message(self.id, last, head))
        self.asked += 1
        at, synced = self.service.now + self.ahead, not self.ahead
        clock = ClockReading(at=at, boot=self.boot, mono=self.mono(), synced=synced)
        return {
            BASE: self.heads[after].hex(),
            HEAD: head.hex(),
            SIGNATURE: base64.b64encode(signed).decode(),
            CLOCK: clock.header(),
        }

    def token_signature(self, token_hash: str) -> str:
        message = chain.token_message(self.name, token_hash)
        return base64.b64encode(self.key.sign(message)).decode()

    async def send(
        self,
        after: int,
        last: int | None = None,
        changed: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, object]]:
        last = len(self.lines) if last is None else last
        body = b"".join(line + b"\n" for line in self.lines[after:last])
        return await self.post(
            after, body, {**self.headers(after, last), **(changed or {})}
        )

    async def post(
        self, after: int, body: bytes, headers: dict[str, str]
    ) -> tuple[int, dict[str, object]]:
        path = f"/v1/logs/{self.id}/lines?after={after}"
        call = self.service.call
        return await call("POST", path, self.token, data=body, headers=headers)
