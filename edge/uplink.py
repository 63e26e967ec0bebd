"""One request to the server at a time: the station's only HTTP client.

Every failure of the network comes back as a value. Nothing is followed: a redirect, a
cookie or a compressed answer could only come from something that is not our server.
"""

import base64
import os
import ssl
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from edge.answers import Answer, NoAnswer, plain
from edge.clock import Clock, read_clock
from edge.identity import Identity
from edge.logs import Batch
from shared import chain
from shared.fingerprint import digest
from shared.health import HEALTH
from shared.moments import SECOND
from shared.protocol import BASE, CLOCK, HEAD, SIGNATURE, Enrol, NextToken

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["NO_TLS", "Deadlines", "Trust", "Uplink", "enrol", "look", "pinned"]

Trust = ssl.SSLContext | aiohttp.Fingerprint | None
"""Whom to believe: authorities, one certificate, or those of the system (None)."""

NO_TLS = "speaks plain HTTP, or is no TLS server"
"""What is said of a server that answers TLS with something else."""
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}  # OpenSSL's words for it

_LONGEST_ANSWER = 1024 * 1024
_LONGEST_REFERENCE = 16 * 1024 * 1024
_WORTH_PACKING = 1024  # bytes: below, a body fits into a packet as it is
_PACKING = 1  # zstd's fastest ordinary level
_HEALTH_AGAIN = 30 * SECOND  # between two requests with lines that carry the health


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for a connection, for the next byte, and for a request as a whole."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 30.0


def pinned(fingerprint: str) -> Trust:
    """Return the trust in one certificate alone; without one, in the authorities.

    Its dates and names do not count: it is the one, or it is not. So a station whose
    clock has lost its battery reaches its server all the same.
    """
    return aiohttp.Fingerprint(digest(fingerprint)) if fingerprint else None


class Uplink:
    """The way to the server that this station joined. An async context manager."""

    def __init__(
        self,
        identity: Identity,
        *,
        clock: Clock = read_clock,
        version: str = "",
        health: Callable[[Batch], str] = lambda _: "",
        deadlines: Deadlines | None = None,
        tls: Trust = None,
    ) -> None:
        """Prepare it; nothing is sent yet.

        Args:
            identity: What the station joined with.
            clock: Read just before each request that carries lines.
            version: The station's, for the server's access log.
            health: Writes the HEALTH header beside what is about to be sent.
            deadlines: How long a request may take.
            tls: Whom to trust where the identity pins no certificate.
        """
        self._identity = identity
        self._clock = clock
        self._health = health
        self._told: int | None = None
        trust = pinned(identity.fingerprint) or tls
        self._session = _session(version, deadlines or Deadlines(), trust)
        self.use(identity.token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection to the server."""
        await self._session.close()

    async def send(self, batch: Batch) -> Answer | NoAnswer:
        """Append a batch's lines; without lines, it is a heartbeat: contract 3.2."""
        body, packing = _packed(batch.body)
        return await self._post(
            f"/v1/logs/{batch.log}/lines?after={batch.after}",
            batch,
            body,
            {"Content-Type": "application/x-ndjson", **packing},
        )

    async def send_raw(self, batch: Batch) -> Answer | NoAnswer:
        """Append a batch's only line as opaque bytes: contract 3.3."""
        (line,) = batch.lines
        return await self._post(
            f"/v1/logs/{batch.log}/raw?seq={batch.last}",
            batch,
            line,
            {"Content-Type": "application/octet-stream"},
        )

    async def reference(self, etag: str) -> Answer | NoAnswer:
        """Fetch the reference data, unless ``etag`` still names them: contract 3.4."""
        return await _ask(
            self._session,
            "GET",
            f"{self._identity.url}/v1/reference",
            {"If-None-Match": etag} if etag else {},
            limit=_LONGEST_REFERENCE,
        )

    def use(self, token: str) -> None:
        """Send this token from now on."""
        self._session.headers["Authorization"] = f"Bearer {token}"

    async def offer(self, station: str, token_hash: str) -> Answer | NoAnswer:
        """Tell the server what token comes next, by its SHA-256 in hex."""
        signature = self._identity.sign(chain.token_message(station, token_hash))
        asked = NextToken(
            token_hash=token_hash, signature=base64.b64encode(signature).decode()
        )
        return await _ask(
            self._session,
            "POST",
            f"{self._identity.url}/v1/token",
            {"Content-Type": "application/json"},
            body=msgspec.json.encode(asked),
        )

    async def log(self, name: str) -> Answer | NoAnswer:
        """Ask how far the server knows a log; it answers whom it knows."""
        url = f"{self._identity.url}/v1/logs/{name}"
        return await _ask(self._session, "GET", url, {})

    async def _post(
        self, path: str, batch: Batch, body: bytes, headers: Mapping[str, str]
    ) -> Answer | NoAnswer:
        message = chain.signed_message(batch.log, batch.last, batch.head)
        signature = base64.b64encode(self._identity.sign(message)).decode()
        signed = {
            **headers,
            BASE: batch.base.hex(),
            HEAD: batch.head.hex(),
            SIGNATURE: signature,
            CLOCK: self._clock().header(),
            **self._health_header(batch),
        }
        return await _ask(
            self._session, "POST", self._identity.url + path, signed, body=body
        )

    def _health_header(self, batch: Batch) -> dict[str, str]:
        """Say how the station does: with heartbeats, and with lines now and then."""
        now = self._clock().mono
        soon = self._told is not None and now - self._told < _HEALTH_AGAIN
        text = "" if batch.lines and soon else self._health(batch)
        if not text:
            return {}
        self._told = now
        return {HEALTH: text}


async def enrol(
    url: str,
    request: Enrol,
    *,
    deadlines: Deadlines | None = None,
    tls: Trust = None,
) -> Answer | NoAnswer:
    """Ask the server at ``url`` to let this station join: contract 3.1."""
    version = request.version
    async with _session(version, deadlines or Deadlines(), tls) as session:
        return await _ask(
            session,
            "POST",
            f"{url}/v1/enrol",
            {"Content-Type": "application/json"},
            body=msgspec.json.encode(request),
        )


async def look(
    url: str, *, deadlines: Deadlines | None = None, tls: Trust = None
) -> Answer | NoAnswer:
    """Ask whether the server at ``url`` lives; it is told nothing of the station."""
    async with _session("", deadlines or Deadlines(), tls) as session:
        return await _ask(session, "GET", f"{url}/healthz", {})


def _session(version: str, deadlines: Deadlines, tls: Trust) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, ssl=tls or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={
            "Accept-Encoding": "identity",
            "User-Agent": f"scantrail-station/{version or 'unknown'}",
        },
        timeout=aiohttp.ClientTimeout(
            total=deadlines.total,
            connect=deadlines.connect,
            sock_connect=deadlines.connect,
            sock_read=deadlines.read,
        ),
    )


