"""The station's token, replaced by another now and then.

The station makes the next token by itself, and keeps it before the server is told of
it. Until it is used first both hold, so that an answer that is lost, or a power cut at
any point, locks nobody out. A server that was restored from a backup knows an earlier
one: they are tried when the present one is not known any more.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from edge import identity
from edge.answers import Answer, NoAnswer
from edge.clock import Clock, read_clock
from edge.decisions import Unknown
from edge.identity import Identity
from shared.errors import StartError
from shared.moments import SECOND
from shared.protocol import NextTaken

__all__ = ["TokenLink", "Tokens"]

_log = logging.getLogger(__name__)

MOST = 60
"""Earlier tokens that are kept: about as many days."""
_AGAIN = 600 * SECOND  # after a try that came to nothing
_TAKEN, _KNOWN = 200, 409


class TokenLink(Protocol):
    """The way to the server, as ``edge.uplink.Uplink`` has it."""

    def use(self, token: str) -> None:
        """Send this token from now on."""

    async def offer(self, station: str, token_hash: str) -> Answer | NoAnswer:
        """Tell the server what token comes next, by its SHA-256 in hex."""


class Tokens:
    """The token of a station that has joined.

    Args:
        data: The station's data folder.
        me: Its identity.
        link: What sends the token.
        clock: Says when to try again.
        fresh: Makes a secret.
    """

    def __init__(
        self,
        data: Path,
        me: Identity,
        link: TokenLink,
        *,
        clock: Clock = read_clock,
        fresh: Callable[[], str] = lambda: f"st_{secrets.token_urlsafe(32)}",
    ) -> None:
        self._data = data
        self._me = me
        self._link = link
        self._clock = clock
        self._fresh = fresh
        self._not_before: int | None = None
        self._used = me.token
        self._untried = _others(me)

    async def renew(self) -> None:
        """Offer the next token, and use it once the server has taken it."""
        now = self._clock().mono
        if self._not_before is not None and now < self._not_before:
            return
        self._not_before = now + _AGAIN
        if not self._me.following:
            await self._keep(replace(self._me, following=self._fresh()))
        following = self._me.following
        if not following:  # it could not be kept
            return
        token_hash = sha256(following.encode()).hexdigest()
        answer = await self._link.offer(self._me.station, token_hash)
        if _taken(answer, token_hash):
            await self._go_on_with(following)
        elif isinstance(answer, Answer) and answer.status == _KNOWN:
            await self._keep(replace(self._me, following=""))

    async def accepted(self) -> None:
        """Keep to the token that the server took, where it was another."""
        if self._used != self._me.token:
            _log.warning("the server knows another token of this station; it is kept")
            await self._go_on_with(self._used)
        self._untried = _others(self._me)

    def refused(self, unknown: Unknown) -> bool:
        """Try another token next; return whether there is one."""
        if unknown is Unknown.NO:
            return False
        if unknown is Unknown.REPLACED:  # only its successor can hold
            self._untried = [t for t in self._untried if t == self._me.following]
        left = bool(self._untried)
        self._used = self._untried.pop(0) if left else self._me.token
        self._link.use(self._used)
        return left

    async def _go_on_with(self, token: str) -> None:
        me = self._me
        earlier = [t for t in (me.token, *me.earlier) if t != token][:MOST]
        following = "" if token == me.following else me.following
        if await self._keep(
            replace(me, token=token, following=following, earlier=tuple(earlier))
        ):
            self._used = token
            self._link.use(token)
            self._untried = _others(self._me)
            self._not_before = None

    async def _keep(self, me: Identity) -> bool:
        """Keep what changed on the disk; only then does it count."""
        try:
            await asyncio.to_thread(identity.save, self._data, me)
        except StartError as error:
            _log.warning("the token stays as it is: %s", error)
            return False
        self._me = me
        return True


def _others(me: Identity) -> list[str]:
    return [*([me.following] if me.following else []), *me.earlier]


def _taken(answer: Answer | NoAnswer, token_hash: str) -> bool:
    if isinstance(answer, NoAnswer) or answer.status != _TAKEN:
        return False
    try:
        said = msgspec.json.decode(answer.body, type=NextTaken)
    except (ValueError, RecursionError):
        return False
    return said.token_hash == token_hash
