"""Stations' tokens: who holds one, and replacing it."""

import base64
import binascii

from aiohttp import web

from server.api import wire
from server.api.context import CONTEXT, Context
from server.api.guard import station_of
from server.problems import ProblemError, invalid
from server.signatures import signed_token
from server.store import Station, Token
from shared.moments import SECOND
from shared.protocol import NextTaken, NextToken, ProblemType

__all__ = ["due", "renew"]

LIFETIME = 24 * 3600 * SECOND
"""How old a station's token becomes before the station is asked for another."""


def due(station: Station, context: Context) -> bool:
    """Whether a station's token should be replaced."""
    old = context.now() - station.token_since > LIFETIME
    return old and station.token is Token.PRESENT  # the next is new by being used


async def renew(request: web.Request) -> web.Response:
    """``POST /v1/token``: a station says what token it will use next.

    The same again, as after an answer that was lost, changes nothing.
    """
    station = station_of(request)
    if station is None:  # the guard let nobody else in
        reason = "only a station has a token"
        raise invalid(reason)
    asked = await wire.struct(request, NextToken)
    if not signed_token(
        station.public_key,
        _bytes(asked.signature),
        station=station.name,
        token_hash=asked.token_hash,
    ):
        reason = (
            "signature: it was not made with the key that station "
            f"{station.name} joined with"
        )
        raise ProblemError(403, ProblemType.SIGNATURE, reason)
    await request.app[CONTEXT].store.offer_token(
        station, bytes.fromhex(asked.token_hash)
    )
    return wire.json(NextTaken(station=station.name, token_hash=asked.token_hash))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
