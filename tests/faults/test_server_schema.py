"""A server's database of another version: led forward whole, or left alone (F-17)."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.backup import DATABASE
from server.site import DEFAULT
from server.store import schemas
from server.store.audit import opened, report
from shared.errors import StartError
from tests.faults.server_scenes import NEXT, SENDERS, joined, kept, serving


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")

    async def fill() -> None:
        async with serving(folder) as store:
            for sender in SENDERS:
                await joined(store, sender, sender.secret)
                station = await store.station(sender.secret)
                assert station is not None
                await store.append(station, sender.delivery(0, 9))

    asyncio.run(fill())
    return folder


def test_f17_a_servers_new_version_that_is_interrupted_anywhere_has_not_begun(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, before, interrupted = (*schemas.schemas(), NEXT), kept(old), 0
    monkeypatch.setattr(schemas, "schemas", lambda: steps)
    for most in range(1, 10_000):
        path = tmp_path / DATABASE
        shutil.copy(old / DATABASE, path)
        left = most

        def allowed(*_: object) -> int:
            nonlocal left
            left -= 1
            return sqlite3.SQLITE_DENY if left == 0 else sqlite3.SQLITE_OK

        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.set_authorizer(allowed)
            try:
                schemas.prepare(database, path, DEFAULT)
            except sqlite3.DatabaseError:
                interrupted += 1
            database.set_authorizer(None)
            (version,) = database.execute("PRAGMA user_version").fetchone()
            assert version == (2 if left > 0 else 1)
        assert kept(tmp_path) == before
        if left > 0:
            break
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            schemas.prepare(database, path, DEFAULT)
            found = database.execute("SELECT count(*) FROM again").fetchone()
            assert found == (18,)
    assert interrupted > 20
    with opened(tmp_path / DATABASE) as database:
        assert report(database, {}).findings == []


async def test_f17_a_server_goes_on_in_a_new_version(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (*schemas.schemas(), NEXT)
    shutil.copy(old / DATABASE, tmp_path / DATABASE)
    monkeypatch.setattr(schemas, "schemas", lambda: steps)
    for last in (12, 15):
        async with serving(tmp_path) as store:
            for sender in SENDERS:
                station = await store.station(sender.secret)
                assert station is not None
                receipt = await store.append(station, sender.delivery(0, last))
                assert receipt.acked == last
    (tmp_path / "new").mkdir()
    async with serving(tmp_path / "new") as fresh:
        assert fresh.identity.server


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("PRAGMA user_version = 99", "written by a newer Scantrail"),
        ("PRAGMA user_version = 0", "another program's database"),
    ],
)
async def test_f18_a_database_that_is_not_ours_to_change_is_left_alone(
    old: Path, tmp_path: Path, change: str, says: str
) -> None:
    path = tmp_path / DATABASE
    shutil.copy(old / DATABASE, path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(change)
    before = path.read_bytes()
    with pytest.raises(StartError, match=says):
        async with serving(tmp_path):
            pass
    assert path.read_bytes() == before
