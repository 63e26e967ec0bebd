import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge.outbox import Outbox
from edge.peeking import peek
from edge.storage import NotSavedError
from shared import chain
from shared.errors import LineError, StartError
from shared.lines import MAX_LINE, Line, decode

AT = "2026-03-01T10:00:00.000000Z"
WHOLE = {"max_lines": 10_000, "max_bytes": 1 << 24}


def draft(item: str = "P-1", **fields: str) -> Line:
    return msgspec.convert(
        {"seq": 1, "at": AT, "action": "see", "item": item, **fields}, Line
    )


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    box = await Outbox.open(tmp_path / "data" / "outbox.db")
    yield box
    await box.close()


async def items(box: Outbox) -> list[str | None]:
    batch = await box.batch(0, **WHOLE)
    return [decode(line).item for line in batch.lines]


async def test_lines_are_numbered_from_one_and_named_by_log_and_seq(
    outbox: Outbox,
) -> None:
    assert await outbox.append([draft("P-1"), draft("P-2")]) == [
        f"{outbox.log}:1",
        f"{outbox.log}:2",
    ]
    assert await outbox.append([draft("P-3")]) == [f"{outbox.log}:3"]
    assert (outbox.last, outbox.acked, outbox.waiting) == (3, 0, 3)
    lines = (await outbox.batch(0, **WHOLE)).lines
    assert [decode(line).seq for line in lines] == [1, 2, 3]


async def test_nothing_to_append_is_no_commit(outbox: Outbox) -> None:
    told: list[None] = []
    outbox.on_saved(lambda: told.append(None))
    assert await outbox.append([]) == []
    assert not told


async def test_heads_are_those_of_the_contract(outbox: Outbox) -> None:
    await outbox.append([draft(f"P-{n}") for n in range(5)])
    whole = await outbox.batch(0, **WHOLE)
    heads = chain.walk(chain.start(outbox.log), whole.lines)
    assert whole.base == heads[0]
    assert whole.head == heads[5]
    assert [await outbox.head_at(n) for n in range(6)] == heads
    assert await outbox.head_at(6) is None
    assert await outbox.head_at(-1) is None
    middle = await outbox.batch(2, max_lines=2, max_bytes=1 << 20)
    assert (middle.base, middle.head, middle.last) == (heads[2], heads[4], 4)
    assert middle.lines == whole.lines[2:4]
    assert middle.body == b"".join(line + b"\n" for line in middle.lines)


async def test_a_batch_keeps_both_limits_but_has_one_line_at_least(
    outbox: Outbox,
) -> None:
    await outbox.append([draft("P-" + "X" * 100) for _ in range(10)])
    one = len((await outbox.batch(0, max_lines=1, max_bytes=1 << 20)).body)
    assert (await outbox.batch(0, max_lines=99, max_bytes=3 * one)).last == 3
    assert (await outbox.batch(0, max_lines=99, max_bytes=3 * one - 1)).last == 2
    assert (await outbox.batch(0, max_lines=99, max_bytes=1)).last == 1
    assert (await outbox.batch(7, max_lines=0, max_bytes=1 << 20)).last == 7


async def test_there_is_no_batch_behind_the_end(outbox: Outbox) -> None:
    with pytest.raises(LookupError, match="line 3 of a log that ends at 0"):
        await outbox.batch(3, **WHOLE)


