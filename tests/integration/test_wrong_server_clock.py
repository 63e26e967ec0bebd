"""FAULT 65: the server's clock was a day ahead for an hour, and nobody noticed."""

import sqlite3
from pathlib import Path

import pytest

from server.cli import main
from server.store.retime import retime
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import CLOCK, ClockReading
from tests.serving import NOW, Log, Service, serving

HOUR = 3600 * SECOND
DAY = 24 * HOUR
_OF_IT = "FROM line WHERE log = (SELECT id FROM log WHERE name = ?) ORDER BY seq"
_KEPT = f"SELECT line, received {_OF_IT}"  # of constants
_TIMES = f"SELECT occurred, lo, hi {_OF_IT}"  # of constants


class _Station:
    """A station whose boot clock is right, and its wall clock off by so much."""

    def __init__(self, service: Service, log: Log, wall: int) -> None:
        self.service, self.log, self.wall = service, log, wall

    def scan(self, truth: int) -> None:
        line = Line(
            seq=len(self.log.lines) + 1,
            at=to_text(truth + self.wall),
            boot="b",
            mono=truth - NOW + HOUR,
            synced=False,
            action="see",
            item="P",
            location="X",
        )
        self.log.put(encode(line))

    async def send(self, truth: int, *, server: int = 0) -> None:
        self.service.now = truth + server
        clock = ClockReading(
            at=truth + self.wall, boot="b", mono=truth - NOW + HOUR, synced=False
        )
        known = len(self.log.lines) - 1
        status, _ = await self.log.send(known, changed={CLOCK: clock.header()})
        assert status == 200


@pytest.mark.parametrize("wall", [-NOW, 0])
async def test_f65_lines_of_a_wrong_hour_are_placed_anew_and_stay_as_they_are(
    tmp_path: Path, wall: int
) -> None:
    async with serving(tmp_path) as service:
        log = Log(service, "dock")
        await log.join()
        station = _Station(service, log, wall)
        for hours, wrong in ((1, 0), (3, DAY), (6, 0), (9, 0)):
            truth = NOW + hours * HOUR
            station.scan(truth - 60 * SECOND)
            await station.send(truth, server=wrong)
    connection = sqlite3.connect(tmp_path / "scantrail.db")
    kept = connection.execute(_KEPT, (log.id,)).fetchall()
    found = retime(connection)
    assert len(found.periods) == 1
    # the boot clock of its lines had been met before, and told their time already
    assert retime(connection).changed == 0
    times = connection.execute(_TIMES, (log.id,))
    truths = [NOW + hours * HOUR - 60 * SECOND for hours in (1, 3, 6, 9)]
    for (occurred, lo, hi), truth in zip(times, truths, strict=True):
        assert lo <= truth <= hi
        assert occurred == truth
    assert connection.execute(_KEPT, (log.id,)).fetchall() == kept
    connection.close()


async def test_f65_a_boot_that_first_came_in_a_wrong_hour_is_placed_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path) as service:
        log = Log(service, "dock")
        await log.join()
        station = _Station(service, log, 0)
        station.scan(NOW + HOUR - 60 * SECOND)
        await station.send(NOW + HOUR, server=DAY)
        for hours in (4, 8):
            station.scan(NOW + hours * HOUR - 60 * SECOND)
            await station.send(NOW + hours * HOUR)
    connection = sqlite3.connect(tmp_path / "scantrail.db")
    first, _, _ = connection.execute(_TIMES, (log.id,)).fetchone()
    assert first > NOW + 20 * HOUR  # believed at first
    assert main(["retime", "--data", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.out.count("\n") == 1
    assert "; 3 lines happened otherwise" in told.err
    times = connection.execute(_TIMES, (log.id,)).fetchall()
    assert [occurred for occurred, _, _ in times] == [
        NOW + hours * HOUR - 60 * SECOND for hours in (1, 4, 8)
    ]
    connection.close()
