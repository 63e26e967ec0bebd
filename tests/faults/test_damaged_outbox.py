"""A station starts, whatever it finds, and what is whole in there is not lost."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edge import aside
from edge.care import Care, take_in
from edge.outbox import Outbox
from edge.peeking import peek
from shared.errors import StartError
from shared.lines import decode
from tests.edge_server import Model
from tests.faults.checker import Found, check, draft, sent
from tests.faults.mutations import MUTATIONS, NAME, START, campaign

FINE = Found([], [], [], [])
CODES = [f"P-{number}" for number in range(1, 41)]


def sql(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(text)


async def killed(folder: Path, codes: list[str], *, back: bool = False) -> Path:
    """Make an outbox as a kill leaves it; ``back``: its -wal was written back."""
    live = folder.with_name(f"{folder.name}-live")
    box = await Outbox.open(live / NAME)
    for code in codes:
        await box.append([draft(code)])
    if back:
        await box.file.execute(
            lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        )
        await box.append([draft("P-AFTER")])
    shutil.copytree(live, folder)
    await box.close()
    return folder / NAME


async def all_sent(path: Path, model: Model, *, new: str = "P-NEW") -> list[str]:
    """Start on what is there, scan, and send everything; return what was said."""
    began = time.monotonic()
    box = await Outbox.open(path)
    try:
        await box.append([draft(new)])
        assert time.monotonic() - began < START
        await take_in(box, box.file.notices.append)
        await sent(box, model)
        return list(box.file.notices)
    finally:
        await box.close()


async def test_f09_whatever_is_damaged_it_captures_and_no_line_is_wrong(
    tmp_path: Path,
) -> None:
    outcomes = await campaign(tmp_path, 80, seed=9)
    assert len(outcomes) == 80
    assert {one.done.split()[0] for one in outcomes} == {
        mutation.__name__ for mutation in MUTATIONS
    }
    for one in outcomes:
        assert one.seconds < START, one
        assert one.found._replace(lost=[]) == FINE, one
        assert one.told or not one.found.lost, one
        assert not {"P-NEW", "P-LAST"} & set(one.found.lost), one
    assert any(one.told and not one.found.lost for one in outcomes)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b"a shopping list\n" * 999),
        lambda path: sql(path, "CREATE TABLE song (title); INSERT INTO song VALUES(1)"),
        lambda path: path.write_bytes(b"\0" * 8192),
    ],
    ids=["text", "foreign", "zeros"],
)
async def test_f09_what_is_no_outbox_is_kept_aside_as_it_was(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    path = tmp_path / NAME
    write(path)
    before = path.read_bytes()
    model = Model()
    said = await all_sent(path, model)
    assert check(["P-NEW"], model.logs) == FINE
    assert path.with_name(f"{NAME}.aside-1").read_bytes() == before
    assert any("cannot be used" in text for text in said)


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        ("UPDATE log SET id = id + 64", 0),
        ("UPDATE line SET bytes = x'78' WHERE position = (1 << 50) + 20", 1),
        ("DELETE FROM line WHERE position = (1 << 50) + 20", 2),
        ("UPDATE line SET head = zeroblob(32) WHERE position = (1 << 50) + 20", 0),
    ],
    ids=["a log", "a line", "a row", "a head"],
)
async def test_f60_rot_in_one_row_costs_that_row_and_nothing_else(
    tmp_path: Path, damage: str, lost: int
) -> None:
    path = await killed(tmp_path / "station", CODES)
    with closing(sqlite3.connect(path)) as db, db:
        changed = db.execute(damage).rowcount
    assert changed == 1
    model = Model()
    box = await Outbox.open(path)
    try:
        await take_in(box, box.file.notices.append)
        await sent(box, model)
        said = [*box.file.notices]
    finally:
        await box.close()
    found = check(CODES, model.logs)
    assert found._replace(lost=[]) == FINE
    assert len(found.lost) == lost
    assert any("NOT whole" in text for text in said) == bool(lost)


async def test_f10_a_deleted_wal_is_noticed_before_anything_is_recorded(
    tmp_path: Path,
) -> None:
    path = await killed(tmp_path / "station", CODES, back=True)
    path.with_name(f"{NAME}-wal").unlink()
    model = Model()
    said = await all_sent(path, model)
    assert any("its -wal file is gone" in text for text in said)
    assert check([*CODES, "P-NEW"], model.logs) == FINE
    assert len(model.logs) == 2


async def test_f10_a_foreign_wal_is_never_merged(tmp_path: Path) -> None:
    ours = await killed(tmp_path / "ours", CODES, back=True)
    theirs = await killed(tmp_path / "theirs", ["THEIRS-1", "THEIRS-2"])
    wal = f"{NAME}-wal"
    foreign = theirs.with_name(wal).read_bytes()
    ours.with_name(wal).write_bytes(foreign)
    ours.with_name(f"{NAME}-shm").unlink()
    model = Model()
    said = await all_sent(ours, model)
    assert any("another outbox" in text or "damaged" in text for text in said)
    assert check([*CODES, "P-NEW"], model.logs) == FINE
    assert ours.with_name(f"{NAME}.aside-1-wal").read_bytes() == foreign


async def test_f10_a_main_file_that_is_gone_is_found_again_in_its_wal(
    tmp_path: Path,
) -> None:
    path = await killed(tmp_path / "station", CODES)
    path.unlink()
    model = Model()
    said = await all_sent(path, model)
    assert any("its main file is gone" in text for text in said)
    assert check([*CODES, "P-NEW"], model.logs) == FINE


@pytest.mark.parametrize("part", ["", "-wal"])
async def test_f11_files_that_are_deleted_while_it_runs_are_noticed(
    tmp_path: Path, part: str
) -> None:
    path = tmp_path / NAME
    box = await Outbox.open(path)
    care, model = Care(box), Model()
    try:
        for code in CODES:
            await box.append([draft(code)])
        await box.acknowledged(0, 0)
        log = box.log
        path.with_name(NAME + part).unlink()
        await box.append([draft("P-UNLINKED")])
        await care.step()  # it looks once a second
        assert any("deleted or replaced" in text for text in box.file.notices)
        await box.append([draft("P-NEW")])
        assert box.log != log
        assert path.exists()
        await take_in(box, box.file.notices.append)
        await sent(box, model)
    finally:
        await box.close()
    assert check([*CODES, "P-UNLINKED", "P-NEW"], model.logs) == FINE
    assert peek(path) is not None


async def test_f12_a_file_that_is_replaced_while_it_runs_is_noticed(
    tmp_path: Path,
) -> None:
    path, model = tmp_path / NAME, Model()
    old = await killed(tmp_path / "old", ["P-OLD"], back=True)
    box = await Outbox.open(path)
    try:
        for code in CODES:
            await box.append([draft(code)])
        old.replace(path)
        await Care(box).step()
        await box.append([draft("P-NEW")])
        await take_in(box, box.file.notices.append)
        await sent(box, model)
    finally:
        await box.close()
    assert check([*CODES, "P-NEW"], model.logs) == FINE


async def test_f12_an_older_copy_is_noticed_without_the_server(tmp_path: Path) -> None:
    path, model = tmp_path / "station" / NAME, Model()
    box = await Outbox.open(path)
    await box.append([draft("P-1")])
    await box.close()
    older = path.read_bytes()
    box = await Outbox.open(path)
    await box.append([draft("P-2")])
    await sent(box, model)
    log = box.log
    await box.close()
    path.write_bytes(older)
    said = await all_sent(path, model)
    assert any("older than what was here" in text for text in said)
    assert check(["P-1", "P-2", "P-NEW"], model.logs) == FINE
    assert [decode(line).raw for line in model.logs[log]] == ["P-1", "P-2"]


async def test_f12_an_older_copy_of_the_whole_folder_is_noticed_by_the_server(
    tmp_path: Path,
) -> None:
    home, model = tmp_path / "station", Model()
    box = await Outbox.open(home / NAME)
    await box.append([draft("P-1")])
    await box.close()
    shutil.copytree(home, tmp_path / "backup")
    box = await Outbox.open(home / NAME)
    await box.append([draft("P-2")])
    await sent(box, model)
    log = box.log
    await box.close()
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "backup", home)
    await all_sent(home / NAME, model)
    assert check(["P-1", "P-2", "P-NEW"], model.logs) == FINE
    assert len(model.logs) == 2
    assert len(model.logs[log]) == 2


async def test_f13_a_lock_ends_with_its_holder_however_that_ends(
    tmp_path: Path,
) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from edge.outbox import Outbox\n"
        "async def main():\n"
        "    box = await Outbox.open(Path(sys.argv[1]))\n"
        "    print('open', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    path = tmp_path / NAME
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(path)), stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"open\n"
        with pytest.raises(StartError, match=f"process {holder.pid}"):
            await Outbox.open(path)
    finally:
        holder.send_signal(signal.SIGKILL)
        await holder.wait()
    box = await Outbox.open(path)
    await box.append([draft("P-1")])
    assert box.file.notices == []
    await box.close()


async def test_f14_a_reader_that_does_not_end_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.care._LONG_WAL", 4096)
    monkeypatch.setattr("edge.care._LONGEST_WAL", 100_000)
    path = tmp_path / NAME
    box = await Outbox.open(path)
    await box.append([draft("P-0")])
    care = Care(box)
    reader = sqlite3.connect(path)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM line").fetchall()
        for code in CODES:
            await box.append([draft(code)])
        await care.step()
        assert "another program reads the outbox" in care.problem
    finally:
        reader.close()
    await care.step()
    assert care.problem == ""
    await box.append([draft("P-NEW")])
    await box.close()


async def test_f18_a_newer_outbox_is_left_alone_and_capture_goes_on_beside_it(
    tmp_path: Path,
) -> None:
    path, model = tmp_path / "station" / NAME, Model()
    box = await Outbox.open(path)
    await box.append([draft("P-OLD")])
    await box.close()
    sql(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    for code in ("P-SIDE-1", "P-SIDE-2"):
        box = await Outbox.open(path)
        try:
            await box.append([draft(code)])
            await take_in(box, box.file.notices.append)
            assert any(
                "newer Scantrail (schema 99" in text for text in box.file.notices
            )
            state = peek(path)
            assert state is not None
            assert state.log == box.log
        finally:
            await box.close()
    assert path.read_bytes() == before
    sql(path, "PRAGMA user_version = 1")  # that version is installed again
    said = await all_sent(path, model)
    assert check(["P-OLD", "P-SIDE-1", "P-SIDE-2", "P-NEW"], model.logs) == FINE
    assert len(model.logs) == 2
    assert any("2 lines" in text for text in said)


async def test_f09_an_interrupted_setting_aside_is_finished(tmp_path: Path) -> None:
    path = await killed(tmp_path / "station", CODES)
    path.rename(path.with_name(f"{NAME}.aside-1"))  # and then it was killed
    model = Model()
    await all_sent(path, model)
    assert [one.name for one in aside.found(path)] == [f"{NAME}.aside-1"]
    assert check([*CODES, "P-NEW"], model.logs) == FINE


async def test_f09_a_lost_outbox_is_said(tmp_path: Path) -> None:
    path = await killed(tmp_path / "station", CODES)
    for part in ("", "-wal", "-shm"):
        path.with_name(NAME + part).unlink()
    model = Model()
    said = await all_sent(path, model)
    assert any("was gone; a new log begins" in text for text in said)
    assert check(["P-NEW"], model.logs) == FINE


async def test_f09_lines_are_found_however_many_logs_came_after(tmp_path: Path) -> None:
    path, model = tmp_path / NAME, Model()
    box = await Outbox.open(path)
    await box.append([draft("P-1")])
    await box.close()
    for number in range(70):
        path.write_bytes(b"damaged")
        if number == 0:
            path.with_name(f"{NAME}.aside-1").unlink(missing_ok=True)
            path.unlink()
            box = await Outbox.open(path)
            await box.append([draft("P-2")])
            await box.close()
            shutil.copyfile(path, path.with_name(f"{NAME}.aside-99"))
            path.write_bytes(b"damaged")
        box = await Outbox.open(path)
        await box.close()
    await all_sent(path, model)
    assert check(["P-2", "P-NEW"], model.logs).fine
