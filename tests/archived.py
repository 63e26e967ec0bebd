"""A store of either kind whose lines are archived, as the tests of that need it."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.answers import Horizon, answer
from server.archiving import Kept, archive
from server.delivery import Delivery
from server.events import Event, Order
from server.site import DEFAULT, Site
from server.store import (
    DepartureQuery,
    ExceptionQuery,
    Invitation,
    ItemQuery,
    Joining,
    Receipt,
    Station,
    Store,
    View,
)
from server.store.archive import Archive
from server.store.archive_files import ArchiveFile
from server.store.archiving import FileArchiving
from server.store.audit import Report, opened, report
from server.store.parquet import Row
from server.store.postgres import audit
from server.store.postgres.archiving import PostgresArchiving
from server.store.postgres.store import PostgresStore
from server.store.sqlite import SqliteStore
from shared import chain
from shared.api.items import ItemAnswer
from shared.data_folders import ARCHIVE, DATABASE
from shared.lines import encode
from shared.moments import SECOND
from shared.protocol import ClockReading
from tests.properties.histories import ITEMS, LOGS, MINUTE, START, random_history
from tests.properties.lines import line_of

__all__ = ["DAY", "EVER", "NAMES", "NOW", "World"]

NOW = START + 100_000 * MINUTE
DAY = 24 * 3600 * SECOND
EVER = 4_000_000_000 * SECOND
LATEST = View(at=EVER, known_at=EVER)
NAMES = {log: str(UUID(int=number)) for number, log in enumerate(LOGS, 1)}


_SIGNED = "SELECT count(*) FROM delivery WHERE signature IS NOT NULL"
_COUNTS = """
SELECT (SELECT count(*) FROM line WHERE line IS NULL),
    (SELECT count(*) FROM line WHERE line IS NOT NULL),
    (SELECT count(DISTINCT line) FROM said)
