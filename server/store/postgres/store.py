"""A `server.store.Store` on PostgreSQL; any number of processes may have one open."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from server.answers import Horizon, history_events
from server.delivery import Delivery
from server.events import Event
from server.history import Telling, tell, tell_together, whole
from server.manifest import Manifest, manifest
from server.site import DEFAULT, Site
from server.station_exceptions import Seen
from server.store import (
    Answers,
    Code,
    DepartureQuery,
    Departures,
    Entry,
    ExceptionQuery,
    Found,
    History,
    Identity,
    Invitation,
    ItemQuery,
    Joining,
    Load,
    Progress,
    Receipt,
    Said,
    Stand,
    Station,
    ToldQuery,
    View,
    partly,
)
from server.store.archive import archive_at
from server.store.postgres import (
    backups,
    departing,
    hooks,
    joining,
    opening,
    present,
    reading,
    said,
    station_rows,
    turn,
)
from server.store.postgres.archived import files
from server.store.postgres.database import Database, Worker, in_words, snapshot
from server.store.postgres.hearing import Hearing
from server.store.postgres.holders import Holders
from server.store.postgres.lanes import Lanes
from server.store.postgres.remaking import Remaking
from server.store.postgres.settling import Settling
from server.store.rebuild import rules
from shared.api.items import ItemAnswer
from shared.data_folders import ARCHIVE
from shared.hosts import Topic
from shared.protocol import LogState

__all__ = ["PostgresStore"]

T = TypeVar("T")

WRITERS, READERS = 2, 4
"""Connections of a process."""

PATIENCE = 2.0
"""Seconds for which a list waits until what came late is told."""

TAKE_OVER = 2.0
"""Seconds between two looks whether a webhook is still told by another process."""


class _Unsettled(NamedTuple):
    """What came late up to this note is not told yet."""

    late: int


class PostgresStore:
    """A `server.store.Store` in one PostgreSQL database.

    Args:
        url: Where it is.
        now: This process's clock.
        site: The site's rules.
        clock: What gives moments instead of the database's clock, for tests.
        archive: The folder with the files of archived lines.
    """

    def __init__(
        self,
        url: str,
        now: Callable[[], int],
        site: Site,
        clock: Callable[[], int] | None,
        archive: Path,
    ) -> None:
        self._now, self._site, self._folder = now, site, archive
        self._writers = [Worker(url, archive) for _ in range(WRITERS)]
        self._readers: asyncio.Queue[Worker] = asyncio.Queue()
        readers = [Worker(url, archive) for _ in range(READERS)]
        for reader in readers:
            self._readers.put_nowait(reader)
        self._all = (*self._writers, *readers)
        self._hearing = Hearing(url, clock, rules(site))
        self._remaking = Remaking(Worker(url, archive), site)
        self._holders = Holders(self._holder, lambda: self._hearing.stations)
        self._settling = Settling(
            Worker(url, archive), site, self._remaking.check, self._hearing
        )
        self._lanes = Lanes(
            self._writers,
            site,
            check=self._remaking.check,
            hearing=self._hearing,
            now=now,
            clock=clock,
        )
        self.identity = Identity(server="", epoch="")

    @classmethod
    async def open(
        cls,
        url: str,
        now: Callable[[], int],
        site: Site = DEFAULT,
        *,
        clock: Callable[[], int] | None = None,
        archive: Path = Path(ARCHIVE),
    ) -> "PostgresStore":
        """Open the database, or make what is missing in it.

        Raises:
            StartError: It cannot be used; the text says what to do.
        """
        store = cls(url, now, site, clock, archive)
        try:
            await store._begin()
        except BaseException:
            await store.close()
            raise
        return store

    async def _begin(self) -> None:
        for worker in self._all:
            await worker.open()
        writer = self._writers[0]
        with in_words():
            meta = await writer.transact(partial(opening.prepare, site=self._site))
        self.identity = Identity(server=meta["server"], epoch=meta["epoch"])
        await self._hearing.begin()
        await self._remaking.begin(meta)
        await self._settling.begin()

    def remaking(self) -> Progress | None:
        """Return how far answers are made anew by changed rules; ``None``: they are."""
        return self._remaking.progress

    def late(self) -> int:
        """Return how many notes of what came late are not told anew."""
        return self._hearing.late

    async def close(self) -> None:
        """Finish what is waiting, and close the database."""
        await self._lanes.close()
        await self._settling.close()
        await self._remaking.close()
        await self._hearing.close()
        for worker in self._all:
            await worker.close()

    # --- writing ----------------------------------------------------------------------

    async def append(self, station: Station, delivery: Delivery) -> Receipt:
        """Append what is new of a delivery; contract, section 3."""
        return await self._lanes.append(station, delivery)

    def present(self) -> int:
        """Return now, and never a moment before what was received last."""
        return self._hearing.present()

    async def _write(self, function: Callable[[Database], T]) -> T:
        return await self._writers[0].transact(function)

    async def _change(
        self,
        function: Callable[[Database], T],
        note: Callable[[Database], turn.Turn] = turn.note_said,
    ) -> T:
        """Change something of stations; every process is told of it."""
        found, done = await self._write(lambda d: (function(d), note(d)))
        await self._hearing.note(done)
        return found

    async def invite(self, asked: Invitation) -> None:
        """Let a station of this name join once with a code, until it expires."""
        await self._change(partial(joining.invite, asked=asked, now=self._now()))

    async def enrol(self, asked: Joining) -> Station:
        """Take a station in by its code, which works once."""
        return await self._change(
            partial(joining.enrol, joining=asked, now=self._now())
        )

    async def mark_backed_up(self, acked: Mapping[str, tuple[int, str]]) -> None:
        """Note up to which line of which head each log is in a checked backup."""
        await self._write(partial(backups.mark_backed_up, acked=acked))

    async def revoke(self, name: str) -> bool:
        """Let a station do nothing more; return whether there is one."""
        return await self._change(partial(joining.revoke, name=name, now=self._now()))

    async def offer_token(self, station: Station, token_hash: bytes) -> None:
        """Let a station use this token from when it likes on."""
        offer = partial(joining.offer, who=station, token_hash=token_hash)
        await self._change(offer, turn.note_tokens)

    async def use_token(self, station: Station, token_hash: bytes) -> None:
        """Let the one that was offered replace the present one: it was used."""
        now = self._now()
        use = partial(joining.use, who=station, token_hash=token_hash, now=now)
        await self._change(use, turn.note_tokens)

    async def note_copied(self, station: Station, address: str) -> None:
        """Remember that a token that was replaced was shown, and whence."""
        await self._write(
            partial(
                station_rows.note_copied,
                station=station,
                address=address,
                now=self._now(),
            )
        )

    async def note_displaced(self, station: Station, address: str) -> None:
        """Remember that a machine that lost its place came, and whence."""
        await self._write(
            partial(
                station_rows.note_displaced,
                station=station,
                address=address,
                now=self._now(),
            )
        )

    async def ready(self) -> None:
        """Return if the database takes writes; raise what is wrong otherwise."""

        def write(database: Database) -> None:
            self._remaking.check(turn.begin(database, None).follows)
            opening.note_ready(database, self._now())

        await self._write(write)

    # --- reading ----------------------------------------------------------------------

    async def _read(self, function: Callable[[Database], T]) -> T:
        """Read something, all as of one moment."""
        reader = await self._readers.get()
        try:
            return await reader.transact(function, snapshot)
        finally:
            self._readers.put_nowait(reader)

    async def _read_settled(self, function: Callable[[Database], T]) -> T:
        """Read a list once what came late is told, or after a while as far as it is."""

        def read(database: Database) -> T | _Unsettled:
            seen = turn.look(database)
            return function(database) if seen.settled else _Unsettled(seen.late)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while isinstance(found := await self._read(read), _Unsettled):
                    await self._hearing.settled(found.late)
                return found

        def read_so(database: Database) -> tuple[T, bool]:
            return function(database), turn.look(database).settled

        so_far, settled = await self._read(read_so)
        if not settled:
            partly.note()
        return so_far

    async def station(self, token_hash: bytes) -> Station | None:
        """Return the station whose token this is, or was."""
        return await self._holders.find(token_hash)

    async def _holder(self, token_hash: bytes) -> Station | None:
        return await self._read(partial(joining.station, token_hash=token_hash))

    async def codes(self, limit: int) -> list[Code]:
        """Return the one-time codes that were made, the newest first."""
        return await self._read(partial(joining.codes, limit=limit))

    async def stations(self) -> list[Seen]:
        """Return what is kept of all stations, by name."""
        return await self._read(station_rows.stations)

    async def missing(self) -> list[str]:
        """Say what keeps archived lines from being read."""
        known = await self._read(files)
        return await asyncio.to_thread(archive_at(self._folder).missing, known)

    async def log(self, name: str) -> LogState | None:
        """Return how far a log is known."""
        return await self._read(partial(reading.log, name=name))

    async def tell(self, item: str, view: View) -> Telling:
        """Gather what bears on an item."""
        return await self._read(
            lambda d: tell(reading.PgReader(d, view), item, self._site.actions)
        )

    async def tell_together(
        self, items: Collection[str], view: View
    ) -> dict[str, Telling]:
        """Gather what bears on each of several items, in one go."""
        return await self._read(
            lambda d: tell_together(
                reading.PgReader(d, view), items, self._site.actions
            )
        )

    async def bearing(self, item: str, view: View) -> list[Event]:
        """Return all events that bear on an item in a view or an earlier one."""

        def read(database: Database) -> list[Event]:
            found = whole(reading.PgReader(database, view), item)
            return [*found, *reading.voids(database, found, view.known_at)]

        return await self._read(read)

    async def history(self, item: str, view: View) -> History:
        """Return an item's history, its containers' included."""

        def read(database: Database) -> History:
            reader = reading.PgReader(database, view)
            events = history_events(tell(reader, item, self._site.actions), item)
            kept = reading.stored(database, [event for event, _ in events])
            return History(events, kept)

        return await self._read(read)

    async def item(self, key: str) -> ItemAnswer:
        """Say where one item is now."""
        asked = self.present()
        return await self._read(lambda d: present.item(d, key, asked, self._site))

    async def items(self, query: ItemQuery) -> Answers:
        """Say of items, by their present answer, where each is now."""
        asked = self.present()
        return await self._read_settled(
            lambda d: present.items(d, query, asked, self._site)
        )

    async def standing(self, after: int, limit: int) -> list[Stand]:
        """Return what is here at a known place now, by order of appearance."""
        return await self._read_settled(
            partial(present.standing, after=after, limit=limit)
        )

    async def visitors(self, location: str, most: int) -> list[str]:
        """Return what was at a location lately: what came last, and what went last."""
        return await self._read_settled(
            partial(present.visitors, location=location, most=most)
        )

    async def told(self, query: ToldQuery) -> list[tuple[int, str]]:
        """Return items that were told of anything since, with their numbers."""
        return await self._read_settled(partial(present.told, query=query))

    async def count_told(self, since: int) -> int:
        """Count the items that were told of anything since a moment."""
        return await self._read_settled(partial(present.count_told, since=since))

    async def exceptions(self, query: ExceptionQuery) -> list[Found]:
        """Return exceptions of items as of now, newest first."""
        asked = self.present()
        return await self._read_settled(lambda d: present.exceptions(d, query, asked))

    async def events(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position, in the server's own order."""
        return await self._read(lambda d: reading.events(d, after, limit))

    def position(self) -> int:
        """Return the position of the line that came last; 0 where there is none."""
        return self._hearing.position

    async def event(self, name: str) -> Entry | None:
        """Return the line that is an event of this name, a quarantined one too."""
        return await self._read(partial(reading.event, name=name))

    async def grown(self, after: int) -> None:
        """Return once there are lines behind a position."""
        await self._hearing.grown(after)

    async def horizon(self, view: View) -> Horizon:
        """Return up to when all active stations have told everything."""
        return await self._read(partial(reading.horizon, view=view))

    async def hook_position(self, name: str) -> int:
        """Return up to where a webhook was taken; a new one begins at the end."""
        take = partial(hooks.begin, name=name, teller=self._hearing.teller)
        while (position := await self._write(take)) is None:  # noqa: ASYNC110 # elsewhere
            await asyncio.sleep(TAKE_OVER)
        return position

    async def keep_hook_position(self, name: str, position: int) -> None:
        """Note that a webhook was taken up to a position."""
        teller = self._hearing.teller
        await self._write(
            partial(hooks.keep, name=name, teller=teller, position=position)
        )

    def said_changes(self) -> int:
        """Return a number that grows whenever `said` or a station may have changed."""
        return self._hearing.said

    async def said(self, topic: Topic, keys: Collection[str] | None) -> list[Said]:
        """Return what holds of a topic: of these keys, or of all, by key."""
        return await self._read(partial(said.latest, topic=topic, keys=keys))

    async def titled(self, words: Sequence[str], most: int) -> list[str]:
        """Return items by words of their title, what was named last first."""
        return await self._read(partial(said.titled, asked=words, most=most))

    async def remarked(self, words: Sequence[str], most: int) -> list[Said]:
        """Return remarks that have all the words, one of each item, newest first."""
        return await self._read(partial(said.remarked, asked=words, most=most))

    async def statuses(self, keys: Collection[str]) -> dict[str, str]:
        """Return the present statuses of those of the items that have one."""
        return await self._read_settled(partial(said.statuses, keys=keys))

    async def loads(self, most: int, items: int) -> list[Load]:
        """Return the loads that have not left, those told of last first."""
        return await self._read_settled(partial(said.loads, most=most, items=items))

    async def manifest(
        self, load: str, view: View, departure: str | None = None
    ) -> Manifest:
        """Compare what is on a load with what should be, or was when it left."""
        return await self._read(
            lambda d: manifest(
                reading.PgReader(d, view), load, self._site.actions, departure
            )
        )

    async def departures(self, query: DepartureQuery) -> Departures:
        """Return by which scans loads left, newest first."""
        return await self._read(partial(departing.departures, query=query))

    async def gone(self, since: int, most: int) -> list[str]:
        """Return what left and was not scanned since, newest first."""
        return await self._read_settled(partial(said.gone, since=since, most=most))

    async def held(self, most: int) -> dict[str, list[str]]:
        """Return what containers hold that have not left, the one told of last first.

        At most so many items; a container is told of as a whole or not.
        """
        return await self._read_settled(partial(said.held, most=most))
