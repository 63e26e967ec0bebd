"""The default store: one SQLite database, one writer, readers beside it.

One thread writes. It takes all deliveries that are waiting into one transaction, so
that many stations share one flush to the disk; each is answered once that is done.
SQLite before 3.51.3 can lose commits when two connections check a WAL file in at once:
only the writer's connection ever does, readers are opened read-only.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from server.answers import Horizon, answer, history_events
from server.delivery import Delivery
from server.events import Event
from server.history import Telling, tell, tell_together, whole
from server.kept import Overtaken, Unwritten
from server.manifest import Manifest, manifest
from server.problems import ProblemError
from server.projections import Arrived, Projection
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
    ItemQuery,
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
    partly,
    present,
    reading,
    rebuild,
    tokens,
)
from server.store import hooks as hook
from server.store import joining as joined
from server.store import said as hosts
from server.store.group import LINES, Group
from server.store.received import Received
from server.store.schemas import prepare
from server.store.shelf import SqlShelf
from server.store.station_rows import (
    note_conflict,
    note_copied,
    note_displaced,
    stations,
)
from server.store.worker import Worker
from server.store.writing import append, keep_clocks
from server.versions import Versions
from shared.api.items import ItemAnswer
from shared.errors import StartError
from shared.hosts import Topic
from shared.moments import SECOND
from shared.protocol import LogState, ProblemType

__all__ = ["SqliteStore"]

T = TypeVar("T")
Now = Callable[[], int]

READERS = 2
MOST_TOGETHER = 64
"""Deliveries in one transaction, at most."""
FEW, MANY = 2_000, 20_000
"""Lines taken in at once when answers are made anew: while serving, and before."""

REST = 0.2
"""Seconds without new lines after which what is known of items is written."""

WORK = 3_000
"""How many events are told anew at once: others wait 0.1 s for it."""

PATIENCE = 2.0
"""Seconds for which a list waits until what came late is told."""

_TELL = 500_000
_LOG = logging.getLogger("scantrail.server.store")


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
        self._writer = writer
        self._door = door
        self._readers: asyncio.Queue[Worker] = asyncio.Queue()
        for reader in readers:
            self._readers.put_nowait(reader)
        self._all = (*readers, door, writer)
        self._now = now
        self._site = site
        self._received = Received(now, 0)
        self._progress: Progress | None = None
        self._remaking: asyncio.Task[None] | None = None
        self._resting: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None
        self._behind = False
        self._unsettled = asyncio.Event()
        self._noted_unsettled = False
        self._position = self._written = 0
        self._growth = asyncio.Condition()
        self._said_changed = False
        self._said_changes = 0
        self._appending = Group(
            self._append_together, MOST_TOGETHER, size=_lines_of, room=LINES
        )
        self.identity = Identity(server="", epoch="")

    @classmethod
    async def open(cls, path: Path, now: Now, site: Site = DEFAULT) -> "SqliteStore":
        """Open the database, or make it where there is none.

        Raises:
            StartError: It cannot be used; the text says what to do.
        """
        writer = await _connect(path, read_only=False)
        try:
            with _saying_what_to_do(path):
                await writer.run(partial(prepare, path=path, site=site))
            # of its own: a station is let in however long others read
            door = await _connect(path, read_only=True)
            readers = [await _connect(path, read_only=True) for _ in range(READERS)]
            store = cls(writer, door, readers, now, site)
            await store._begin()
        except BaseException:
            await writer.close()
            raise
        return store

    async def _begin(self) -> None:
        """Recall what was, and make answers anew where they follow from other rules."""
        meta = await self._writer.run(self._recall)
        readable = "told" in meta and meta.get("layout") == rebuild.layout()
        if not readable:
            await self._remake(MANY)
        self._behind = True
        self._catching_up = asyncio.create_task(self._catch_up(), name="catching up")
        self._catching_up.add_done_callback(_tell_failure)
        self._resting = asyncio.create_task(self._write_at_rest(), name="writing")
        self._settling = asyncio.create_task(self._settle(), name="settling")
        if readable and meta.get("rules") != rebuild.rules(self._site):
            self._progress = Progress(0, self._position)
            self._remaking = asyncio.create_task(self._remake(FEW), name="remaking")
            self._remaking.add_done_callback(_tell_failure)

    async def _remake(self, many: int) -> None:
        """Make anew what is known of items, between the batches of stations."""
        began = self._now()
        made = await self._transact(
            partial(rebuild.Rebuild, site=self._site, many=many)
        )

        def replace(ready: bool) -> None:  # noqa: FBT001 # what the step returned
            if ready:
                self._projection = made.projection

        told = 0
        self._progress = made.progress
        try:
            while not await self._transact(made.step, then=replace):
                self._progress = made.progress
                if self._progress.done - told >= _TELL:
                    told = self._progress.done
                    _LOG.info(
                        "answers made anew: %d of %d lines", told, made.progress.last
                    )
        finally:
            self._progress = None
        _LOG.info("answers made anew in %.1f s", (self._now() - began) / SECOND)
        await self._transact(rebuild.clear)

    def remaking(self) -> Progress | None:
        """Return how far answers are made anew; ``None``: they are whole."""
        if self._progress is None and self._behind:
            return Progress(self._projection.taken, self._position)
        return self._progress

    def _recall(self, connection: sqlite3.Connection) -> dict[str, str]:
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        self.identity = Identity(server=meta["server"], epoch=meta["epoch"])
        (last,) = connection.execute(
            "SELECT received FROM delivery ORDER BY number DESC LIMIT 1"
        ).fetchone() or (0,)
        self._received = Received(self._now, last)
        unwritten = Unwritten(int(meta.get("told", "0")))
        shelf = SqlShelf(connection, unwritten)
        versions = Versions(shelf, unwritten)
        self._projection = Projection(shelf, self._site, versions, work=WORK)
        self._position = self._written = reading.last_position(connection)
        return meta

    async def _catch_up(self) -> None:
        """Take in the lines that are not in what is written, while serving.

        There are some where the program before this one did not end by itself.
        """

        def note(last: bool) -> None:  # noqa: FBT001 # what the step returned
            self._behind = not last

        while self._behind:
            await self._transact(self._take_in_some, then=note)
            await self._after_taking()

    def _take_in_some(self, connection: sqlite3.Connection) -> bool:
        """Take in lines behind those that are; return whether there were none."""
        taken = self._projection.taken
        arrived, last = rebuild.following(connection, self._site, taken, FEW)
        if last > taken:
            self._projection.take(arrived, last)
        return last == taken

    async def close(self) -> None:
        """Finish what is waiting, and close the database."""
        if self._remaking is not None:
            self._remaking.cancel()
            await asyncio.wait([self._remaking])
        await self._appending.close()
        await self._come_to_rest()
        tasks = [
            task
            for task in (self._catching_up, self._resting, self._settling)
            if task is not None
        ]
        for task in tasks:
            task.cancel()
            await asyncio.wait([task])
        with contextlib.suppress(ProblemError):  # then it is taken in again
            await self._write_answers()
        for connection in self._all:
            await connection.close()

    # --- writing ----------------------------------------------------------------------

    async def append(self, station: Station, delivery: Delivery) -> Receipt:
        """Append what is new of a delivery; contract, section 3."""
        return await self._appending.do((station, delivery))

    async def _append_together(
        self, batch: list[tuple[Station, Delivery]]
    ) -> list[Receipt | ProblemError]:
        found = await self._transact(partial(self._append_all, batch=batch))
        self._received.end()
        self._position = self._written
        async with self._growth:
            self._growth.notify_all()
        self._said_changes += self._said_changed  # once readers see it, not before
        self._said_changed = False
        await self._after_taking()
        return found

    async def _after_taking(self) -> None:
        if not self._projection.settled:
            self._unsettled.set()
        if self._projection.full:
            await self._write_answers()

    async def _write_answers(self) -> None:
        """Write what is known of items, as far as it is not."""
        if self._projection.behind:
            await self._transact(self._write)

    def _write(self, connection: sqlite3.Connection) -> None:
        self._projection.write()
        if self._progress is None:  # else it is noted once all is made anew
            settled = self._projection.settled
            if not settled or self._noted_unsettled:
                rebuild.note(connection, self._site if settled else None)
            self._noted_unsettled = not settled

    async def _settle(self) -> None:
        """Tell anew what came late and was left, between the batches of stations."""
        while True:
            await self._unsettled.wait()
            try:
                await self._transact(lambda _: self._projection.settle(WORK))
                done = self._projection.settled and self._noted_unsettled
                if self._projection.full or done:
                    await self._write_answers()
            except ProblemError:  # the disk is full: later
                await asyncio.sleep(1)
            except Exception:  # noqa: BLE001 # the others go on; lists say as of when
                _LOG.exception("what came late could not be told anew")
                await asyncio.sleep(10)
            if self._projection.settled:
                self._unsettled.clear()

    async def _caught_up(self) -> None:
        """Wait until all lines that are here are taken in, for a while.

        Raises:
            ProblemError: 503, they are not; it is soon after a start.
        """
        if self._behind:
            await self._come_to_rest()
        if self._behind:
            reason = (
                "The server has started again, and takes in what came last before that;"
                " it takes scans already, and answers in a moment."
            )
            raise ProblemError(503, ProblemType.BUSY, reason, retry_after=2)

    async def _come_to_rest(self) -> None:
        """Wait until what came late is told, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while self._behind or not self._projection.settled:  # noqa: ASYNC110 # told in pieces
                    await asyncio.sleep(0.01)

    async def _write_at_rest(self) -> None:
        """Write what is known of items whenever no lines have come for a while."""
        written = 0
        while True:
            await self.grown(written)
            last = self._position
            await asyncio.sleep(REST)
            if last == self._position and not self._appending.asked:
                await self._come_to_rest()
                with contextlib.suppress(ProblemError):  # the disk is full: later
                    await self._write_answers()
                    written = last

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
        if not self._behind:  # else they are taken in behind those before
            self._projection.take(arrived, self._written)
        return found

    def present(self) -> int:
        """Return now, and never a moment before what was received last."""
        return self._received.present()

    async def _transact(
        self,
        function: Callable[[sqlite3.Connection], T],
        *,
        then: Callable[[T], None] | None = None,
    ) -> T:
        """Run a function in a transaction, and ``then`` another once it is durable."""

        def whole(connection: sqlite3.Connection) -> T:
            try:
                connection.execute("BEGIN IMMEDIATE")
                found = function(connection)
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._projection.forget()
                self._received.end()
                if isinstance(error, sqlite3.OperationalError):
                    raise _storage(error) from error
                raise
            self._projection.commit()
            if then is not None:
                then(found)
            return found

        return await self._writer.run(whole)

    async def invite(
        self,
        name: str,
        *,
        location: str | None,
        kind: str,
        code_hash: bytes,
        expires: int,
        replaces: bool = False,
        by: str = "",
    ) -> None:
        """Let a station of this name join once with a code, until it expires."""
        asked = joined.Invitation(
            name=name,
            location=location,
            kind=kind,
            code_hash=code_hash,
            expires=expires,
            replaces=replaces,
            by=by,
        )
        await self._transact(partial(joined.invite, asked=asked, now=self._now()))
        self._said_changes += 1

    async def enrol(
        self,
        code_hash: bytes,
        *,
        log: str,
        token_hash: bytes,
        public_key: bytes,
        version: str,
        host: str,
        have: int | None = None,
    ) -> Station:
        """Take a station in by its code, which works once."""
        joining = joined.Joining(
            code_hash=code_hash,
            log=log,
            token_hash=token_hash,
            public_key=public_key,
            version=version,
            host=host,
            have=have,
        )
        station = await self._transact(
            partial(joined.enrol, joining=joining, now=self._now())
        )
        self._said_changes += 1
        return station

    async def mark_backed_up(self, acked: Mapping[str, tuple[int, str]]) -> None:
        """Note up to which line of which head each log is in a checked backup."""
        await self._transact(partial(backups.mark_backed_up, acked=acked))

    async def revoke(self, name: str) -> bool:
        """Let a station do nothing more; return whether there is one."""
        return await self._transact(partial(joined.revoke, name=name, now=self._now()))

    async def offer_token(self, station: Station, token_hash: bytes) -> None:
        """Let a station use this token from when it likes on."""
        await self._transact(partial(tokens.offer, who=station, token_hash=token_hash))

    async def use_token(self, station: Station, token_hash: bytes) -> None:
        """Let the one that was offered replace the present one: it was used."""
        await self._transact(
            partial(tokens.use, who=station, token_hash=token_hash, now=self._now())
        )

    async def note_copied(self, station: Station, address: str) -> None:
        """Remember that a token that was replaced was shown, and whence."""
        await self._transact(
            partial(note_copied, station=station, address=address, now=self._now())
        )

    async def note_displaced(self, station: Station, address: str) -> None:
        """Remember that a machine that lost its place came, and whence."""
        await self._transact(
            partial(note_displaced, station=station, address=address, now=self._now())
        )

    async def ready(self) -> None:
        """Return if the database takes writes; raise what is wrong otherwise."""
        await self._transact(partial(_note_ready, now=self._now()))

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

    async def _all_written(self) -> None:
        """See that what is known of items is written, as far as that is possible."""
        await self._come_to_rest()
        self._note_if_old()
        with contextlib.suppress(ProblemError):  # the disk is full: as of before that
            await self._write_answers()

    async def _page_written(self, after: int) -> None:
        """See to the same for a page of a list; before those behind, it was done."""
        if after:
            self._note_if_old()
        else:
            await self._all_written()

    def _note_if_old(self) -> None:
        if self._behind or not self._projection.settled:
            partly.note()

    async def station(self, token_hash: bytes) -> Station | None:
        """Return the station whose token this is, or was."""
        return await self._door.run(partial(tokens.station, token_hash=token_hash))

    async def codes(self, limit: int) -> list[Code]:
        """Return the one-time codes that were made, the newest first."""
        return await self._read(partial(joined.codes, limit=limit))

    async def stations(self) -> list[Seen]:
        """Return what is kept of all stations, by name."""
        return await self._read(stations)

    async def log(self, name: str) -> LogState | None:
        """Return how far a log is known."""
        return await self._door.run(partial(reading.log, name=name))

    def _reader(self, connection: sqlite3.Connection, view: View) -> reading.SqlReader:
        return reading.SqlReader(connection, view, self._projection.unwritten)

    async def tell(self, item: str, view: View) -> Telling:
        """Gather what bears on an item."""
        await self._caught_up()
        return await self._read(
            lambda c: tell(self._reader(c, view), item, self._site.actions)
        )

    async def tell_together(
        self, items: Collection[str], view: View
    ) -> dict[str, Telling]:
        """Gather what bears on each of several items, in one go."""
        await self._caught_up()
        return await self._read(
            lambda c: tell_together(self._reader(c, view), items, self._site.actions)
        )

    async def bearing(self, item: str, view: View) -> list[Event]:
        """Return all events that bear on an item in a view or an earlier one."""
        await self._caught_up()

        def read(connection: sqlite3.Connection) -> list[Event]:
            found = whole(self._reader(connection, view), item)
            return [*found, *reading.voids(connection, found, view.known_at)]

        return await self._read(read)

    async def history(self, item: str, view: View) -> History:
        """Return an item's history, its containers' included."""
        await self._caught_up()

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
            now, projection = present.view(connection, asked), self._projection
            if projection.settled:
                return present.item(
                    connection, key, now, self._site, projection.unwritten
                )
            return answer(
                tell(self._reader(connection, now), key, self._site.actions),
                key,
                at=now.at,
                known_at=now.known_at,
                horizon=reading.horizon(connection, now),
                site=self._site,
            )

        await self._caught_up()
        return await self._snapshot(look)

    async def items(self, query: ItemQuery) -> Answers:
        """Say of items, by their present answer, where each is now."""
        await self._page_written(query.after)
        return await self._snapshot(
            lambda c, at: present.items(c, query, at, self._site)
        )

    async def standing(self, after: int, limit: int) -> list[Stand]:
        """Return what is here at a known place now, by order of appearance."""
        await self._page_written(after)
        return await self._read(partial(present.standing, after=after, limit=limit))

    async def visitors(self, location: str, most: int) -> list[str]:
        """Return what was at a location lately: what came last, and what went last."""
        await self._all_written()
        return await self._read(partial(present.visitors, location=location, most=most))

    async def told(self, query: ToldQuery) -> list[tuple[int, str]]:
        """Return items that were told of anything since, with their numbers."""
        await self._page_written(query.after)
        return await self._read(partial(present.told, query=query))

    async def count_told(self, since: int) -> int:
        """Count the items that were told of anything since a moment."""
        await self._all_written()
        return await self._read(partial(present.count_told, since=since))

    async def exceptions(self, query: ExceptionQuery) -> list[Found]:
        """Return exceptions of items as of now, newest first."""
        await self._all_written()
        return await self._snapshot(lambda c, at: present.exceptions(c, query, at))

    async def events(self, after: int, limit: int) -> list[Entry]:
        """Return the lines behind a position, in the server's own order."""
        return await self._read(lambda c: reading.events(c, after, limit))

    def position(self) -> int:
        """Return the position of the line that came last; 0 where there is none."""
        return self._position

    async def event(self, name: str) -> Entry | None:
        """Return the line that is an event of this name, a quarantined one too."""
        return await self._read(partial(reading.event, name=name))

    async def grown(self, after: int) -> None:
        """Return once there are lines behind a position."""
        async with self._growth:
            await self._growth.wait_for(lambda: self._position > after)

    async def horizon(self, view: View) -> Horizon:
        """Return up to when all active stations have told everything."""
        return await self._read(partial(reading.horizon, view=view))

    async def hook_position(self, name: str) -> int:
        """Return up to where a webhook was taken; a new one begins at the end."""
        return await self._transact(partial(hook.begin, name=name))

    async def keep_hook_position(self, name: str, position: int) -> None:
        """Note that a webhook was taken up to a position."""
        await self._transact(partial(hook.keep, name=name, position=position))

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
        await self._all_written()
        return await self._read(partial(hosts.statuses, keys=keys))

    async def loads(self, most: int, items: int) -> list[Load]:
        """Return the loads that have not left, those told of last first."""
        await self._all_written()
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
        await self._all_written()
        return await self._read(partial(hosts.gone, since=since, most=most))

    async def held(self, most: int) -> dict[str, list[str]]:
        """Return what containers hold that have not left, the one told of last first.

        At most so many items; a container is told of as a whole or not.
        """
        await self._all_written()
        return await self._read(partial(hosts.held, most=most))


def _tell_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _LOG.error(
            "answers could not be made anew; those of the former rules stay",
            exc_info=task.exception(),
        )


def _storage(error: sqlite3.OperationalError) -> ProblemError:
    reason = (
        f"The database refuses to write ({error}). Nothing of the request was stored; "
        "stations keep their lines and try again. Look at the server's disk."
    )
    return ProblemError(503, ProblemType.STORAGE, reason, retry_after=10)


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
