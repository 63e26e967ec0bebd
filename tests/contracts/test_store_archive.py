"""Lines in files of the archive are answered from as those in the database."""

import asyncio
import errno
import os
import random
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server import archiving
from server.archiving import Kept, archive
from server.problems import ProblemError
from server.site import DEFAULT
from server.store import Store, View, parquet
from server.store import archive as store_archive
from server.store.archive_files import ArchiveFile
from server.store.archiving import FileArchiving
from server.store.postgres.archiving import PostgresArchiving
from server.verify import Kind, worst
from shared import chain, files
from shared.api.items import ItemAnswer
from shared.errors import StartError
from shared.lines import Line, encode
from shared.moments import SECOND, to_text
from shared.protocol import ProblemType
from tests.archived import DAY, EVER, NAMES, World
from tests.properties.histories import ITEMS

HISTORIES = int(os.environ.get("ARCHIVED_HISTORIES", "4"))


@pytest.fixture(params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setattr(parquet, "ROWS", 4)
    monkeypatch.setattr(archiving, "MOST", 20)
    monkeypatch.setattr(archiving, "_AT_ONCE", 5)
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("database").database()
    found = World(tmp_path, url)
    await found.begin()
    yield found
    await found.store.close()


async def archived(world: World, before: int) -> list[ArchiveFile]:
    made: list[ArchiveFile] = []
    await world.archive(before, made.append)
    return made


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_answers_before_and_after_are_equal(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not seed % 4:  # nothing is remembered for long
        monkeypatch.setattr(store_archive, "GROUPS", 1)
        monkeypatch.setattr(store_archive, "FILES", 1)
    rng = random.Random(seed)  # noqa: S311 # no secret
    await world.play(rng, 50)
    middle = world.moment
    await world.play(rng, 25)
    moments = (middle, EVER)
    before = [await world.answers(moment) for moment in moments]
    made = await archived(world, middle)
    assert len(made) > 2
    assert [await world.answers(moment) for moment in moments] == before
    assert (await world.report()).findings == []
    # some of what comes later bears on what is archived: it is late, or takes it back
    await world.play(rng, 25)
    before = [await world.answers(moment) for moment in moments]
    await archived(world, world.moment + DAY)
    assert [await world.answers(moment) for moment in moments] == before
    assert (await world.report()).findings == []


async def filled(world: World, seed: int = 3) -> int:
    """Let lines come in, archive them all, and return the moment."""
    rng = random.Random(seed)  # noqa: S311 # no secret
    await world.play(rng, 60)
    moment = world.moment + DAY
    assert await archived(world, moment)
    return moment


async def test_lines_that_are_archived_leave_the_database(world: World) -> None:
    await filled(world)
    made = await world.files()
    assert all(file.taken == file.last for file in made)
    assert sum(file.lines for file in made) == sum(world.sent.values())
    assert [file.name for file in made] == sorted(file.name for file in made)
    gone, there, said = await world.counts()
    assert gone > 0
    assert there == said, "a line is there that nothing was said by"
    rows = [row for file in made for row in world.rows(file)]
    assert [row.position for row in rows] == sorted(row.position for row in rows)
    by_name = {name: log for log, name in NAMES.items()}
    for row in rows:
        assert row.line == world.lines[by_name[row.log]][row.seq - 1]
    # what stations signed is beside the last line of each delivery
    assert await world.signed() == 0
    ends = [(row, row.signed) for row in rows if row.signed is not None]
    assert [signed.delivery for _, signed in ends] == [*range(1, len(ends) + 1)]
    assert {signed.clock is None for _, signed in ends} == {True, False}
    for row, signed in ends:
        head = chain.walk(chain.start(row.log), world.lines[by_name[row.log]])[row.seq]
        key = Ed25519PublicKey.from_public_bytes(signed.public_key)
        key.verify(signed.signature, chain.signed_message(row.log, row.seq, head))


async def test_archived_lines_that_come_again_are_known(world: World) -> None:
    await filled(world)
    for log, lines in world.lines.items():
        receipt = await world.offer(log, 0, lines)
        assert (receipt.appended, receipt.already) == (0, len(lines))
        halfway = len(lines) // 2
        again = await world.offer(log, halfway, lines)
        assert (again.appended, again.already) == (0, len(lines) - halfway)


async def test_another_line_in_an_archived_place_is_a_fork(world: World) -> None:
    await filled(world)
    before = await world.answers(EVER)
    for log, lines in world.lines.items():
        for place in (0, len(lines) // 2, len(lines) - 1):
            other = [*lines]
            other[place] = other[place].replace(b'"at":"2026', b'"at":"2025')
            assert other != lines
            with pytest.raises(ProblemError) as fork:
                await world.offer(log, 0, other)
            assert fork.value.problem.type == ProblemType.FORK
    assert await world.answers(EVER) == before


async def test_f59_a_changed_byte_in_a_file_is_found_and_not_answered_from(
    world: World,
) -> None:
    await filled(world)
    before = await world.answers(EVER)
    names = [file.name for file in await world.files()]
    path = world.archive_folder / names[1]
    whole = path.read_bytes()
    for place in (len(whole) // 3, len(whole) - 40):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        (finding,) = (await world.report()).findings
        assert finding.kind is Kind.FILE
        assert names[1] in finding.text
        assert "copy the file of this name from a backup" in finding.text
        with pytest.raises(ProblemError) as problem:
            await world.answers(EVER)
        assert problem.value.problem.status == 503
        assert names[1] in str(problem.value)
    path.write_bytes(whole)
    assert await world.answers(EVER) == before
    assert (await world.report()).findings == []


async def test_what_is_in_a_missing_file_is_never_answered_without(
    world: World,
) -> None:
    await filled(world)
    before = await world.answers(EVER)
    (name, *_) = [file.name for file in await world.files()]
    path, aside = world.archive_folder / name, world.folder / "aside"
    path.rename(aside)
    told, refused = 0, 0
    for item in ("P", "Q", "C"):
        view = View(at=EVER, known_at=EVER)
        try:
            found = await world.store.history(item, view)
        except ProblemError as problem:
            refused += f"{name} of the server's data folder, and it is not" in str(
                problem
            )
        else:
            assert found == before[f"history {item} {EVER}"]
            told += 1
    assert refused, "nothing needed the file"
    # what comes in meanwhile of other things is taken
    for log, lines in world.lines.items():
        seq, at = len(lines) + 1, to_text(world.moment)
        line = Line(seq=seq, at=at, action="see", item="NEW", location="X")
        lines.append(encode(line))
        assert (await world.send(log, 1)).appended == 1
    assert (await world.store.item("NEW")).location == "X"
    (finding,) = (await world.report()).findings
    assert name in finding.text
    assert finding.kind is Kind.UNREAD
    aside.rename(path)
    assert (await world.report()).findings == []


async def test_every_file_that_is_not_there_is_named_and_is_no_alteration(
    world: World,
) -> None:
    await filled(world)
    names = [file.name for file in await world.files()]
    gone = names[:3]
    for name in gone:
        (world.archive_folder / name).unlink()
    findings = (await world.report()).findings
    assert len(findings) == len(gone)
    for name, finding in zip(gone, findings, strict=True):
        assert name in finding.text
        assert finding.kind is Kind.UNREAD
    # what was altered besides is still the worst of it
    damaged = world.archive_folder / names[3]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert worst((await world.report()).findings) is Kind.FILE


async def test_without_what_reads_files_nothing_is_held_to_be_altered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(world)
    (name, *_) = [file.name for file in await world.files()]
    store_archive.archive_at.cache_clear()
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "pyarrow.parquet", None)
        (finding,) = (await world.report()).findings
        assert finding.kind is Kind.UNREAD
        assert "pip install 'scantrail[parquet]'" in finding.text
        (world.archive_folder / name).rename(world.folder / "aside")
        missing, reader = (await world.report()).findings
        assert name in missing.text
        assert reader == finding
    (world.folder / "aside").rename(world.archive_folder / name)
    assert (await world.report()).findings == []


async def test_who_asks_for_lines_of_a_missing_file_is_told_that_they_cannot_be_read(
    world: World,
) -> None:
    await filled(world)
    for file in await world.files():
        (world.archive_folder / file.name).unlink()
    with pytest.raises(ProblemError) as refused:
        await world.store.events(0, 10)
    problem = refused.value.problem
    assert (problem.status, problem.type) == (503, ProblemType.ARCHIVE)
    assert problem.title == "Archived lines cannot be read now"


async def test_late_scans_that_need_a_missing_file_wait_for_it(world: World) -> None:
    world.record(random.Random(3), 60)  # noqa: S311 # no secret
    *early, late = NAMES
    for log in early:
        for _ in range(len(world.lines[log]) // 5):
            world.moment += 5 * DAY
            await world.send(log, 5)
    await archived(world, world.moment + DAY)
    aside, refused = world.folder / "aside", 0
    world.archive_folder.rename(aside)
    try:
        await world.offer(late, 0, world.lines[late])
    except ProblemError as problem:
        refused = problem.problem.status
    assert refused == (0 if world.url else 503)
    with pytest.raises(ProblemError, match="it is not there"):
        await world.answers(EVER)
    aside.rename(world.archive_folder)
    receipt = await world.offer(late, 0, world.lines[late])
    assert receipt.acked == len(world.lines[late])
    for item in ITEMS:
        told = await world.told(item)
        async with asyncio.timeout(20):
            while _answer(await world.store.item(item)) != _answer(told):  # noqa: ASYNC110 # it tells nobody
                await asyncio.sleep(0.05)
    assert (await world.report()).findings == []


def _answer(found: ItemAnswer) -> tuple[object, ...]:
    return found.status, found.location, found.location_event, found.path


async def made_anew(store: Store) -> None:
    async with asyncio.timeout(30):
        while store.remaking() is not None:  # noqa: ASYNC110 # it tells nobody
            await asyncio.sleep(0.01)


async def test_f73_answers_are_made_anew_from_archived_lines(world: World) -> None:
    await filled(world)
    before = await world.answers(EVER)
    await world.store.close()
    world.site = msgspec.structs.replace(DEFAULT, handoff=DEFAULT.handoff * 7)
    await world.open()
    await made_anew(world.store)
    await world.store.close()
    world.site = DEFAULT
    await world.open()
    await made_anew(world.store)
    assert await world.answers(EVER) == before


async def test_only_whole_months_that_are_over_go(world: World) -> None:
    rng = random.Random(5)  # noqa: S311 # no secret
    await world.play(rng, 40)
    entries = await world.store.events(0, 1_000)
    middle = entries[len(entries) // 2].received
    made = await archived(world, middle)
    assert made[-1].last == max(e.position for e in entries if e.received < middle)
    assert await archived(world, middle) == []
    for file in made:
        (month,) = {
            f"{datetime.fromtimestamp(e.received // SECOND, UTC):%Y-%m}"
            for e in entries
            if file.first <= e.position <= file.last
        }
        assert file.name.startswith(month)


class _Ended(BaseException):
    """The process ends here."""


class _Ending:
    """A database that the process does not live to use any more after some steps."""

    def __init__(self, kept: Kept, steps: int) -> None:
        self._kept, self.left = kept, steps

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise _Ended

    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self._kept, name)

        def around(*given: object) -> object:
            self.step()
            found = method(*given)
            if name in {"note", "take"}:
                self.step()  # it is done, and nobody heard of it
            return found

        return around


async def test_f69_what_is_interrupted_anywhere_loses_nothing_and_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.play(random.Random(7), 30)  # noqa: S311 # no secret
    before, until = await world.answers(EVER), world.moment + DAY
    settle, steps, ended = files.settle, 0, False
    while not ended:
        steps += 1

        def run() -> None:
            with world.kept() as kept:
                ending = _Ending(kept, steps)  # noqa: B023 # it runs at once

                def settled(beside: Path, path: Path) -> None:
                    ending.step()
                    settle(beside, path)
                    ending.step()

                monkeypatch.setattr(files, "settle", settled)
                archive(cast("Kept", ending), world.archive_folder, until, _nobody)

        try:
            await world.apart(run)
            ended = True
        except _Ended:
            pass
        if steps % 5 == 0 or ended:
            assert await world.answers(EVER) == before, f"after {steps} steps"
            assert (await world.report()).findings == []
    assert steps > 20
    gone, there, said = await world.counts()
    assert gone > 0
    assert there == said


async def test_f70_a_disk_without_room_for_a_file_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.play(random.Random(8), 30)  # noqa: S311 # no secret
    before = await world.answers(EVER)

    def full(beside: Path, path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path), None, beside)

    with monkeypatch.context() as patched:
        patched.setattr(files, "settle", full)
        with pytest.raises(StartError, match="No space left on device"):
            await archived(world, world.moment + DAY)
    assert (await world.counts())[0] == 0
    assert await world.files() == []
    assert await archived(world, world.moment + DAY)
    assert not list(world.archive_folder.glob("*.new"))
    assert await world.answers(EVER) == before


async def test_what_was_changed_in_the_database_is_not_archived(world: World) -> None:
    await world.play(random.Random(9), 30)  # noqa: S311 # no secret
    await world.change("UPDATE line SET line = replace({0}, 'B-1', 'B-2'){1}")
    with pytest.raises(StartError, match="does not lead to what was signed"):
        await archived(world, world.moment + DAY)
    assert (await world.counts())[0] == 0


async def test_another_line_than_a_file_has_is_not_taken_out(world: World) -> None:
    await world.play(random.Random(10), 30)  # noqa: S311 # no secret

    def stop(_: object, __: object, ___: object) -> None:
        raise _Ended

    kind = PostgresArchiving if world.url else FileArchiving
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kind, "take", stop)
        with pytest.raises(_Ended):
            await archived(world, world.moment + DAY)
    assert len(await world.files()) == 1
    await world.change("UPDATE line SET line = replace({0}, 'B-1', 'B-2'){1}")
    with pytest.raises(StartError, match="is another in archive/"):
        await archived(world, world.moment + DAY)
    assert (await world.counts())[0] < 20


def _nobody(file: ArchiveFile) -> None:
    """Tell nobody."""
