"""Asking the server: reachable, trusted, the right one, and knowing this station."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.doctor.facts import ServerSeen
from edge.doctor.server import ask
from edge.identity import Identity
from shared.moments import SECOND, to_moment
from shared.protocol import ClockReading, Problem, ProblemType

NOW = to_moment("2026-11-25T10:00:00.4Z")
DATE = "Wed, 25 Nov 2026 10:00:00 GMT"
TOKEN = "st_secret"  # noqa: S105 - of a server in this test


def _clock() -> ClockReading:
    return ClockReading(at=NOW, boot="b", mono=1, synced=True)


def _me(url: str) -> Identity:
    return Identity(
        url=url,
        server="s1",
        station="DOCK-1",
        epoch="e",
        token=TOKEN,
        key=Ed25519PrivateKey.generate(),
    )


def _certificate(folder: Path, *names: x509.GeneralName, days: int = 90) -> Path:
    """Make a certificate that is its own authority; returns it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    ends = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=365))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class _Server:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.name = "s1"
        self.refuses: Problem | None = None
        self.healthz: Callable[[], web.StreamResponse] = self._alive
        self.url = ""

    def _alive(self) -> web.StreamResponse:
        found = {"status": "alive", "server": self.name}
        return web.json_response(found, headers={"Date": DATE})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.path, request.headers.get("Authorization", "")))
        if request.path == "/healthz":
            return self.healthz()
        if self.refuses is None:
            return web.json_response({"title": "unknown log"}, status=404)
        body = msgspec.json.encode(self.refuses)
        return web.Response(status=self.refuses.status, body=body)

    @asynccontextmanager
    async def running(self, certificate: Path | None) -> AsyncIterator["_Server"]:
        app = web.Application()
        app.router.add_get("/{rest:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def plain() -> AsyncIterator[_Server]:
    async with _Server().running(None) as server:
        yield server


async def _ask(server: _Server, trusted: Path | None = None) -> ServerSeen:
    tls = ssl.create_default_context(cafile=str(trusted)) if trusted else None
    return await ask(_me(server.url), "log-1", clock=_clock, tls=tls)


async def test_the_right_server_is_asked_for_this_stations_log(plain: _Server) -> None:
    seen = await _ask(plain)
    assert seen == ServerSeen(url=plain.url, server="s1", enrolled="s1", offset=0)
    assert plain.seen == [("/healthz", ""), ("/v1/logs/log-1", f"Bearer {TOKEN}")]


async def test_another_server_is_not_told_the_token(plain: _Server) -> None:
    plain.name = "s2\x1b[2J"
    assert (await _ask(plain)).server == "s2 [2J"
    assert plain.seen == [("/healthz", "")]


async def test_a_server_that_refuses_says_why(plain: _Server) -> None:
    plain.refuses = Problem(
        type=ProblemType.REVOKED, title="No", status=403, detail="It was revoked."
    )
    seen = await _ask(plain)
    assert seen.refusal == "the server refuses this station: It was revoked."


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(text="<html>", content_type="text/html"),
        lambda: web.Response(status=302, headers={"Location": "https://portal"}),
        lambda: web.Response(status=500),
        lambda: web.json_response([1]),
    ],
    ids=["page", "redirect", "error", "list"],
)
async def test_what_is_no_scantrail_server_is_told_nothing(
    plain: _Server, answer: Callable[[], web.StreamResponse]
) -> None:
    plain.healthz = answer
    seen = await _ask(plain)
    assert "no Scantrail server" in seen.problem
    assert plain.seen == [("/healthz", "")]


async def test_the_clocks_are_compared(plain: _Server) -> None:
    me = _me(plain.url)

    def slow() -> ClockReading:
        return ClockReading(at=NOW - 90 * SECOND, boot="b", mono=1, synced=True)

    seen = await ask(me, "log-1", clock=slow)
    assert -90 * SECOND <= (seen.offset or 0) <= -89 * SECOND
    plain.healthz = lambda: web.json_response(
        {"server": "s1"}, headers={"Date": "yesterday"}
    )
    assert (await ask(me, "log-1")).offset is None


async def test_a_server_that_is_not_there_says_so() -> None:
    async with _Server().running(None) as server:
        url = server.url
    seen = await ask(_me(url), "log-1")
    assert "cannot be reached" in seen.problem


async def test_a_certificate_is_shown_with_its_end_and_its_names(
    tmp_path: Path,
) -> None:
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    file = _certificate(tmp_path, x509.DNSName("scan.example"), address)
    async with _Server().running(file) as server:
        seen = await _ask(server, trusted=file)
    assert seen.problem == ""
    assert seen.certificate is not None
    assert seen.certificate.names == ("scan.example", "127.0.0.1")
    left = seen.certificate.expires - datetime.now(UTC).timestamp() * SECOND
    assert 89 < left / SECOND / 86_400 < 91


@pytest.mark.parametrize(
    ("names", "days", "trusts", "why"),
    [
        ([x509.DNSName("other.example")], 90, True, "IP address mismatch"),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], 90, False, "self"),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], -1, True, "expired"),
    ],
)
async def test_f36_a_certificate_that_is_not_to_be_trusted_is_shown_all_the_same(
    tmp_path: Path, names: list[x509.GeneralName], days: int, why: str, *, trusts: bool
) -> None:
    file = _certificate(tmp_path, *names, days=days)
    async with _Server().running(file) as server:
        seen = await _ask(server, trusted=file if trusts else None)
        assert server.seen == []
    assert "is not trusted" in seen.problem
    assert why in seen.problem
    assert seen.certificate is not None
    assert seen.certificate.names
