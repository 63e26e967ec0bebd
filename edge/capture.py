"""The loop from a read to its confirmation. Nothing is confirmed before its commit.

::

    scanner -> queue -> key -> workflow -> outbox.append -> display, scanner.confirm

One task takes the reads one after another, so a line's order is the order of the
scans. A read that cannot be saved stays in memory, and is tried again by itself; the
person hears at once, of it and of every read behind it, that nothing is saved.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from edge.clock import Clock, read_clock
from edge.feedback import Expect, Feedback, Says, Tone, Word
from edge.scanners import Read, Sink
from edge.storage import NotSavedError
from edge.workflow import (
    Rules,
    State,
    Told,
    expects,
    recorded,
    rest,
    resting,
    step,
)
from shared.errors import LineError
from shared.keys import Site, parse
from shared.lines import Line

__all__ = ["DEPTH", "Capture", "Confirming", "Journal"]

_log = logging.getLogger(__name__)

DEPTH = 256
"""Reads that wait in the queue, at most; then scanners are held back."""
_HELD = 256
"""Reads that wait for a disk that fails, at most; then each is refused, and said so."""
_RETRY = 2.0  # seconds between two tries to save what is held
_TICK = 1.0  # seconds; how late a station may notice that it was left alone
_CONFIRM = 1.0  # seconds that a scanner may take to be told


class Journal(Protocol):
    """What makes drafts durable: the outbox."""

    async def append(self, drafts: Sequence[Line]) -> list[str]:
        """Save all or none, and return the events' names."""


class Confirming(Protocol):
    """The part of a scanner that is told what became of a read."""

    async def confirm(self, read: Read, tone: Tone) -> None:
        """Tell it."""


class _Held(NamedTuple):
    read: Read
    scanner: Confirming


class Capture:
    """Turns reads into saved lines, and says what became of each."""

    def __init__(
        self,
        journal: Journal,
        rules: Rules,
        *,
        show: Callable[[Feedback], None],
        site: Site | None = None,
        facts: Told | None = None,
        online: Callable[[], bool] = lambda: True,
        clock: Clock = read_clock,
        retry: float = _RETRY,
        tick: float = _TICK,
    ) -> None:
        """Prepare it; ``run`` does it.

        Args:
            journal: Where lines are saved.
            rules: What the workflow allows.
            show: Shows the feedback of the latest scan.
            site: Which labels of the site's own are items.
            facts: What the station knows; it learns what is saved.
            online: Whether the server is within reach; only for the word that is shown.
            clock: Tells how long nothing was scanned.
            retry: Seconds between two tries to save what could not be saved.
            tick: Seconds after which it looks whether the station was left alone.
        """
        self._journal = journal
        self._rules = rules
        self._show = show
        self._site = site or Site()
        self._facts = facts or Told()
        self._online = online
        self._clock = clock
        self._retry = retry
        self._tick = tick
        self._queue: asyncio.Queue[_Held] = asyncio.Queue(DEPTH)
        self._held: deque[_Held] = deque()
        self.state: State = resting(rules)
        self.problem = ""

    @property
    def held(self) -> int:
        """How many reads are in memory only."""
        return self._queue.qsize() + len(self._held)

    def sink(self, scanner: Confirming) -> Sink:
        """Return where a scanner delivers its reads; it is held back while full."""

        async def deliver(read: Read) -> None:
            await self._queue.put(_Held(read, scanner))

        return deliver

    async def settled(self) -> None:
        """Wait until every read that was delivered is saved, or refused."""
        await self._queue.join()

    async def run(self) -> None:
        """Take reads until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._retry if self._held else self._tick):
                    held = await self._queue.get()
            except TimeoutError:
                await self._idle()
            else:
                await self._take(held)

    async def _idle(self) -> None:
        """Try again to save what is held; go back to rest after a while."""
        if self._held:
            await self._save_held()
        rested = rest(self._rules, self.state, self._clock().mono)
        if rested.scene != self.state.scene or rested.operator != self.state.operator:
            self.state = rested
            self._show(self._notice(Says.RESTED))

    async def _take(self, held: _Held) -> None:
        if len(self._held) >= _HELD:
            self._queue.task_done()
            await self._refuse(held, Says.NOT_KEPT)
            return
        self._held.append(held)
        if not await self._save_held():
            await self._refuse(held, Says.NOT_SAVED)

    async def _save_held(self) -> bool:
        """Save what is held, oldest first, up to the first that cannot be."""
        while self._held:
            if not await self._record(self._held[0]):
                return False
            self._held.popleft()
            self._queue.task_done()
        return True

    async def _record(self, held: _Held) -> bool:
        """Save one read, and only then say so."""
        read, scanner = held
        key = parse(read.raw.decode("latin-1"), self._site)
        made = step(self._rules, self.state, key, read, self._facts)
        try:
            names = await self._append(made.drafts)
        except NotSavedError as error:
            self.problem = str(error)
            return False
        self.problem = ""
        self.state = recorded(made.state, tuple(names))
        self._show(self._worded(made.feedback))
        await self._tell(scanner, read, made.feedback.tone)
        self._facts.learn(names, made.drafts)
        return True

    async def _append(self, drafts: Sequence[Line]) -> list[str]:
        try:
            return await self._journal.append(drafts)
        except LineError as error:
            # Every bound before this one has failed; the read itself still fits.
            _log.exception("a line that cannot be written is kept as its raw read")
            return await self._journal.append([_bare(d, str(error)) for d in drafts])

    def _worded(self, feedback: Feedback) -> Feedback:
        if feedback.word is not Word.SAVED or self._online():
            return feedback
        return msgspec.structs.replace(feedback, word=Word.WAITING)

    async def _refuse(self, held: _Held, says: Says) -> None:
        """Say at once that a read is not saved."""
        refusal = msgspec.structs.replace(
            self._notice(says),
            tone=Tone.ERROR,
            word=Word.NOT_SAVED,
            code=held.read.raw.decode("latin-1"),
            expects=Expect.RESCAN,
        )
        self._show(refusal)
        await self._tell(held.scanner, held.read, Tone.ERROR)

    def _notice(self, says: Says) -> Feedback:
        """Return what is not the outcome of a step."""
        return Feedback(
            tone=Tone.GOOD,
            word=Word.READY,
            code="",
            says=says,
            names={"reason": self.problem, "number": str(self.held)},
            mode=self.state.scene.mode,
            expects=expects(self._rules, self.state),
        )

    async def _tell(self, scanner: Confirming, read: Read, tone: Tone) -> None:
        """Tell the scanner; one that cannot be told holds up nothing."""
        try:
            async with asyncio.timeout(_CONFIRM):
                await scanner.confirm(read, tone)
        except TimeoutError:
            _log.warning("%s does not take its confirmation", read.device)
        except Exception:  # noqa: BLE001 - whatever a driver does, capture goes on
            _log.exception("%s could not be told what became of a scan", read.device)


def _bare(draft: Line, reason: str) -> Line:
    """Return a draft with nothing but the read in it."""
    return Line(
        seq=0,
        at=draft.at,
        boot=draft.boot,
        mono=draft.mono,
        synced=draft.synced,
        action="note",
        reason=reason,
        raw=draft.raw,
        device=draft.device and draft.device[:64],
        damaged=draft.damaged,
    )