async def test_everything_is_there_after_closing_and_opening(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = await Outbox.open(path)
    await first.append([draft(f"P-{n}") for n in range(4)])
    await first.acknowledged(3, 2)
    before = await first.batch(0, **WHOLE)
    await first.close()
    again = await Outbox.open(path)
    try:
        assert await again.batch(0, **WHOLE) == before
        assert (again.log, again.last) == (first.log, 4)
        assert (again.acked, again.backed_up) == (3, 2)
        assert await again.append([draft("P-9")]) == [f"{first.log}:5"]
    finally:
        await again.close()


async def test_acknowledgements_do_not_go_back_but_a_rewind_does(
    outbox: Outbox,
) -> None:
    await outbox.append([draft() for _ in range(5)])
    await outbox.acknowledged(4, 0)
    await outbox.acknowledged(2, 0)
    assert outbox.acked == 4
    await outbox.rewind(1)
    assert (outbox.acked, outbox.waiting) == (1, 4)
    await outbox.acknowledged(99, 99)
    assert (outbox.acked, outbox.backed_up) == (5, 5)


async def test_a_new_log_takes_the_lines_that_the_server_lacks(outbox: Outbox) -> None:
    await outbox.append([draft(f"P-{n}") for n in range(1, 6)])
    await outbox.acknowledged(3, 1)
    old = outbox.log
    new = await outbox.start_log(3)
    assert outbox.log == new != old
    assert (outbox.last, outbox.acked, outbox.backed_up) == (2, 0, 0)
    batch = await outbox.batch(0, **WHOLE)
    assert [(decode(x).seq, decode(x).item) for x in batch.lines] == [
        (1, "P-4"),
        (2, "P-5"),
    ]
    assert batch.base == chain.start(new)
    assert batch.head == chain.walk(batch.base, batch.lines)[-1]
    assert await outbox.append([draft("P-6")]) == [f"{new}:3"]


async def test_a_void_follows_its_event_into_the_new_log(outbox: Outbox) -> None:
    kept, moved = await outbox.append([draft("P-1"), draft("P-2")])
    await outbox.append([draft(action="void", voids=moved)])
    middle = await outbox.start_log(1)
    new = await outbox.start_log(0)
    drafts = [draft(action="void", voids=event) for event in (kept, moved, "odd", "x:")]
    await outbox.append(drafts)
    lines = [decode(x) for x in (await outbox.batch(0, **WHOLE)).lines]
    assert [line.voids for line in lines] == [
        None,
        f"{new}:1",  # was recorded before the logs were left
        kept,  # the server has that one under its old name
        f"{new}:1",
        "odd",
        "x:",
    ]
    assert middle not in {new, outbox.log} | {line.voids for line in lines}


async def test_fields_that_this_version_does_not_know_move_too(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    box = await Outbox.open(path)
    await box.append([draft()])
    await box.close()
    line = b'{"seq":1,"at":"2026-03-01T10:00:00Z","action":"see","shelf":{"level":2}}'
    head = chain.link(chain.start(box.log), line)
    path.with_name("outbox.db.mark").unlink()  # it would tell
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE line SET bytes = ?, head = ?", (line, head))
    box = await Outbox.open(path)
    try:
        await box.append([draft()])
        await box.start_log(0)
        batch = await box.batch(0, **WHOLE)
        assert batch.lines[0] == line
        assert decode(batch.lines[1]).seq == 2
    finally:
        await box.close()


async def test_logs_that_were_left_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    box = await Outbox.open(path)
    (event,) = await box.append([draft()])
    new = await box.start_log(0)
    await box.close()
    box = await Outbox.open(path)
    try:
        assert (box.log, box.last) == (new, 1)
        await box.append([draft(action="void", voids=event)])
        assert decode((await box.batch(1, **WHOLE)).lines[0]).voids == f"{new}:1"
    finally:
        await box.close()


async def test_all_callbacks_hear_of_a_commit(outbox: Outbox) -> None:
    told: list[int] = []
    outbox.on_saved(lambda: told.append(outbox.last))
    outbox.on_saved(lambda: told.append(-outbox.last))
    await outbox.append([draft()])
    await outbox.start_log(0)
    assert told == [1, -1, 1, -1]


async def test_a_line_that_cannot_be_made_fit_saves_nothing(outbox: Outbox) -> None:
    with pytest.raises(LineError, match="the most is"):
        await outbox.append([draft("P-1"), draft("P-" + "X" * MAX_LINE)])
    assert outbox.last == 0
    assert await outbox.append([draft("P-2")]) == [f"{outbox.log}:1"]
    assert await items(outbox) == ["P-2"]


async def test_a_too_long_raw_is_shortened_and_saved(outbox: Outbox) -> None:
    await outbox.append([draft(raw="\0" * 20_000)])
    (line,) = (await outbox.batch(0, **WHOLE)).lines
    assert len(line) <= MAX_LINE
    assert decode(line).raw_length == 20_000


async def test_many_appenders_at_once_keep_one_order(outbox: Outbox) -> None:
    names = await asyncio.gather(
        *(outbox.append([draft(f"P-{n}"), draft(f"P-{n}")]) for n in range(50))
    )
    assert [name for pair in names for name in pair] == [
        f"{outbox.log}:{n}" for n in range(1, 101)
    ]
    assert await items(outbox) == [f"P-{n}" for n in range(50) for _ in range(2)]


async def test_file_and_folder_are_for_the_owner_alone(
    outbox: Outbox, tmp_path: Path
) -> None:
    await outbox.append([draft()])
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert modes == dict.fromkeys(
        [f"outbox.db{end}" for end in ("", "-shm", "-wal", ".lock", ".mark")], 0o600
    )


async def test_it_is_wal_and_flushes_lines_and_not_acknowledgements(
    outbox: Outbox,
) -> None:
    seen: list[str] = []
    await outbox.file.execute(lambda db: db.set_trace_callback(seen.append))
    await outbox.append([draft()])
    await outbox.acknowledged(1, 0)
    await outbox.append([draft()])
    await outbox.file.execute(lambda db: db.set_trace_callback(None))
    modes = [text.split()[-1] for text in seen if "synchronous" in text]
    assert modes == ["FULL", "NORMAL", "FULL"]
    assert await outbox.file.execute(_asked("PRAGMA journal_mode")) == "wal"


def _asked(sql: str) -> Callable[[sqlite3.Connection], object]:
    return lambda db: db.execute(sql).fetchone()[0]


def test_peek_of_nothing_is_nothing(tmp_path: Path) -> None:
    assert peek(tmp_path / "outbox.db") is None


async def test_peek_reads_while_the_station_runs_and_after(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    box = await Outbox.open(path)
    await box.append([draft() for _ in range(3)])
    await box.acknowledged(2, 1)
    running = peek(path)
    await box.close()
    assert running is not None
    assert running == peek(path)
    assert (running.log, running.last) == (box.log, 3)
    assert (running.acked, running.backed_up) == (2, 1)


def test_peek_at_an_outbox_that_was_never_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").touch()
    with pytest.raises(StartError, match=r"outbox\.db: it cannot be used"):
        peek(tmp_path / "outbox.db")


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError) as error:
        await Outbox.open(tmp_path / "file" / "outbox.db")
    assert "outbox.db: " in str(error.value)
    assert "see who owns it" in str(error.value)


async def test_a_new_log_on_a_full_disk_changes_nothing(outbox: Outbox) -> None:
    await outbox.append([draft("P-" + "X" * 3000) for _ in range(20)])
    log = outbox.log
    pages = await outbox.file.execute(_asked("PRAGMA page_count"))
    await outbox.file.execute(_asked(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(NotSavedError, match="the disk is full"):
        await outbox.start_log(0)
    assert (outbox.log, outbox.last) == (log, 20)
    await outbox.file.execute(_asked("PRAGMA max_page_count = 10000"))
    assert await outbox.start_log(0) == outbox.log != log
