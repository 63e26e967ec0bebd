"""Faults at system calls of the program that scans: what was confirmed is there once.

A few of each kind; ``make faults`` has all of them.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import clones
from tests.faults.calls import why_not

BOUND = 120.0
answered = pytest.mark.skipif(bool(why_not()), reason=why_not())


Fire = Callable[..., int]


@pytest.fixture(scope="module")
def player() -> Iterator[subprocess.Popen[str]]:
    """A process without threads, which plays scenes under faults."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.syscalls"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.fixture
def fire(player: subprocess.Popen[str]) -> Fire:
    """Let faults happen in a scene; return how much was confirmed in all."""

    def play(scene: str, *faults: str) -> int:
        assert player.stdin is not None
        assert player.stdout is not None
        confirmed = 0
        for fault in faults:
            player.stdin.write(f"{scene}:{fault}\n")
            player.stdin.flush()
            fired, count, found = json.loads(player.stdout.readline())
            assert fired, fault
            assert found == [[], [], [], []], fault
            confirmed += count
        return confirmed

    return play


@answered
@pytest.mark.parametrize(
    "call", ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename", "write"]
)
def test_f01_killed_at_a_call_that_changes_the_disk(fire: Fire, call: str) -> None:
    fire("scans", f"kill:{call}:1:1")


@answered
def test_f01_killed_at_later_writes(fire: Fire) -> None:
    assert fire("more scans", *(f"kill:pwrite64:{n}:1" for n in range(60, 240, 45)))


@answered
@pytest.mark.parametrize(
    "scene", ["pruning", "a second path", "a journal taken in", "a log left in a fork"]
)
def test_f01_killed_at_whatever_else_a_station_does(fire: Fire, scene: str) -> None:
    fire(scene, *(f"kill:pwrite64:{n}:1" for n in (3, 11, 19, 27)))


@answered
@pytest.mark.parametrize("call", ["rename:2:3", "write:3:3", "openat:18:3"])
def test_f06_f09_a_log_that_nobody_could_note_is_found_again(
    fire: Fire, call: str
) -> None:
    assert fire("a log left in a fork", f"enospc:{call}")


@answered
def test_f05_another_log_is_never_left_in_place_of_one_that_was_set_aside(
    fire: Fire,
) -> None:
    assert fire("a log left in a fork", "eio:fdatasync:4:3")


@answered
def test_f05_a_flush_that_fails_is_no_confirmation(fire: Fire) -> None:
    fire("scans", "eio:fdatasync:5:1", "eio:fdatasync:7:1")


@answered
def test_f05_a_write_that_fails_now_and_then_is_made_good(fire: Fire) -> None:
    assert fire("scans", "eio:pwrite64:36:1", "eio:pwrite64:41:1")


@answered
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "ftruncate"])
def test_f06_no_room_for_what_is_written(fire: Fire, call: str) -> None:
    fire("scans", f"enospc:{call}:1:1", f"enospc:{call}:2:3")


@answered
def test_f07_no_quota_and_no_inode(fire: Fire) -> None:
    fire("scans", "edquot:pwrite64:30:1", "enospc:openat:6:1")


@answered
@pytest.mark.parametrize("call", ["pwrite64", "openat"])
def test_f08_a_disk_that_has_become_read_only(fire: Fire, call: str) -> None:
    fire("scans", f"erofs:{call}:7:3")


@answered
def test_f05_a_disk_that_lies_about_a_write(fire: Fire) -> None:
    fire("scans", "lie:pwrite64:33:1", "lie:pwrite64:34:1")


@answered
@pytest.mark.parametrize(
    "fault", ["kill:rename:2:1", "enospc:pwrite64:40:3", "eio:openat:32:1"]
)
def test_f09_a_fault_while_a_damaged_outbox_is_read(fire: Fire, fault: str) -> None:
    fire("a damaged outbox", fault)


@answered
@pytest.mark.parametrize("fault", ["kill:fdatasync", "eio:pwrite64", "enospc:pwrite64"])
@pytest.mark.parametrize("scene", ["a new version", "a server's new version"])
def test_f17_a_fault_while_a_new_version_begins(
    fire: Fire, scene: str, fault: str
) -> None:
    fire(scene, *(f"{fault}:{n}:1" for n in range(1, 6)))


@answered
@pytest.mark.parametrize("fault", ["kill:pwrite64", "eio:fdatasync", "enospc:pwrite64"])
def test_f69_a_fault_while_a_server_takes_lines(fire: Fire, fault: str) -> None:
    scene, late = "a server that takes lines", {"kill:pwrite64": 300}.get(fault, 22)
    assert fire(scene, *(f"{fault}:{n}:1" for n in (2, 12, late)))


@answered
@pytest.mark.parametrize("scene", ["a backup", "a restore", "a server's first start"])
def test_f69_killed_while_a_server_is_looked_after(fire: Fire, scene: str) -> None:
    fire(scene, "kill:pwrite64:4:1", "kill:unlink:1:1", "enospc:pwrite64:9:3")


@answered
def test_f69_f73_killed_while_answers_are_made_anew(fire: Fire) -> None:
    fire("answers made anew", *(f"kill:pwrite64:{n}:1" for n in range(10, 90, 20)))


def campaign(part: str, count: int) -> str:
    """Run a short part of a campaign; return what it said."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.faults"),
            *("--part", part, "--count", str(count)),
        ],
        capture_output=True,
        check=False,
        timeout=BOUND,
    )
    said = done.stdout.decode()
    assert done.returncode == 0, said
    assert re.search(rf"^ +{count} kill -9$", said, re.MULTILINE)
    return said


def test_f01_f03_f20_a_station_that_is_killed_again_and_again() -> None:
    said = campaign("kills", 12)
    assert re.search(r"^ +[1-9]\d* confirmed$", said, re.MULTILINE)
    assert re.search(r"^ +0 new logs", said, re.MULTILINE)


def test_f69_a_server_that_is_killed_again_and_again() -> None:
    said = campaign("server-kills", 12)
    assert re.search(r"^ +[1-9]\d* lines acknowledged$", said, re.MULTILINE)


async def test_f12_f49_f50_old_copies_and_clones_are_found_at_once(
    tmp_path: Path,
) -> None:
    outcomes = await clones.campaign(tmp_path, 12, seed=49)
    assert {one.what for one in outcomes} == {one.__name__ for one in clones.CASES}
    for one in outcomes:
        assert one.noticed, one
        assert one.found.fine, one
