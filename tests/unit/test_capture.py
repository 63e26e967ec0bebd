"""From a read to its confirmation: nothing is confirmed before its commit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from edge.capture import DEPTH, Capture
from edge.feedback import Expect, Feedback, Says, Tone, Word
from edge.scanners import Read
from edge.storage import NotSavedError
from edge.workflow import Rules
from shared.errors import LineError
from shared.lines import Line
from shared.moments import SECOND
from shared.protocol import ClockReading
from tests.unit.picker import read_of

FULL = "the disk is full; free some space on it"


class Disk:
    """A journal whose disk can be full, or slow; ``at`` each try it tells ``seen``."""

    def __init__(self, seen: list[str]) -> None:
        self.lines: list[Line] = []
        self.full = False
        self.tries = 0
        self.seen = seen
        self.gate = asyncio.Event()
        self.gate.set()
        self.reject: str | None = None

    async def append(self, drafts: Sequence[Line]) -> list[str]:
        await self.gate.wait()
        self.tries += 1
        if self.full:
            raise NotSavedError(FULL)
        if self.reject is not None and any(d.item == self.reject for d in drafts):
            reason = "too long"
            raise LineError(reason)
        for draft in drafts:
            self.lines.append(draft)
            self.seen.append(f"saved {draft.raw}")
        return [f"log:{len(self.lines)}" for _ in drafts]


class Gun:
    """A scanner that remembers what it was told."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen
        self.error: Exception | None = None
        self.hangs = False

    async def confirm(self, read: Read, tone: Tone) -> None:
        self.seen.append(f"{tone.value} {read.raw.decode('latin-1')}")
        if self.error is not None:
            raise self.error
        if self.hangs:
            await asyncio.Event().wait()


class Bench:
    def __init__(self, *, online: bool = True) -> None:
        self.seen: list[str] = []
        self.told: list[Feedback] = []
        self.disk = Disk(self.seen)
        self.gun = Gun(self.seen)
        self.clock = ClockReading(at=0, boot="b", mono=0, synced=True)
        self.changed = asyncio.Event()
        self.capture = Capture(
            self.disk,
            Rules(),
            show=self._show,
            online=lambda: online,
            clock=lambda: self.clock,
            retry=0.001,
            tick=0.001,
        )
        self.sink = self.capture.sink(self.gun)

    def _show(self, feedback: Feedback) -> None:
        self.told.append(feedback)
        if feedback.code:
            self.seen.append(f"{feedback.word.value} {feedback.code}")
        self.changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    async def scan(self, code: str, mono: int = 0) -> None:
        await self.sink(read_of(code, mono))
        async with asyncio.timeout(10):
            await self.capture.settled()


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Bench]:
    task = asyncio.create_task(bench.capture.run())
    try:
        yield bench
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_the_beep_means_saved() -> None:
    async with running(Bench()) as bench:
        bench.disk.gate.clear()
        await bench.sink(read_of("P-1"))
        await asyncio.sleep(0.01)
        assert bench.seen == []
        bench.disk.gate.set()
        async with asyncio.timeout(10):
            await bench.capture.settled()
        assert bench.seen == ["saved P-1", "saved P-1", "good P-1"]
        assert bench.told[0].word is Word.SAVED


async def test_while_the_server_is_away_the_word_says_that_it_waits_here() -> None:
    async with running(Bench(online=False)) as bench:
        await bench.scan("P-1")
        await bench.scan("nonsense")
        assert [told.word for told in bench.told] == [Word.WAITING, Word.UNKNOWN]


async def test_f06_a_full_disk_is_said_and_the_read_is_saved_later() -> None:
    async with running(Bench()) as bench:
        bench.disk.full = True
        await bench.sink(read_of("P-1"))
        await bench.until(lambda: len(bench.told) == 1)
        told = bench.told[0]
        assert (told.tone, told.word, told.code) == (Tone.ERROR, Word.NOT_SAVED, "P-1")
        assert (told.says, told.expects) == (Says.NOT_SAVED, Expect.RESCAN)
        assert FULL in told.names["reason"]
        assert bench.capture.problem == FULL
        await asyncio.sleep(0.02)
        assert bench.disk.tries > 1
        assert len(bench.told) == 1
        bench.disk.full = False
        async with asyncio.timeout(10):
            await bench.capture.settled()
        assert bench.told[-1].word is Word.SAVED
        assert [line.raw for line in bench.disk.lines] == ["P-1"]
        assert bench.capture.problem == ""
        assert bench.seen[-1] == "good P-1"


