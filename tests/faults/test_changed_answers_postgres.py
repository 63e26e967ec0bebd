"""The same on PostgreSQL: what answers are made of is changed, and the lines stay."""

import asyncio
import subprocess
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from server.site import DEFAULT, Site
from server.store.postgres import again, audit
from server.store.postgres.database import Worker, snapshot
from server.store.postgres.store import PostgresStore
from server.verify import Finding
from shared.errors import StartError
from shared.moments import SECOND
from tests.faults.server_scenes import NOW, joined
from tests.faults.test_changed_answers import Writer
from tests.postgres import Postgres
from tests.programs import told

CHANGES = (
    "UPDATE listed SET location = 'L-9' WHERE key = 'P-2'",
    "UPDATE listed SET status = 'shipped' WHERE key = 'P-3'",
    "DELETE FROM listed WHERE key = 'P-1'",
    "UPDATE item SET latest = latest + 1 WHERE key = 'P-2'",
    "UPDATE item SET state = '\\x00' WHERE key = 'P-2'",
    "UPDATE item SET state = (SELECT state FROM item WHERE key = 'P-3')",
    "UPDATE item SET state = '' WHERE key ~ 'C-'",
    "UPDATE item SET heard = '\\x9111' WHERE key = 'P-2'",
    "INSERT INTO heard SELECT name, 1, '\\x910a' FROM item WHERE key = 'P-2'",
    "DELETE FROM item WHERE key = 'P-1'",
    "DELETE FROM exception",
    "UPDATE exception SET since = since + 1",
    "INSERT INTO exception SELECT * FROM exception",
    "DELETE FROM counted",
    "DELETE FROM expected",
    "INSERT INTO expected SELECT load, '\\x01', 'P-3' FROM expected",
    "INSERT INTO departed VALUES (1, 1, '\\x01', 'P-3')",
    "DELETE FROM voided",
    "INSERT INTO voided SELECT name, 2, id, 9 FROM log",
    "DELETE FROM said",
    "UPDATE said SET key = 'P-9'",
    "UPDATE line SET quarantined = 'no reason' WHERE seq = 1",
)
_NAMES = count(1)


async def _fill(url: str) -> None:
    store = await PostgresStore.open(url, lambda: NOW, clock=lambda: NOW)
    try:
        writer = Writer()
        await joined(store, writer, writer.secret)
        station = await store.station(writer.secret)
        assert station is not None
        receipt = await store.append(station, writer.delivery(0, len(writer.lines)))
        assert receipt.quarantined == []
        await store.count_told(0)  # waits until what came late is told
    finally:
        await store.close()


def _name(url: str) -> str:
    return url.rpartition("@/")[2].partition("?")[0]


@pytest.fixture(scope="module")
def kept(database: Postgres) -> str:
    url = database.database()
    asyncio.run(_fill(url))
    return _name(url)


@pytest.fixture
def copy(database: Postgres, kept: str) -> Iterator[str]:
    """A copy of the database; its name."""
    name = f"changed_{next(_NAMES)}"
    database.tell("postgres", f"CREATE DATABASE {name} TEMPLATE {kept}")
    yield name
    database.tell("postgres", f"DROP DATABASE {name}")


def _differences(url: str, site: Site = DEFAULT) -> list[Finding]:
    folder = Path()  # nothing is archived

    async def ask() -> list[Finding]:
        worker = Worker(url, folder)
        try:
            await worker.open()
            lines = await worker.transact(partial(audit.report, marks={}), snapshot)
            assert lines.findings == []  # the lines are as they were
            compare = partial(again.differences, site=site, now=NOW + SECOND)
            return await worker.transact(compare, again.begin)
        finally:
            await worker.close()

    return asyncio.run(ask())


def test_f59_on_postgresql_what_follows_from_the_lines_is_found_sound(
    database: Postgres, copy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _differences(database.url(copy)) == []
    for name, few in (("_PAGE", 2), ("_LINES", 3)):
        monkeypatch.setattr(again, name, few)
    assert _differences(database.url(copy)) == []
    tables = "SELECT count(*) FROM pg_class WHERE relname LIKE '%again%'"
    assert database.tell(copy, tables) == "0"


@pytest.mark.parametrize("change", CHANGES)
def test_f59_on_postgresql_a_change_of_what_answers_are_made_of_is_found(
    database: Postgres, copy: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "_PAGE", 2)
    database.tell(copy, change)
    assert _differences(database.url(copy))


def test_f59_verify_compares_answers_on_postgresql_when_asked_to(
    database: Postgres, copy: str, tmp_path: Path
) -> None:
    config = tmp_path / "server.toml"
    config.write_text(f'[store]\nurl = "{database.url(copy)}"\n')
    where = ("--data", str(tmp_path), "--config", str(config))
    verify = ("scantrail-server", "verify", *where, "--answers")
    assert "as it was received" in told(*verify)
    database.tell(copy, CHANGES[0])
    with pytest.raises(subprocess.CalledProcessError) as refused:
        told(*verify)
    assert b"in listed, " in refused.value.stdout


def test_answers_by_other_rules_or_not_whole_yet_are_not_compared(
    database: Postgres, copy: str
) -> None:
    other = Site(handoff=7 * SECOND)
    with pytest.raises(StartError, match="other rules"):
        _differences(database.url(copy), other)
    database.tell(copy, "UPDATE turn SET late = late + 1")
    with pytest.raises(StartError, match="not told anew yet"):
        _differences(database.url(copy))
