"""Stations: letting them join, and what is known of them."""

import base64
import binascii
import secrets

from aiohttp import web

from server.api import wire
from server.api.acts import write
from server.api.context import CONTEXT, Context
from server.api.guard import actor
from server.api.rates import RATES
from server.keys import hashed, new_secret
from server.problems import ProblemError, invalid, not_found
from server.station_exceptions import station_state
from server.store import Code, Invitation, Joining, Station, is_own
from shared.api.acts import Written
from shared.api.stations import (
    CodePage,
    CodeState,
    NewStation,
    Revoke,
    StationCode,
    StationPage,
)
from shared.moments import to_text
from shared.protocol import Enrol, Enrolled, ProblemType

__all__ = [
    "code_states",
    "codes",
    "end",
    "enrol",
    "invite",
    "made_code",
    "revoke",
    "stations",
]

_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # without I, L, O, 0, 1
_GROUPS, _GROUP = 3, 4
_KEY_LENGTH = 32
_MAX_NAME = 100
_DEFAULT_CODES, _MOST_CODES = 100, 1000


def new_code() -> str:
    """Make a code that can be read aloud: twelve of 31 characters, 59 random bits."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP))
        for _ in range(_GROUPS)
    )
    return "-".join(groups)


def plain_code(text: str) -> str:
    """Read a code however it was typed."""
    return "".join(c for c in text.upper() if c in _ALPHABET)


async def invite(request: web.Request) -> web.Response:
    """``POST /v1/stations``: make a one-time code for a named station."""
    return wire.json(
        await made_code(request, await wire.struct(request, NewStation)), status=201
    )


async def made_code(request: web.Request, new: NewStation) -> StationCode:
    """Make a one-time code.

    Raises:
        ProblemError: 400 where no station can be called so; 409 where one is, and the
            code is not to replace it.
    """
    context, name = request.app[CONTEXT], new.name.strip()
    if is_own(name):
        reason = f"{name} is the server itself; a station needs another name"
        raise invalid(reason)
    code, expires = new_code(), context.now() + context.code_lifetime
    await context.store.invite(
        Invitation(
            name=name,
            location=new.location,
            kind=new.kind,
            code_hash=hashed(plain_code(code)),
            expires=expires,
            replaces=new.replaces,
            by=actor(request),
        )
    )
    if new.replaces:
        await write(request, action="note", station=name, text="code made, to replace")
    return StationCode(station=name, code=code, expires_at=to_text(expires))


async def codes(request: web.Request) -> web.Response:
    """``GET /v1/codes``: which codes were made, by whom, and what became of each."""
    limit = max(1, wire.number(request, "limit", _DEFAULT_CODES, _MOST_CODES))
    found = await code_states(request.app[CONTEXT], limit)
    return wire.json(CodePage(codes=found))


async def code_states(context: Context, limit: int) -> list[CodeState]:
    """Return the codes that were made, the newest first, as a reader gets them."""
    now = context.now()
    return [_code_state(one, now) for one in await context.store.codes(limit)]


def _code_state(one: Code, now: int) -> CodeState:
    return CodeState(
        station=one.station,
        kind=one.kind,
        location=one.location,
        replaces=one.replaces,
        made_by=one.by,
        made_at=to_text(one.made),
        expires_at=to_text(one.expires),
        used_at=None if one.used is None else to_text(one.used),
        state="used" if one.used else "expired" if one.expires < now else "open",
    )


async def revoke(request: web.Request) -> web.Response:
    """``POST /v1/stations/{station}/revoke``: stolen, lost, or out of use.

    What it sent stays; what it captures from now on it keeps, and sends once an
    administrator lets it join anew.
    """
    asked = await wire.struct(request, Revoke, empty=Revoke())
    done = await end(request, wire.key(request, "station"), asked.reason)
    return wire.json(done, status=201)


async def end(request: web.Request, name: str, reason: str) -> Written:
    """Revoke a station, and write down who did it and why.

    Raises:
        ProblemError: 404 where there is none.
    """
    if is_own(name) or not await request.app[CONTEXT].store.revoke(name):
        told = f"no station {name[:80]!r} is known here"
        raise not_found(told)
    return await write(
        request, action="note", station=name, text="revoked", reason=reason or None
    )


def _public_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_LENGTH:
        reason = "public_key: expected base64 of the 32 bytes of an Ed25519 key"
        raise invalid(reason)
    return key


async def enrol(request: web.Request) -> web.Response:
    """``POST /v1/enrol``: a station joins with its code."""
    context = request.app[CONTEXT]
    asked = await wire.struct(request, Enrol)
    rates, now = request.app[RATES], context.now()
    rates.admit_code(request, now)
    token = new_secret("st")
    try:
        station = await context.store.enrol(
            Joining(
                code_hash=hashed(plain_code(asked.code)),
                log=asked.log,
                token_hash=hashed(token),
                public_key=_public_key(asked.public_key),
                version=asked.version[:_MAX_NAME],
                host=asked.host[:_MAX_NAME],
                have=asked.have,
            )
        )
    except ProblemError as problem:
        if problem.problem.type == ProblemType.CODE:
            rates.note_wrong_code(request, now)
        raise
    await _tell_displaced(request, station, asked.host[:_MAX_NAME])
    identity = context.store.identity
    return wire.json(
        Enrolled(
            station=station.name,
            token=token,
            server=identity.server,
            epoch=identity.epoch,
            location=station.location,
        )
    )


async def _tell_displaced(request: web.Request, station: Station, host: str) -> None:
    """Write down that a machine took another's place, in the server's own log."""
    gone = station.displaced
    if gone is None:
        return
    address = request.app[RATES].address(request)
    reason = (
        f"{gone.host[:_MAX_NAME]}, log {gone.log} up to line {gone.acked}, "
        f"by {host} at {address}"
    )
    await request.app[CONTEXT].own.remark(station.name, "displaced", reason)


async def stations(request: web.Request) -> web.Response:
    """``GET /v1/stations``: each with its horizon, backlog, clock and scanners."""
    context = request.app[CONTEXT]
    now, limit = context.store.present(), context.silent_limit
    found = [station_state(seen, now, limit) for seen in await context.store.stations()]
    return wire.json(StationPage(stations=found))
