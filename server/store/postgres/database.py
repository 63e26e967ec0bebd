"""A PostgreSQL connection on a thread of its own, that runs whole functions there.

A transaction is one function, from BEGIN to COMMIT, so that no cancelled task can leave
it open; it is run again where the connection was lost, where its COMMIT may or may not
have been done, or where it met another one. So it must change nothing but the database,
and what it does twice must be as if done once.
"""

import asyncio
import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from server.outage import Outage
from server.problems import ProblemError
from server.store.archive import Archive, archive_at
from server.store.postgres.unusable import told, unusable
from shared.protocol import ProblemType

__all__ = [
    "ALONE_AFTER",
    "LOST",
    "Database",
    "MeetingError",
    "Row",
    "Worker",
    "connect",
    "digest",
    "in_words",
    "is_lost",
    "plainly",
    "reading_only",
    "snapshot",
    "snapshot_to_write",
]

T = TypeVar("T")
Row = Sequence[Any]

PATIENCE = 8.0
"""Seconds for which a transaction is tried again, before whoever asked is told."""
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0  # seconds
_LONG = 7 * 24 * 3600.0
"""Seconds for which a statement apart may run."""
ALONE_AFTER = 4
"""Meetings with others after which a transaction waits until it is alone."""

_LOG = logging.getLogger("scantrail.server.store")

_OUTAGES: defaultdict[str, Outage] = defaultdict(
    partial(Outage, _LOG, "the database is lost", "the database is there again")
)
"""By address: all connections of a process tell of it once."""

LOST: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCachedStatementError,
)
"""What is gone with a connection: the server, the way to it, or its being the first."""

_MET: tuple[type[BaseException], ...] = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)

