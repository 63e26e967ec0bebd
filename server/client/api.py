"""A client of a server's HTTP interface."""

import io
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from shared.addresses import has_scheme, without_scheme
from shared.errors import ProtocolError, ScantrailError, StartError
from shared.fingerprint import digest, split
from shared.protocol import Problem

__all__ = ["AnsweredError", "Client", "described", "path"]

T = TypeVar("T")

Query = Mapping[str, str | list[str]]

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer, at most."""

_HOW = {
    "server": "; an address reads like http://127.0.0.1:8080",
    "key": "; an administrator makes one with: scantrail-server key --data DIR "
    "--scope read (or a wider one, to change something)",
}

_STREAM = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120)
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)


class AnsweredError(ScantrailError):
    """The server answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.title}. {problem.detail}")


def described(error: ScantrailError) -> str:
    """Return an error as a sentence for the one who typed the command."""
    return str(error) or type(error).__name__


def path(*parts: str) -> str:
    """Join the parts of a path, each percent-encoded."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


class Client:
    """Talks to one server; use it as an async context manager.

    Where a fingerprint stands behind the address's ``#``, the server has to show the
    certificate that has it; no authority is asked then.

    Without an address or a key it is not made: StartError says how to name them.

    Every call raises ProtocolError where nobody, or somebody else, answers, and
    AnsweredError where the server refuses.
    """

    def __init__(self, server: str, key: str) -> None:
        for name, given in (("server", server), ("key", key)):
            if not given.strip():
                reason = (
                    f"which {name}? Name it with --{name}, or in "
                    f"SCANTRAIL_{name.upper()}{_HOW[name]}"
                )
                raise StartError(reason)
        try:
            address, fingerprint = split(server)
        except ValueError as error:
            reason = f"the server's address {server}: {error}"
            raise ProtocolError(reason) from error
        if not has_scheme(address):
            raise ProtocolError(without_scheme(address))
        self._server = address.rstrip("/")
        pin = aiohttp.Fingerprint(digest(fingerprint)) if fingerprint else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=pin),
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT,
        )

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
        """Close the connections to the server."""
        await self._session.close()

    async def get(self, where: str, kind: type[T], query: Query | None = None) -> T:
        """GET something, and read the answer as a type."""
        return await self._call("GET", where, kind, query=query)

    async def post(self, where: str, what: msgspec.Struct, kind: type[T]) -> T:
        """POST a value, and read the answer as a type."""
        return await self._call("POST", where, kind, body=msgspec.json.encode(what))

    async def put(self, where: str, what: msgspec.Struct, kind: type[T]) -> T:
        """PUT a value, and read the answer as a type."""
        return await self._call("PUT", where, kind, body=msgspec.json.encode(what))

    async def delete(self, where: str) -> None:
        """DELETE something; it is well if it was not there."""
        await self._call("DELETE", where, type(None))

    async def stream(self, where: str, query: Query) -> AsyncIterator[bytes]:
        """GET something of any length, and give it as it comes."""
        url = URL(self._server + where, encoded=True).update_query(query)
        try:
            async with self._session.get(
                url, allow_redirects=False, timeout=_STREAM
            ) as answer:
                if answer.status != HTTPStatus.OK:
                    _read(answer, await _whole(answer), Problem)
                async for piece in answer.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = f"the server at {self._server} stopped in the middle: {error}"
            raise ProtocolError(reason) from error

    async def send(
        self,
        where: str,
        body: bytes,
        content_type: str,
        kind: type[T],
        query: Query | None = None,
        *,
        more: Mapping[str, str] | None = None,
    ) -> T:
        """POST a document as it is, and read the answer as a type."""
        headers = {"Content-Type": content_type, **(more or {})}
        return await self._call(
            "POST", where, kind, query=query, body=body, headers=headers
        )

    async def _call(
        self,
        method: str,
        where: str,
        kind: type[T],
        *,
        query: Query | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> T:
        url = URL(self._server + where, encoded=True).update_query(query or {})
        sent = None if body is None else io.BytesIO(body)
        try:
            async with self._session.request(
                method, url, data=sent, headers=headers, allow_redirects=False
            ) as answer:
                return _read(answer, await _whole(answer), kind)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProtocolError(_unreached(self._server, error)) from error


def _unreached(server: str, error: Exception) -> str:
    """Say why nothing was heard of a server, and what to do."""
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return (
            f"the server at {server} shows another certificate than the address has "
            f"behind its #: {'sha256:' + error.got.hex()}. Nothing was sent. Was it "
            "replaced? Its own log says what it shows"
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return (
            f"the certificate of {server} is not trusted: no authority known here "
            "stands for it. Nothing was sent. Where the server made it itself, its log "
            "shows the address with a fingerprint: https://HOST:PORT#sha256:…"
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        other = server.replace("https://", "http://", 1)
        return (
            f"what answers at {server} speaks no TLS. Nothing was sent. A server "
            f"without [tls] is asked with {other}"
        )
    lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    plainly = lost and not isinstance(error, aiohttp.ClientConnectorError)
    if plainly and server.startswith("http://"):
        other = server.replace("http://", "https://", 1)
        return f"{server} ended the connection. Does it speak TLS? Then: {other}"
    return (
        f"the server at {server} cannot be reached "
        f"({str(error) or 'no answer in time'}). "
        "Is it running, and is the address right?"
    )


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in answer.content.iter_any():
        data += chunk
        if len(data) > MAX_ANSWER:
            reason = f"the answer is longer than {MAX_ANSWER} bytes; ask for less"
            raise ProtocolError(reason)
    return bytes(data)


def _read(answer: aiohttp.ClientResponse, data: bytes, kind: type[T]) -> T:
    try:
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise AnsweredError(msgspec.json.decode(data, type=Problem))
        empty = answer.status == HTTPStatus.NO_CONTENT
        return msgspec.json.decode(b"null" if empty else data, type=kind)
    except msgspec.DecodeError as error:
        reason = (
            f"{answer.url.origin()} answered {answer.status} with something that is "
            "not Scantrail's. Is the address right?"
        )
        raise ProtocolError(reason) from error
