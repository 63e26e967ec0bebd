"""Logs: appending lines, and how far they are known."""

import asyncio
import base64
import binascii
import logging

from aiohttp import web

from server.api import tokens, wire
from server.api.context import CONTEXT
from server.api.guard import station_of
from server.api.metrics import METRICS
from server.delivery import Delivery, checked, split, unpack
from server.problems import ProblemError, framing, invalid, not_found
from server.signatures import signed
from server.store import Receipt, Station
from shared.chain import walk
from shared.errors import ProtocolError
from shared.health import HEALTH, StationHealth
from shared.moments import to_text
from shared.protocol import (
    BASE,
    CLOCK,
    HEAD,
    MAX_PACKED,
    SIGNATURE,
    Appended,
    ClockReading,
    Outcomes,
    ProblemType,
)

__all__ = ["acknowledgement", "append", "append_raw", "state"]

_LOG = logging.getLogger("scantrail.server")

_HASH = 32
_LARGE = 64 * 1024  # bytes above which a thread takes the body apart
_MOST = 2**53


def _hash_header(request: web.Request, name: str) -> bytes:
    text = request.headers.get(name, "")
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != _HASH:
        reason = f"header {name}: expected 64 hexadecimal digits"
        raise invalid(reason)
    return value


def _signature(request: web.Request) -> bytes:
    try:
        return base64.b64decode(request.headers.get(SIGNATURE, ""), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _clock(request: web.Request) -> ClockReading | None:
    text = request.headers.get(CLOCK)
    if text is None:
        return None
    try:
        return ClockReading.from_header(text)
    except ProtocolError as error:
        raise invalid(str(error)) from error


def _health(request: web.Request) -> StationHealth | None:
    """Read what the station says of itself; nonsense holds up no line."""
    text = request.headers.get(HEALTH)
    if text is None:
        return None
    try:
        return StationHealth.from_header(text)
    except ProtocolError as error:
        _LOG.warning("passed over: %s", ascii(str(error)[:200]))
        return None


def _verify(station: Station, delivery: Delivery) -> None:
    if not signed(
        station.public_key,
        delivery.signature,
        log=delivery.log,
        last=delivery.last,
        head=delivery.heads[-1],
    ):
        reason = (
            f"header {SIGNATURE}: it was not made with the key that station "
            f"{station.name} joined with"
        )
        raise ProblemError(403, ProblemType.SIGNATURE, reason)


async def _deliver(
    request: web.Request, after: int, lines: list[bytes], *, opaque: bool
) -> web.Response:
    context = request.app[CONTEXT]
    station = station_of(request)
    if station is None:  # the guard let nobody else in
        reason = "only a station writes a log"
        raise invalid(reason)
    delivery = Delivery(
        log=request.match_info["log"],
        after=after,
        lines=lines,
        heads=walk(_hash_header(request, BASE), lines),
        signature=_signature(request),
        clock=_clock(request),
        health=_health(request),
        opaque=opaque,
    )
    _verify(station, checked(delivery, _hash_header(request, HEAD)))
    receipt = await context.store.append(station, delivery)
    request.app[METRICS].received(receipt)
    return wire.json(
        acknowledgement(
            receipt,
            epoch=context.store.identity.epoch,
            reference=await context.reference.tag(station.name),
            token_due=tokens.due(station, context),
        )
    )


def acknowledgement(
    receipt: Receipt, *, epoch: str, reference: str, token_due: bool = False
) -> Appended:
    """Write what became of a delivery for its station: contract, section 3.2."""
    return Appended(
        acked=receipt.acked,
        head=receipt.head.hex(),
        outcomes=Outcomes(
            appended=receipt.appended,
            already=receipt.already,
            quarantined=receipt.quarantined,
        ),
        backed_up=receipt.backed_up,
        epoch=epoch,
        received_at=to_text(receipt.received),
        reference=reference,
        token_due=token_due,
    )


async def append(request: web.Request) -> web.Response:
    """``POST /v1/logs/{log}/lines?after=N``: contract, section 3.2."""
    after = wire.number(request, "after", None, _MOST)
    body = await wire.body(request, MAX_PACKED)
    encoding = request.headers.get("Content-Encoding", "")

    def take() -> list[bytes]:
        return split(unpack(body, encoding))

    lines = take() if len(body) < _LARGE else await asyncio.to_thread(take)
    return await _deliver(request, after, lines, opaque=False)


async def append_raw(request: web.Request) -> web.Response:
    """``POST /v1/logs/{log}/raw?seq=N``: one line that is never to be understood."""
    seq = wire.number(request, "seq", None, _MOST)
    data = unpack(
        await wire.body(request, MAX_PACKED),
        request.headers.get("Content-Encoding", ""),
    )
    if not data or seq == 0:
        reason = "one line is needed, and seq counts from 1"
        raise framing(reason)
    return await _deliver(request, seq - 1, [data], opaque=True)


async def state(request: web.Request) -> web.Response:
    """``GET /v1/logs/{log}``: how far a log is known, to its station and to readers."""
    name = request.match_info["log"]
    found = await request.app[CONTEXT].store.log(name)
    station = station_of(request)
    if found is None or (station is not None and station.name != found.station):
        reason = f"no log {name[:80]!r} is known here"
        raise not_found(reason)
    return wire.json(found)
