"""A server for the station's tests: contract, sections 3.1 to 3.3, in memory."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.answers import Answer, NoAnswer
from edge.logs import Batch
from shared import chain
from shared.protocol import (
    BASE,
    CLOCK,
    HEAD,
    SIGNATURE,
    Appended,
    ClockReading,
    Enrol,
    Enrolled,
    Outcomes,
    Problem,
    ProblemType,
)

JSON = "application/json"
PROBLEM = "application/problem+json"


def problem(
    status: int, type_: str, *, acked: int | None = None, head: str | None = None
) -> Answer:
    document = Problem(
        type=type_,
        title="No",
        status=status,
        detail="It is so.",
        acked=acked,
        head=head,
    )
    return Answer(
        status=status, content_type=PROBLEM, body=msgspec.json.encode(document)
    )


@dataclass
class Model:
    """What a server does with requests that reach it."""

    logs: dict[str, list[bytes]] = field(default_factory=dict)
    quarantined: set[tuple[str, int]] = field(default_factory=set)
    most_lines: int = 10_000
    poison: bytes | None = None
    etag: str = ""

    def head(self, log: str, seq: int) -> bytes:
        return chain.walk(chain.start(log), self.logs.get(log, [])[:seq])[-1]

    def append(
        self, log: str, after: int, base: bytes, lines: list[bytes], head: bytes
    ) -> Answer:
        there = self.logs.setdefault(log, [])
        if len(lines) > self.most_lines:
            return problem(413, ProblemType.TOO_LARGE)
        if self.poison is not None and any(self.poison in line for line in lines):
            return problem(422, ProblemType.FRAMING)
        if after > len(there):
            return self._conflict(log, ProblemType.GAP)
        overlap = there[after : after + len(lines)]
        if self.head(log, after) != base or overlap != lines[: len(overlap)]:
            return self._conflict(log, ProblemType.FORK)
        if chain.walk(base, lines)[-1] != head:
            return problem(422, ProblemType.FRAMING)
        there.extend(lines[len(overlap) :])
        return self._appended(log, len(lines), len(overlap))

    def append_raw(self, log: str, seq: int, base: bytes, data: bytes) -> Answer:
        poison, self.poison = self.poison, None
        answer = self.append(log, seq - 1, base, [data], chain.link(base, data))
        self.poison = poison
        self.quarantined.add((log, seq))
        return answer

    def _appended(self, log: str, lines: int, already: int) -> Answer:
        acked = len(self.logs[log])
        document = Appended(
            acked=acked,
            head=self.head(log, acked).hex(),
            outcomes=Outcomes(
                appended=lines - already, already=already, quarantined=[]
            ),
            backed_up=0,
            epoch="e1",
            received_at="2026-03-01T10:00:00.000000Z",
            reference=self.etag,
        )
        return Answer(status=200, content_type=JSON, body=msgspec.json.encode(document))

    def _conflict(self, log: str, type_: str) -> Answer:
        acked = len(self.logs[log])
        return problem(409, type_, acked=acked, head=self.head(log, acked).hex())


Answering = Callable[[Callable[[], Answer]], Answer | NoAnswer]


class ModelLink:
    """The way to a ``Model``, through a plan of what happens to each request."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.plan: list[Answering] = []
        self.batches: list[Batch] = []
        self.document = Answer(status=404)

    def _through(self, deliver: Callable[[], Answer]) -> Answer | NoAnswer:
        return self.plan.pop(0)(deliver) if self.plan else deliver()

    async def send(self, batch: Batch) -> Answer | NoAnswer:
        self.batches.append(batch)
        return self._through(
            lambda: self.model.append(
                batch.log, batch.after, batch.base, list(batch.lines), batch.head
            )
        )

    async def send_raw(self, batch: Batch) -> Answer | NoAnswer:
        (line,) = batch.lines
        return self._through(
            lambda: self.model.append_raw(batch.log, batch.last, batch.base, line)
        )

    async def reference(self, etag: str) -> Answer | NoAnswer:
        del etag
        return self.document


LOST = NoAnswer(problem="lost")


def request_lost(_deliver: Callable[[], Answer]) -> Answer | NoAnswer:
    return LOST


