"""The station as a whole: scanners, outbox, sync and display, in one process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from edge import health, joining, reference, station, tasks
from edge.answers import Answer, NoAnswer
from edge.clock import read_clock
from edge.config import Config
from edge.feedback import Feedback, Word
from edge.health import OUTBOX, overview
from edge.logs import Batch
from edge.outbox import Outbox
from edge.reference import Copy
from edge.scanners import Read, ScannerHealth, Sink, Tone
from edge.scanners.settings import TerminalSettings
from edge.stack_light import LightSettings
from edge.station import Setup, Station, run
from edge.sync import Sync
from edge.texts import read_texts
from shared.errors import StartError
from shared.lines import decode
from shared.protocol import ClockReading
from shared.reference import Reference, WantedItem
from tests.edge_server import Model, ModelLink, Server

BOUND = 20.0  # seconds in which everything here happens, or the test fails


class Script:
    """A scanner that plays codes, and then ends, waits or fails."""

    def __init__(
        self, *codes: str, then: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.codes = list(codes)
        self.then = then
        self.health = ScannerHealth(device="terminal")
        self.told: list[Tone] = []

    async def run(self, sink: Sink) -> None:
        self.health.connected = True
        while self.codes:
            raw = self.codes.pop(0).encode("latin-1")
            await sink(Read(raw=raw, device="terminal", clock=read_clock()))
        if self.then is not None:
            await self.then()

    async def confirm(self, read: Read, tone: Tone) -> None:
        del read
        self.told.append(tone)


class Stage:
    """A station's data folder, display and server."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.shown: list[Feedback] = []
        self.said: list[str] = []
        self.model = Model()
        self.stop = asyncio.Event()
        self.changed = asyncio.Event()

    def setup(self, *, drain: bool = False) -> Setup:
        return Setup(
            data=self.data,
            config=Config(),
            scanners=(TerminalSettings(),),
            drain=drain,
            version="test",
            texts=read_texts("en"),
            show=self._show,
            say=self._say,
        )

    def _show(self, feedback: Feedback) -> None:
        self.shown.append(feedback)
        self.changed.set()

    def _say(self, text: str) -> None:
        self.said.append(text)
        self.changed.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND):
            while not holds():
                self.changed.clear()
                await self.changed.wait()

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[Outbox]:
        box = await Outbox.open(self.data / OUTBOX)
        try:
            yield box
        finally:
            await box.close()

    def lines(self, log: str) -> list[str | None]:
        return [decode(line).raw for line in self.model.logs.get(log, [])]


async def _forever() -> None:
    await asyncio.Event().wait()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "station")


async def test_a_station_without_a_server_captures_and_ends_with_its_input(
    stage: Stage,
) -> None:
    async with stage.outbox() as box:
        scanner = Script("X-RECEIVE", "P-1", "P-2")
        async with asyncio.timeout(BOUND):
            await Station(stage.setup(), box, None, [scanner]).run(stage.stop)
        assert (box.last, box.waiting) == (3, 3)
    assert [told.word for told in stage.shown] == [Word.WAITING] * 3
    assert scanner.told == [Tone.GOOD] * 3
    assert not overview(stage.data, read_clock()).running


async def test_drained_means_that_the_server_has_everything(stage: Stage) -> None:
    async with stage.outbox() as box:
        link = ModelLink(stage.model)
        made = Station(
            stage.setup(drain=True),
            box,
            Sync(box, link, luck=lambda: 0.0),
            [Script("X-RECEIVE", "P-1"), Script(then=_forever)],
        )
        async with asyncio.timeout(BOUND):
            await made.run(stage.stop)
        assert box.waiting == 0
        assert stage.lines(box.log) == ["X-RECEIVE", "P-1"]


async def test_told_to_stop_it_saves_what_was_scanned_and_ends(stage: Stage) -> None:
    async def stop() -> None:
        stage.stop.set()
        await _forever()

    async with stage.outbox() as box:
        made = Station(stage.setup(), box, None, [Script("P-1", "P-2", then=stop)])
        async with asyncio.timeout(BOUND):
            await made.run(stage.stop)
        assert box.last == 2


async def test_a_scanner_that_fails_is_shown_and_started_again_beside_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_AGAIN", 0.01)
    failed: list[str] = []

    async def fail() -> None:
        failed.append("once")
        if len(failed) < 3:
            reason = "the plug is hot"
            raise OSError(reason)

    async with stage.outbox() as box:
        other = Script("P-1")
        made = Station(stage.setup(), box, None, [Script(then=fail), other])
        async with asyncio.timeout(BOUND):
            await made.run(stage.stop)
        assert box.last == 1
    assert len(failed) == 3
    assert (
        stage.said.count("terminal has failed, and is started again: the plug is hot")
        == 2
    )


