"""Power cuts at any block write: what the outbox said is durable is there."""

import os
from functools import partial
from random import Random
from typing import Protocol

import pytest

from tests.vm.block_log import BlockLog, Disk, Kept
from tests.vm.power import Recording, blank_disk, check, record
from tests.vm.prepare import Bench
from tests.vm.run_log import RunLog, Step

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="disks are mounted here: this needs root"
)


class Record(Protocol):
    """Records an outbox at work; see ``power.record``."""

    def __call__(
        self,
        before: bytes | bytearray,
        *,
        lines: int,
        safe: int = 0,
        synchronous: str = "FULL",
        mount: str = "",
    ) -> Recording: ...


@pytest.fixture
def recorded(
    bench: Bench, run_log: RunLog, tmp_path_factory: pytest.TempPathFactory
) -> Record:
    return partial(record, bench, run_log, tmp_path_factory.mktemp("vm"))


@pytest.fixture
def luck() -> Random:
    return Random(20_260)  # noqa: S311 - the same choice in each run


def test_f02_f04_no_cut_at_any_block_write_loses_a_confirmed_line(
    bench: Bench, recorded: Record, luck: Random, step: Step
) -> None:
    made = recorded(blank_disk(), lines=300)
    found = check(made, bench.states, luck)
    step.note(f"{made.saved[-1][1]} lines confirmed; {found}")
    assert (found.lost, found.damaged.total()) == (0, 0)
    assert found.states == bench.states


def test_f03_a_second_cut_while_it_recovers_loses_nothing_either(
    bench: Bench, recorded: Record, luck: Random, step: Step
) -> None:
    first = recorded(blank_disk(), lines=60)
    log = BlockLog(first.log)
    position = luck.randrange(first.saved[-10][0], len(log.entries))
    disk = Disk(log, first.before).after_cut(position, Kept.SECTORS, luck)
    safe = first.needed(position)
    log.close()
    second = recorded(disk, lines=30, safe=safe)
    found = check(second, bench.states // 5, luck)
    step.note(f"{safe} lines confirmed before; {found}")
    assert (found.lost, found.damaged.total()) == (0, 0)


@pytest.mark.parametrize(
    ("synchronous", "mount"), [("NORMAL", ""), ("FULL", "-o nobarrier")]
)
def test_f02_control_without_flushes_lines_are_lost_and_it_shows(
    recorded: Record, luck: Random, step: Step, synchronous: str, mount: str
) -> None:
    made = recorded(blank_disk(), lines=300, synchronous=synchronous, mount=mount)
    found = check(made, 100, luck)
    step.note(str(found))
    assert found.lost + found.damaged.total() > 0
