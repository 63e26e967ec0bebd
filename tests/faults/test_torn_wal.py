"""What a power cut leaves of a -wal is no damage: block by block, without a machine.

The same is tried at every block write of a real file system by `make test-power`.
"""

import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.outbox import Outbox
from tests.faults.checker import draft

PAGE, FRAME, HEADER = 4096, 24, 32


class Cut:
    """An outbox, and another folder with what a power cut left of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "before" / "outbox.db"
        self.after = folder / "after" / "outbox.db"

    def wal(self) -> bytes:
        return self.path.with_name("outbox.db-wal").read_bytes()

    def leave(self, wal: bytes) -> None:
        """Keep the files as they are, with another -wal and without the -shm."""
        self.after.parent.mkdir()
        for name in ("outbox.db", "outbox.db.mark"):
            shutil.copy(self.path.with_name(name), self.after.parent)
        self.after.with_name("outbox.db-wal").write_bytes(wal)


async def saved(box: Outbox, *numbers: int) -> None:
    for number in numbers:
        await box.append([draft(f"P-{number}")])


def written_back(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


async def expect(cut: Cut, log: str, last: int) -> None:
    box = await Outbox.open(cut.after)
    try:
        assert box.file.notices == []
        assert (box.log, box.last) == (log, last)
    finally:
        await box.close()


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    return Cut(tmp_path)


async def test_f04_a_wal_begun_anew_may_have_older_frames_behind_its_header(
    cut: Cut,
) -> None:
    box = await Outbox.open(cut.path)
    await saved(box, *range(1, 9))
    await box.file.execute(written_back)
    old = cut.wal()
    await saved(box, 9)
    assert cut.wal()[:HEADER] != old[:HEADER], "it was not begun anew"
    log = box.log
    cut.leave(cut.wal()[:HEADER] + old[HEADER:])
    await box.close()
    await expect(cut, log, 8)


async def test_f04_notes_that_were_torn_with_the_latest_lines_are_no_damage(
    cut: Cut,
) -> None:
    box = await Outbox.open(cut.path)
    await saved(box, 1, 2, 3)
    durable = len(cut.wal())
    await box.acknowledged(1, 0)
    await box.acknowledged(2, 0)
    await saved(box, 4)
    wal = bytearray(cut.wal())
    log = box.log
    assert (len(wal) - durable) // (PAGE + FRAME) >= 3
    wal[durable + FRAME : durable + FRAME + PAGE] = bytes(PAGE)
    cut.leave(bytes(wal))
    await box.close()
    await expect(cut, log, 3)