"""


class World:
    """A store, stations with keys, what they wrote, and a clock that goes by days.

    Args:
        folder: The server's data folder.
        url: Where its database is, if that is on PostgreSQL.
        begins: When it is now.
    """

    def __init__(self, folder: Path, url: str = "", *, begins: int = NOW) -> None:
        self.folder, self.url, self.moment = folder, url, begins
        self.site: Site = DEFAULT
        self.store: Store
        self.stations: dict[str, Station] = {}
        self.keys = {log: Ed25519PrivateKey.generate() for log in LOGS}
        self.lines: dict[str, list[bytes]] = {log: [] for log in LOGS}
        self.sent = dict.fromkeys(LOGS, 0)

    def clock(self) -> int:
        """Return now, later each time."""
        self.moment += 1
        return self.moment

    @property
    def archive_folder(self) -> Path:
        return self.folder / ARCHIVE

    async def open(self) -> None:
        if self.url:
            self.store = await PostgresStore.open(
                self.url,
                self.clock,
                self.site,
                clock=self.clock,
                archive=self.archive_folder,
            )
        else:
            path = self.folder / DATABASE
            self.store = await SqliteStore.open(path, self.clock, self.site)

    async def begin(self) -> None:
        """Open it, and let the stations join."""
        await self.open()
        for log, name in NAMES.items():
            code = log.encode()
            await self.store.invite(
                Invitation(
                    name=log,
                    location=None,
                    kind="station",
                    code_hash=code,
                    expires=EVER,
                )
            )
            public = self.keys[log].public_key().public_bytes_raw()
            self.stations[log] = await self.store.enrol(
                Joining(
                    code_hash=code,
                    log=name,
                    token_hash=code,
                    public_key=public,
                    version="",
                    host="",
                )
            )

    def record(self, rng: random.Random, length: int) -> list[str]:
        """Let stations write a random history; return whose turn it is to send."""
        begun = {log: len(lines) for log, lines in self.lines.items()}
        turns = []
        for scan in random_history(rng, length):
            later = scan._replace(seq=scan.seq + begun[scan.log])
            self.lines[scan.log].append(encode(line_of(later, NAMES)))
            turns.append(scan.log)
        return turns

    async def send(self, log: str, count: int, again: int = 0) -> Receipt:
        """Send so many lines that are new, and some that were sent before."""
        after = max(0, self.sent[log] - again)
        self.sent[log] += count
        return await self.offer(log, after, self.lines[log][: self.sent[log]])

    async def offer(self, log: str, after: int, lines: list[bytes]) -> Receipt:
        """Send what is behind ``after`` of these lines."""
        name = NAMES[log]
        heads = chain.walk(chain.start(name), lines)
        message = chain.signed_message(name, len(lines), heads[-1])
        delivery = Delivery(
            log=name,
            after=after,
            lines=lines[after:],
            heads=heads[after:],
            signature=self.keys[log].sign(message),
            clock=self._reading(log),
        )
        return await self.store.append(self.stations[log], delivery)

    def _reading(self, log: str) -> ClockReading | None:
        """Return what a station's clocks show; one of them tells."""
        if log != LOGS[0]:
            return None
        boot = f"boot-{self.moment // DAY}"
        return ClockReading(at=self.moment, boot=boot, mono=self.moment, synced=True)

    async def play(self, rng: random.Random, length: int, days: int = 9) -> None:
        """Let a history come in, some days between deliveries."""
        turns = self.record(rng, length)
        while turns:
            together = turns[: rng.choice((1, 1, 2, 5, 12))]
            del turns[: len(together)]
            self.moment += rng.randrange(days) * DAY
            for log in sorted(set(together)):
                await self.send(log, together.count(log), rng.choice((0, 0, 1, 3)))

    @contextmanager
    def kept(self) -> Iterator[Kept]:
        if self.url:
            with closing(PostgresArchiving(self.url, self.archive_folder)) as there:
                yield there
        else:
            with closing(FileArchiving(self.folder / DATABASE)) as here:
                yield here

    async def archive(self, before: int, tell: Callable[[ArchiveFile], None]) -> None:
        """Archive, beside the store on PostgreSQL; else while it is closed."""

        def run() -> None:
            with self.kept() as kept:
                archive(kept, self.archive_folder, before, tell)

        await self.apart(run)

    async def apart(self, function: Callable[[], None]) -> None:
        """Run something while the store is closed, where only one may have it open."""
        if not self.url:
            await self.store.close()
        try:
            await asyncio.to_thread(function)
        finally:
            if not self.url:
                await self.open()

    async def files(self) -> list[ArchiveFile]:
        def look() -> list[ArchiveFile]:
            with self.kept() as kept:
                return kept.files()

        return await asyncio.to_thread(look)

    def rows(self, file: ArchiveFile) -> list[Row]:
        """Return what is in a file."""
        reader = Archive(self.archive_folder)
        return [row for rows in reader.rows(file) for row in rows]

    async def counts(self) -> tuple[int, int, int]:
        """Count lines that are gone, that are there, and that something is said by."""
        store = self.store
        if isinstance(store, PostgresStore):
            found = await store._read(lambda database: database.one(_COUNTS))
            return found[0], found[1], found[2]
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            gone, there, said = connection.execute(
                _COUNTS.replace("count(DISTINCT line)", "count(DISTINCT position)")
            ).fetchone()
        return gone, there, said

    async def signed(self) -> int:
        """Count the deliveries whose signatures are in the database."""
        store = self.store
        if isinstance(store, PostgresStore):
            found = await store._read(lambda database: database.one(_SIGNED))
            return int(found[0])
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection:
            return int(connection.execute(_SIGNED).fetchone()[0])

    async def change(self, statement: str) -> None:
        """Change what is kept; {0} stands for a line as text, {1} makes it bytes."""
        store = self.store
        if isinstance(store, PostgresStore):
            text = statement.format("convert_from(line, 'UTF8')", "::bytea")
            await store._write(lambda database: database.do(text))
            return
        text = statement.format("CAST(line AS TEXT)", "")
        with closing(sqlite3.connect(self.folder / DATABASE)) as connection, connection:
            connection.execute(text)
            connection.execute("UPDATE line SET line = CAST(line AS BLOB)")

    async def report(self) -> Report:
        """Check everything, as verify does."""
        store = self.store
        if isinstance(store, PostgresStore):
            return await store._read(lambda database: audit.report(database, {}))

        def look() -> Report:
            with opened(self.folder / DATABASE) as connection:
                return report(connection, {})

        return await asyncio.to_thread(look)

    async def told(self, item: str, view: View = LATEST) -> ItemAnswer:
        """Return an answer that is told from the lines."""
        return answer(
            await self.store.tell(item, view),
            item,
            at=view.at,
            known_at=view.known_at,
            horizon=Horizon(),
            site=self.site,
        )

    async def answers(self, known_at: int) -> dict[str, object]:
        """Return all that is answered: as of now, as of then, by what was known."""
        store = self.store
        found: dict[str, object] = {}
        for item in ITEMS:
            for at in (NOW, EVER):
                view = View(at=at, known_at=known_at)
                found[f"tell {item} {at}"] = await self.told(item, view)
                found[f"history {item} {at}"] = await store.history(item, view)
                bearing = await store.bearing(item, view)
                found[f"bearing {item} {at}"] = sorted(bearing, key=_order)
                found[f"load {item} {at}"] = await store.manifest(item, view)
        query = DepartureQuery(until=EVER, known_at=known_at)
        departed = (await store.departures(query)).found
        found["departures"] = [(one.load, one.scan) for one in departed]
        found["feed"] = await store.events(0, 10_000)
        found["exceptions"] = await store.exceptions(ExceptionQuery(open=None))
        listed = (await store.items(ItemQuery(limit=1_000))).answers
        found["items"] = sorted((one.item, one.location, one.status) for one in listed)
        return found


def _order(event: Event) -> Order:
    return event.order