def answer_lost(deliver: Callable[[], Answer]) -> Answer | NoAnswer:
    deliver()
    return LOST


def delivered_twice(deliver: Callable[[], Answer]) -> Answer | NoAnswer:
    deliver()
    return deliver()


Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass
class Server:
    """The model over HTTP, with faults: each request meets the next one."""

    model: Model = field(default_factory=Model)
    code: str = "ABCD-1234"
    token: str = "t0ken"  # noqa: S105 known to the tests alone
    key: bytes = b""
    before: list[Fault] = field(default_factory=list)
    after: list[Fault] = field(default_factory=list)
    seen: list[web.Request] = field(default_factory=list)
    clocks: list[ClockReading] = field(default_factory=list)
    reference: bytes = b'{"locations":[]}'
    url: str = ""
    name: str = "s1"

    async def _alive(self, _: web.Request) -> Answer:
        said = msgspec.json.encode({"status": "alive", "server": self.name})
        return Answer(status=200, content_type=JSON, body=said)

    async def _lines(self, request: web.Request) -> Answer:
        log, after = request.match_info["log"], int(request.query["after"])
        body = await request.read()
        lines = body.split(b"\n")[:-1]
        refused = self._refusal(request, log, after + len(lines))
        return refused or self.model.append(
            log,
            after,
            bytes.fromhex(request.headers[BASE]),
            lines,
            bytes.fromhex(request.headers[HEAD]),
        )

    async def _raw(self, request: web.Request) -> Answer:
        log, seq = request.match_info["log"], int(request.query["seq"])
        refused = self._refusal(request, log, seq)
        base = bytes.fromhex(request.headers[BASE])
        data = await request.read()
        return refused or self.model.append_raw(log, seq, base, data)

    def _refusal(self, request: web.Request, log: str, last: int) -> Answer | None:
        self.clocks.append(ClockReading.from_header(request.headers[CLOCK]))
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return problem(401, ProblemType.UNAUTHORISED)
        message = chain.signed_message(log, last, bytes.fromhex(request.headers[HEAD]))
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(
                base64.b64decode(request.headers[SIGNATURE]), message
            )
        except InvalidSignature:
            return problem(422, ProblemType.SIGNATURE)
        return None

    async def _enrol(self, request: web.Request) -> Answer:
        asked = msgspec.json.decode(await request.read(), type=Enrol)
        if asked.code != self.code:
            return problem(403, ProblemType.CODE)
        self.code = ""
        self.key = base64.b64decode(asked.public_key)
        self.model.logs[asked.log] = []
        document = Enrolled(
            station="DOCK-1", token=self.token, server="s1", epoch="e1", location="DOCK"
        )
        return Answer(status=201, content_type=JSON, body=msgspec.json.encode(document))

    async def _reference(self, request: web.Request) -> Answer:
        if request.headers.get("If-None-Match") == self.model.etag:
            return Answer(status=304)
        return Answer(
            status=200, content_type=JSON, body=self.reference, etag=self.model.etag
        )

    def _handler(
        self, answer: Callable[[web.Request], Awaitable[Answer]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.seen.append(request)
            instead = await self.before.pop(0)(request) if self.before else None
            if instead is not None:
                return instead
            said = await answer(request)
            instead = await self.after.pop(0)(request) if self.after else None
            headers = {"ETag": said.etag} if said.etag else {}
            return instead or web.Response(
                status=said.status,
                body=said.body,
                content_type=said.content_type or JSON,
                headers=headers,
            )

        return handle

    @asynccontextmanager
    async def running(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Server"]:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/v1/logs/{log}/lines", self._handler(self._lines))
        app.router.add_post("/v1/logs/{log}/raw", self._handler(self._raw))
        app.router.add_post("/v1/enrol", self._handler(self._enrol))
        app.router.add_get("/healthz", self._handler(self._alive))
        app.router.add_get("/v1/reference", self._handler(self._reference))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


async def cut(request: web.Request) -> None:
    """Drop the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()


async def silent(request: web.Request) -> None:
    """Never answer; the server's end ends it."""
    del request
    await asyncio.Event().wait()


def instead(response: Callable[[], web.StreamResponse]) -> Fault:
    """Answer with something else."""

    async def fault(_request: web.Request) -> web.StreamResponse:
        return response()

    return fault