async def test_a_sync_that_fails_ends_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_AGAIN", 0.01)

    class Broken(ModelLink):
        async def send(self, batch: Batch) -> Answer:
            del batch
            reason = "a bug"
            raise RuntimeError(reason)

    async with stage.outbox() as box:
        sync = Sync(box, Broken(stage.model), luck=lambda: 0.0)
        made = Station(stage.setup(), box, sync, [Script("P-1", then=_forever)])
        task = asyncio.create_task(made.run(stage.stop))
        await stage.until(lambda: len(stage.said) > 1 and bool(stage.shown))
        stage.stop.set()
        async with asyncio.timeout(BOUND):
            await task
        assert box.last == 1
    assert "sync has failed, and is started again: a bug" in stage.said


async def test_a_capture_that_fails_is_not_hidden(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        reason = "a bug"
        raise RuntimeError(reason)

    monkeypatch.setattr("edge.capture.step", broken)
    async with stage.outbox() as box:
        made = Station(stage.setup(), box, None, [Script("P-1", then=_forever)])
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.timeout(BOUND):
                await made.run(stage.stop)
    assert caught.value.subgroup(RuntimeError) is not None


async def test_the_report_says_that_it_runs_and_how_the_scanner_does(
    stage: Stage,
) -> None:
    unplugged = Script(then=_forever)
    async with stage.outbox() as box:
        made = Station(stage.setup(), box, None, [unplugged])
        task = asyncio.create_task(made.run(stage.stop))
        unplugged.health.problem = "unplugged; plug it in"
        await stage.until(
            lambda: "scanner terminal: unplugged; plug it in" in stage.said
        )
        status = overview(stage.data, read_clock())
        assert status.running
        assert status.scanners[0].problem == "unplugged; plug it in"
        assert status.mode == "see"
        stage.stop.set()
        async with asyncio.timeout(BOUND):
            await task


async def test_f22_a_scanner_that_goes_is_reported_well_within_a_second(
    stage: Stage,
) -> None:
    scanner = Script(then=_forever)
    reports: asyncio.Queue[health.Report] = asyncio.Queue()
    async with stage.outbox() as box, asyncio.timeout(BOUND):
        made = Station(stage.setup(), box, None, [scanner], observe=reports.put_nowait)
        running = asyncio.create_task(made.run(stage.stop))
        while not (await reports.get()).scanners[0].connected:
            pass
        since = asyncio.get_running_loop().time()
        scanner.health.connected = False  # just after a report
        while (await reports.get()).scanners[0].connected:
            pass
        assert asyncio.get_running_loop().time() - since < 0.8
        stage.stop.set()
        await running


async def test_a_full_disk_for_the_report_stops_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def full(data: Path, report: health.Report) -> None:
        tried.append((data, report))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(health, "write", full)
    async with stage.outbox() as box:
        async with asyncio.timeout(BOUND):
            await Station(stage.setup(), box, None, [Script("P-1")]).run(stage.stop)
        assert box.last == 1
    assert tried


async def test_run_joins_scans_and_drains_over_http(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = Script("X-RECEIVE", "P-1", "P-2", "X-UNDO")
    monkeypatch.setattr(station, "open_scanner", lambda *_: scanner)
    async with Server().running() as server, asyncio.timeout(BOUND):
        async with stage.outbox() as box:
            log = box.log
            await joining.join(
                server.url, server.code, stage.data, log=log, version="", host="h"
            )
        assert await run(stage.setup(drain=True), stage.stop) == 0
        lines = [decode(line) for line in server.model.logs[log]]
    assert [line.action for line in lines] == ["note", "receive", "receive", "void"]
    assert lines[1].location == "DOCK"
    assert lines[3].voids == f"{log}:3"


async def test_without_a_server_there_is_nothing_to_drain_to(stage: Stage) -> None:
    with pytest.raises(StartError, match="has not joined"):
        await run(stage.setup(drain=True), stage.stop)


async def test_the_clocks_of_a_read_are_those_of_its_line(stage: Stage) -> None:
    clock = ClockReading(at=1_777_000_000_000_000, boot="b", mono=5, synced=False)

    class Slow(Script):
        async def run(self, sink: Sink) -> None:
            await sink(Read(raw=b"P-1", device="terminal", clock=clock))

    async with stage.outbox() as box:
        async with asyncio.timeout(BOUND):
            await Station(stage.setup(), box, None, [Slow()]).run(stage.stop)
        batch = await box.batch(0, max_lines=10, max_bytes=100_000)
    line = decode(batch.lines[0])
    expected = {"at": "2026-04-24T03:06:40.000000Z", "boot": "b", "mono": 5}
    told = msgspec.structs.asdict(line)
    assert {name: told[name] for name in expected} == expected
    assert line.synced is False


async def test_f38_scanning_never_waits_for_a_network_that_hangs(stage: Stage) -> None:
    hanging = asyncio.Event()

    class Hanging(ModelLink):
        async def send(self, batch: Batch) -> Answer:
            del batch
            hanging.set()
            await asyncio.Event().wait()
            raise AssertionError

    async with stage.outbox() as box:
        sync = Sync(box, Hanging(stage.model), luck=lambda: 0.0)
        codes = [f"P-{number}" for number in range(200)]

        async def begun() -> None:
            scanner.codes, scanner.then = codes, _forever
            await scanner.run(made._capture.sink(scanner))

        scanner = Script(then=begun)
        made = Station(stage.setup(), box, sync, [scanner])
        task = asyncio.create_task(made.run(stage.stop))
        async with asyncio.timeout(BOUND):
            await hanging.wait()
            await stage.until(lambda: len(stage.shown) == 200)
            assert not stage.model.logs
            assert box.last == 200
            stage.stop.set()
            await task


async def test_what_is_wanted_is_told_to_the_server_without_waiting(
    stage: Stage,
) -> None:
    wanted = Reference(wanted=(WantedItem(item="P-W"),))
    stage.data.mkdir()
    reference.save(
        stage.data,
        reference.Reference(
            etag="e1", document=msgspec.Raw(msgspec.json.encode(wanted))
        ),
    )
    rests: list[float] = []
    resting = asyncio.Event()

    async def rest(event: asyncio.Event, seconds: float) -> None:
        rests.append(seconds)
        resting.set()
        await event.wait()

    async with stage.outbox() as box:
        link = ModelLink(stage.model)
        link.plan = [lambda _: NoAnswer(problem="out of reach")]
        sync = Sync(box, link, luck=lambda: 0.5, rest=rest)

        async def scan() -> None:
            await resting.wait()
            for code in (b"P-1", b"P-W"):
                read = Read(raw=code, device="terminal", clock=read_clock())
                await made._capture.sink(scanner)(read)
            await _forever()

        scanner = Script(then=scan)
        copy = Copy(stage.data)
        made = Station(stage.setup(), box, sync, [scanner], copy=copy)
        task = asyncio.create_task(made.run(stage.stop))
        async with asyncio.timeout(BOUND):
            await stage.until(lambda: any("is back" in said for said in stage.said))
            assert stage.lines(box.log) == ["P-1", "P-W"]
            stage.stop.set()
            await task
    assert rests[0] > 0
    assert [told.word for told in stage.shown] == [Word.WAITING, Word.WANTED]
    assert scanner.told == [Tone.GOOD, Tone.WANTED]


async def test_a_stack_light_that_fails_is_said_and_stops_no_scan(stage: Stage) -> None:
    light = LightSettings(chip="/dev/no-such-chip", green=1)
    setup = msgspec.structs.replace(
        stage.setup(), config=msgspec.structs.replace(Config(), light=light)
    )
    async with stage.outbox() as box:
        made = Station(setup, box, None, [Script("P-1", then=_forever)])
        task = asyncio.create_task(made.run(stage.stop))
        await stage.until(
            lambda: bool(stage.shown) and any("stack light" in s for s in stage.said)
        )
        stage.stop.set()
        async with asyncio.timeout(BOUND):
            await task
        assert box.last == 1


async def test_new_settings_of_the_server_are_said_once(stage: Stage) -> None:
    def document(start: str) -> Answer:
        told = Reference(settings={"workflow": {"start": start}})
        return Answer(
            status=200, content_type="application/json", body=msgspec.json.encode(told)
        )

    async def fetched(etag: str) -> Answer:
        del etag
        return answers.pop(0)

    answers = [document("pick"), document("pick"), document("see")]
    async with stage.outbox() as box:
        copy = Copy(stage.data)
        Station(stage.setup(), box, None, [], copy=copy)
        for etag in ("e1", "e2", "e3"):
            await copy.refresh(etag, fetched, again=True)
    news = [said for said in stage.said if "new settings" in said]
    assert len(news) == 2
