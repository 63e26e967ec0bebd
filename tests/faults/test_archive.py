"""Archived lines, and what is done to a server: killed, moved, backed up, restored."""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.backup import MANIFEST
from server.site import DEFAULT
from server.store import View
from server.store.archiving import FileArchiving
from server.store.postgres.archiving import PostgresArchiving
from server.store.postgres.store import PostgresStore
from server.transfer import to_file, to_postgres
from shared.data_folders import ARCHIVE, DATABASE
from shared.errors import StartError
from shared.moments import SECOND
from tests.archived import EVER, World
from tests.postgres import Postgres
from tests.programs import BIN, Server, told
from tests.properties.histories import ITEMS

LONG_AGO = 1_700_000_000 * SECOND
"""When lines were received: in 2023, and at most two years later."""
OVER = "2026-01"


@pytest.fixture(params=["sqlite", "postgres"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url = ""
    if request.param == "postgres":
        url = request.getfixturevalue("database").database()
    found = World(tmp_path / "data", url, begins=LONG_AGO)
    found.folder.mkdir(mode=0o700)
    await found.begin()
    await found.play(random.Random(11), 60)  # noqa: S311 # no secret
    yield found
    await found.store.close()


def where(world: World) -> list[str]:
    """Return the arguments that name a server's folder and database."""
    if not world.url:
        return ["--data", str(world.folder)]
    config = world.folder.parent / "server.toml"
    config.write_text(f'data = "{world.folder}"\n[store]\nurl = "{world.url}"\n')
    return ["--data", str(world.folder), "--config", str(config)]


@pytest.fixture
def without_pyarrow(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a program that does not find pyarrow."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "pyarrow.py").write_text("raise ImportError('there is none')\n")
    return {**os.environ, "PYTHONPATH": str(hidden)}


def ended(*command: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a program to its end; return its status, and all that it printed."""
    program, *arguments = command
    done = subprocess.run(
        [str(BIN / program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
        env=env,
    )
    return done.returncode, done.stdout.decode()


async def archived(world: World) -> str:
    """Archive everything by the program."""
    said = ""

    def run() -> None:
        nonlocal said
        said = told("scantrail-server", "archive", "--before", OVER, *where(world))

    await world.apart(run)
    return said


async def test_f69_archiving_that_is_killed_anywhere_goes_on(world: World) -> None:
    before, killed, steps = await world.answers(EVER), 0, 1
    command = ["archive", "--before", OVER, *where(world)]

    def run() -> int:
        module = [sys.executable, "-m", "tests.faults.archive_kill", str(steps)]
        done = subprocess.run([*module, *command], capture_output=True, check=False)
        return done.returncode

    codes: list[int] = []
    while not codes or codes[-1]:
        await world.apart(lambda: codes.append(run()))
        killed += codes[-1] == -signal.SIGKILL
        assert codes[-1] in {0, -signal.SIGKILL}
        assert await world.answers(EVER) == before, f"killed at step {steps}"
        assert (await world.report()).findings == []
        steps = steps * 3 + 1
    assert killed > 3
    gone, there, said = await world.counts()
    assert gone > 0
    assert there == said


async def test_archived_lines_are_in_a_backup_and_restored(world: World) -> None:
    before, out = await world.answers(EVER), await archived(world)
    name, lines, _ = out.splitlines()[0].split("\t")
    assert lines.endswith(" lines")
    to, anew = world.folder.parent / "backups", world.folder.parent / "anew"
    server = "scantrail-server"
    make = (server, "backup", "--to", str(to), *where(world))
    made = Path(await asyncio.to_thread(told, *make))
    assert f"{ARCHIVE}/{name}" in json.loads((made / MANIFEST).read_text())["files"]
    verify = (server, "verify", "--against", str(made), *where(world))
    assert "as it was received" in await asyncio.to_thread(told, *verify)
    drill = (server, "drill", "--data", str(world.folder), str(made))
    assert "as it was received" in await asyncio.to_thread(told, *drill)
    restore = (server, "restore", str(made), "--data", str(anew))
    await asyncio.to_thread(told, *restore)
    other = World(anew, begins=world.moment)
    await other.open()
    try:
        assert await other.answers(EVER) == before
        assert (await other.report()).findings == []
    finally:
        await other.store.close()
    # the next one shares what is whole in it
    again = Path(await asyncio.to_thread(told, *make))
    copies = [folder / ARCHIVE / name for folder in (made, again)]
    assert copies[0].samefile(copies[1])
    assert not copies[0].samefile(world.archive_folder / name)
    # one that would lack lines is none
    (world.archive_folder / name).unlink()
    code, refusal = await asyncio.to_thread(ended, *make)
    assert code == 1
    assert name in refusal
    assert len(list(to.iterdir())) == 2


async def test_lines_are_archived_while_others_are_read_and_written(
    database: Postgres, tmp_path: Path
) -> None:
    world = World(tmp_path, database.database(), begins=LONG_AGO)
    await world.begin()
    other = await PostgresStore.open(
        world.url, world.clock, clock=world.clock, archive=world.archive_folder
    )
    try:
        rng = random.Random(15)  # noqa: S311 # no secret
        await world.play(rng, 80)
        view = View(at=EVER, known_at=world.moment)
        before = [await other.history(item, view) for item in ITEMS]
        feed = await other.events(0, 1_000)
        archiving = asyncio.create_task(archived(world))
        looks = 0
        while not archiving.done():
            await world.play(rng, 3)
            assert [await other.history(item, view) for item in ITEMS] == before
            assert (await other.events(0, 1_000))[: len(feed)] == feed
            looks += 1
        await archiving
        assert looks > 1
        assert (await world.counts())[0] > 0
        assert [await other.history(item, view) for item in ITEMS] == before
        assert (await world.report()).findings == []
    finally:
        await other.close()
        await world.store.close()


async def test_a_doctor_tells_of_missing_files_and_of_a_missing_reader(
    world: World, without_pyarrow: dict[str, str]
) -> None:
    out = await archived(world)
    name = out.partition("\t")[0]
    doctor = ("scantrail-server", "doctor", *where(world))
    _, found = await asyncio.to_thread(ended, *doctor)
    assert "are there and as long as they were; whether they were changed" in found
    assert "scantrail[parquet]" not in found
    _, found = await asyncio.to_thread(ended, *doctor, env=without_pyarrow)
    assert re.search(r"wrong .*pip install 'scantrail\[parquet\]'", found)
    (world.archive_folder / name).unlink()
    _, found = await asyncio.to_thread(ended, *doctor)
    assert name in found
    assert "it is not there" in found


async def test_a_server_says_at_its_start_what_is_missing_and_serves_the_rest(
    world: World,
) -> None:
    out = await archived(world)
    name = out.partition("\t")[0]
    await world.store.close()
    (world.archive_folder / name).unlink()
    config = world.folder.parent / "server.toml" if world.url else None
    server = Server(world.folder, config)
    try:
        await asyncio.to_thread(server.start)
        ready = f"{server.url}/readyz"
        async with aiohttp.ClientSession() as asking, asking.get(ready) as answer:
            assert answer.status == 200
        key = told(
            "scantrail-server", "key", "--data", str(world.folder), "--scope=read"
        )
        asked = {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(headers=asked) as asking,
            asking.get(f"{server.url}/metrics") as answer,
        ):
            assert "\nscantrail_archive_files_missing 1.0\n" in await answer.text()
        log = (world.folder.parent / "server.log").read_text()
    finally:
        await asyncio.to_thread(server.stop)
        await world.open()
    (line,) = [line for line in log.splitlines() if name in line]
    assert "error" in line.lower()
    assert "it is not there" in line


async def test_archiving_again_says_what_is_there_and_what_is_not(
    world: World, without_pyarrow: dict[str, str]
) -> None:
    command = ("scantrail-server", "archive", "--before", OVER, *where(world))
    outcomes: list[tuple[int, str]] = []

    async def run(env: dict[str, str] | None = None) -> tuple[int, str]:
        await world.apart(lambda: outcomes.append(ended(*command, env=env)))
        return outcomes.pop()

    code, first = await run()
    assert code == 0
    assert "Make a backup now (scantrail-server backup)" in first
    files = await world.files()
    code, again = await run()
    assert code == 0
    assert "nothing in the database was received before 2026-01 and is not" in again
    lines = sum(file.lines for file in files)
    assert f"{len(files)} files of {world.archive_folder} have {lines} lines" in again
    assert "Make a backup" not in again
    code, blind = await run(without_pyarrow)
    assert code == 1
    assert "pip install 'scantrail[parquet]'" in blind
    for file in files[:2]:
        (world.archive_folder / file.name).unlink()
    code, lost = await run()
    assert code == 1
    assert f"{len(files)} files of" in lost
    assert all(file.name in lost for file in files[:2])


async def test_what_cannot_be_looked_at_is_not_said_to_be_altered(
    world: World, without_pyarrow: dict[str, str]
) -> None:
    names = [line.partition("\t")[0] for line in (await archived(world)).splitlines()]
    assert len(names) > 2
    verify = ("scantrail-server", "verify", *where(world))
    code, found = await asyncio.to_thread(ended, *verify, env=without_pyarrow)
    assert code == 1
    assert "pip install 'scantrail[parquet]'" in found
    assert "1 findings: not all of it can be looked at" in found
    assert "restore a" not in found
    for name in names:
        (world.archive_folder / name).rename(world.folder / name)
    code, found = await asyncio.to_thread(ended, *verify)
    assert code == 1
    for name in names:
        assert f"archive/{name} of the server's data folder, and it is not th" in found
    assert f"{len(names)} findings: not all of it can be looked at" in found
    assert "restore a" not in found
    for name in names:
        (world.folder / name).rename(world.archive_folder / name)
    damaged = world.archive_folder / names[0]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    code, found = await asyncio.to_thread(ended, *verify)
    assert code == 1
    assert "1 findings: files of archived lines are not as they were written" in found
    assert "restore a" not in found


async def test_f58_archived_lines_move_with_all_others(
    database: Postgres, tmp_path: Path
) -> None:
    here = World(tmp_path / "here", begins=LONG_AGO)
    here.folder.mkdir()
    await here.begin()
    await here.play(random.Random(12), 60)  # noqa: S311 # no secret
    before = await here.answers(EVER)
    await archived(here)
    await here.play(random.Random(13), 10)  # noqa: S311 # no secret
    more = await here.answers(EVER)
    assert more != before
    await here.store.close()

    url, there = database.database(), tmp_path / "there"
    with pytest.raises(StartError, match="nothing is kept"):
        await asyncio.to_thread(PostgresArchiving, url, there / ARCHIVE)
    path = here.folder / DATABASE

    def half(_: str) -> None:
        raise _Stop

    with pytest.raises(_Stop):
        await to_postgres(path, url, DEFAULT, half, archive=there / ARCHIVE)
    with pytest.raises(StartError, match="only half moved"):
        await asyncio.to_thread(PostgresArchiving, url, there / ARCHIVE)
    await to_postgres(path, url, DEFAULT, _nobody, archive=there / ARCHIVE)
    moved = World(there, url, begins=here.moment)
    await moved.open()
    try:
        assert await moved.answers(EVER) == more
        assert (await moved.report()).findings == []
        counts = await moved.counts()
        assert counts[0] > 0
    finally:
        await moved.store.close()

    back = World(tmp_path / "back", begins=moved.moment)
    back.folder.mkdir()
    target = back.folder / DATABASE
    with pytest.raises(_Stop):
        await to_file(url, target, DEFAULT, half, archive=there / ARCHIVE)
    with pytest.raises(StartError, match="only half moved"):
        FileArchiving(target)
    await to_file(url, target, DEFAULT, _nobody, archive=there / ARCHIVE)
    await back.open()
    try:
        assert await back.answers(EVER) == more
        assert (await back.report()).findings == []
        assert await back.counts() == counts
    finally:
        await back.store.close()


async def test_answers_follow_from_archived_lines_as_from_others(
    world: World,
) -> None:
    await archived(world)
    said: list[str] = []

    def run() -> None:
        server = "scantrail-server"
        said.append(told(server, "verify", "--answers", *where(world)))
        said.append(ended(server, "retime", *where(world))[1])

    await world.apart(run)
    assert "as it was received" in said[0]
    assert "; 0 lines happened otherwise" in said[1]


class _Stop(Exception):  # noqa: N818 # it stands for a kill
    """A process that ends here."""


def _nobody(_: str) -> None:
    """Tell nobody."""
