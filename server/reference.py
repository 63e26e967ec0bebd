"""Reference data: what stations keep so that they can refuse, warn and find offline.

Contract, section 3.4. The document is made anew only where something that it says may
have changed, and by a task of its own: an append is answered with the ETag that is
there, and the next request of its station hears of a newer one.
"""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from server.outage import Outage
from server.problems import ProblemError
from server.store import Said, Store
from shared.hosts import Topic
from shared.moments import SECOND, to_text
from shared.reference import (
    KnownContainer,
    KnownLoad,
    KnownLocation,
    KnownOperator,
    Reference,
    WantedItem,
)

__all__ = ["ReferenceData"]

_LOG = logging.getLogger("scantrail.server")

GONE_DAYS = 14
MOST_GONE = 20_000
MOST_LOADS = 500
MOST_ON_A_LOAD = 5_000
MOST_HELD = 10_000

REST = 1.0
"""Seconds between two makings, however often something changes."""
REST_LOST = 5.0
"""Seconds until the next try where the database is lost."""
SCANS_EVERY = 15 * SECOND
"""How old may become what scans alone change: what has gone, and what containers hold.

In microseconds.
"""


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """The document for all stations; ``settings`` has what differs, by station."""

    changes: int
    made: int
    digest: bytes
    document: Reference
    settings: dict[str, dict[str, Any]]


class ReferenceData:
    """The present reference data, kept up to date while `keep_up` runs."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._made: _Made | None = None
        self._turn = asyncio.Lock()

    async def tag(self, station: str | None = None) -> str:
        """Return the ETag of the data as they were made last."""
        return _tag(self._made or await self._present(), station)

    async def document(self, station: str | None = None) -> tuple[str, bytes]:
        """Return the present data for a station, and their ETag."""
        made = await self._present()
        document = msgspec.structs.replace(
            made.document, settings=_settings(made, station)
        )
        return _tag(made, station), msgspec.json.encode(document)

    async def keep_up(self) -> None:
        """Make the data anew whenever they may have changed; runs until cancelled.

        While the database is lost stations keep what they have.
        """
        outage = Outage(
            _LOG, "reference data are not made", "reference data are made again"
        )
        while True:
            try:
                await self._present()
            except ProblemError as problem:
                outage.met(problem)
                await asyncio.sleep(REST_LOST)
            else:
                outage.over()
                await asyncio.sleep(REST)

    async def _present(self) -> _Made:
        async with self._turn:
            if self._made is None or self._outdated(self._made):
                self._made = await self._make(self._made)
            return self._made

    def _outdated(self, made: _Made) -> bool:
        return (
            made.changes != self._store.said_changes()
            or self._now() - made.made >= SCANS_EVERY
        )

    async def _make(self, before: _Made | None) -> _Made:
        changes, now = self._store.said_changes(), self._now()
        document = await self._gather(now)
        digest = sha256(msgspec.json.encode(document)).digest()
        if before is not None and before.digest == digest:
            document = before.document
        else:
            document = msgspec.structs.replace(document, made_at=to_text(now))
        return _Made(
            changes=changes,
            made=now,
            digest=digest,
            document=document,
            settings={
                said.key: said.line.settings or {}
                for said in await self._store.said(Topic.SETTINGS, None)
            },
        )

    async def _gather(self, now: int) -> Reference:
        said = self._store.said
        loads = await self._store.loads(MOST_LOADS, MOST_ON_A_LOAD)
        since = now - GONE_DAYS * 24 * 3600 * SECOND
        return Reference(
            locations=await self._locations(),
            operators=tuple(
                KnownOperator(operator=one.key, name=one.line.title or "")
                for one in await said(Topic.OPERATOR, None)
                if not one.line.ended
            ),
            loads=tuple(
                KnownLoad(load=one.load, name=one.name, items=tuple(one.expected))
                for one in loads
            ),
            containers=tuple(
                KnownContainer(container=container, items=tuple(items))
                for container, items in (await self._store.held(MOST_HELD)).items()
            ),
            wanted=tuple(
                WantedItem(
                    item=one.key,
                    reason=one.line.reason or "",
                    by=one.line.by or "",
                    since=to_text(one.occurred),
                )
                for one in await said(Topic.WANTED, None)
                if one.line.wanted
            ),
            gone=tuple(await self._store.gone(since, MOST_GONE)),
        )

    async def _locations(self) -> tuple[KnownLocation, ...]:
        """Return the site's list, if it has one; the stations' places are on it."""
        told = [
            _location(one)
            for one in await self._store.said(Topic.LOCATION, None)
            if not one.line.ended
        ]
        if not told:
            return ()
        known = {one.location for one in told}
        places = {one.location for one in await self._store.stations()} - {None}
        return (
            *told,
            *(KnownLocation(location=p) for p in sorted(filter(None, places - known))),
        )


def _location(said: Said) -> KnownLocation:
    line = said.line
    return KnownLocation(location=said.key, name=line.title or "", kind=line.kind or "")


def _settings(made: _Made, station: str | None) -> dict[str, Any]:
    """Return what is set for every station, and over it what is set for this one."""
    return {**made.settings.get("", {}), **made.settings.get(station or "", {})}


def _tag(made: _Made, station: str | None) -> str:
    settings = msgspec.json.encode(_settings(made, station), order="sorted")
    return f'"{sha256(made.digest + settings).hexdigest()[:32]}"'
