"""The loop that brings every saved line to the server, in order, until it is there.

One task. It sends as soon as something is saved, says "nothing more" when nothing is,
and tries again by itself when the server comes back; it never waits for the next scan.
What has been sent is known by the outbox alone, so that it can be stopped at any point:
what was not acknowledged is sent again, which changes nothing. Logs that were left come
before the present one, as far as the server has to get lines of theirs.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from edge.answers import Answer, NoAnswer, Own, Sent, agrees, decide, read
from edge.clock import Clock, read_clock
from edge.decisions import (
    Acked,
    Decision,
    Disowned,
    Diverged,
    Halve,
    Rewind,
    SendRaw,
    State,
    Wait,
)
from edge.feedback import Alarm
from edge.logs import Batch, Log
from edge.outbox import Outbox
from edge.reference import Copy
from edge.renewal import Tokens
from edge.storage import NotSavedError
from edge.sync_policy import Pace, Stance, react

__all__ = ["Link", "Pause", "Raised", "Sync", "SyncStatus", "pause"]

_log = logging.getLogger(__name__)

Pause = Callable[[asyncio.Event, float], Awaitable[None]]
"""Waits until the event is set, or as many seconds; a parameter for tests."""


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


class Link(Protocol):
    """The way to the server, as ``edge.uplink.Uplink`` has it."""

    async def send(self, batch: Batch) -> Answer | NoAnswer:
        """Append lines, or tell that there are none."""

    async def send_raw(self, batch: Batch) -> Answer | NoAnswer:
        """Append the one line as opaque bytes."""

    async def reference(self, etag: str) -> Answer | NoAnswer:
        """Fetch the reference data, unless they are those of ``etag``."""


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm, and the values that its sentence speaks of."""

    kind: Alarm
    names: Mapping[str, str] = {}


class SyncStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the station and its server stand, for the screen.

    ``waiting`` counts the lines that are saved here and not yet there, ``acked`` is the
    last one that is. ``last_contact`` is the wall clock at the last answer of the
    server, in microseconds since 1970. ``problem`` says what is wrong and what to do,
    and is empty while nothing is; ``retry_in`` are the seconds until the next try,
    counted from when this was made. ``alarm`` is something that a person has to look
    into; it stays as long as its cause does, or else while the station runs.
    """

    state: State
    waiting: int = 0
    acked: int = 0
    last_contact: int | None = None
    problem: str = ""
    retry_in: float | None = None
    alarm: Raised | None = None


class Sync:
    """Brings an outbox to the server."""

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        *,
        reference: Copy | None = None,
        tokens: Tokens | None = None,
        pace: Pace | None = None,
        clock: Clock = read_clock,
        luck: Callable[[], float] = random.random,
        rest: Pause = pause,
    ) -> None:
        """Prepare it; ``run`` does it.

        Args:
            outbox: What to send.
            link: The way to the server.
            reference: The copy of the reference data that is to be kept up to date.
            tokens: What replaces the station's token when it is old.
            pace: How fast and how slow.
            clock: For ``last_contact``.
            luck: Gives numbers from 0 up to 1, for the jitter.
            rest: How to wait.
        """
        self._outbox = outbox
        self._link = link
        self._reference = reference
        self._tokens = tokens
        self._pace = pace or Pace()
        self._clock = clock
        self._luck = luck
        self._rest = rest
        self._stance = Stance(limit=self._pace.max_lines)
        self._saved = asyncio.Event()
        self._again = asyncio.Event()
        self._alarmed: Raised | None = None
        self._disowned: frozenset[int] = frozenset()
        self._observers: list[Callable[[SyncStatus], None]] = []
        self.status = SyncStatus(
            state=State.SENDING, waiting=outbox.waiting, acked=outbox.acked
        )
        outbox.on_saved(self._on_saved)

    def observe(self, callback: Callable[[SyncStatus], None]) -> None:
        """Call ``callback`` with the status whenever it changes, and at once."""
        self._observers.append(callback)
        callback(self.status)

    def retry(self) -> None:
        """Do not wait any longer before the next try."""
        self._again.set()

    def speak(self) -> None:
        """Say soon how the station stands, also where there is nothing to send."""
        self._saved.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            rest = await self.step()
            if rest is not None:
                await self._rest(self._again, rest)
            elif self._outbox.state.at_rest(self._disowned):
                await self._rest(self._saved, self._pace.heartbeat)

    async def step(self) -> float | None:
        """Make one exchange with the server, and do what follows from it.

        Returns:
            The seconds to rest before the next; None where nothing is wrong.
        """
        self._saved.clear()
        self._again.clear()
        log = self._outbox.state.sending(self._disowned)
        sent = Sent(after=log.acked, last=log.acked)
        try:
            batch = await self._batch(log, log.acked, self._stance.limit)
            raw = self._stance.raw and bool(batch.lines)
            sent = Sent(after=batch.after, last=batch.last, raw=raw)
            decision = await self._obey(log, await self._exchange(log, batch, sent))
        except (NotSavedError, LookupError) as error:
            decision = Wait(state=State.STORAGE, problem=str(error))
        self._stance, rest = react(
            self._stance, decision, sent, self._pace, self._luck()
        )
        if isinstance(decision, Wait) and self._tries_another_token(decision):
            return 0.0
        self._look_at_alarm(decision, sent)
        self._report(decision, rest)
        if isinstance(decision, Acked):
            await self._renew(decision)
            await self._refresh(decision, sent)
        return rest

    def _tries_another_token(self, decision: Wait) -> bool:
        return self._tokens is not None and self._tokens.refused(decision.unknown)

    async def _renew(self, acked: Acked) -> None:
        """Replace the token where it is old and no line waits for it."""
        if self._tokens is not None:
            await self._tokens.accepted()
            if acked.token_due and not self._outbox.waiting:
                await self._tokens.renew()

    async def _batch(self, log: Log, after: int, limit: int) -> Batch:
        return await self._outbox.batch(
            after, max_lines=limit, max_bytes=self._pace.max_bytes, part=log.id
        )

    async def _exchange(self, log: Log, batch: Batch, sent: Sent) -> Decision:
        answer = await (self._link.send_raw if sent.raw else self._link.send)(batch)
        reading, state = read(answer), self._outbox.state
        claimed = reading.acked
        head = None if claimed is None else await self._outbox.head_at(claimed, log.id)
        own = Own(
            last=state.part(log.id).end,
            head=head,
            first=log.first,
            left=log.id != state.present.id,
        )
        return decide(answer, reading, sent, own)

    async def _obey(self, log: Log, decision: Decision) -> Decision:
        """Do it; return what came of it, where that is something else."""
        match decision:
            case Acked():
                await self._outbox.acknowledged(
                    decision.acked,
                    decision.backed_up,
                    epoch=decision.epoch,
                    part=log.id,
                )
            case Rewind():
                await self._rewind(log, decision.acked)
            case Diverged():
                return await self._leave_log(log, decision)
            case Disowned():
                self._disowned |= {log.id}
                self._alarm(
                    Alarm.DISOWNED,
                    number=log.waiting,
                    log=log.name,
                    problem=decision.problem,
                )
            case Halve() | SendRaw() | Wait():
                pass
        return decision

    async def _rewind(self, log: Log, acked: int) -> None:
        self._alarm(Alarm.REWOUND, first=acked + 1, last=log.acked, log=log.name)
        await self._outbox.rewind(acked, log.id)

    async def _leave_log(self, log: Log, decision: Diverged) -> Decision:
        """Find the last common line, and begin a new log behind it: contract 3.3."""
        search = decision.search
        while not search.done:
            probe = await self._batch(log, search.middle, 0)
            answer = await self._link.send(probe)
            same = agrees(answer, read(answer))
            if same is None:
                return Wait(state=State.TROUBLE, problem=decision.problem)
            search = search.told(same=same)
        lacked = self._outbox.state.part(log.id).end - search.low
        new = await self._outbox.start_log(search.low, log.id)
        self._alarm(
            Alarm.LEFT,
            problem=decision.problem,
            log=log.name,
            last=search.low,
            new=new,
            number=lacked,
        )
        return decision

    async def _refresh(self, acked: Acked, sent: Sent) -> None:
        """Fetch new reference data once no line waits for it."""
        if self._reference and not self._outbox.waiting:
            await self._reference.refresh(
                acked.reference, self._link.reference, again=not sent.lines
            )

    def _alarm(self, kind: Alarm, **names: object) -> None:
        told = {name: str(value) for name, value in names.items()}
        _log.warning("%s: %s", kind.value, told)
        self._alarmed = Raised(kind=kind, names=told)

    def _look_at_alarm(self, decision: Decision, sent: Sent) -> None:
        """Take back what is over: a heartbeat is sent only once nothing waits."""
        everything = isinstance(decision, Acked) and not sent.lines
        if everything and self._alarmed and self._alarmed.kind is Alarm.REWOUND:
            self._alarmed = None

    def _report(self, decision: Decision, rest: float | None) -> None:
        """Show what has become of an exchange."""
        if isinstance(decision, Wait):
            state, problem, contact = decision.state, decision.problem, None
        else:
            state, problem, contact = self._ordinary(), "", self._clock().at
        self._show(
            SyncStatus(
                state=state,
                waiting=self._outbox.waiting,
                acked=self._outbox.acked,
                last_contact=contact or self.status.last_contact,
                problem=problem,
                retry_in=rest,
                alarm=self._alarmed,
            )
        )

    def _ordinary(self) -> State:
        return State.SENDING if self._outbox.waiting else State.UP_TO_DATE

    def _on_saved(self) -> None:
        self._saved.set()
        fine = self.status.state in {State.UP_TO_DATE, State.SENDING}
        self._show(
            msgspec.structs.replace(
                self.status,
                state=self._ordinary() if fine else self.status.state,
                waiting=self._outbox.waiting,
                acked=self._outbox.acked,
            )
        )

    def _show(self, status: SyncStatus) -> None:
        if status.problem and status.problem != self.status.problem:
            _log.warning("%s", status.problem)
        if status != self.status:
            self.status = status
            for callback in self._observers:
                callback(status)
