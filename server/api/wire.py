"""Reading requests and writing answers: one way for every handler."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from aiohttp import web

from server.answers import Horizon
from server.api.context import Context
from server.problems import ProblemError, framing, invalid, too_large
from server.store import View
from shared.moments import to_moment, to_text
from shared.protocol import Problem

__all__ = [
    "body",
    "cursor",
    "cursor_after",
    "cursor_to",
    "flag",
    "horizon",
    "json",
    "key",
    "moment",
    "number",
    "problem",
    "struct",
    "tagged",
    "view",
]

T = TypeVar("T")

MAX_JSON = 64 * 1024
"""Bytes of a request that is one JSON object."""

MAX_KEY = 1024
"""Characters of a key that is asked for, at most."""


async def body(request: web.Request, limit: int) -> bytes:
    """Read a request's body as it was sent.

    Raises:
        ProblemError: 413 where it is longer than ``limit`` bytes.
    """
    reason = f"the body is longer than {limit} bytes"
    if (request.content_length or 0) > limit:
        raise too_large(reason)
    found = bytearray()
    try:
        async for chunk in request.content.iter_chunked(64 * 1024):
            found += chunk
            if len(found) > limit:
                raise too_large(reason)
    except (ConnectionError, web.RequestPayloadError) as error:
        reason = "the request ended before its body did; nothing of it was used"
        raise framing(reason) from error
    return bytes(found)


async def struct(request: web.Request, kind: type[T], empty: T | None = None) -> T:
    """Read a request's body as a JSON object of a type; ``empty`` stands for no body.

    Raises:
        ProblemError: 400 where it is none.
    """
    data = await body(request, MAX_JSON)
    if not data and empty is not None:
        return empty
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = f"the body cannot be used: {error}"
        raise invalid(reason) from error


def key(request: web.Request, name: str) -> str:
    """Read a key of the path, percent-decoded.

    Raises:
        ProblemError: 400 where no scan can have it.
    """
    found = request.match_info[name]
    if len(found) > MAX_KEY or not _encodable(found):
        reason = (
            f"{name} {found[:40]!a}…: expected a key of at most {MAX_KEY} characters"
        )
        raise invalid(reason)
    return found


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(request: web.Request, name: str, default: int | None, most: int) -> int:
    """Read a whole number, from 0 to ``most``, of the query.

    Raises:
        ProblemError: 400 where it is none.
    """
    text = request.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit()) or int(text) > most:
        reason = f"{name}={(text or '')[:40]!r}: expected a whole number up to {most}"
        raise invalid(reason)
    return int(text)


def cursor(request: web.Request, kind: type[T]) -> T | None:
    """Read the query's cursor: where the page before ended.

    Raises:
        ProblemError: 400 where this server did not give it.
    """
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        data = base64.b64decode(text, altchars=b"-_", validate=True)
        return msgspec.json.decode(data, type=kind)
    except (binascii.Error, ValueError) as error:
        reason = "cursor: not one that this server gave"
        raise invalid(reason) from error


def cursor_after(
    page: Sequence[T], limit: int, place: Callable[[T], object]
) -> str | None:
    """Write the cursor that leads on behind a page; none where it was the last."""
    if len(page) < limit:
        return None
    return cursor_to(place(page[-1]))


def cursor_to(place: object) -> str:
    """Write the cursor that leads on behind a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


async def horizon(context: Context) -> Horizon:
    """Return up to when everything was told, as of now."""
    now = context.store.present()
    return await context.store.horizon(View(at=now, known_at=now))


def flag(request: web.Request, name: str) -> bool:
    """Read a yes or no of the query; no where it is missing.

    Raises:
        ProblemError: 400 where it is neither.
    """
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        reason = f"{name}={text[:40]!r}: expected true or false"
        raise invalid(reason)
    return text == "true"


def view(request: web.Request, now: int) -> View:
    """Read ``at`` and ``known_at`` of the query; both are now where they are missing.

    Raises:
        ProblemError: 400 where one is no time.
    """
    return View(
        at=_moment(request, "at", now), known_at=_moment(request, "known_at", now)
    )


def _moment(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    return default if text is None else moment(name, text)


def moment(name: str, text: str) -> int:
    """Read a time.

    Raises:
        ProblemError: 400 where it is none.
    """
    try:
        found = to_moment(text)
        to_text(found)  # one that can be written, too
    except (ValueError, OverflowError) as error:
        reason = (
            f"{name}={text[:40]!r}: expected a time such as 2026-04-27T08:00:00Z "
            "(a + in a query has to be written %2B)"
        )
        raise invalid(reason) from error
    return found


def json(value: object, status: int = 200) -> web.Response:
    """Answer with a value of shared.protocol."""
    return web.Response(
        body=msgspec.json.encode(value), status=status, content_type="application/json"
    )


def tagged(request: web.Request, tag: str, document: bytes) -> web.Response:
    """Answer with a JSON document, or with 304 where the one who asks has it."""
    known = request.headers.get("If-None-Match", "").split(",")
    bare = tag.removeprefix("W/")
    if any(one.strip().removeprefix("W/") in (bare, "*") for one in known):
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(
        body=document, content_type="application/json", headers={"ETag": tag}
    )


def problem(error: ProblemError) -> web.Response:
    """Answer with a problem."""
    found: Problem = error.problem
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.allow is not None:
        headers["Allow"] = error.allow
    if found.status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(found),
        status=found.status,
        content_type="application/problem+json",
        headers=headers,
    )
