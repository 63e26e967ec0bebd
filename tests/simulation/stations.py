"""A station's core on a database in memory: the real ledger and the real sync.

Nothing here waits for anything, so each exchange runs to its end at once.
"""

import logging
import random
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import outbox_schema
from edge.answers import Answer, NoAnswer
from edge.ledger import Ledger
from edge.logs import Batch, Log, State
from edge.outbox import Outbox
from edge.sync import Sync
from edge.sync_policy import Pace
from server.delivery import Delivery
from server.store import Station as Joined
from shared.chain import signed_message, walk
from shared.lines import Line
from shared.moments import to_text
from tests.simulation.clocks import Machine

__all__ = ["Request", "StationSim"]

_T = TypeVar("_T")
_PACE = Pace(max_lines=8)

logging.getLogger("edge.sync").setLevel(logging.ERROR)


class Request:
    """What a station sends: a delivery, from whom, and by which key."""

    def __init__(self, joined: Joined, delivery: Delivery) -> None:
        self.joined = joined
        self.delivery = delivery


Send = Callable[["StationSim", Request], Answer | NoAnswer]


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run what never waits to its end."""
    try:
        work.send(None)
    except StopIteration as end:
        found: _T = end.value
        return found
    reason = "it waits for something"
    raise RuntimeError(reason)


class _Box:
    """What `edge.sync` needs of an outbox, over a ledger in memory."""

    def __init__(
        self, ledger: Ledger, name: Callable[[], str], left: Callable[[], None]
    ) -> None:
        self.ledger = ledger
        self._name = name
        self._left = left

    @property
    def state(self) -> State:
        return self.ledger.state

    @property
    def waiting(self) -> int:
        return self.ledger.state.waiting

    @property
    def acked(self) -> int:
        return self.ledger.state.acked

    def on_saved(self, callback: Callable[[], None]) -> None:
        del callback

    async def batch(
        self, after: int, *, max_lines: int, max_bytes: int, part: int | None = None
    ) -> Batch:
        return self.ledger.read(after, max_lines, max_bytes, part)

    async def head_at(self, seq: int, part: int | None = None) -> bytes | None:
        return self.ledger.head_at(seq, part)

    async def acknowledged(
        self, acked: int, backed_up: int, *, epoch: str = "", part: int | None = None
    ) -> None:
        self.ledger.note(acked, backed_up, epoch=epoch, part=part)

    async def rewind(self, acked: int, part: int | None = None) -> None:
        log: Log = self.ledger.state.part(part)
        self.ledger.note(acked, min(log.backed_up, acked), part=part)

    async def start_log(self, common: int, part: int | None = None) -> str:
        name = self._name()
        self.ledger.start_log(common, name, part)
        self._left()
        return name


class StationSim:
    """One station: its machine, its outbox, and its way to the server."""

    def __init__(
        self, name: str, chance: random.Random, now: int, copied: bytes | None = None
    ) -> None:
        self.name = name
        self._chance = chance
        self.machine = Machine(chance, now)
        self.key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        self.joined: Joined | None = None
        self.scans = 0
        self.copied: bytes | None = None
        self.branched = False
        self._now = now
        self._send: Send | None = None
        self._open(copied)

    def _open(self, copied: bytes | None) -> None:
        db = sqlite3.connect(":memory:", isolation_level=None)
        if copied is None:
            for sql in outbox_schema.schemas():
                db.executescript(sql)
        else:
            db.deserialize(copied)
        self._db = db
        self.ledger = Ledger(db, self._uuid())
        self._start()

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128)))

    def _start(self) -> None:
        box: Any = _Box(self.ledger, self._uuid, self._forked)
        outbox: Outbox = box
        self._sync = Sync(outbox, self, pace=_PACE, luck=self._chance.random)

    def _forked(self) -> None:
        """Forget the copy, which would be a third branch; the new log has only one."""
        self.copied, self.branched = None, False

    # --- what happens to it -----------------------------------------------------------

    def scan(self, now: int) -> str:
        """Save one scan, and return what it is known by."""
        self.scans += 1
        uid = f"P-{self.name}.{self.scans}"
        clock = self.machine.read(now)
        draft = Line(
            seq=0,
            at=to_text(clock.at),
            boot=clock.boot,
            mono=clock.mono,
            synced=clock.synced,
            action="see",
            item=uid,
            raw=uid,
        )
        self.ledger.append([draft])
        return uid

    def crash(self) -> None:
        """Lose all that is in memory only."""
        self.ledger = Ledger(self._db, "")
        self._start()

    def copy(self) -> bytes:
        """Copy the outbox."""
        return self._db.serialize()

    def put_back(self, copied: bytes | None) -> None:
        """Replace the outbox by an older copy of it, or by a new one."""
        self._db.close()
        self._open(copied)

    def holds(self) -> set[str]:
        """Return what is in the outbox, sent or not."""
        return {
            uid
            for log in self.ledger.state.logs
            for uid in _uids(self.ledger, log, log.last)
        }

    def prune(self) -> None:
        """Drop what is backed up."""
        for log in self.ledger.state.logs:
            through = min(log.backed_up, log.acked)
            if through > log.first:
                self.ledger.prune(log.id, through)

    # --- sending ----------------------------------------------------------------------

    def exchange(self, send: Send, now: int) -> None:
        """Make one exchange with the server, by whatever way there is."""
        self._send, self._now = send, now
        run(self._sync.step())

    @property
    def waiting(self) -> bool:
        """Whether the server has still to hear of something."""
        return not self.ledger.state.at_rest()

    async def send(self, batch: Batch) -> Answer | NoAnswer:
        """Send a batch: see `edge.sync.Link`."""
        return self._deliver(batch, opaque=False)

    async def send_raw(self, batch: Batch) -> Answer | NoAnswer:
        """Send one line as opaque bytes."""
        return self._deliver(batch, opaque=True)

    async def reference(self, etag: str) -> Answer | NoAnswer:
        """Fetch nothing: there are no reference data here."""
        del etag
        return NoAnswer(problem="")

    def _deliver(self, batch: Batch, *, opaque: bool) -> Answer | NoAnswer:
        if self.joined is None or self._send is None:
            return NoAnswer(problem="not joined")
        lines = list(batch.lines)
        delivery = Delivery(
            log=batch.log,
            after=batch.after,
            lines=lines,
            heads=walk(batch.base, lines),
            signature=self.key.sign(signed_message(batch.log, batch.last, batch.head)),
            clock=self.machine.read(self._now),
            opaque=opaque,
        )
        return self._send(self, Request(self.joined, delivery))


def _uids(ledger: Ledger, log: Log, last: int) -> list[str]:
    lines = ledger.read(log.first, last - log.first + 1, 2**40, log.id).lines
    return [(line.split(b'"raw":"')[1].split(b'"')[0]).decode() for line in lines]
