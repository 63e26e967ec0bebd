"""Webhooks: every event is told to other systems, in order, until it was taken.

Each call is one event, signed as standard-webhooks asks: HMAC-SHA256 over its id, the
time and the body. A receiver gets each event at least once, knows it again by its id
(``<log>:<seq>``), and gets the events of one item in the server's order. The position
is kept durably once all up to it were taken: the queue is the feed itself.

Addresses come from the settings file alone, so that nobody but the administrator can
point the server at something; redirects are not followed.
"""

import asyncio
import base64
import binascii
import hmac
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import aiohttp
import msgspec

from server.config import Webhook
from server.feed import feed_event
from server.metrics import Metrics
from server.store import Entry, Store
from shared.api.feed import FeedEvent
from shared.errors import ConfigError
from shared.settings_file import read_secret_file

__all__ = ["Hook", "hooks", "lanes", "pause", "signature"]

BATCH = 100
"""Events under way, at most."""
AT_ONCE = 8
"""Calls at the same time, each for other items."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0  # seconds
_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
_LEAST_SECRET = 16
_PREFIX = "whsec_"

_LOG = logging.getLogger("scantrail.server")

Random = Callable[[], float]
"""Returns a number from 0 to 1."""


class Told(msgspec.Struct, kw_only=True):
    """The body of a call."""

    type: str = "event"
    timestamp: str
    data: FeedEvent


class _Named(msgspec.Struct):
    """What an event names, as far as it can be read."""

    action: str = ""
    item: str | None = None
    container: str | None = None
    items: tuple[str, ...] = ()


# --- pure -----------------------------------------------------------------------------


def signature(secret: bytes, identity: str, at: int, body: bytes) -> str:
    """Sign a call: standard-webhooks, ``v1``; ``at`` is in seconds since 1970."""
    content = f"{identity}.{at}.".encode() + body
    digest = hmac.new(secret, content, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def pause(tries: int, chance: float) -> float:
    """Return how many seconds to wait after so many tries: longer and longer."""
    longest: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 20))
    return longest * (0.5 + chance / 2)


def _named(entry: Entry) -> _Named:
    try:
        return msgspec.json.decode(entry.line, type=_Named)
    except (ValueError, RecursionError):
        return _Named()


def _names(entry: Entry) -> list[str]:
    named = _named(entry)
    found = [name for name in (named.item, named.container, *named.items) if name]
    return found or [f"log {entry.event.rpartition(':')[0]}"]


def lanes(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Part events into lanes, each in order, so that no two lanes name one item."""
    of: dict[str, list[Entry]] = {}
    for entry in entries:
        names = _names(entry)
        joined = {id(of[name]): of[name] for name in names if name in of}
        lane = sorted(
            (one for part in joined.values() for one in part),
            key=lambda one: one.position,
        )
        lane.append(entry)
        moved = {name for name, part in of.items() if id(part) in joined}
        of.update(dict.fromkeys([*moved, *names], lane))
    return list({id(lane): lane for lane in of.values()}.values())


# --- the shell ------------------------------------------------------------------------


class Hook:
    """Tells one receiver of every event.

    Raises:
        ConfigError: Its secret cannot be used.
    """

    def __init__(
        self, settings: Webhook, store: Store, figures: Metrics, chance: Random
    ) -> None:
        self._settings = settings
        self._secret = _secret(settings)
        self._store = store
        self._figures = figures
        self._chance = chance
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        return self._settings.name

    async def run(self) -> None:
        """Tell everything from where it was left; runs until cancelled."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            position = await self._store.hook_position(self.name)
            while True:
                self._figures.hook_at(self.name, position)
                batch = await self._store.events(position, BATCH)
                if batch:
                    await self._tell(session, batch)
                    position = batch[-1].position
                    await self._store.keep_hook_position(self.name, position)
                else:
                    await self._store.grown(position)

    async def _tell(
        self, session: aiohttp.ClientSession, batch: Sequence[Entry]
    ) -> None:
        actions = self._settings.actions
        wanted = [e for e in batch if not actions or _named(e).action in actions]
        async with asyncio.TaskGroup() as group:
            for lane in lanes(wanted):
                group.create_task(self._tell_lane(session, lane))

    async def _tell_lane(
        self, session: aiohttp.ClientSession, lane: Sequence[Entry]
    ) -> None:
        for entry in lane:
            tries = 0
            while not await self._taken(session, entry):
                await asyncio.sleep(pause(tries, self._chance()))
                tries += 1

    async def _taken(self, session: aiohttp.ClientSession, entry: Entry) -> bool:
        event = feed_event(entry)
        body = msgspec.json.encode(Told(timestamp=event.received_at, data=event))
        at = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "scantrail",
            "webhook-id": entry.event,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._secret, entry.event, at, body),
        }
        async with self._turns:
            return await self._call(session, body, headers)

    async def _call(
        self, session: aiohttp.ClientSession, body: bytes, headers: dict[str, str]
    ) -> bool:
        try:
            async with session.post(
                self._settings.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                taken = answer.ok and answer.status < 300  # noqa: PLR2004 # a redirect is no yes
                why = f"it answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            taken, why = False, type(error).__name__
        self._figures.hook_called(self.name, taken=taken)
        if not taken:
            _LOG.warning("webhook %s: not taken (%s); tried again", self.name, why)
        return taken


def hooks(settings: Iterable[Webhook], store: Store, figures: Metrics) -> list[Hook]:
    """Make the hooks of a server.

    Raises:
        ConfigError: A secret cannot be used.
    """
    return [Hook(one, store, figures, random.random) for one in settings]


def _secret(settings: Webhook) -> bytes:
    source = settings.secret_file
    text = read_secret_file(Path(source))
    try:
        encoded = text.startswith(_PREFIX)
        secret = base64.b64decode(text[len(_PREFIX) :]) if encoded else text.encode()
    except binascii.Error as error:
        reason = f"after {_PREFIX} comes base64"
        raise ConfigError(source, 0, reason) from error
    if len(secret) < _LEAST_SECRET:
        reason = f"a webhook's secret has at least {_LEAST_SECRET} bytes"
        raise ConfigError(source, 0, reason)
    return secret
