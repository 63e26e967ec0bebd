"""Joining a server with a one-time code: contract 3.1."""

from ipaddress import ip_address
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import identity, uplink
from edge.answers import Answer, NoAnswer, plain
from edge.certificates import shown
from edge.decisions import Search
from edge.identity import Identity
from edge.outbox import Outbox
from edge.uplink import Trust, pinned
from shared.errors import ProtocolError, StartError
from shared.fingerprint import digest, fingerprint, split
from shared.protocol import Enrol, Enrolled, Problem, ProblemType

__all__ = ["OthersLogError", "join", "move_in", "server_url"]

_T = TypeVar("_T")

_GOOD = (200, 201)


class OthersLogError(StartError):
    """The log is another station's; what the server has of it at ``acked``."""

    def __init__(self, text: str, acked: int, head: bytes) -> None:
        super().__init__(text)
        self.acked = acked
        self.head = head


class _Join(Protocol):
    """``join``, with all but the log given."""

    async def __call__(self, *, log: str, have: int) -> Identity: ...


async def move_in(outbox: Outbox, asked: _Join) -> Identity:
    """Join with what an outbox holds.

    Where its log is another station's on the server, as on a machine that lost its
    name, or has another's disk: begin a new log with what the server lacks.

    Raises:
        ScantrailError: As ``join``; or the outbox cannot be written.
    """
    try:
        return await asked(log=outbox.log, have=outbox.last)
    except OthersLogError as error:
        common = await _common(outbox, asked, error)
    await outbox.start_log(common)
    return await asked(log=outbox.log, have=outbox.last)


async def _common(outbox: Outbox, asked: _Join, told: OthersLogError) -> int:
    """Return the last line that the server has of the log just as it is here."""
    first = outbox.state.present.first
    if told.acked <= first or await outbox.head_at(told.acked) == told.head:
        return max(told.acked, first)
    search = Search(low=first, high=told.acked - 1)
    while not search.done:
        try:
            await asked(log=outbox.log, have=search.middle)
        except OthersLogError as error:
            same = await outbox.head_at(search.middle) == error.head
            search = search.told(same=same and error.acked == search.middle)
    return search.low


async def join(
    url: str,
    code: str,
    data: Path,
    *,
    log: str,
    version: str,
    host: str,
    insecure: bool = False,
    pin: str = "",
    tls: Trust = None,
    have: int | None = None,
) -> Identity:
    """Make a key pair, join the server with it, and keep the identity in ``data``.

    Args:
        url: Where the server is, like ``https://scantrail.example.org``; a fingerprint
            may stand behind its ``#``.
        code: The one-time code that an administrator made for this station.
        data: The station's data folder.
        log: The name of the outbox's present log.
        version: The station's version.
        host: The machine's name.
        insecure: Send the code and the token without TLS, also over a network.
        pin: The fingerprint of the certificate that the server has to show.
        tls: Whom to trust where no certificate is pinned.
        have: The line whose head the server has to name, where the log is another's.

    Raises:
        OthersLogError: The log is another station's.
        StartError: The address cannot be used, nobody answers, the code is not taken,
            or the data folder cannot be written.
        ProtocolError: What answers is not a Scantrail server.
    """
    address, mark = _pinned(url, pin)
    server = server_url(address, insecure=insecure)
    key = Ed25519PrivateKey.generate()
    me = Identity(url=server, server="", station="", epoch="", token="", key=key)
    request = Enrol(
        code=code.strip(),
        public_key=me.public_key,
        log=log,
        version=version,
        host=host,
        have=have,
    )
    answer = await uplink.enrol(server, request, tls=pinned(mark) or tls)
    if isinstance(answer, NoAnswer) and not mark:
        answer = await _with_what_it_shows(server, answer)
    enrolled = _enrolled(server, answer)
    joined = Identity(
        url=server,
        server=enrolled.server,
        station=enrolled.station,
        epoch=enrolled.epoch,
        location=enrolled.location,
        fingerprint=mark,
        token=enrolled.token,
        key=key,
    )
    identity.save(data, joined)
    return joined


def _pinned(url: str, pin: str) -> tuple[str, str]:
    """Return the address, and the fingerprint that came with it or beside it."""
    try:
        address, mark = split(url)
        beside = f"sha256:{digest(pin).hex()}" if pin else mark
    except ValueError as error:
        raise StartError(str(error)) from error
    if mark and beside != mark:
        reason = "the address has another fingerprint in it than --fingerprint says"
        raise StartError(reason)
    if beside and not address.startswith("https://"):
        reason = f"{plain(address)} shows no certificate; a fingerprint needs https://"
        raise StartError(reason)
    return address, beside


async def _with_what_it_shows(server: str, answer: NoAnswer) -> NoAnswer:
    """Add how to trust a server that no authority knows, or how to do without TLS."""
    if uplink.NO_TLS in answer.problem:
        return NoAnswer(problem=f"{answer.problem}. Is it without TLS? Try http://")
    certificate = await shown(server) if "is not trusted" in answer.problem else None
    if certificate is None:
        return answer
    advice = (
        f"{answer.problem}. It shows {fingerprint(certificate)}: if the server's own "
        "log says the same, join with --fingerprint and that"
    )
    return NoAnswer(problem=advice)


def server_url(text: str, *, insecure: bool = False) -> str:
    """Return a server's address as it is used: without a slash at its end.

    Raises:
        StartError: It is no such address, or plain http to another machine.
    """
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        reason = f"{plain(text)} is not an address: {error}"
        raise StartError(reason) from error
    known = parts.scheme in {"http", "https"} and parts.hostname
    if not known or parts.query or parts.fragment or "@" in parts.netloc:
        reason = (
            f"{plain(text)} is not the address of a server; "
            "it reads like https://scantrail.example.org"
        )
        raise StartError(reason)
    if parts.scheme == "http" and not (insecure or _loopback(parts.hostname or "")):
        reason = (
            f"{plain(text)} is not encrypted: anyone on the way could read this "
            "station's token. Use https://, or allow it with --insecure"
        )
        raise StartError(reason)
    return url


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _enrolled(server: str, answer: Answer | NoAnswer) -> Enrolled:
    """Read the server's answer to a request to join."""
    if isinstance(answer, NoAnswer):
        reason = f"{answer.problem}. Nothing was changed; try again"
        raise StartError(reason)
    kind = answer.content_type.partition(";")[0].strip().lower()
    if answer.status in _GOOD and kind == "application/json":
        return _document(server, answer, Enrolled)
    if kind == "application/problem+json":
        problem = _document(server, answer, Problem)
        reason = (
            f"{server} does not let this station join: "
            f"{plain(problem.detail or problem.title)}"
        )
        if problem.type == ProblemType.LOG and problem.acked is not None:
            raise OthersLogError(reason, problem.acked, _head(server, answer, problem))
        raise StartError(reason)
    raise _not_ours(server, answer)


def _head(server: str, answer: Answer, problem: Problem) -> bytes:
    try:
        return bytes.fromhex(problem.head or "")
    except ValueError as error:
        raise _not_ours(server, answer) from error


def _document(server: str, answer: Answer, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (ValueError, RecursionError) as error:
        raise _not_ours(server, answer) from error


def _not_ours(server: str, answer: Answer) -> ProtocolError:
    what = plain(answer.location) and f"leads on to {plain(answer.location)}"
    shown = plain(answer.content_type) or "nothing"
    reason = (
        f"{server} {what or f'answers {answer.status} ({shown})'}, which is not a "
        "Scantrail server; see the address"
    )
    return ProtocolError(reason)
