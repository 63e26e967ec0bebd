"""Full, failing and slow disks under a running outbox; pruning; migrations."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge import outbox_schema
from edge.care import DAY, Care, take_in
from edge.clock import read_clock
from edge.copying import Copying, adopt, take_in_journal
from edge.journal import Journal, crc32c, read_folder, record, records
from edge.logs import Log
from edge.outbox import Outbox
from edge.salvage import Chunk
from edge.storage import NotSavedError
from shared import chain
from shared.moments import to_text
from tests.edge_server import Model
from tests.faults.checker import check, draft, sent
from tests.faults.mutations import NAME

MEBIBYTE = 1 << 20
ROOM = 4000  # scans that the ballast is good for, at least


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if os.geteuid() or not shutil.which("mount") or subprocess.call(mount):
        pytest.skip("a small disk can only be mounted by root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)  # noqa: S607


async def test_f06_the_ballast_is_good_for_thousands_of_scans_and_then_it_is_said(
    small_disk: Path,
) -> None:
    home, model = small_disk / "station", Model()
    box = await Outbox.open(home / NAME, ballast=4 * MEBIBYTE)
    care = Care(box)
    try:
        kept_aside = box.file.ballast.here
        assert kept_aside
        fill(small_disk / "other")
        confirmed: list[str] = []
        assert "the disk is full" in await scan_until_refused(box, care, confirmed)
        assert box.file.problem == ""
        assert len(confirmed) > ROOM
        assert any(
            "room that was kept aside is used" in text for text in box.file.notices
        )
        (small_disk / "other").unlink()
        await box.append([draft("P-LATER")])
        await care.step()
        assert box.file.ballast.here
        await sent(box, model)
    finally:
        await box.close()
    assert check([*confirmed, "P-LATER"], model.logs).fine


async def test_f06_a_station_starts_on_a_full_disk(small_disk: Path) -> None:
    fill(small_disk / "other")
    box = await Outbox.open(small_disk / NAME, ballast=MEBIBYTE)
    try:
        problem = box.file.problem
        assert "the disk is full" in problem
        with pytest.raises(NotSavedError, match="the disk is full"):
            await box.append([draft("P-1")])
        (small_disk / "other").unlink()
        await box.append([draft("P-1")])
        assert (box.file.problem, box.last) == ("", 1)
    finally:
        await box.close()


def fill(path: Path) -> None:
    """Write a file until there is no room."""
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass


async def scan_until_refused(box: Outbox, care: Care, codes: list[str]) -> str:
    """Scan, and keep the codes that were confirmed; return why one was not."""
    for number in range(100_000):
        try:
            await box.append([draft(f"P-{number}")])
        except NotSavedError as error:
            return str(error)
        codes.append(f"P-{number}")
        if number % 100 == 0:
            await care.step()
    return ""


class Failing:
    """Makes the next commits of a connection fail as a failing disk would."""

    def __init__(self, box: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.fired = 0
        file = box.file
        real = file._try

        async def run(work: object) -> object:
            if self.left:
                self.left -= 1
                self.fired += 1
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                if file._db is not None:
                    await file._failed(file._db, error)
                raise error
            return await real(work)  # type: ignore[arg-type]

        monkeypatch.setattr(file, "_try", run)


async def test_f05_after_a_failed_flush_the_file_is_opened_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = await Outbox.open(tmp_path / NAME)
    await box.append([draft("P-1")])
    # What a failed flush leaves: a line in the file that nobody was told of.
    head = chain.link(box.state.head, b"x")
    await box.file.execute(
        lambda db: db.execute(
            "INSERT INTO line SELECT position + 1, x'78', ? FROM line", (head,)
        )
    )
    failing, before = Failing(box, monkeypatch), box.file._db
    failing.left = 1
    await box.append([draft("P-2")])
    assert failing.fired == 1
    assert box.file._db is not before
    model = Model()
    await sent(box, model)
    await box.close()
    assert check(["P-1", "P-2"], model.logs).fine
    assert len(model.logs) == 1


async def test_f08_while_the_outbox_cannot_be_written_scans_go_to_the_second_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, model = tmp_path / "second", Model()
    box = await Outbox.open(tmp_path / NAME)
    Copying(box, second)
    await box.append([draft("P-1")])
    failing = Failing(box, monkeypatch)
    for number in (2, 3):
        failing.left = 9
        assert await box.append([draft(f"P-{number}")]) == [f"{box.log}:{number}"]
    assert failing.fired
    assert box.owed == 2
    assert "second path" in box.file.problem
    failing.left = 0
    await box.append([draft("P-4")])
    assert (box.owed, box.file.problem) == (0, "")
    await sent(box, model)
    await box.close()
    assert check(["P-1", "P-2", "P-3", "P-4"], model.logs).fine
    assert len(model.logs) == 1


async def test_f08_what_only_the_second_path_has_is_taken_over_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, model = tmp_path / "second", Model()
    box = await Outbox.open(tmp_path / NAME)
    Copying(box, second)
    await box.append([draft("P-1")])
    Failing(box, monkeypatch).left = 99
    await box.append([draft("P-2"), draft("P-3")])
    await box.close()
    box = await Outbox.open(tmp_path / NAME)
    assert box.last == 1
    assert await adopt(box, second) == 2
    assert await adopt(box, second) == 0
    await box.append([draft("P-4")])
    await sent(box, model)
    await box.close()
    assert check(["P-1", "P-2", "P-3", "P-4"], model.logs).fine
    assert len(model.logs) == 1


def test_the_checksum_is_that_of_rfc_3720() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_torn_record_ends_a_journal_and_no_more(cut: int) -> None:
    data = record(b"first") + record(b"second line")
    whole = list(records(data[:-cut]))
    assert whole[0] == b"first"
    assert whole[1:] in ([None], [])
    assert b"second line" not in whole


async def copied(box: Outbox, folder: Path) -> None:
    copying = Copying(box, folder)
    while copying.copied[1] < box.last or copying.copied[0] != box.state.present.id:
        await copying.step()
    copying._journal.close()


async def test_an_outbox_can_be_rebuilt_from_the_journal(tmp_path: Path) -> None:
    box, model = await Outbox.open(tmp_path / "old" / NAME), Model()
    codes = [f"P-{number}" for number in range(1200)]
    await box.append([draft(code) for code in codes[:700]])
    await copied(box, tmp_path / "second")
    await box.append([draft(code) for code in codes[700:]])
    await copied(box, tmp_path / "second")
    await box.close()
    new = await Outbox.open(tmp_path / "new" / NAME)
    assert await take_in_journal(new, tmp_path / "second") >= len(codes)
    await take_in_journal(new, tmp_path / "second")
    await new.append([draft("P-NEW")])
    await sent(new, model)
    await new.close()
    assert check([*codes, "P-NEW"], model.logs).fine


async def test_f08_a_journal_with_a_hole_taken_in_beside_its_outbox_doubles_nothing(
    tmp_path: Path,
) -> None:
    box, model = await Outbox.open(tmp_path / NAME), Model()
    codes = [f"P-{number}" for number in range(12)]
    await box.append([draft(code) for code in codes])
    journal = Journal(tmp_path / "second")
    journal.open()
    for after, lines in ((0, 3), (7, 5)):
        journal.write(await box.batch(after, max_lines=lines, max_bytes=1 << 20))
    journal.close()
    assert await take_in_journal(box, tmp_path / "second") == 8
    await sent(box, model)
    await box.close()
    assert check(codes, model.logs).fine
    assert len(model.logs) == 1


async def test_f08_what_only_a_journal_has_is_told_once_however_long_it_is(
    tmp_path: Path,
) -> None:
    """It has a hole, and goes on behind the end of the log that was left."""
    old, model = await Outbox.open(tmp_path / "old" / NAME), Model()
    codes = [f"P-{number}" for number in range(2600)]
    await old.append([draft(code) for code in codes])
    journal = Journal(tmp_path / "second")
    journal.open()
    for after in (5, 1005, 2005):
        journal.write(await old.batch(after, max_lines=1000, max_bytes=1 << 24))
    journal.close()
    box = await Outbox.open(tmp_path / NAME)
    lines = (await old.batch(0, max_lines=1500, max_bytes=1 << 24)).lines
    part = Log(id=0, name=old.log)
    await box.take_in(Chunk(part, chain.start(old.log), lines))
    await take_in_journal(box, tmp_path / "second")
    await sent(box, model)
    await old.close()
    await box.close()
    assert check(codes, model.logs).fine


async def test_a_journal_goes_only_as_far_as_it_is_backed_up(tmp_path: Path) -> None:
    box = await Outbox.open(tmp_path / NAME)
    await box.append([draft(f"P-{number}") for number in range(90)])
    journal = Journal(tmp_path / "second", longest=1000)
    journal.open()
    for after in range(0, 90, 10):
        journal.write(await box.batch(after, max_lines=10, max_bytes=1 << 20))
    names = sorted(path.name for path in (tmp_path / "second").iterdir())
    assert len(names) > 3
    assert journal.drop({box.log: 0}) == 0
    assert journal.drop({}) == 0
    dropped = journal.drop({box.log: 45})
    kept = sorted(path.name for path in (tmp_path / "second").iterdir())
    assert kept == names[dropped:]
    assert 0 < dropped < len(names)
    there = [line for chunk in read_folder(tmp_path / "second") for line in chunk.lines]
    whole = (await box.batch(45, max_lines=99, max_bytes=1 << 20)).lines
    assert there[-len(whole) :] == list(whole)
    journal.close()
    await box.close()


async def test_a_second_path_that_fails_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "second").write_text("no folder")
    box = await Outbox.open(tmp_path / NAME)
    copying = Copying(box, tmp_path / "second", again=0.001)
    running = asyncio.create_task(copying.run())
    await box.append([draft("P-1")])
    async with asyncio.timeout(10):
        while not copying.problem:  # noqa: ASYNC110 - as its health is looked at
            await asyncio.sleep(0.001)
    await box.append([draft("P-2")])
    assert box.last == 2
    running.cancel()
    await asyncio.wait([running])
    await box.close()


async def test_only_what_is_backed_up_and_old_is_pruned(tmp_path: Path) -> None:
    box, model = await Outbox.open(tmp_path / NAME), Model()
    old = to_text(read_clock().at - 100 * DAY)
    new = to_text(read_clock().at)
    for number in range(30):
        line = draft(f"P-{number}")
        at = old if number < 20 else new
        await box.append([msgspec.structs.replace(line, at=at)])
    care = Care(box, retention=90 * DAY)
    await sent(box, model)
    before = await box.batch(0, max_lines=30, max_bytes=1 << 20)
    await care.step()
    assert box.state.present.first == 0  # nothing is backed up
    await box.acknowledged(30, 15)
    care._until_pruning = 0
    await care.step()
    assert box.state.present.first == 15
    await box.acknowledged(30, 30)
    care._until_pruning = 0
    await care.step()
    assert box.state.present.first == 20  # the others are not old
    assert await box.append([draft("P-30")]) == [f"{box.log}:31"]
    log, heads = box.log, chain.walk(before.base, before.lines)
    assert await box.head_at(20) == heads[20]
    await box.close()
    box = await Outbox.open(tmp_path / NAME)
    assert (box.log, box.last, box.state.present.first) == (log, 31, 20)
    await sent(box, model)
    await box.close()
    assert check([f"P-{n}" for n in range(31)], model.logs).fine


async def test_f54_a_server_that_lost_what_was_pruned_gets_all_that_is_left(
    tmp_path: Path,
) -> None:
    box, model = await Outbox.open(tmp_path / NAME), Model()
    await box.append([draft(f"P-{number}") for number in range(30)])
    await sent(box, model)
    await box.acknowledged(30, 20)
    await box.prune(box.state.present.id, 20)
    model.logs[box.log] = model.logs[box.log][:7]
    sync = await sent(box, model)
    await box.append([draft("P-30")])
    sync = await sent(box, model)
    await box.close()
    assert sync.status.alarm or len(model.logs) == 2
    found = check([f"P-{n}" for n in range(31)], model.logs)
    assert found.lost == [f"P-{n}" for n in range(7, 20)]
    assert found._replace(lost=[]).fine


NEXT = """
CREATE TABLE shelf (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
ALTER TABLE log ADD COLUMN note TEXT NOT NULL DEFAULT '';
INSERT INTO shelf SELECT id, name FROM log;
CREATE INDEX shelf_name ON shelf (name);
"""
"""A second version, as one could be: it shows that the first leads there safely."""


def test_f17_a_migration_that_is_interrupted_anywhere_has_not_begun(
    tmp_path: Path,
) -> None:
    old = Path(__file__).parent / "outbox-v1.sql"
    steps = (*outbox_schema.schemas(), NEXT)
    interrupted = 0
    for most in range(1, 10_000):
        path = tmp_path / f"{most}.db"
        with closing(sqlite3.connect(path)) as db:
            db.executescript(old.read_text())
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            rows = db.execute("SELECT * FROM log, line ORDER BY position").fetchall()
            left = most

            def allowed(*_: object) -> int:
                nonlocal left
                left -= 1
                return sqlite3.SQLITE_DENY if left == 0 else sqlite3.SQLITE_OK

            db.set_authorizer(allowed)
            try:
                outbox_schema.prepare(db, steps)
            except sqlite3.DatabaseError:
                interrupted += 1
            db.set_authorizer(None)
            whole = left > 0
            (version,) = db.execute("PRAGMA user_version").fetchone()
            assert version == (2 if whole else 1)
            if not whole:
                assert (
                    db.execute("SELECT * FROM log, line ORDER BY position").fetchall()
                    == rows
                )
                outbox_schema.prepare(db, steps)
            assert db.execute("PRAGMA user_version").fetchone() == (2,)
            assert db.execute("SELECT count(*) FROM line").fetchone() == (3,)
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if whole:
            break
    assert interrupted > 20


async def test_f17_an_outbox_of_each_version_opens_and_goes_on(tmp_path: Path) -> None:
    old, model = Path(__file__).parent / "outbox-v1.sql", Model()
    with closing(sqlite3.connect(tmp_path / NAME)) as db:
        db.executescript(old.read_text())
    box = await Outbox.open(tmp_path / NAME)
    await box.append([draft("P-4")])
    await take_in(box, box.file.notices.append)
    await sent(box, model)
    assert box.file.notices == []
    await box.close()
    assert check(["P-1", "P-2", "P-3", "P-4"], model.logs).fine


async def test_f19_a_cancelled_call_leaves_no_transaction_and_loses_no_line(
    tmp_path: Path,
) -> None:
    box, model, tried = await Outbox.open(tmp_path / NAME), Model(), list[str]()
    for turns in range(40):
        code = f"P-{turns}"
        tried.append(code)
        task = asyncio.create_task(box.append([draft(code)]))
        for _ in range(turns % 8):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    await box.append([draft("P-LAST")])
    assert not await box.file.execute(lambda db: db.in_transaction)
    await sent(box, model)
    await box.close()
    assert check(["P-LAST"], model.logs, tried).fine
