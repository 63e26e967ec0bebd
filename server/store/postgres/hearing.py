"""What other processes commit, as this one hears of it."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import uuid4

from server.outage import Outage
from server.store.postgres import locks
from server.store.postgres.database import connect
from server.store.postgres.hooks import RENEW
from server.store.postgres.turn import CHANNEL, CLOCK, STATE, Turn, told

__all__ = ["Hearing"]

EVERY = 0.2
"""Seconds between two looks; what is committed is heard of at once."""
FRESH = 1.0
"""Seconds after a look for which what it found is taken for what holds."""
RENEW_AFTER = 25
"""Looks after which this process says again that it tells its webhooks."""
REST = 1.0
"""Seconds until the next try where the database is lost."""

_LOG = logging.getLogger("scantrail.server.store")

# Where nobody is committing, all that was received before now is there already.
_LOOK = f"""
SELECT {STATE}, {locks.TRY_TURN}, {CLOCK} FROM turn
"""  # noqa: S608 # of constants


class Hearing:
    """Up to where everything is committed, as far as this process knows.

    Args:
        url: Where the database is.
        clock: Returns now, if not the database's clock does.
        rules: By which this process serves, which it shows to others.

    ``teller`` is what this process is called where it tells webhooks.
    """

    def __init__(self, url: str, clock: Callable[[], int] | None, rules: str) -> None:
        self._url, self._clock, self._rules = url, clock, rules
        self._lock = threading.Lock()  # the loop's thread, and those that write
        self._given = self._safe = 0
        self.teller = uuid4()
        self.position = self.said = self._stations = 0
        self._late = self._late_told = 0
        self._looked = -FRESH
        self._growth = asyncio.Condition()
        self._listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def present(self) -> int:
        """Return a moment up to which all that was received is there."""
        with self._lock:
            self._given = max(self._given, self._safe)
            return self._given

    def given(self) -> int:
        """Return the latest moment that was given out here."""
        with self._lock:
            return self._given

    @property
    def stations(self) -> int | None:
        """A number that grows whenever a station or one of its tokens may have changed.

        ``None`` where nothing was heard for too long to say so.
        """
        fresh = time.monotonic() - self._looked < FRESH
        return self._stations if fresh else None

    @property
    def late(self) -> int:
        """How many notes of what came late are not told anew."""
        return max(0, self._late - self._late_told)

    async def note(self, turn: Turn) -> None:
        """Take in what was committed."""
        self._move(turn.received)
        self.said = max(self.said, turn.said)
        self._stations = max(self._stations, turn.stations)
        before = self.position, self._late, self._late_told
        self.position = max(self.position, turn.position)
        self._late = max(self._late, turn.late)
        self._late_told = max(self._late_told, turn.told)
        if before != (self.position, self._late, self._late_told):
            async with self._growth:
                self._growth.notify_all()

    async def grown(self, after: int) -> None:
        """Return once there are lines behind a position."""
        async with self._growth:
            await self._growth.wait_for(lambda: self.position > after)

    async def unsettled(self) -> None:
        """Return once there is something late that is not told anew."""
        async with self._growth:
            await self._growth.wait_for(lambda: self._late > self._late_told)

    async def settled(self, late: int) -> None:
        """Return once what was late up to a note is told anew."""
        async with self._growth:
            await self._growth.wait_for(lambda: self._late_told >= late)

    async def begin(self) -> None:
        """Look once, and go on listening until `close`."""
        connection = await connect(self._url)
        try:
            await self._look(connection)
        finally:
            await connection.close()
        self._task = asyncio.create_task(self._listen(), name="listening to others")
        with contextlib.suppress(TimeoutError):  # it goes on trying
            async with asyncio.timeout(REST):
                await self._listening.wait()

    async def close(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.gather(*self._tasks)

    def _move(self, safe: int) -> None:
        with self._lock:
            self._safe = max(self._safe, safe)

    async def _look(self, connection: Any) -> None:  # noqa: ANN401 # asyncpg has no types
        clock = None if self._clock is None else self._clock()
        row = await connection.fetchrow(_LOOK, clock)
        *turn, free, now = row
        await self.note(Turn(*turn))
        self._looked = time.monotonic()
        if free:
            self._move(now - 1)

    async def _listen(self) -> None:
        outage = Outage(
            _LOG,
            "nothing is heard of other processes",
            "other processes are heard of again",
        )
        while True:
            connection = None
            try:
                connection = await connect(self._url)
                await connection.execute(locks.SERVE_BY, locks.number_of(self._rules))
                await connection.add_listener(CHANNEL, self._told)
                self._listening.set()
                for number in count():
                    await self._look(connection)
                    outage.over()
                    if number % RENEW_AFTER == 0:
                        await connection.execute(RENEW, self.teller)
                    await asyncio.sleep(EVERY)
            except Exception as error:  # noqa: BLE001 # told to the log, and tried again
                outage.met(error)
            finally:
                if connection is not None:
                    connection.terminate()
            await asyncio.sleep(REST)

    def _told(self, _: object, _pid: int, _channel: str, payload: object) -> None:
        note = self.note(told(str(payload)))
        task = asyncio.get_running_loop().create_task(note)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
