"""Faults at system calls of the program that scans: what was confirmed is there once.

A few of each kind; ``make faults`` has all of them.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import clones
from tests.faults.syscalls import STRACE

BOUND = 120.0
traced = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def fire(*faults: str) -> int:
    """Let each fault happen in processes of its own; return how much was confirmed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.syscalls", *faults],
        capture_output=True,
        check=True,
        timeout=BOUND,
    )
    outcomes = [json.loads(row) for row in done.stdout.splitlines()]
    assert len(outcomes) == len(faults)
    for fault, (fired, _, found) in zip(faults, outcomes, strict=True):
        assert fired, fault
        assert found == [[], [], [], []], fault
    return sum(confirmed for _, confirmed, _ in outcomes)


@traced
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "fsync", "unlink", "rename"])
def test_f01_killed_at_a_call_that_changes_the_disk(call: str) -> None:
    fire(f"kill:{call}:1:1")


@traced
def test_f01_killed_at_later_writes() -> None:
    assert fire(*(f"kill:pwrite64:{n}:1" for n in range(16, 46, 7)))


@traced
def test_f05_a_flush_that_fails_is_no_confirmation() -> None:
    fire("eio:fdatasync:5:1", "eio:fdatasync:7:1")


@traced
def test_f05_a_write_that_fails_now_and_then_is_made_good() -> None:
    assert fire("eio:pwrite64:36:1", "eio:pwrite64:41:1")


@traced
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "ftruncate"])
def test_f06_no_room_for_what_is_written(call: str) -> None:
    fire(f"enospc:{call}:1:1", f"enospc:{call}:2:3")


@traced
def test_f07_no_quota_and_no_inode() -> None:
    fire("edquot:pwrite64:30:1", "enospc:openat:6:1")


@traced
@pytest.mark.parametrize("call", ["pwrite64", "openat"])
def test_f08_a_disk_that_has_become_read_only(call: str) -> None:
    fire(f"erofs:{call}:7:3")


@traced
def test_f05_a_disk_that_lies_about_a_write() -> None:
    fire("lie:pwrite64:33:1", "lie:pwrite64:34:1")


def test_f01_f03_f20_a_station_that_is_killed_again_and_again() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--part", "kills", "--count", "12"],
        capture_output=True,
        check=False,
        timeout=BOUND,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said
    assert re.search(r"^ +12 kill -9$", said, re.MULTILINE)
    assert re.search(r"^ +[1-9]\d* confirmed$", said, re.MULTILINE)
    assert re.search(r"^ +0 new logs", said, re.MULTILINE)


async def test_f12_f49_f50_old_copies_and_clones_are_found_at_once(
    tmp_path: Path,
) -> None:
    outcomes = await clones.campaign(tmp_path, 12, seed=49)
    assert {one.what for one in outcomes} == {one.__name__ for one in clones.CASES}
    for one in outcomes:
        assert one.noticed, one
        assert one.found.fine, one