def _packed(body: bytes) -> tuple[bytes, dict[str, str]]:
    if len(body) < _WORTH_PACKING:
        return body, {}
    return zstd.compress(body, level=_PACKING), {"Content-Encoding": "zstd"}


async def _ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    body: bytes | None = None,
    limit: int = _LONGEST_ANSWER,
) -> Answer | NoAnswer:
    try:
        async with session.request(
            method, url, headers=headers, data=body, allow_redirects=False
        ) as response:
            return Answer(
                status=response.status,
                content_type=response.headers.get("Content-Type", ""),
                body=await _bounded(response.content, limit),
                retry_after=response.headers.get("Retry-After", ""),
                date=response.headers.get("Date", ""),
                location=response.headers.get("Location", ""),
                etag=response.headers.get("ETag", ""),
            )
    except TimeoutError:
        return NoAnswer(
            problem=f"{_origin(url)} did not answer in time", timed_out=True
        )
    except aiohttp.ServerFingerprintMismatch as error:
        return NoAnswer(
            problem=f"{_origin(url)} shows another certificate than the one that this "
            f"station joined by (sha256:{error.got.hex()}); nothing was sent. Where it "
            "was renewed on purpose: scantrail-station trust, with that fingerprint"
        )
    except aiohttp.ClientSSLError as error:
        if _is_no_tls(error):
            return NoAnswer(problem=f"{_origin(url)} {NO_TLS}; nothing was sent")
        return NoAnswer(
            problem=f"{_origin(url)} is not trusted: {plain(str(error))}; nothing was "
            "sent. See its certificate, and whether this station's clock is right"
        )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return NoAnswer(problem=f"{_origin(url)} cannot be reached: {_why(error)}")


def _is_no_tls(error: aiohttp.ClientSSLError) -> bool:
    """Whether what answered a TLS greeting was not TLS at all."""
    cause = (
        error.os_error if isinstance(error, aiohttp.ClientConnectorSSLError) else None
    )
    return isinstance(cause, ssl.SSLError) and cause.reason in _NOT_TLS


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known here; see the name, and the network"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return "the connection was cut"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return plain(str(error)) or type(error).__name__


async def _bounded(content: aiohttp.StreamReader, limit: int) -> bytes:
    """Read a body; one that is longer than ``limit`` counts as empty."""
    parts: list[bytes] = []
    async for part in content.iter_any():
        parts.append(part)
        limit -= len(part)
        if limit < 0:
            return b""
    return b"".join(parts)