async def test_f06_the_reads_behind_are_refused_aloud_and_saved_in_order() -> None:
    async with running(Bench()) as bench:
        bench.disk.full = True
        for number in range(3):
            await bench.sink(read_of(f"P-{number}", number * SECOND))
        await bench.until(lambda: len(bench.told) == 3)
        assert {told.word for told in bench.told} == {Word.NOT_SAVED}
        assert [seen for seen in bench.seen if seen.startswith("error")] == [
            "error P-0",
            "error P-1",
            "error P-2",
        ]
        bench.disk.full = False
        async with asyncio.timeout(10):
            await bench.capture.settled()
        assert [line.raw for line in bench.disk.lines] == ["P-0", "P-1", "P-2"]


async def test_f06_a_failed_scan_leaves_the_workflow_as_it_was() -> None:
    async with running(Bench()) as bench:
        await bench.scan("X-RECEIVE")
        bench.disk.full = True
        await bench.sink(read_of("X-STORE", SECOND))
        await bench.until(lambda: len(bench.told) == 2)
        assert bench.told[-1].mode == "receive"
        assert bench.capture.state.scene.mode == "receive"


async def test_f31_a_flood_is_held_back_and_all_of_it_is_saved() -> None:
    async with running(Bench()) as bench:
        bench.disk.gate.clear()
        put = 0

        async def flood() -> None:
            nonlocal put
            for number in range(2 * DEPTH):
                await bench.sink(read_of(f"P-{number}", number))
                put += 1

        stuck = asyncio.create_task(flood())
        await asyncio.sleep(0.05)
        assert put <= DEPTH + 1
        assert bench.capture.held <= DEPTH + 1
        bench.disk.gate.set()
        async with asyncio.timeout(30):
            await stuck
            await bench.capture.settled()
        assert [line.raw for line in bench.disk.lines] == [
            f"P-{number}" for number in range(2 * DEPTH)
        ]


async def test_f31_what_neither_disk_nor_memory_can_take_is_refused_aloud() -> None:
    async with running(Bench()) as bench:
        bench.disk.full = True
        for number in range(300):
            await bench.sink(read_of(f"P-{number}", number))
        await bench.until(lambda: len(bench.told) == 300)
        said = [told.says for told in bench.told]
        kept = said.count(Says.NOT_SAVED)
        assert said == [Says.NOT_SAVED] * kept + [Says.NOT_KEPT] * (300 - kept)
        assert 200 < kept < 300
        bench.disk.full = False
        async with asyncio.timeout(30):
            await bench.capture.settled()
        assert [line.raw for line in bench.disk.lines] == [
            f"P-{number}" for number in range(kept)
        ]


async def test_a_scanner_that_cannot_be_told_holds_up_nothing() -> None:
    async with running(Bench()) as bench:
        bench.gun.error = OSError("unplugged")
        await bench.scan("P-1")
        bench.gun.error = None
        bench.gun.hangs = True
        await bench.scan("P-2", SECOND)
        bench.gun.hangs = False
        await bench.scan("P-3", 2 * SECOND)
        assert len(bench.disk.lines) == 3


async def test_a_line_that_cannot_be_written_is_kept_as_its_raw_read() -> None:
    async with running(Bench()) as bench:
        bench.disk.reject = "P-1"
        await bench.scan("P-1")
        line = bench.disk.lines[0]
        assert (line.action, line.raw, line.item) == ("note", "P-1", None)


async def test_undo_knows_the_event_once_it_is_saved() -> None:
    async with running(Bench()) as bench:
        await bench.scan("P-1")
        await bench.scan("X-UNDO", SECOND)
        assert bench.disk.lines[-1].voids == "log:1"


async def test_a_station_that_was_left_alone_says_so_by_itself() -> None:
    async with running(Bench()) as bench:
        await bench.scan("X-STORE")
        bench.clock = msgspec.structs.replace(bench.clock, mono=3600 * SECOND)
        await bench.until(lambda: len(bench.told) == 2)
        told = bench.told[-1]
        assert (told.says, told.mode, told.word) == (Says.RESTED, "see", Word.READY)
        assert len(bench.disk.lines) == 1
