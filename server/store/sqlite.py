"""The default store: one SQLite database, one writer, readers beside it.

One thread writes. It takes all deliveries that are waiting into one transaction, so
that many stations share one flush to the disk; each is answered once that is done.
SQLite before 3.51.3 can lose commits when two connections check a WAL file in at once:
only the writer's connection ever does, readers are opened read-only.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from server.answers import Horizon, answer, history_events
from server.delivery import Delivery
from server.events import Event
from server.history import Telling, tell, tell_together, whole
from server.kept import Overtaken
from server.manifest import Manifest, manifest
from server.problems import ProblemError
from server.projections import Arrived
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
    backups,
    departing,
    joining,
    present,
    reading,
    tokens,
)
from server.store import hooks as hook
from server.store import said as hosts
from server.store.archived import archive_of, files
from server.store.file_writer import FileWriter
from server.store.group import LINES, Group
from server.store.growth import Growth
from server.store.received import Received
from server.store.schemas import prepare
from server.store.station_rows import (
    note_conflict,
    note_copied,
    note_displaced,
    stations,
)
from server.store.whereabouts import must_be_whole
from server.store.worker import Worker
from server.store.writing import append, keep_clocks
from shared.api.items import ItemAnswer
from shared.errors import StartError
from shared.hosts import Topic
from shared.protocol import LogState, ProblemType

__all__ = ["SqliteStore"]

T = TypeVar("T")
Now = Callable[[], int]

READERS = 2
MOST_TOGETHER = 64
"""Deliveries in one transaction, at most."""


class SqliteStore:
    """A `server.store.Store` in one folder."""

    def __init__(
        self,
        writer: Worker,
        door: Worker,
        readers: Sequence[Worker],
        now: Now,
        site: Site,
    ) -> None:
        self._door = door
        self._readers: asyncio.Queue[Worker] = asyncio.Queue()
        for reader in readers:
            self._readers.put_nowait(reader)
        self._all = (*readers, door, writer)
        self._now = now
        self._site = site
        self._received = Received(now, 0)
        self._growth = Growth()
        self._written = 0
        self._said_changed = False
        self._said_changes = 0
        self._appending = Group(
            self._append_together, MOST_TOGETHER, size=_lines_of, room=LINES
        )
        self._writer = FileWriter(
            writer,
            now,
            site,
            self._growth,
            failed=self._not_received,
            busy=lambda: bool(self._appending.asked),
        )
        self.identity = Identity(server="", epoch="")

    @classmethod
    async def open(cls, path: Path, now: Now, site: Site = DEFAULT) -> "SqliteStore":
        """Open the database, or make it where there is none.

        Raises:
            StartError: It cannot be used; the text says what to do.
        """
        must_be_whole(path)  # before a new one is made
        async with contextlib.AsyncExitStack() as opened:

            async def connect(*, read_only: bool) -> Worker:
                worker = await _connect(path, read_only=read_only)
                opened.push_async_callback(worker.close)
                return worker

            writer = await connect(read_only=False)
            with _saying_what_to_do(path):
                await writer.run(partial(prepare, path=path, site=site))
            # of its own: a station is let in however long others read
            door = await connect(read_only=True)
            readers = [await connect(read_only=True) for _ in range(READERS)]
            store = cls(writer, door, readers, now, site)
            await store._begin(writer)
            opened.pop_all()  # they are the store's; an open one keeps a process alive
        return store

    async def _begin(self, writer: Worker) -> None:
        await self._writer.begin(await writer.run(self._recall))

    def _recall(self, connection: sqlite3.Connection) -> dict[str, str]:
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.identity = Identity(server=meta["server"], epoch=meta["epoch"])
        (last,) = connection.execute(
            "SELECT received FROM delivery ORDER BY number DESC LIMIT 1"
        ).fetchone() or (0,)
        self._received = Received(self._now, last)
        self._growth.position = self._written = reading.last_position(connection)
        return meta

    def late(self) -> int:
        """Return 1 where something that came late is not told anew, 0 else."""
        return int(not self._writer.settled)

    def remaking(self) -> Progress | None:
        """Return how far answers are made anew; ``None``: they are whole."""
        return self._writer.remaking

    async def close(self) -> None:
        """Finish what is waiting, and close the database."""
        await self._writer.stop_remaking()
        await self._appending.close()
        await self._writer.rest()
        for connection in self._all:
            await connection.close()

    # --- writing ----------------------------------------------------------------------

    async def append(self, station: Station, delivery: Delivery) -> Receipt:
        """Append what is new of a delivery; contract, section 3."""
        return await self._appending.do((station, delivery))

    async def _append_together(
        self, batch: list[tuple[Station, Delivery]]
    ) -> list[Receipt | ProblemError]:
        found = await self._change(partial(self._append_all, batch=batch))
        self._received.end()
        await self._growth.to(self._written)
        self._said_changes += self._said_changed  # once readers see it, not before
        self._said_changed = False
        await self._writer.after_taking()
        return found

    def _append_all(
        self, connection: sqlite3.Connection, batch: list[tuple[Station, Delivery]]
    ) -> list[Receipt | ProblemError]:
        received, heard = self._received.begin(), self._now()
        found: list[Receipt | ProblemError] = []
        arrived: list[Arrived] = []
        for station, delivery in batch:
            try:
                done = append(
                    connection,
                    station,
                    delivery,
                    received,
                    self._site,
                    heard=heard,
                )
            except ProblemError as problem:
                note_conflict(connection, station, delivery.log, problem, received)
                keep_clocks(connection, station, delivery, received, heard=heard)
                if problem.problem.type == ProblemType.GAP:
                    backups.note_told(connection, delivery.log, delivery.after)
                found.append(problem)
            else:
                found.append(done.receipt)
                arrived += done.arrived
                self._said_changed |= done.said
        self._written = reading.last_position(connection)
        self._writer.take(arrived, self._written)
        return found

    def _not_received(self) -> None:
        self._received.end()

    def present(self) -> int:
        """Return now, and never a moment before what was received last."""
        return self._received.present()

    async def _change(self, function: Callable[[sqlite3.Connection], T]) -> T:
        return await self._writer.transact(function)

    async def invite(self, asked: Invitation) -> None:
        """Let a station of this name join once with a code, until it expires."""
        await self._change(partial(joining.invite, asked=asked, now=self._now()))
        self._said_changes += 1

    async def enrol(self, asked: Joining) -> Station:
        """Take a station in by its code, which works once."""
        station = await self._change(
            partial(joining.enrol, joining=asked, now=self._now())
        )
        self._said_changes += 1
        return station

    async def mark_backed_up(self, acked: Mapping[str, tuple[int, str]]) -> None:
        """Note up to which line of which head each log is in a checked backup."""
        await self._change(partial(backups.mark_backed_up, acked=acked))

    async def revoke(self, name: str) -> bool:
        """Let a station do nothing more; return whether there is one."""
        return await self._change(partial(joining.revoke, name=name, now=self._now()))

    async def offer_token(self, station: Station, token_hash: bytes) -> None:
        """Let a station use this token from when it likes on."""
        await self._change(partial(tokens.offer, who=station, token_hash=token_hash))

    async def use_token(self, station: Station, token_hash: bytes) -> None:
        """Let the one that was offered replace the present one: it was used."""
        await self._change(
            partial(tokens.use, who=station, token_hash=token_hash, now=self._now())
        )

    async def note_copied(self, station: Station, address: str) -> None:
        """Remember that a token that was replaced was shown, and whence."""
        await self._change(
            partial(note_copied, station=station, address=address, now=self._now())
        )

    async def note_displaced(self, station: Station, address: str) -> None:
        """Remember that a machine that lost its place came, and whence."""
        await self._change(
            partial(note_displaced, station=station, address=address, now=self._now())
        )

    async def ready(self) -> None:
        """Return if the database takes writes; raise what is wrong otherwise."""
        await self._change(partial(_note_ready, now=self._now()))

    # --- reading ----------------------------------------------------------------------

    async def _read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        reader = await self._readers.get()
        try:
            return await reader.run(function)
        finally:
            self._readers.put_nowait(reader)

    async def _snapshot(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        """Read several things as of one moment; give the present before that."""
        while True:
            try:
                return await self._look(function)
            except Overtaken:
                continue

    async def _look(self, function: Callable[[sqlite3.Connection, int], T]) -> T:
        asked = self.present()

        def whole(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN")
            try:
                return function(connection, asked)
            finally:
                connection.execute("COMMIT")

        return await self._read(whole)

    async def station(self, token_hash: bytes) -> Station | None:
        """Return the station whose token this is, or was."""
        return await self._door.run(partial(tokens.station, token_hash=token_hash))

    async def codes(self, limit: int) -> list[Code]:
        """Return the one-time codes that were made, the newest first."""
        return await self._read(partial(joining.codes, limit=limit))

    async def stations(self) -> list[Seen]:
        """Return what is kept of all stations, by name."""
        return await self._read(stations)

    async def missing(self) -> list[str]:
        """Say what keeps archived lines from being read."""
        return await self._read(lambda c: archive_of(c).missing(files(c)))

    async def log(self, name: str) -> LogState | None:
        """Return how far a log is known."""
        return await self._door.run(partial(reading.log, name=name))

    def _reader(self, connection: sqlite3.Connection, view: View) -> reading.SqlReader:
        return reading.SqlReader(connection, view, self._writer.unwritten)

    async def tell(self, item: str, view: View) -> Telling:
        """Gather what bears on an item."""
        await self._writer.caught_up()
        return await self._read(
            lambda c: tell(self._reader(c, view), item, self._site.actions)
        )

    async def tell_together(
        self, items: Collection[str], view: View
    ) -> dict[str, Telling]:
        """Gather what bears on each of several items, in one go."""
        await self._writer.caught_up()
        return await self._read(
            lambda c: tell_together(self._reader(c, view), items, self._site.actions)
        )

    async def bearing(self, item: str, view: View) -> list[Event]:
        """Return all events that bear on an item in a view or an earlier one."""
        await self._writer.caught_up()

        def read(connection: sqlite3.Connection) -> list[Event]:
            found = whole(self._reader(connection, view), item)
            return [*found, *reading.voids(connection, found, view.known_at)]

        return await self._read(read)

    async def history(self, item: str, view: View) -> History:
        """Return an item's history, its containers' included."""
        await self._writer.caught_up()

        def read(connection: sqlite3.Connection) -> History:
            telling = tell(self._reader(connection, view), item, self._site.actions)
            events = history_events(telling, item)
            kept = reading.stored(connection, [event for event, _ in events])
            return History(events, kept)

        return await self._read(read)

    async def item(self, key: str) -> ItemAnswer:
        """Say where one item is now.

        While something that came late is not told yet, that is told from all events.
        """

        def look(connection: sqlite3.Connection, asked: int) -> ItemAnswer:
            now = present.view(connection, asked)
            if self._writer.settled:
                unwritten = self._writer.unwritten
                return present.item(connection, key, now, self._site, unwritten)
            return answer(
                tell(self._reader(connection, now), key, self._site.actions),
                key,
                at=now.at,
                known_at=now.known_at,
                horizon=reading.horizon(connection, now),
                site=self._site,
            )

        await self._writer.caught_up()
        return await self._snapshot(look)

    async def items(self, query: ItemQuery) -> Answers:
        """Say of items, by their present answer, where each is now."""
        await self._writer.page_written(query.after)
        return await self._snapshot(
            lambda c, at: present.items(c, query, at, self._site)
        )

    async def standing(self, after: int, limit: int) -> list[Stand]:
        """Return what is here at a known place now, by order of appearance."""
        await self._writer.page_written(after)
        return await self._read(partial(present.standing, after=after, limit=limit))

    async def visitors(self, location: str, most: int) -> list[str]:
        """Return what was at a location lately: what came last, and what went last."""
        await self._writer.all_written()
        return await self._read(partial(present.visitors, location=location, most=most))

    async def told(self, query: ToldQuery) -> list[tuple[int, str]]:
        """Return items that were told of anything since, with their numbers."""
        await self._writer.page_written(query.after)
        return await self._read(partial(present.told, query=query))

    async def count_told(self, since: int) -> int:
        """Count the items that were told of anything since a moment."""
        await self._writer.all_written()
        return await self._read(partial(present.count_told, since=since))

    async def exceptions(self, query: ExceptionQuery) -> list[Found]:
        """Return exceptions of items as of now, newest first."""
        await self._writer.all_written()
        return await self._snapshot(lambda c, at: present.exceptions(c, query, at))

    async def events(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position, in the server's own order."""
        return await self._read(lambda c: reading.events(c, after, limit))

    def position(self) -> int:
        """Return the position of the line that came last; 0 where there is none."""
        return self._growth.position

    async def event(self, name: str) -> Entry | None:
        """Return the line that is an event of this name, a quarantined one too."""
        return await self._read(partial(reading.event, name=name))

    async def grown(self, after: int) -> None:
        """Return once there are lines behind a position."""
        await self._growth.beyond(after)

    async def horizon(self, view: View) -> Horizon:
        """Return up to when all active stations have told everything."""
        return await self._read(partial(reading.horizon, view=view))

    async def hook_position(self, name: str) -> int:
        """Return up to where a webhook was taken; a new one begins at the end."""
        return await self._change(partial(hook.begin, name=name))

    async def keep_hook_position(self, name: str, position: int) -> None:
        """Note that a webhook was taken up to a position."""
        await self._change(partial(hook.keep, name=name, position=position))

    def said_changes(self) -> int:
        """Return a number that grows whenever `said` or a station may have changed."""
        return self._said_changes

    async def said(self, topic: Topic, keys: Collection[str] | None) -> list[Said]:
        """Return what holds of a topic: of these keys, or of all, by key."""
        return await self._read(partial(hosts.latest, topic=topic, keys=keys))

    async def titled(self, words: Sequence[str], most: int) -> list[str]:
        """Return items by words of their title, what was named last first."""
        return await self._read(partial(hosts.titled, asked=words, most=most))

    async def remarked(self, words: Sequence[str], most: int) -> list[Said]:
        """Return remarks that have all the words, one of each item, newest first."""
        return await self._read(partial(hosts.remarked, asked=words, most=most))

    async def statuses(self, keys: Collection[str]) -> dict[str, str]:
        """Return the present statuses of those of the items that have one."""
        await self._writer.all_written()
        return await self._read(partial(hosts.statuses, keys=keys))

    async def loads(self, most: int, items: int) -> list[Load]:
        """Return the loads that have not left, those told of last first."""
        await self._writer.all_written()
        return await self._read(partial(hosts.loads, most=most, items=items))

    async def manifest(
        self, load: str, view: View, departure: str | None = None
    ) -> Manifest:
        """Compare what is on a load with what should be, or was when it left."""
        return await self._read(
            lambda c: manifest(
                self._reader(c, view), load, self._site.actions, departure
            )
        )

    async def departures(self, query: DepartureQuery) -> Departures:
        """Return by which scans loads left, newest first."""
        return await self._read(partial(departing.departures, query=query))

    async def gone(self, since: int, most: int) -> list[str]:
        """Return what left and was not scanned since, newest first."""
        await self._writer.all_written()
        return await self._read(partial(hosts.gone, since=since, most=most))

    async def held(self, most: int) -> dict[str, list[str]]:
        """Return what containers hold that have not left, the one told of last first.

        At most so many items; a container is told of as a whole or not.
        """
        await self._writer.all_written()
        return await self._read(partial(hosts.held, most=most))


def _note_ready(connection: sqlite3.Connection, now: int) -> None:
    """Write something new: SQLite skips a change that changes nothing."""
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('ready', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(now),),
    )


# --- opening --------------------------------------------------------------------------


async def _connect(path: Path, *, read_only: bool) -> Worker:
    mode = "ro" if read_only else "rwc"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None
        )
        connection.execute("PRAGMA busy_timeout = 5000")
        return connection

    worker = Worker(connect, iter_chunk_size=64)
    with _saying_what_to_do(path):
        _ = await worker
    return worker


@contextlib.contextmanager
def _saying_what_to_do(path: Path) -> Iterator[None]:
    """Turn what SQLite says at the start into a sentence for an administrator."""
    try:
        yield
    except sqlite3.Error as error:
        reason = (
            f"the database {path} cannot be opened ({error}). Check that the folder "
            "exists, belongs to this user and has room, and that the file is a "
            "Scantrail database."
        )
        raise StartError(reason) from error


def _lines_of(one: tuple[Station, Delivery]) -> int:
    return len(one[1].lines)