_SETTINGS = {
    "application_name": "scantrail-server",
    "default_transaction_isolation": "read committed",
    # every statement is short and reads by an index; a plan that was made when tables
    # were empty must not read all of them later
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_material": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    # a machine that is gone must not hold others up
    "idle_in_transaction_session_timeout": "30000",
    "lock_timeout": "15000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""


def plainly() -> str:
    """Begin a transaction that may write."""
    return "BEGIN"


def reading_only() -> str:
    """Begin one that only reads, whatever there is."""
    return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def snapshot() -> str:
    """Begin one that only reads, and all as of one moment."""
    # what is known of items may be replaced as a whole: not before that moment
    return (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
        "LOCK TABLE item IN ACCESS SHARE MODE"
    )


def snapshot_to_write() -> str:
    """Begin one that sees all as of one moment, and may take as long as it likes.

    It can make tables of its own, and write there.
    """
    return (
        "BEGIN ISOLATION LEVEL REPEATABLE READ; "
        "SET LOCAL idle_in_transaction_session_timeout = 0; "
        "LOCK TABLE item IN ACCESS SHARE MODE"
    )


class MeetingError(Exception):
    """A transaction met another one where it could not wait; it is to be run again."""


_AGAIN: tuple[type[BaseException], ...] = (*LOST, *_MET, MeetingError)


def is_lost(error: BaseException) -> bool:
    """Whether the connection, or the server behind it, cannot be used any more."""
    return isinstance(error, LOST) and not isinstance(error, ValueError)


@contextmanager
def in_words() -> Iterator[None]:
    """Say in an administrator's words why a database cannot be used.

    Raises:
        UnusableError: It cannot.
    """
    try:
        yield
    except (*LOST, asyncpg.PostgresError) as error:
        raise unusable(error) from error


@lru_cache(65_536)
def digest(key: str) -> bytes:
    """Return what a key of whatever length is looked up by."""
    return blake2b(key.encode(), digest_size=16).digest()


# PostgreSQL's text holds every character but U+0000.


def _written(text: str) -> bytes:
    return _escape(text).encode()


def _escape(text: str) -> str:
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def _escaped(value: object) -> object:
    """Escape what is in an array; the connection sees to the rest."""
    if not isinstance(value, list) or not isinstance(_first(value), str):
        return value
    # looked at all at once, because nearly no text has any of these characters
    if _escape(together := "".join(filter(None, value))) is together:
        return value
    return [one and _escape(one) for one in value]


def _first(values: list[object]) -> object:
    return next((value for value in values if value is not None), None)


def _read(data: bytes) -> str:
    text = data.decode()
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text


async def connect(url: str) -> Any:  # noqa: ANN401 # asyncpg has no types
    """Open a connection as every part of the store uses it."""
    connection = await asyncpg.connect(
        url,
        timeout=5,
        command_timeout=60,
        statement_cache_size=500,
        server_settings=_SETTINGS,
    )
    try:
        await connection.set_type_codec(
            "text",
            schema="pg_catalog",
            encoder=_written,
            decoder=_read,
            format="binary",
        )
        await connection.execute(_DURABLE)
    except BaseException:
        connection.terminate()
        raise
    return connection


class Database:
    """What a function on a worker's thread works with: statements, one at a time."""

    def __init__(
        self,
        run: Callable[[Any], Any],
        connection: Any,  # noqa: ANN401
        archive: Archive,
    ) -> None:
        self._run, self._connection = run, connection
        self.archive = archive
        """What reads lines that are in the database no more."""

    @property
    def session(self) -> object:
        """What stands for the connection, to tell it from another one."""
        return self._connection

    def rows(self, statement: str, *values: object) -> list[Row]:
        """Return all rows."""
        given = map(_escaped, values)
        found: list[Row] = self._run(self._connection.fetch(statement, *given))
        return found

    def row(self, statement: str, *values: object) -> Row | None:
        """Return the first row, if there is one."""
        given = map(_escaped, values)
        found: Row | None = self._run(self._connection.fetchrow(statement, *given))
        return found

    def one(self, statement: str, *values: object) -> Row:
        """Return the row that there is."""
        found = self.row(statement, *values)
        if found is None:  # pragma: no cover # what is asked for is always there
            reason = f"no row where one was expected: {statement}"
            raise LookupError(reason)
        return found

    def do(self, statement: str, *values: object) -> None:
        """Run a statement."""
        self._run(self._connection.execute(statement, *map(_escaped, values)))

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row."""
        given = list(rows)
        if given:
            self._run(self._connection.executemany(statement, given))

    def columns(
        self,
        statement: str,
        rows: Sequence[Sequence[object]],
        width: int,
        *values: object,
    ) -> list[Row]:
        """Run a statement with an array for each of so many columns, and values."""
        arrays = zip(*rows, strict=True) if rows else [()] * width
        return self.rows(statement, *map(list, arrays), *values)

    def copy(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Write many rows at once."""
        if rows:
            self._run(
                self._connection.copy_records_to_table(
                    table, columns=columns, records=rows
                )
            )


class Worker:
    """Runs functions on its thread, one after the other.

    Args:
        url: Where the database is.
        archive: The folder with the files of archived lines.
        chance: Returns a number from 0 to 1, for pauses that differ.
    """

    def __init__(
        self, url: str, archive: Path, chance: Callable[[], float] = random.random
    ) -> None:
        self._url, self._folder = url, archive
        self._chance = chance
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="postgres")
        self._ending = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Any = None
        self._lost_since: float | None = None
        self._outage = _OUTAGES[url]

    async def transact(
        self, function: Callable[[Database], T], begin: Callable[[], str] = plainly
    ) -> T:
        """Run a function in a transaction, until that is done.

        Args:
            function: What to do; it may be run several times.
            begin: Returns the statements that begin the transaction.

        Raises:
            ProblemError: 503, the database cannot be reached or takes nothing.
        """
        return await self._on_thread(lambda: self._until_done(begin, function))

    async def apart(self, statement: str) -> None:
        """Run a statement that may be in no transaction, however long it takes.

        Raises:
            ProblemError: 503, the database cannot be reached.
        """
        await self._on_thread(lambda: self._alone(statement))

    async def open(self) -> None:
        """Connect, once.

        Raises:
            UnusableError: It cannot be reached.
        """
        try:
            with in_words():
                await self._on_thread(self._connect)
        except ValueError as error:
            raise unusable(error) from error

    async def close(self) -> None:
        """Finish what runs, and close the connection."""
        self._ending.set()
        await self._on_thread(self._end)
        self._thread.shutdown()

    async def _on_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._thread.submit(function))

    # --- on the thread ----------------------------------------------------------------

    def _run(self, awaitable: Any) -> Any:  # noqa: ANN401
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        return self._loop.run_until_complete(awaitable)

    def _connect(self) -> Database:
        if self._connection is None or self._connection.is_closed():
            self._connection = self._run(connect(self._url))
        return Database(self._run, self._connection, archive_at(self._folder))

    def _alone(self, statement: str) -> None:
        try:
            self._connect()
            self._run(self._connection.execute(statement, timeout=_LONG))
        except LOST as error:
            self._drop()
            raise _unreachable(error) from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
            self._run(asyncio.sleep(0))

    def _end(self) -> None:
        self._drop()
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None

    def _until_done(
        self, begin: Callable[[], str], function: Callable[[Database], T]
    ) -> T:
        tries, until = 0, time.monotonic() + PATIENCE
        while True:
            try:
                found = self._once(begin(), function)
            except asyncpg.InsufficientResourcesError as error:
                raise _full(error) from error
            except _AGAIN as error:
                if isinstance(error, ValueError):  # what was given, not the way
                    raise
                self._wait(error, tries, until)
                tries += 1
            else:
                if self._lost_since is not None:
                    self._outage.over()
                    self._lost_since = None
                return found

    def _wait(self, error: BaseException, tries: int, until: float) -> None:
        """Wait until the next try.

        Raises:
            ProblemError: That would take too long.
        """
        now = time.monotonic()
        if isinstance(error, LOST):
            self._drop()
            if self._lost_since is None:
                self._lost_since = now
            if tries:  # a connection that was idle may be gone alone
                self._outage.met(told(error))
            if now - self._lost_since > PATIENCE:
                until = now  # others have waited already
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tries, 8))
        if now + pause > until or self._ending.is_set():
            raise _unreachable(error) from error
        self._ending.wait(pause * (0.5 + self._chance() / 2))

    def _once(self, begin: str, function: Callable[[Database], T]) -> T:
        database = self._connect()
        try:
            database.do(begin)
            found = function(database)
            database.do("COMMIT")
        except BaseException as error:
            if not is_lost(error):  # else the transaction goes with the connection
                self._roll_back(database)
            raise
        return found

    def _roll_back(self, database: Database) -> None:
        try:
            database.do("ROLLBACK")
        except LOST:
            self._drop()


def _unreachable(error: BaseException) -> ProblemError:
    reason = (
        f"The database cannot be reached or is busy ({told(error)}). Look at "
        "PostgreSQL."
    )
    return ProblemError(503, ProblemType.STORAGE, reason, retry_after=5)


def _full(error: BaseException) -> ProblemError:
    reason = (
        f"The database refuses to write ({told(error)}). Nothing of the request was "
        "stored. Look at its disk."
    )
    return ProblemError(503, ProblemType.STORAGE, reason, retry_after=10)
