"""Asking the station's server: does it answer, is it the one, does it know us?

Its certificate is looked at on a connection of its own, over which nothing is sent.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec
from cryptography import x509

from edge import uplink
from edge.answers import Answer, NoAnswer, plain
from edge.certificates import shown
from edge.clock import Clock, read_clock
from edge.doctor.facts import Certificate, ServerSeen
from edge.identity import Identity
from edge.uplink import Deadlines, Trust, Uplink, pinned
from shared.moments import SECOND, to_moment
from shared.protocol import Problem

__all__ = ["ask"]

_PATIENCE = Deadlines(connect=5.0, read=10.0, total=20.0)
_GOOD, _NOT_FOUND = 200, 404


class _Alive(msgspec.Struct, kw_only=True):
    server: str = ""


async def ask(
    me: Identity,
    log: str,
    *,
    clock: Clock = read_clock,
    tls: Trust = None,
) -> ServerSeen:
    """Ask the server that the station joined.

    Args:
        me: The station's identity.
        log: The name of its present log.
        clock: Compared with the server's.
        tls: Whom to trust where the identity pins no certificate.
    """
    trust = pinned(me.fingerprint) or tls
    answer = await uplink.look(me.url, deadlines=_PATIENCE, tls=trust)
    # whoever pins a certificate does not ask for its dates and names
    certificate = None if me.fingerprint else await _certificate(me.url)
    seen = ServerSeen(url=me.url, enrolled=me.server, certificate=certificate)
    if isinstance(answer, NoAnswer):
        return msgspec.structs.replace(seen, problem=answer.problem)
    alive = _alive(answer)
    if alive is None:
        what = plain(answer.location) or f"status {answer.status}"
        problem = f"{me.url} answers ({what}), and is no Scantrail server"
        return msgspec.structs.replace(seen, problem=problem)
    refusal = ""
    if alive.server == me.server:  # else it is not told the token
        async with Uplink(me, clock=clock, deadlines=_PATIENCE, tls=tls) as link:
            refusal = _refusal(await link.log(log))
    offset = _offset(answer.date, clock().at)
    return msgspec.structs.replace(
        seen, server=plain(alive.server), refusal=refusal, offset=offset
    )


def _alive(answer: Answer) -> _Alive | None:
    if answer.status != _GOOD:
        return None
    try:
        return msgspec.json.decode(answer.body, type=_Alive)
    except (ValueError, RecursionError):
        return None


def _refusal(answer: Answer | NoAnswer) -> str:
    """Return why the server does not know the station; a log may be unknown to it."""
    if isinstance(answer, NoAnswer):
        return answer.problem
    if answer.status in {_GOOD, _NOT_FOUND}:
        return ""
    try:
        problem = msgspec.json.decode(answer.body, type=Problem)
    except (ValueError, RecursionError):
        return f"the server refuses this station: status {answer.status}"
    return f"the server refuses this station: {plain(problem.detail or problem.title)}"


def _offset(date: str, now: int) -> int | None:
    """Return how far ``now`` is ahead of an HTTP date, which counts whole seconds."""
    try:
        then = to_moment(parsedate_to_datetime(date).isoformat())
    except (TypeError, ValueError):
        return None
    if then <= now < then + SECOND:
        return 0
    return now - then


async def _certificate(url: str) -> Certificate | None:
    """Return what the server shows of itself, also where that is not to be trusted."""
    certificate = await shown(url)
    with contextlib.suppress(ValueError):
        return _described(x509.load_der_x509_certificate(certificate or b""))
    return None


def _described(shown: x509.Certificate) -> Certificate:
    ends: datetime = shown.not_valid_after_utc.astimezone(UTC)
    return Certificate(
        expires=round(ends.timestamp()) * SECOND,
        names=tuple(plain(name) for name in _names(shown)),
    )


def _names(shown: x509.Certificate) -> Iterator[str]:
    with contextlib.suppress(x509.ExtensionNotFound, ValueError):
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        yield from names.value.get_values_for_type(x509.DNSName)
        yield from map(str, names.value.get_values_for_type(x509.IPAddress))
