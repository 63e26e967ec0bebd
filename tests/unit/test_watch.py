"""What a station that is carried around notices of itself, and tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.battery import Battery
from edge.capture import Capture
from edge.care import DAY, Care
from edge.clock import read_clock
from edge.decisions import State
from edge.health import OUTBOX, Report, overview
from edge.outbox import Outbox
from edge.reference import Copy, Reference, save
from edge.sync import SyncStatus
from edge.watch import Machine, Parts, Watch
from edge.workflow import Rules
from shared.moments import SECOND
from tests.unit.picker import ENGLISH


class Handheld:
    """A station's parts on a machine whose battery and sleep a test sets."""

    def __init__(self, data: Path, outbox: Outbox) -> None:
        self.battery: Battery | None = Battery(percent=80)
        self.asleep = 0
        self.said: list[str] = []
        self.woken = 0
        save(data, Reference(etag="e", document=msgspec.Raw(b"{}")))
        parts = Parts(
            outbox=outbox,
            care=Care(outbox, retention=DAY),
            capture=Capture(outbox, Rules(), show=lambda _: None),
            scanners=(),
            status=lambda: SyncStatus(state=State.UNREACHABLE),
            copy=Copy(data),
        )
        self.data = data
        self.watch = Watch(
            parts,
            Machine(read_clock, lambda: self.battery, lambda: self.asleep),
            data=data,
            texts=ENGLISH,
            say=self.said.append,
            awake=self._wake,
        )
        self.watch.look()
        self.said.clear()

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def handheld(tmp_path: Path) -> AsyncIterator[Handheld]:
    outbox = await Outbox.open(tmp_path / OUTBOX)
    yield Handheld(tmp_path, outbox)
    await outbox.close()


async def test_a_station_that_slept_tries_the_server_at_once_and_says_what_is_old(
    handheld: Handheld,
) -> None:
    handheld.asleep += 2 * 3600 * SECOND
    handheld.watch.look()
    handheld.watch.look()
    assert handheld.woken == 1
    (text,) = handheld.said
    assert text.startswith("this station slept for 2 h 0 min; what it was told by")


async def test_a_battery_that_runs_down_is_said_at_each_level_once(
    handheld: Handheld,
) -> None:
    for percent in (21, 20, 19, 10, 9):
        handheld.battery = Battery(percent=percent)
        handheld.watch.look()
    assert handheld.said == [
        "the battery is at 20 %; charge it",
        "the battery is at 10 %; charge it",
    ]


async def test_battery_and_age_are_in_the_report_that_status_reads(
    handheld: Handheld,
) -> None:
    handheld.battery = Battery(percent=47, charging=True)
    seen: list[Report] = []
    handheld.watch.observe(seen.append)
    report = handheld.watch.look()
    assert seen == [report]
    status = overview(handheld.data, read_clock())
    assert status.battery == Battery(percent=47, charging=True)
    assert status.reference_at is not None
    assert report.told_age is not None
    assert report.told_age < 60
